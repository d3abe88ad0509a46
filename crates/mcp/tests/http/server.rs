//! The server's process, and a well-behaved client of it.

use std::{
    io::{BufRead, BufReader, Read},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::raw::{Answer, Wire};

/// Nothing here takes that long unless it is broken.
pub(crate) const SOON: Duration = Duration::from_secs(10);

const PROGRAM: &str = env!("CARGO_BIN_EXE_kite-mcp-under-test");

/// A running server.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) token: String,
    child: Child,
    log: PathBuf,
}

impl Server {
    /// Starts one on a free port.
    pub(crate) fn start(home: &Path) -> Server {
        Server::start_at(home, 0)
    }

    /// Starts one on that port.
    pub(crate) fn start_at(home: &Path, port: u16) -> Server {
        let log = home.join("server-log");
        let stderr = std::fs::File::create(&log).expect("room");
        let mut command = command(home, port);
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(stderr)
            .spawn()
            .expect("the server starts");
        let mut address = String::new();
        BufReader::new(child.stdout.take().expect("a pipe"))
            .read_line(&mut address)
            .expect("a line");
        let token = std::fs::read_to_string(home.join("http-token")).expect("a token");
        Server {
            address: address.trim().parse().unwrap_or_else(|_| {
                panic!(
                    "no address: {}",
                    std::fs::read_to_string(&log).expect("the log")
                )
            }),
            token: token.trim().to_owned(),
            child,
            log,
        }
    }

    pub(crate) fn connect(&self) -> Wire {
        Wire::connect(self.address)
    }

    /// The head of a request that would be let in, up to its last header's line break.
    pub(crate) fn head(&self, method: &str, path: &str) -> String {
        format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\n\
             Accept: application/json, text/event-stream\r\n",
            self.address, self.token
        )
    }

    /// The same for a message, with further headers.
    pub(crate) fn post(&self, headers: &str, message: &Value) -> String {
        let body = message.to_string();
        format!(
            "{}{headers}Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            self.head("POST", "/mcp"),
            body.len()
        )
    }

    /// Sends a message on a connection of its own and waits for the answer.
    pub(crate) fn ask(&self, headers: &str, message: &Value) -> Answer {
        let mut wire = self.connect();
        wire.send(&self.post(headers, message));
        wire.answer()
    }

    /// Calls a tool in the newer era.
    pub(crate) fn call(&self, headers: &str, tool: &str, arguments: Value) -> Answer {
        let headers = format!(
            "MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: tools/call\r\nMcp-Name: {tool}\r\n{headers}"
        );
        let params = json!({"name": tool, "arguments": arguments});
        self.ask(&headers, &modern(1, "tools/call", params))
    }

    /// A session of the older era: the header that names it.
    pub(crate) fn initialize(&self) -> String {
        let welcome = self.ask("", &json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
            "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "client", "version": "1"}}}));
        assert_eq!(welcome.status, 200, "{welcome:?}");
        let session = welcome.header("mcp-session-id").expect("a session");
        let header = format!("Mcp-Session-Id: {session}\r\n");
        let initialized = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
        assert_eq!(self.ask(&header, &initialized).status, 202);
        header
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(&self.log).expect("the log")
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn terminate(&self) {
        let pid = Pid::from_raw(self.child.id().cast_signed()).expect("a process");
        kill_process(pid, Signal::TERM).expect("it runs");
    }

    /// Waits for its end.
    pub(crate) fn exit(&mut self) -> ExitStatus {
        let deadline = Instant::now() + SOON;
        loop {
            if let Some(status) = self.child.try_wait().expect("a child") {
                return status;
            }
            assert!(Instant::now() < deadline, "it does not end");
            thread::sleep(Duration::from_millis(2));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The server's command.
pub(crate) fn command(home: &Path, port: u16) -> Command {
    let mut command = Command::new(PROGRAM);
    command
        .env_clear()
        .env("KITE_HOME", home)
        .env("SERVE_PORT", port.to_string())
        .stdin(Stdio::null());
    command
}

/// What a command that ends by itself writes to stderr.
pub(crate) fn complaint(mut command: Command) -> String {
    let mut child = command
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut text = String::new();
    let mut stderr = child.stderr.take().expect("a pipe");
    stderr.read_to_string(&mut text).expect("text");
    assert!(!child.wait().expect("a child").success(), "{text}");
    text
}

/// A request of the newer era.
pub(crate) fn modern(id: u64, method: &str, mut params: Value) -> Value {
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": {"name": "client", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params})
}
