//! How runs end. Whatever a program does, nothing of it is left alive.

use std::time::{Duration, Instant};

use kite_supervisor::{COOKIE, Exit, Found, Reason, stop};
use rustix::process::Signal;

use crate::stage::{Bystander, PROGRAM, Stage, kill, until};

/// Ends a run that runs, and says how long that took.
fn stopped(stage: &Stage) -> (Exit, Duration) {
    let asked = Instant::now();
    let found = stop(&stage.directory()).expect("asked to end");
    assert!(matches!(found, Found::Alive { .. }), "{found:?}");
    (stage.end(), asked.elapsed())
}

#[test]
fn a_program_that_ends_at_once_is_seen() {
    for (script, code) in [("exit 0", 0), ("exit 3", 3)] {
        let exit = Stage::shell(script).play();
        assert_eq!(
            (exit.reason, exit.code, exit.signal),
            (Reason::Exited, Some(code), None)
        );
        assert_eq!((exit.survivors_killed, exit.left_alive), (0, 0));
    }
}

#[test]
fn a_program_that_is_killed_is_told_from_one_that_was_stopped() {
    let exit = Stage::shell("kill -KILL $$").play();
    assert_eq!((exit.reason, exit.signal), (Reason::Signalled, Some(9)));

    let stage = Stage::shell("trap 'exit 7' TERM; echo ready; while :; do sleep 0.05; done");
    stage.start_until("ready");
    let (exit, _) = stopped(&stage);
    assert_eq!(
        (exit.reason, exit.code),
        (Reason::Stopped, Some(7)),
        "it ended when asked"
    );
}

#[test]
fn a_program_that_ignores_being_asked_is_ended() {
    let stage = Stage::shell("trap '' TERM INT HUP; echo ready; while :; do sleep 120; done");
    stage.start_until("ready");
    let (exit, took) = stopped(&stage);
    assert_eq!((exit.reason, exit.signal), (Reason::Stopped, Some(9)));
    assert!(
        took >= Duration::from_secs(stage.run.grace_s),
        "it had its grace: {took:?}"
    );
}

#[test]
fn a_stopped_program_is_ended() {
    let stage = Stage::shell("echo ready; kill -STOP $$; sleep 120");
    stage.start_until("ready");
    let (exit, _) = stopped(&stage);
    assert_eq!(exit.reason, Reason::Stopped);
}

#[test]
fn a_keeper_that_was_stopped_ends_its_run_all_the_same() {
    let stage = Stage::shell("echo ready; sleep 120");
    let (supervisor, _) = stage.start_until("ready");
    kill(supervisor.pid, Signal::STOP);
    let (exit, _) = stopped(&stage);
    assert_eq!(exit.reason, Reason::Stopped);
}

#[test]
fn two_hundred_children_end_with_their_parent() {
    let stage = Stage::shell(
        "i=0; while [ $i -lt 200 ]; do sleep 120 & i=$((i+1)); done; echo ready; wait",
    );
    stage.start_until("ready");
    #[cfg(target_os = "linux")]
    assert!(stage.alive().len() > 200);
    let (exit, _) = stopped(&stage);
    assert_eq!((exit.reason, exit.left_alive), (Reason::Stopped, 0));
}

#[test]
fn children_that_a_program_leaves_behind_are_ended_and_counted() {
    let stage = Stage::shell("sleep 120 >&- 2>&- & sleep 120 & sleep 120 & exit 0");
    let exit = stage.play();
    assert_eq!((exit.reason, exit.code), (Reason::Exited, Some(0)));
    assert_eq!((exit.survivors_killed, exit.left_alive), (3, 0));
}

#[test]
fn children_that_ignore_being_asked_are_ended_after_the_program() {
    let stage = Stage::shell("(trap '' TERM; echo ready; while :; do sleep 120; done) & wait");
    let (_, child) = stage.start_until("ready");
    kill(child.pid, Signal::KILL);
    let exit = stage.end();
    assert_eq!((exit.reason, exit.signal), (Reason::Signalled, Some(9)));
    assert!(exit.survivors_killed >= 1);
}

#[cfg(target_os = "linux")]
#[test]
fn a_process_that_left_group_session_and_parent_is_ended() {
    let exit = Stage::program("escapes").play();
    assert_eq!((exit.reason, exit.code), (Reason::Exited, Some(0)));
    assert_eq!((exit.survivors_killed, exit.left_alive), (1, 0));

    let stage = Stage::program("escapes-and-stays");
    stage.start_until("ready");
    let (exit, _) = stopped(&stage);
    assert_eq!((exit.reason, exit.survivors_killed), (Reason::Stopped, 1));
}

#[cfg(target_os = "linux")]
#[test]
fn a_process_that_somebody_else_started_for_the_run_is_known_by_its_cookie() {
    let stage = Stage::shell("true");
    let mut marked = Bystander::with(&[(COOKIE, &stage.run.cookie)]);
    let mut other = Bystander::with(&[(COOKIE, "another"), ("X", &stage.run.cookie)]);
    let exit = stage.play();
    assert_eq!(exit.survivors_killed, 1);
    until("its end", || (!marked.lives()).then_some(()));
    assert!(other.lives());
}

/// An agent's hook finds no daemon and starts one, which from then on serves everybody.
#[cfg(target_os = "linux")]
#[test]
fn a_daemon_that_was_started_from_within_stays() {
    let mut stage = Stage::argv(&[PROGRAM, "starts-daemon", "/kite"]);
    let home = ("KITE_HOME".to_owned(), "/kite".to_owned());
    stage.run.environment.push(home);
    stage.start();
    let exit = until("the end", || match stage.find() {
        Found::Ended(exit) => Some(exit),
        _ => None,
    });
    assert_eq!((exit.code, exit.survivors_killed), (Some(0), 0));
    let said = stage.output();
    let pid = said.lines().find_map(|line| line.strip_prefix("daemon "));
    let pid: u32 = pid.expect("a daemon").parse().expect("a pid");
    assert_eq!(stage.alive(), [pid]);
}

/// An agent that works on Kite itself, or on what uses it.
#[cfg(target_os = "linux")]
#[test]
fn a_daemon_of_another_home_is_ended_like_all_else() {
    let mut stage = Stage::argv(&[PROGRAM, "starts-daemon", "/elsewhere"]);
    let home = ("KITE_HOME".to_owned(), "/kite".to_owned());
    stage.run.environment.push(home);
    assert_eq!(stage.play().survivors_killed, 1);
}

#[test]
fn a_program_is_given_so_much_time_and_no_more() {
    let mut stage = Stage::shell("sleep 120 & sleep 120");
    stage.run.time_max_s = Some(1);
    let exit = stage.play();
    assert_eq!((exit.reason, exit.signal), (Reason::TimedOut, Some(15)));
    assert!(exit.ended_ms - exit.started_ms >= 900);
}

#[test]
fn to_stop_what_has_ended_asks_nobody() {
    let stage = Stage::shell("exit 4");
    let exit = stage.play();
    assert_eq!(stop(&stage.directory()).expect("found"), Found::Ended(exit));
    let stage = Stage::shell("true");
    stage.prepare();
    assert_eq!(
        stop(&stage.directory()).expect("found"),
        Found::NeverStarted
    );
}
