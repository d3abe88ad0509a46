//! The server's process, held by its pipes.

use std::{
    io::{BufRead, BufReader, Read, Write},
    path::Path,
    process::{Child, ChildStdin, Command, ExitStatus, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

/// Nothing here takes that long unless it is broken.
pub(crate) const SOON: Duration = Duration::from_secs(10);
/// The promise is 300 ms. rmcp left to itself takes 5 s; a loaded machine is somewhere between.
pub(crate) const EXIT_MAX: Duration = Duration::from_secs(2);

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_kite-mcp-under-test");

/// A running server.
pub(crate) struct Server {
    pub(crate) child: Child,
    input: Option<ChildStdin>,
    output: Receiver<String>,
    log: Receiver<String>,
}

impl Server {
    pub(crate) fn start(home: &Path) -> Server {
        Server::start_with(home, &[])
    }

    /// Starts it with these environment variables and few others.
    pub(crate) fn start_with(home: &Path, variables: &[(&str, &str)]) -> Server {
        let mut command = Command::new(PROGRAM);
        command
            .env_clear()
            .env("KITE_HOME", home)
            .envs(variables.iter().copied());
        Server::spawn(command)
    }

    /// Starts a command whose stdin, stdout and stderr are the server's.
    pub(crate) fn spawn(mut command: Command) -> Server {
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().expect("the server starts");
        let output = lines(child.stdout.take().expect("a pipe"));
        let log = lines(child.stderr.take().expect("a pipe"));
        Server {
            input: child.stdin.take(),
            output,
            log,
            child,
        }
    }

    /// Starts it with a stdout that nobody reads.
    pub(crate) fn unread(home: &Path) -> Server {
        let mut command = Command::new(PROGRAM);
        command.env_clear().env("KITE_HOME", home);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut child = command.spawn().expect("the server starts");
        let (_, nothing) = channel();
        Server {
            input: child.stdin.take(),
            output: nothing,
            log: channel().1,
            child,
        }
    }

    /// After a handshake of the `initialize` era.
    pub(crate) fn initialized(home: &Path) -> Server {
        let mut server = Server::start(home);
        server.initialize("claude-code");
        server
    }

    pub(crate) fn initialize(&mut self, client: &str) -> Value {
        self.send(&json!({"jsonrpc": "2.0", "id": "init", "method": "initialize", "params": {
            "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": client, "version": "2.1.0"}}}));
        let welcome = self.receive();
        self.send(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}));
        welcome
    }

    pub(crate) fn send(&mut self, message: &Value) {
        self.send_raw(format!("{message}\n").as_bytes());
    }

    pub(crate) fn send_raw(&mut self, bytes: &[u8]) {
        self.input
            .as_mut()
            .expect("input is open")
            .write_all(bytes)
            .expect("the server reads");
    }

    /// Sends a tool call under this id.
    pub(crate) fn call(&mut self, id: u64, tool: &str, arguments: Value) {
        self.send(&call(id, tool, arguments));
    }

    /// The next message. Everything on stdout must be one.
    pub(crate) fn receive(&mut self) -> Value {
        let line = self
            .output
            .recv_timeout(SOON)
            .expect("a message from the server");
        message(&line)
    }

    /// The next message, where one comes in this time.
    pub(crate) fn next_within(&mut self, time: Duration) -> Option<Value> {
        let line = self.output.recv_timeout(time).ok()?;
        Some(message(&line))
    }

    /// Calls a tool; its text, and whether it is an error.
    pub(crate) fn answer(&mut self, tool: &str, arguments: Value) -> (String, bool) {
        self.call(77, tool, arguments);
        let reply = self.receive();
        assert_eq!(reply["id"], 77, "{reply}");
        outcome(&reply)
    }

    pub(crate) fn close_input(&mut self) {
        self.input = None;
    }

    /// Waits for the end of the process, and of what it says. Returns its status and how long that took.
    pub(crate) fn exit(&mut self) -> (ExitStatus, Duration) {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("a child") {
                return (status, begun.elapsed());
            }
            if begun.elapsed() > SOON {
                // Only to end this child; the test fails.
                let _ = self.child.kill();
                panic!("the server does not exit");
            }
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// All messages up to the end of stdout.
    pub(crate) fn rest(&mut self) -> Vec<Value> {
        drain(&self.output)
            .iter()
            .map(|line| message(line))
            .collect()
    }

    /// All lines of stderr up to its end.
    pub(crate) fn log(&mut self) -> Vec<String> {
        drain(&self.log)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have exited already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn call(id: u64, tool: &str, arguments: Value) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": {
        "name": tool, "arguments": arguments, "_meta": {"progressToken": id, "claudecode/toolUseId": "toolu_01"}}})
}

/// The text of a tool result, and whether it is an error.
pub(crate) fn outcome(reply: &Value) -> (String, bool) {
    let result = &reply["result"];
    assert!(
        result.get("structuredContent").is_none(),
        "Claude Code would hide the text: {reply}"
    );
    let text = result["content"][0]["text"]
        .as_str()
        .unwrap_or_else(|| panic!("a text: {reply}"));
    (text.to_owned(), result["isError"] == true)
}

fn message(line: &str) -> Value {
    let message: Value =
        serde_json::from_str(line).unwrap_or_else(|_| panic!("only protocol on stdout: {line}"));
    assert_eq!(message["jsonrpc"], "2.0", "{line}");
    message
}

fn lines(pipe: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        for line in BufReader::new(pipe).lines() {
            let Ok(line) = line else { return };
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    receiver
}

fn drain(lines: &Receiver<String>) -> Vec<String> {
    let mut all = Vec::new();
    loop {
        match lines.recv_timeout(SOON) {
            Ok(line) => all.push(line),
            Err(RecvTimeoutError::Disconnected) => return all,
            Err(RecvTimeoutError::Timeout) => panic!("the pipe is still open after: {all:?}"),
        }
    }
}
