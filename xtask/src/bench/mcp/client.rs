//! Clients that cost little themselves: they speak the `initialize` era, one message at a time, by
//! a pipe or over one HTTP connection.

use std::{
    io::{BufRead, BufReader, Write},
    net::{SocketAddr, TcpStream},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

/// Nothing here takes that long unless it is broken.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// One that has shaken hands.
pub(super) trait Client {
    /// Sends a message; the answer to it, where it has an id.
    fn exchange(&mut self, message: &Value) -> Option<Value>;

    fn shake_hands(&mut self) -> Option<()> {
        let params = json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "bench", "version": "0"}});
        self.request("initialize", &params)?;
        self.exchange(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}));
        Some(())
    }

    /// The result of a request.
    fn request(&mut self, method: &str, params: &Value) -> Option<Value> {
        let message = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        let mut answer = self.exchange(&message)?;
        answer.get_mut("result").map(Value::take)
    }

    /// Seconds that a tool takes. `None` where it fails: a refusal is not work done.
    fn call(&mut self, tool: &str, arguments: Value) -> Option<f64> {
        let params = json!({"name": tool, "arguments": arguments});
        let began = Instant::now();
        let result = self.request("tools/call", &params)?;
        let took = began.elapsed().as_secs_f64();
        (result["content"].is_array() && result["isError"] != true).then_some(took)
    }
}

/// A process that is killed when this is dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A server on the other end of a pipe, and its client.
pub(super) struct Pipe {
    input: ChildStdin,
    output: Option<BufReader<ChildStdout>>,
    _process: Running,
}

impl Pipe {
    pub(super) fn start(command: &mut Command) -> Option<Pipe> {
        let mut child = started(command.stdin(Stdio::piped()))?;
        let mut pipe = Pipe {
            input: child.0.stdin.take()?,
            output: child.0.stdout.take().map(BufReader::new),
            _process: child,
        };
        pipe.shake_hands()?;
        Some(pipe)
    }

    /// What the server says from now on, line by line.
    pub(super) fn listen(&mut self) -> Option<BufReader<ChildStdout>> {
        self.output.take()
    }
}

impl Client for Pipe {
    fn exchange(&mut self, message: &Value) -> Option<Value> {
        self.input
            .write_all(format!("{message}\n").as_bytes())
            .ok()?;
        let id = message.get("id")?;
        let mut line = String::new();
        loop {
            line.clear();
            self.output.as_mut()?.read_line(&mut line).ok()?;
            let answer: Value = serde_json::from_str(&line).ok()?;
            if answer.get("id") == Some(id) {
                return Some(answer);
            }
        }
    }
}

/// A server that listens.
pub(super) struct Server {
    address: SocketAddr,
    /// What every request has in its head.
    headers: String,
    _output: BufReader<ChildStdout>,
    _process: Running,
}

impl Server {
    /// Starts one and waits for the line that tells its address.
    pub(super) fn start(command: &mut Command) -> Option<Server> {
        let mut child = started(command.stdin(Stdio::null()))?;
        let mut output = BufReader::new(child.0.stdout.take()?);
        let mut line = String::new();
        output.read_line(&mut line).ok()?;
        let address = line.split_once("http://")?.1.split('/').next()?;
        Some(Server {
            address: address.parse().ok()?,
            headers: format!(
                "Host: {address}\r\nAccept: application/json, text/event-stream\r\n\
                 Content-Type: application/json\r\n"
            ),
            _output: output,
            _process: child,
        })
    }

    /// With a further header in all that is asked of it.
    pub(super) fn with_header(mut self, name: &str, value: &str) -> Server {
        self.headers += &format!("{name}: {value}\r\n");
        self
    }

    /// A client with a session and a connection of its own.
    pub(super) fn client(&self) -> Option<Web> {
        let mut web = Web {
            connection: connect(self.address)?,
            headers: self.headers.clone(),
        };
        web.shake_hands()?;
        Some(web)
    }
}

fn started(command: &mut Command) -> Option<Running> {
    let command = command.stdout(Stdio::piped()).stderr(Stdio::null());
    command.spawn().ok().map(Running)
}

/// A client over HTTP; its connection is kept.
pub(super) struct Web {
    connection: BufReader<TcpStream>,
    headers: String,
}

impl Web {
    /// The stream on which the server says what was not asked for, on a connection of its own;
    /// its head is read.
    pub(super) fn listen(&self) -> Option<TcpStream> {
        let mut stream = connect(self.connection.get_ref().peer_addr().ok()?)?;
        let request = format!("GET /mcp HTTP/1.1\r\n{}\r\n", self.headers);
        stream.get_mut().write_all(request.as_bytes()).ok()?;
        let head = Head::read(&mut stream)?;
        // What came with the head is a sign of life: nothing is subscribed to yet.
        (head.status == 200).then(|| stream.into_inner())
    }
}

impl Client for Web {
    fn exchange(&mut self, message: &Value) -> Option<Value> {
        let body = message.to_string();
        let request = format!(
            "POST /mcp HTTP/1.1\r\n{}Content-Length: {}\r\n\r\n{body}",
            self.headers,
            body.len()
        );
        self.connection
            .get_mut()
            .write_all(request.as_bytes())
            .ok()?;
        let head = Head::read(&mut self.connection)?;
        let body = head.body(&mut self.connection)?;
        if let Some(session) = head.session {
            self.headers += &format!("Mcp-Session-Id: {session}\r\n");
        }
        // The message alone, or the one with content in a stream of them.
        let events = body
            .lines()
            .map(|line| line.strip_prefix("data:").unwrap_or(line));
        let mut messages = events.filter_map(|text| serde_json::from_str::<Value>(text).ok());
        messages.find(|answer| answer.get("id") == message.get("id"))
    }
}

fn connect(address: SocketAddr) -> Option<BufReader<TcpStream>> {
    let stream = TcpStream::connect(address).ok()?;
    stream.set_nodelay(true).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    Some(BufReader::new(stream))
}

/// Of an answer.
#[derive(Default)]
struct Head {
    status: u16,
    session: Option<String>,
    length: Option<usize>,
    is_chunked: bool,
}

impl Head {
    fn read(from: &mut impl BufRead) -> Option<Head> {
        let mut line = String::new();
        from.read_line(&mut line).ok()?;
        let mut head = Head {
            status: line.split(' ').nth(1)?.parse().ok()?,
            ..Head::default()
        };
        loop {
            line.clear();
            from.read_line(&mut line).ok()?;
            let Some((name, value)) = line.trim_end().split_once(": ") else {
                return Some(head);
            };
            match name.to_ascii_lowercase().as_str() {
                "mcp-session-id" => head.session = Some(value.to_owned()),
                "content-length" => head.length = value.parse().ok(),
                "transfer-encoding" => head.is_chunked = value == "chunked",
                _ => {}
            }
        }
    }

    fn body(&self, from: &mut impl BufRead) -> Option<String> {
        let mut body = Vec::new();
        if self.is_chunked {
            while chunk(from, &mut body)? > 0 {}
        } else {
            body.resize(self.length.unwrap_or(0), 0);
            from.read_exact(&mut body).ok()?;
        }
        String::from_utf8(body).ok()
    }
}

/// Adds one part of a body that comes in parts; its length, 0 for the end.
fn chunk(from: &mut impl BufRead, body: &mut Vec<u8>) -> Option<usize> {
    let mut line = String::new();
    from.read_line(&mut line).ok()?;
    let length = usize::from_str_radix(line.trim(), 16).ok()?;
    let start = body.len();
    body.resize(start + length + 2, 0);
    from.read_exact(&mut body[start..]).ok()?;
    body.truncate(start + length);
    Some(length)
}
