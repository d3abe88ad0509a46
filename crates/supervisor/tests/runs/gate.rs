//! How a run starts, and how it does not.

use std::{fs, os::unix::fs::PermissionsExt as _, thread};

use kite_supervisor::{Error, Found, Reason, prepare, start};
use rustix::process::Signal;

use crate::stage::{PROGRAM, Stage, kill, until};

#[test]
fn a_program_runs_nothing_before_it_is_let_go() {
    let stage = Stage::shell("echo ran > mark");
    let gate = stage.at_gate();
    let Found::Alive { supervisor, child } = stage.find() else {
        panic!("{:?}", stage.find());
    };
    assert_eq!((&supervisor, &child), (&gate.supervisor, &gate.child));
    assert!(child.runs() && !stage.work("mark").exists());
    gate.open().expect("an open gate");
    let exit = stage.end();
    assert_eq!((exit.reason, exit.code), (Reason::Exited, Some(0)));
    assert!(exit.started_ms > 0 && exit.ended_ms >= exit.started_ms);
    assert!(stage.work("mark").exists());
    until("the supervisor's end", || {
        (!supervisor.runs()).then_some(())
    });
}

#[test]
fn what_the_environment_holds_is_not_left_on_disk() {
    let mut stage = Stage::shell("test \"$API_KEY\" = sesame && echo known");
    let key = ("API_KEY".to_owned(), "sesame".to_owned());
    stage.run.environment.push(key);
    let gate = stage.at_gate();
    for entry in fs::read_dir(stage.directory()).expect("files") {
        let file = entry.expect("a file").path();
        let text = fs::read(&file).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        assert!(!text.contains("\"sesame\""), "{}: {text}", file.display());
    }
    gate.open().expect("an open gate");
    assert_eq!(stage.end().code, Some(0));
}

#[test]
fn a_program_whose_starter_goes_away_never_runs() {
    let stage = Stage::shell("echo ran > mark");
    let gate = stage.at_gate();
    let child = gate.child.clone();
    drop(gate);
    assert_eq!(stage.end().reason, Reason::Abandoned);
    assert!(!child.runs() && !stage.work("mark").exists());
    // And can be run after all.
    stage.play();
    assert!(stage.work("mark").exists());
}

#[test]
fn a_program_whose_keeper_is_killed_before_never_runs() {
    let stage = Stage::shell("echo ran > mark");
    let gate = stage.at_gate();
    let child = gate.child.clone();
    kill(gate.supervisor.pid, Signal::KILL);
    until("the child's end", || (!child.runs()).then_some(()));
    assert!(matches!(stage.find(), Found::Gone { .. }));
    assert!(gate.open().is_err());
    assert!(!stage.work("mark").exists());
}

#[test]
fn a_program_that_cannot_be_started_says_why() {
    let here = tempfile::tempdir().expect("a directory");
    let script = |name: &str, first_line: &str, mode| {
        let path = here.path().join(name);
        fs::write(&path, first_line).expect("a script");
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("a mode");
        path.to_str().expect("a path").to_owned()
    };
    let cases = [
        ("no-such-agent".to_owned(), "on the PATH"),
        ("/no/such/agent".to_owned(), "there is no program"),
        (script("a", "#!/no/such/shell\n", 0o755), "interpreter"),
        (script("b", "#!/bin/sh\n", 0o644), "may not be executed"),
    ];
    for (program, words) in cases {
        let stage = Stage::argv(&[&program]);
        let exit = stage.play();
        assert_eq!(exit.reason, Reason::NotStarted);
        let error = exit.error.expect("an error");
        assert!(error.contains(words) && error.contains(&program), "{error}");
    }
}

#[test]
fn a_run_without_a_directory_or_birth_is_refused_with_its_reason() {
    let mut stage = Stage::shell("true");
    stage.run.directory.push("missing");
    let why = refused(&stage);
    assert!(why.contains("there is no directory"), "{why}");
    assert_eq!(stage.end().error, Some(why));

    let stage = Stage::shell("true");
    stage.prepare();
    fs::write(stage.directory().join("no-birth"), "").expect("a file");
    assert_eq!(refused(&stage), "its settings could not be written");
}

fn refused(stage: &Stage) -> String {
    stage.prepare();
    match start(PROGRAM.as_ref(), &stage.directory()) {
        Err(Error::Refused(why)) => why,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_run_has_one_keeper() {
    let stage = Stage::shell("echo ready; sleep 120");
    stage.start_until("ready");
    let again = prepare(&stage.directory(), &stage.run).expect_err("it runs");
    assert!(again.to_string().contains("still runs"), "{again}");
    let second = start(PROGRAM.as_ref(), &stage.directory()).expect_err("it runs");
    assert!(second.to_string().contains("another"), "{second}");
    assert!(matches!(stage.find(), Found::Alive { .. }));
    kite_supervisor::stop(&stage.directory()).expect("stopped");
    stage.end();
    // What was run is not run again unless it is made ready again.
    let second = start(PROGRAM.as_ref(), &stage.directory()).expect_err("it has run");
    assert!(second.to_string().contains("before"), "{second}");
}

#[test]
fn runs_that_are_started_at_the_same_moment_all_run() {
    thread::scope(|scope| {
        for _ in 0..20 {
            scope.spawn(|| {
                let stage = Stage::shell("echo ran");
                assert_eq!(stage.play().code, Some(0));
                assert_eq!(stage.output(), "ran");
            });
        }
    });
}

#[test]
fn a_keeper_that_says_nothing_is_an_error() {
    let stage = Stage::shell("true");
    stage.prepare();
    let error = start("/bin/false".as_ref(), &stage.directory()).expect_err("no supervisor");
    assert!(matches!(error, Error::Silent(_)), "{error}");
    let error = start("/no/such/kite".as_ref(), &stage.directory()).expect_err("no supervisor");
    assert!(matches!(error, Error::Io(_)), "{error}");
    assert_eq!(stage.find(), Found::NeverStarted);
}

#[test]
fn a_program_is_given_what_the_run_says_and_nothing_else() {
    let mut stage =
        Stage::shell("env > environment; umask > mask; ls /proc/self/fd > numbers; pwd");
    stage
        .run
        .environment
        .push(("NAME".to_owned(), "a b".to_owned()));
    assert_eq!(stage.play().code, Some(0));
    let environment = fs::read_to_string(stage.work("environment")).expect("a file");
    // What a shell adds by itself.
    let own = |line: &&str| {
        !["PWD=", "OLDPWD=", "SHLVL=", "_="]
            .iter()
            .any(|s| line.starts_with(s))
    };
    let names: Vec<&str> = environment
        .lines()
        .filter(own)
        .filter_map(|l| l.split('=').next())
        .collect();
    for name in &names {
        assert!(["PATH", "KITE_AGENT", "NAME"].contains(name), "{name}");
    }
    assert!(environment.contains("NAME=a b"));
    assert!(environment.contains(&format!("KITE_AGENT={}", stage.run.cookie)));
    let mask = fs::read_to_string(stage.work("mask")).expect("a file");
    assert_eq!(mask.trim().trim_start_matches('0'), "22");
    let directory = stage.run.directory.canonicalize().expect("a path");
    assert_eq!(stage.output().trim(), directory.to_str().expect("a path"));
    if let Ok(numbers) = fs::read_to_string(stage.work("numbers")) {
        // Three of its own, and the directory that `ls` reads.
        assert!(numbers.lines().count() <= 4, "{numbers}");
    }
}

#[test]
fn the_files_of_a_run_are_its_owners_only() {
    let mut stage = Stage::shell("echo out; echo err >&2");
    stage
        .run
        .environment
        .push(("TOKEN".to_owned(), "secret".to_owned()));
    stage.play();
    let mode =
        |path: &std::path::Path| fs::metadata(path).expect("a file").permissions().mode() & 0o777;
    assert_eq!(mode(&stage.directory()), 0o700);
    for file in fs::read_dir(stage.directory()).expect("files") {
        let path = file.expect("a file").path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
}

#[test]
fn a_run_that_makes_no_sense_is_refused() {
    type Breaks = fn(&mut Stage);
    let broken: [(&str, Breaks); 6] = [
        ("program", |stage| stage.run.argv.clear()),
        ("NUL", |stage| stage.run.argv.push("a\0b".to_owned())),
        ("variable", |stage| {
            stage
                .run
                .environment
                .push(("A=B".to_owned(), String::new()))
        }),
        ("cookie", |stage| stage.run.cookie.clear()),
        ("absolute", |stage| stage.run.directory = "here".into()),
        ("16 MiB", |stage| {
            stage.run.input = "x".repeat(kite_supervisor::INPUT_BYTES_MAX + 1)
        }),
    ];
    for (word, breaks) in broken {
        let mut stage = Stage::shell("true");
        breaks(&mut stage);
        let error = prepare(&stage.directory(), &stage.run).expect_err(word);
        assert!(error.to_string().contains(word), "{error}");
    }
}
