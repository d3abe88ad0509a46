//! The hook as an agent sees it: bytes in, bytes and an exit code out, and never in the way.

mod stage;

use std::{
    ffi::OsStr,
    fs,
    io::Write,
    os::unix::{
        ffi::OsStrExt,
        fs::{PermissionsExt, symlink},
        net::UnixStream,
    },
    thread,
    time::{Duration, Instant},
};

use kite_wire::frame::{AnswerLine, INPUT_BYTES_MAX, OUTPUT_BYTES_MAX};
use stage::{Stage, answer, now_ms, stay_silent};

/// Far more than the 150 ms that the hook waits, far less than any agent's own limit.
const SOON: Duration = Duration::from_secs(2);

#[test]
fn a_decision_passes_through() {
    let stage = Stage::new();
    let daemon = stage.daemon(|hook| {
        answer(
            hook,
            2,
            "{\"out\":1}\n",
            "File locked by session 3f2a91bc\n",
        )
    });

    stage
        .hook("PreToolUse")
        .input(r#"{"tool_name":"Edit"}"#)
        .run()
        .exits(2)
        .says("{\"out\":1}\n", "File locked by session 3f2a91bc\n");

    let frame = daemon.join().expect("the daemon has read a frame");
    assert_eq!(frame.header.event, "PreToolUse");
    assert_eq!(frame.header.client, "claude-code");
    assert_eq!(frame.input, br#"{"tool_name":"Edit"}"#);
    assert!(stage.faults().is_empty());
}

#[test]
fn an_answer_may_come_in_crumbs_and_be_as_long_as_allowed() {
    let stage = Stage::new();
    let text = "x".repeat(OUTPUT_BYTES_MAX - 3);
    let expected = text.clone();
    stage.daemon(move |hook| {
        let done = AnswerLine::Done {
            exit: 0,
            stdout_len: text.len(),
            stderr_len: 3,
        };
        for byte in done.to_line().bytes() {
            hook.write_all(&[byte]).expect("the hook reads");
        }
        hook.write_all(text.as_bytes()).expect("the hook reads");
        hook.write_all(b"end and what nobody announced")
            .expect("the hook reads");
    });

    stage
        .hook("SessionStart")
        .run()
        .exits(0)
        .says(&expected, "end");
}

#[test]
fn another_client_is_named_in_the_header() {
    let stage = Stage::new();
    let daemon = stage.daemon(|hook| answer(hook, 0, "", ""));
    stage.hook("BeforeTool").arg("gemini").run().lets_go();
    assert_eq!(daemon.join().expect("a frame").header.client, "gemini");
}

#[test]
fn hostile_environment_survives_the_header() {
    let stage = Stage::new();
    let daemon = stage.daemon(|hook| answer(hook, 0, "", ""));
    let hostile = b"tab\there\nhook\t1\tStop\t%41=\xFF\xFE\xC3";

    stage
        .hook("Pre\tTool\nUse")
        .env("CLAUDE_CODE_SESSION_ID", OsStr::from_bytes(hostile))
        .env("CLAUDE_PID", "4711")
        .env("CLAUDE_PROJECT_DIR", "x".repeat(100_000))
        .env("SECRET_TOKEN", "not for the daemon")
        .run()
        .lets_go();

    let header = daemon.join().expect("a frame").header;
    assert_eq!(header.event, "Pre\tTool\nUse");
    let expected = vec![
        ("CLAUDE_PID".to_owned(), b"4711".to_vec()),
        ("CLAUDE_CODE_SESSION_ID".to_owned(), hostile.to_vec()),
        // That it will say when it has written out its answer.
        ("KITE_RECEIPT".to_owned(), b"1".to_vec()),
    ];
    assert_eq!(
        header.env, expected,
        "an overlong value is left out, others are not looked at"
    );
}

#[test]
fn a_wait_line_gives_the_daemon_more_time() {
    let stage = Stage::new();
    let pause = Duration::from_millis(400);
    stage.daemon(move |hook| {
        hook.write_all(AnswerLine::Wait { ms: 60_000 }.to_line().as_bytes())
            .expect("the hook reads");
        thread::sleep(pause);
        answer(hook, 2, "", "still locked\n");
    });

    let ended = stage.hook("PreToolUse").run();

    ended.exits(2).says("", "still locked\n");
    assert!(ended.took >= pause, "{ended:?}");
    assert!(stage.faults().is_empty());
}

#[test]
fn a_wait_that_is_not_kept_ends() {
    let stage = Stage::new();
    stage.daemon(|hook| {
        hook.write_all(AnswerLine::Wait { ms: 300 }.to_line().as_bytes())
            .expect("the hook reads");
        stay_silent(hook);
    });

    let ended = stage.hook("PreToolUse").run();

    ended.lets_go().within(SOON);
    assert!(ended.took >= Duration::from_millis(300), "{ended:?}");
    assert_eq!(stage.faults(), ["timeout"]);
}

#[test]
fn without_a_daemon_the_agent_goes_on_and_it_is_counted() {
    let stage = Stage::new();
    stage.hook("PreToolUse").run().lets_go().within(SOON);
    stage.hook("Stop").run().lets_go().within(SOON);

    drop(stage.listen());
    stage.hook("PreToolUse").run().lets_go().within(SOON);

    assert_eq!(stage.faults(), ["unreachable"; 3]);
    let mode = fs::metadata(stage.home.hook_faults())
        .expect("the faults file")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn without_a_daemon_it_is_started_once() {
    let stage = Stage::new();
    let started = stage.home.path().join("started");
    fs::create_dir(stage.home.bin()).expect("bin");
    let kite = stage.home.bin().join("kite");
    stage.write(
        kite.clone(),
        "#!/bin/sh\necho \"$KITE_HOME $*\" >> \"$KITE_HOME/started\"\n",
    );
    fs::set_permissions(&kite, fs::Permissions::from_mode(0o700)).expect("executable");

    // Another hook has just started the daemon, or is about to.
    stage.write(stage.home.hook_start(), (now_ms() + 500).to_string());
    stage.hook("PreToolUse").run().lets_go();
    let first = read_when_there(&started);
    let expected = format!("{} daemon start\n", stage.home.path().display());
    assert_eq!(
        first, expected,
        "a moment in the future is no reason not to start"
    );

    stage.write(stage.home.hook_start(), now_ms().to_string());
    stage.hook("PreToolUse").run().lets_go();
    stage.write(stage.home.hook_start(), (now_ms() - 1_500).to_string());
    stage.hook("PreToolUse").run().lets_go();
    let all = read_until(&started, |text| text.lines().count() >= 2);
    assert_eq!(all, expected.repeat(2), "once a second at most");
}

#[test]
fn a_silent_daemon_is_not_waited_for() {
    let stage = Stage::new();
    stage.daemon(stay_silent);
    stage.hook("PreToolUse").run().lets_go().within(SOON);
    assert_eq!(stage.faults(), ["timeout"]);
}

#[test]
fn a_full_backlog_is_not_waited_for() {
    let stage = Stage::new();
    let listener = stage.listen();
    rustix::net::listen(&listener, 0).expect("a short backlog");
    // One fits; whoever comes next finds it full.
    let _first = UnixStream::connect(stage.home.socket()).expect("room for one");

    stage.hook("PreToolUse").run().lets_go().within(SOON);

    let faults = stage.faults();
    // Linux says "try again", macOS refuses at once.
    assert!(
        faults == ["timeout"] || faults == ["unreachable"],
        "{faults:?}"
    );
}

#[test]
fn a_garbled_answer_lets_go() {
    let garbled: &[&[u8]] = &[
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"{\"ok\":false}\n",
        b"done 256 0 0\n",
        b"done 2 -1 0\n",
        b"done 2 18446744073709551615 18446744073709551615\n",
        b"done 2 1048577 0\n",
        b"done 2 5 0\nabc",
        b"done 2",
        b"",
        &[0xFF; 100_000],
    ];
    for bytes in garbled {
        let stage = Stage::new();
        let daemon = stage.daemon(|hook| {
            let _ = hook.write_all(bytes);
        });
        stage.hook("PreToolUse").run().lets_go().within(SOON);
        daemon.join().expect("the daemon has read a frame");
        assert_eq!(
            stage.faults(),
            ["other"],
            "{:?}",
            String::from_utf8_lossy(&bytes[..bytes.len().min(50)])
        );
    }
}

#[test]
fn large_input_arrives_whole() {
    let stage = Stage::new();
    let daemon = stage.daemon(|hook| answer(hook, 2, "", "no\n"));
    let input: Vec<u8> = (0..30u32 << 20)
        .map(|i| i.to_le_bytes()[(i % 3) as usize])
        .collect();

    // A busy machine may need longer than the hook grants; that is a time-out, never half an input.
    let ended = stage.hook("PreToolUse").input(input.clone()).run();

    assert!(ended.input_was_taken);
    if stage.faults().is_empty() {
        ended.exits(2).says("", "no\n");
        assert!(daemon.join().expect("a frame").input == input);
    } else {
        ended.lets_go();
    }
}

#[test]
fn too_large_input_lets_go() {
    let stage = Stage::new();
    let _listener = stage.listen();
    let ended = stage
        .hook("PreToolUse")
        .input(vec![b' '; INPUT_BYTES_MAX + (1 << 20)])
        .run();
    ended.lets_go().within(Duration::from_secs(5));
    assert_eq!(stage.faults(), ["other"]);
}

#[test]
fn input_without_an_end_is_not_waited_for() {
    let stage = Stage::new();
    let _listener = stage.listen();
    let ended = stage.hook("PreToolUse").endless_input().run();
    ended.lets_go().within(Duration::from_secs(15));
    assert_eq!(stage.faults(), ["other"]);
}

#[test]
fn a_daemon_that_answers_before_reading_everything_is_heard() {
    let stage = Stage::new();
    let listener = stage.listen();
    let daemon = thread::spawn(move || {
        let (mut hook, _) = listener.accept().expect("a hook connects");
        answer(&mut hook, 2, "", "too much\n");
    });
    stage
        .hook("PreToolUse")
        .input(vec![b' '; 8 << 20])
        .run()
        .exits(2)
        .says("", "too much\n");
    daemon.join().expect("the daemon has answered");
}

#[test]
fn only_a_tool_call_can_be_stopped() {
    for event in ["Stop", "SessionEnd", "UserPromptSubmit", "PostToolUse"] {
        let stage = Stage::new();
        stage.daemon(|hook| answer(hook, 2, "out", "err"));
        stage.hook(event).run().exits(0).says("out", "err");
    }
}

#[test]
fn two_timeouts_stand_the_hooks_aside_and_it_is_said_once() {
    let stage = Stage::new();
    let listener = stage.listen();
    let run = |event| stage.hook(event).run();

    run("PreToolUse").lets_go();
    let second = run("PreToolUse");
    second.exits(0);
    assert_eq!(second.stdout.lines().count(), 1, "{second:?}");
    assert!(
        second
            .stdout
            .starts_with(r#"{"systemMessage":"Kite is not answering"#),
        "{second:?}"
    );
    assert!(second.stdout.contains("kite doctor"), "{second:?}");

    let until: u64 = fs::read_to_string(stage.home.stand_aside())
        .expect("written")
        .parse()
        .expect("a number");
    assert!((now_ms()..=now_ms() + 60_000).contains(&until));

    // Aside: nobody is asked, and the agent's input is still taken.
    let aside = stage.hook("PreToolUse").input(vec![b'x'; 1 << 20]).run();
    aside.lets_go();
    assert!(aside.input_was_taken);
    assert_eq!(stage.faults(), ["timeout"; 2]);

    // The minute is over, and the daemon answers again.
    stage.write(stage.home.stand_aside(), (now_ms() - 1).to_string());
    drop(listener);
    fs::remove_file(stage.home.socket()).expect("the old socket");
    stage.daemon(|hook| answer(hook, 2, "", "locked\n"));
    stage.hook("PreToolUse").run().exits(2).says("", "locked\n");
}

#[test]
fn a_hook_that_nobody_waited_for_stands_nothing_aside() {
    let stage = Stage::new();
    let listener = stage.listen();
    for event in ["PostToolUse", "PostToolBatch"] {
        stage.hook(event).run().lets_go();
    }
    assert_eq!(stage.faults(), ["timeout"; 2]);
    assert!(!stage.home.stand_aside().exists());

    drop(listener);
    fs::remove_file(stage.home.socket()).expect("the old socket");
    stage.daemon(|hook| answer(hook, 2, "", "locked\n"));
    stage.hook("PreToolUse").run().exits(2).says("", "locked\n");
}

#[test]
fn many_timeouts_at_once_say_it_once() {
    let stage = Stage::new();
    let _listener = stage.listen();
    let hooks: Vec<_> = (0..8).map(|_| stage.hook("PreToolUse")).collect();
    let running: Vec<_> = hooks
        .into_iter()
        .map(|hook| thread::spawn(|| hook.run()))
        .collect();
    let ended: Vec<_> = running
        .into_iter()
        .map(|run| run.join().expect("a run"))
        .collect();

    let said = ended
        .iter()
        .filter(|ended| ended.exits(0).stdout.contains("systemMessage"));
    assert_eq!(said.count(), 1, "{ended:?}");
}

#[test]
fn timeouts_far_apart_do_not_stand_aside() {
    let stage = Stage::new();
    let _listener = stage.listen();
    stage.write(stage.home.hook_timeout(), (now_ms() - 31_000).to_string());
    stage.hook("PreToolUse").run().lets_go();
    assert!(!stage.home.stand_aside().exists());
}

#[test]
fn a_minute_that_would_never_end_is_not_believed() {
    for text in ["99999999999999", "soon", "", "\u{0}\u{0}"] {
        let stage = Stage::new();
        stage.write(stage.home.stand_aside(), text);
        stage.daemon(|hook| answer(hook, 2, "", "locked\n"));
        stage.hook("PreToolUse").run().exits(2);
    }
}

#[test]
fn strict_turns_a_fault_into_a_refusal_of_the_tool_call() {
    let stage = Stage::new();
    stage.write(stage.home.strict(), "");

    let refused = stage.hook("PreToolUse").run();
    refused.exits(2);
    assert_eq!(refused.stdout, "");
    for words in [
        "not running",
        "strict",
        "Retry this same call",
        "kite doctor",
    ] {
        assert!(refused.stderr.contains(words), "{words}: {refused:?}");
    }
    for event in ["Stop", "SessionEnd", "PostToolUse", "UserPromptSubmit"] {
        stage.hook(event).run().lets_go();
    }
    assert_eq!(stage.faults(), ["unreachable"; 5]);
}

#[test]
fn strict_does_not_stand_aside() {
    let stage = Stage::new();
    stage.write(stage.home.strict(), "");
    let _listener = stage.listen();
    for _ in 0..2 {
        let refused = stage.hook("PreToolUse").run();
        refused.exits(2);
        assert!(refused.stderr.contains("in time"), "{refused:?}");
    }
    assert!(!stage.home.stand_aside().exists());

    stage.write(stage.home.stand_aside(), (now_ms() + 50_000).to_string());
    stage.hook("PreToolUse").run().exits(2);
}

#[test]
fn the_faults_file_stays_small() {
    let stage = Stage::new();
    let full = "1 Stop other\n".repeat(6_000);
    stage.write(stage.home.hook_faults(), &full);
    stage.hook("PreToolUse").run().lets_go();
    assert_eq!(
        fs::read_to_string(stage.home.hook_faults()).expect("the faults file"),
        full
    );
}

#[test]
fn a_home_that_cannot_be_used_lets_go() {
    let stage = Stage::new();
    let nowhere = stage.home.path().join("no/such/home");
    stage
        .hook("PreToolUse")
        .env("KITE_HOME", &nowhere)
        .run()
        .lets_go()
        .within(SOON);

    let too_long = stage.home.path().join("x".repeat(150));
    fs::create_dir(&too_long).expect("a long home");
    stage
        .hook("PreToolUse")
        .env("KITE_HOME", &too_long)
        .run()
        .lets_go()
        .within(SOON);
    let faults = fs::read_to_string(too_long.join("hook-faults")).expect("counted");
    assert!(faults.ends_with(" PreToolUse unreachable\n"), "{faults}");

    // Files are not followed out of the home, and a pipe in a file's place does not block.
    let elsewhere = stage.home.path().join("elsewhere");
    symlink(&elsewhere, stage.home.hook_faults()).expect("a link");
    stage.hook("PreToolUse").run().lets_go().within(SOON);
    assert!(!elsewhere.exists());
}

#[test]
fn without_an_event_it_explains_itself() {
    let stage = Stage::new();
    let ended = stage.hook("--help").run();
    ended.exits(0);
    assert!(
        ended.stderr.contains("Usage: kite-hook EVENT [CLIENT]"),
        "{ended:?}"
    );
}

fn read_when_there(path: &std::path::Path) -> String {
    read_until(path, |text| text.ends_with('\n'))
}

fn read_until(path: &std::path::Path, is_enough: impl Fn(&str) -> bool) -> String {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        let text = fs::read_to_string(path).unwrap_or_default();
        if is_enough(&text) || Instant::now() > deadline {
            return text;
        }
        thread::sleep(Duration::from_millis(10));
    }
}
