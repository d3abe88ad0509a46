//! Every way in which a client leaves.

use std::{
    io::{BufRead, BufReader, Read},
    process::{Command, Stdio},
    sync::mpsc::channel,
    thread,
    time::Instant,
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use tempfile::tempdir;

use crate::{
    server::{EXIT_MAX, PROGRAM, SOON, Server, call, outcome},
    stand_in::{Answer, StandIn},
};

fn pid(server: &Server) -> Pid {
    Pid::from_child(&server.child)
}

#[test]
fn the_end_of_input_ends_it_before_and_after_the_handshake() {
    let home = tempdir().expect("a directory");
    let mut fresh = Server::start(home.path());
    fresh.close_input();
    let (status, took) = fresh.exit();
    assert!(
        status.success() && took < EXIT_MAX,
        "{status} after {took:?}"
    );

    let mut initialized = Server::initialized(home.path());
    initialized.close_input();
    let (status, took) = initialized.exit();
    assert!(
        status.success() && took < EXIT_MAX,
        "{status} after {took:?}"
    );
}

#[test]
fn the_end_of_input_in_the_middle_of_a_call_ends_it_too() {
    let home = tempdir().expect("a directory");
    let daemon = StandIn::listen(home.path(), |_| Answer::Lines(vec![]));
    let mut server = Server::initialized(home.path());
    server.call(
        1,
        "kite_file_lock",
        json!({"file": "a.rs", "wait_seconds": 45}),
    );
    daemon.wait_for("lock");
    server.close_input();
    let (_, took) = server.exit();
    assert!(took < EXIT_MAX, "{took:?}");
}

#[test]
fn what_came_before_the_end_of_input_is_still_answered() {
    let home = tempdir().expect("a directory");
    let _daemon = StandIn::listen(home.path(), |_| Answer::Reply(json!({"sessions": []})));
    let mut server = Server::initialized(home.path());
    server.call(1, "kite_sessions", json!({}));
    server.close_input();
    let (text, _) = outcome(&server.receive());
    assert!(text.starts_with("No other session"), "{text}");
    server.exit();
    assert!(server.rest().is_empty());
}

#[test]
fn signals_end_it_at_any_time() {
    let home = tempdir().expect("a directory");
    let daemon = StandIn::listen(home.path(), |_| Answer::Lines(vec![]));
    for signal in [Signal::INT, Signal::TERM] {
        let mut idle = Server::initialized(home.path());
        kill_process(pid(&idle), signal).expect("a signal");
        let (status, took) = idle.exit();
        assert!(
            status.success() && took < EXIT_MAX,
            "{status} after {took:?}"
        );
    }
    let mut busy = Server::initialized(home.path());
    busy.call(
        1,
        "kite_file_lock",
        json!({"file": "a.rs", "wait_seconds": 45}),
    );
    daemon.wait_for("lock");
    kill_process(pid(&busy), Signal::TERM).expect("a signal");
    let (status, took) = busy.exit();
    assert!(
        status.success() && took < EXIT_MAX,
        "{status} after {took:?}"
    );
}

#[test]
fn a_client_that_no_longer_listens_ends_it() {
    let home = tempdir().expect("a directory");
    let mut command = Command::new(PROGRAM);
    command
        .env("KITE_HOME", home.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let mut child = command.spawn().expect("the server starts");
    drop(child.stdout.take());
    let mut input = child.stdin.take().expect("a pipe");
    std::io::Write::write_all(
        &mut input,
        b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\n",
    )
    .expect("it reads");
    let begun = Instant::now();
    while child.try_wait().expect("a child").is_none() {
        assert!(begun.elapsed() < SOON, "the server goes on for nobody");
        thread::sleep(std::time::Duration::from_millis(1));
    }
    drop(input);
}

#[test]
fn a_stderr_that_nobody_reads_does_not_stop_it() {
    let home = tempdir().expect("a directory");
    let _daemon = StandIn::listen(home.path(), |_| Answer::Reply(json!({"sessions": []})));
    let mut command = Command::new(PROGRAM);
    command
        .env("KITE_HOME", home.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().expect("the server starts");
    let stderr = child.stderr.take().expect("a pipe, never read");
    let mut input = child.stdin.take().expect("a pipe");
    let output = child.stdout.take().expect("a pipe");
    let (sender, receiver) = channel();
    thread::spawn(move || {
        BufReader::new(output)
            .lines()
            .map_while(Result::ok)
            .try_for_each(|line| sender.send(line))
    });
    let mut say = |message: String| {
        std::io::Write::write_all(&mut input, format!("{message}\n").as_bytes()).expect("it reads")
    };
    say(json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {"protocolVersion": "2025-11-25",
        "capabilities": {}, "clientInfo": {"name": "c", "version": "1"}}}).to_string());
    receiver.recv_timeout(SOON).expect("a welcome");
    // Twice what a pipe holds.
    for id in 0..100 {
        let bogus = "x".repeat(1_900);
        say(call(id, "kite_sessions", json!({"all": bogus})).to_string());
        receiver
            .recv_timeout(SOON)
            .unwrap_or_else(|_| panic!("call {id} is not answered"));
    }
    drop(input);
    child.wait().expect("it ends");
    drop(stderr);
}

#[test]
fn the_death_of_the_parent_ends_it_although_its_pipes_stay_open() {
    let home = tempdir().expect("a directory");
    let mut parent = Command::new("sh");
    parent
        .args(["-c", "exec 3<&0; \"$0\" <&3 & echo started; wait", PROGRAM])
        .env("KITE_HOME", home.path());
    let mut parent = parent
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("a shell");
    let mut output = BufReader::new(parent.stdout.take().expect("a pipe"));
    let mut line = String::new();
    output.read_line(&mut line).expect("a line");
    assert_eq!(line, "started\n");
    // An answer proves that the server is up.
    let mut input = parent.stdin.take().expect("a pipe");
    std::io::Write::write_all(
        &mut input,
        b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\n",
    )
    .expect("it reads");
    line.clear();
    output.read_line(&mut line).expect("a pong");
    assert!(line.contains("\"result\""), "{line}");
    parent.kill().expect("the shell lives");
    parent.wait().expect("the shell ends");

    let (sender, receiver) = channel();
    thread::spawn(move || sender.send(output.read_to_end(&mut Vec::new())));
    let end = receiver.recv_timeout(EXIT_MAX);
    drop(input);
    end.expect("its stdout closes while its stdin is still open")
        .expect("a pipe");
}
