//! Clients of the socket: the simplest, one that stays, and one that never gives up.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

/// How long a reply may take at the very most.
const REPLY_PATIENCE: Duration = Duration::from_secs(60);
/// How long a client that never gives up tries one request before the test gives up for it.
const RETRY_PATIENCE: Duration = Duration::from_secs(60);

/// Connects, writes one line, reads to the end.
pub(crate) fn once(socket: &Path, request: &Value) -> io::Result<Value> {
    let mut stream = open(socket)?;
    stream.write_all(format!("{request}\n").as_bytes())?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    Ok(serde_json::from_str(&text)?)
}

/// A bare connection.
pub(crate) fn open(socket: &Path) -> io::Result<UnixStream> {
    let stream = UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(REPLY_PATIENCE))?;
    stream.set_write_timeout(Some(REPLY_PATIENCE))?;
    Ok(stream)
}

/// A connection after `hello`.
pub(crate) struct Line {
    reader: BufReader<UnixStream>,
    next_id: u64,
}

impl Line {
    pub(crate) fn connect(socket: &Path) -> io::Result<Line> {
        let mut line = Line {
            reader: BufReader::new(open(socket)?),
            next_id: 1,
        };
        let welcome = line.ask(json!({"type": "hello", "protocol": [1, 1], "role": "test"}))?;
        if welcome["ok"] == true {
            Ok(line)
        } else {
            Err(io::Error::other(welcome.to_string()))
        }
    }

    /// Sends a request and returns its id.
    pub(crate) fn send(&mut self, mut request: Value) -> io::Result<u64> {
        let id = self.next_id;
        self.next_id += 1;
        request["id"] = id.into();
        let line = format!("{request}\n");
        self.reader.get_mut().write_all(line.as_bytes())?;
        Ok(id)
    }

    /// The next line, reply or push.
    pub(crate) fn read(&mut self) -> io::Result<Value> {
        let mut line = String::new();
        if self.reader.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(serde_json::from_str(&line)?)
    }

    /// The reply to a request; what comes before it is dropped.
    pub(crate) fn reply(&mut self, id: u64) -> io::Result<Value> {
        loop {
            let line = self.read()?;
            if line["id"] == id {
                return Ok(line);
            }
        }
    }

    pub(crate) fn ask(&mut self, request: Value) -> io::Result<Value> {
        let id = self.send(request)?;
        self.reply(id)
    }
}

/// A client that connects again and asks again, with the same `op_id`, until it is answered.
pub(crate) struct Stubborn {
    socket: PathBuf,
    line: Option<Line>,
    /// How often a request had to be sent again.
    pub(crate) retries: u64,
    /// The longest that one request took, all its retries included.
    pub(crate) longest: Duration,
}

impl Stubborn {
    pub(crate) fn new(socket: PathBuf) -> Stubborn {
        Stubborn {
            socket,
            line: None,
            retries: 0,
            longest: Duration::ZERO,
        }
    }

    /// The answer, a refusal included; without the `id`, which belongs to the connection.
    #[track_caller]
    pub(crate) fn ask(&mut self, request: &Value) -> Value {
        let began = Instant::now();
        loop {
            match self.attempt(request) {
                Ok(mut reply) if reply["error"]["code"] != "draining" => {
                    reply.as_object_mut().unwrap().remove("id");
                    self.longest = self.longest.max(began.elapsed());
                    return reply;
                }
                outcome => {
                    let waited = began.elapsed();
                    assert!(waited < RETRY_PATIENCE, "{request}: still {outcome:?}");
                    self.line = None;
                    self.retries += 1;
                    thread::sleep(Duration::from_millis(5));
                }
            }
        }
    }

    fn attempt(&mut self, request: &Value) -> io::Result<Value> {
        let line = match self.line.take() {
            Some(line) => line,
            None => Line::connect(&self.socket)?,
        };
        self.line.insert(line).ask(request.clone())
    }
}
