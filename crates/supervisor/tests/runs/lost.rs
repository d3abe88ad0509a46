//! A supervisor that is killed, and numbers of processes that are used again.

use std::fs;

use kite_supervisor::{COOKIE, Found, Process, Reason, Strays, end_strays, stop};
use rustix::process::Signal;

use crate::stage::{Bystander, Stage, kill, until};

/// Kills the supervisor of a run, and waits until that is seen.
fn lose(stage: &Stage, supervisor: &Process) {
    kill(supervisor.pid, Signal::KILL);
    until("the loss", || {
        matches!(stage.find(), Found::Gone { .. }).then_some(())
    });
}

#[test]
fn what_a_killed_keeper_left_is_found_and_ended() {
    let stage =
        Stage::shell("trap '' TERM PIPE; sleep 120 & echo ready; while :; do sleep 120; done");
    let (supervisor, child) = stage.start_until("ready");
    let mut bystander = Bystander::new();
    lose(&stage, &supervisor);
    assert!(child.runs(), "the agent went on");
    let strays = end_strays(&stage.directory()).expect("strays ended");
    assert!(strays.ended >= 2 && strays.left == 0, "{strays:?}");
    let exit = stage.end();
    assert_eq!(
        (exit.reason, exit.survivors_killed),
        (Reason::Lost, strays.ended)
    );
    assert!(!child.runs());
    assert!(bystander.lives());
    let again = end_strays(&stage.directory()).expect("nothing to do");
    assert_eq!(again, Strays::default());
}

#[cfg(target_os = "linux")]
#[test]
fn a_stray_that_left_everything_is_known_by_its_cookie() {
    let stage = Stage::program("escapes-and-stays");
    let (supervisor, child) = stage.start_until("ready");
    let mut other = Bystander::with(&[(COOKIE, "another")]);
    lose(&stage, &supervisor);
    kill(child.pid, Signal::KILL);
    until("the child's end", || (!child.runs()).then_some(()));
    assert_eq!(stage.alive().len(), 1);
    let strays = end_strays(&stage.directory()).expect("strays ended");
    assert_eq!(strays, Strays { ended: 1, left: 0 });
    stage.end();
    assert!(other.lives());
}

#[test]
fn a_number_that_was_given_to_another_process_is_not_signalled() {
    let mut bystander = Bystander::new();
    let other = Process::of(bystander.0.id()).expect("it runs");
    let later = Process {
        started: other.started + 1,
        ..other.clone()
    };
    let last_boot = Process {
        boot: "another boot".to_owned(),
        ..other
    };
    for taken in [later, last_boot] {
        let stage = Stage::shell("true");
        stage.prepare();
        let processes = format!(
            r#"{{"supervisor": {{"pid": {pid}, "started": {started}, "boot": "{boot}"}},
                "child": {{"pid": {pid}, "started": {started}, "boot": "{boot}"}}}}"#,
            pid = taken.pid,
            started = taken.started,
            boot = taken.boot
        );
        fs::write(stage.directory().join("process.json"), processes).expect("a file");
        assert!(matches!(stop(&stage.directory()), Ok(Found::Gone { .. })));
        let strays = end_strays(&stage.directory()).expect("nobody ended");
        assert_eq!(strays, Strays::default());
        assert!(bystander.lives());
        assert!(matches!(stage.find(), Found::Ended(exit) if exit.reason == Reason::Lost));
    }
}

#[test]
fn a_run_that_runs_has_no_strays() {
    let stage = Stage::shell("echo ready; sleep 120");
    let (_, child) = stage.start_until("ready");
    let strays = end_strays(&stage.directory()).expect("nobody ended");
    assert_eq!(strays, Strays::default());
    assert!(child.runs());
}

#[test]
fn files_that_cannot_be_understood_are_an_error_and_signal_nobody() {
    let stage = Stage::shell("true");
    stage.prepare();
    for text in ["", "{}", "[1", "{\"supervisor\": 1}"] {
        fs::write(stage.directory().join("process.json"), text).expect("a file");
        let error = stop(&stage.directory()).expect_err("no such file was written");
        assert!(error.to_string().contains("process.json"), "{error}");
    }
}
