//! A blocking client of the daemon, for programs that ask one thing at a time.

use std::{
    collections::VecDeque,
    io::{self, BufRead, BufReader, Write},
    os::unix::net::UnixStream,
    path::Path,
    time::{Duration, Instant},
};

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{
    PROTOCOL,
    frame::LINE_BYTES_MAX,
    reply::{self, Fault, Push, Welcome},
    request::{Caller, Envelope, Hello, Request},
};

/// How long a reply may take. More than the longest wait for a lock.
const REPLY_TIME_MAX: Duration = Duration::from_secs(60);
/// How long the daemon may take to accept a request's bytes.
const WRITE_TIME_MAX: Duration = Duration::from_secs(10);
/// Longest reply line that is read, in bytes.
const REPLY_BYTES_MAX: usize = 4 * LINE_BYTES_MAX;
/// Most pushes kept for [`Client::next_push`] while replies are read. Past it the oldest go.
const PUSHES_KEPT_MAX: usize = 1_024;

/// Why a request got no reply.
#[derive(Debug)]
pub enum Error {
    /// Nobody listens (`NotFound`, `ConnectionRefused`), the daemon went away, or it is too slow.
    Io(io::Error),
    /// The daemon answered with a refusal or an error.
    Fault(Fault),
}

impl Error {
    /// True where no daemon serves the socket: starting one is the way on.
    #[must_use]
    pub fn is_absent(&self) -> bool {
        matches!(self, Error::Io(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused))
    }
}

impl core::fmt::Display for Error {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Error::Io(e) => write!(f, "no answer from the Kite daemon: {e}"),
            Error::Fault(fault) => fault.fmt(f),
        }
    }
}

impl core::error::Error for Error {}

impl From<io::Error> for Error {
    fn from(e: io::Error) -> Self {
        Error::Io(e)
    }
}

/// An open connection after `hello`.
pub struct Client {
    reader: BufReader<UnixStream>,
    /// The line that is being read. It outlives a read that timed out halfway.
    line: Vec<u8>,
    /// Pushes that came while a reply was waited for.
    pushes: VecDeque<Push>,
    next_id: u64,
    /// What the daemon said of itself.
    pub welcome: Welcome,
}

impl Client {
    /// Connects and says hello.
    pub fn connect(
        socket: &Path,
        role: &str,
        build: &str,
        caller: Option<Caller>,
    ) -> Result<Client, Error> {
        let stream = UnixStream::connect(socket)?;
        stream.set_write_timeout(Some(WRITE_TIME_MAX))?;
        let mut client = Client {
            reader: BufReader::new(stream),
            line: Vec::new(),
            pushes: VecDeque::new(),
            next_id: 1,
            welcome: Welcome::default(),
        };
        let hello = Hello {
            protocol: PROTOCOL,
            build: build.to_owned(),
            role: role.to_owned(),
            caller,
        };
        client.welcome = client.ask(hello)?;
        Ok(client)
    }

    /// Sends a request and reads its reply as `T`.
    pub fn ask<T: DeserializeOwned>(&mut self, request: impl Into<Request>) -> Result<T, Error> {
        self.ask_with(request, Envelope::default())
    }

    /// Like [`Client::ask`], with envelope fields (the id is set here).
    pub fn ask_with<T: DeserializeOwned>(
        &mut self,
        request: impl Into<Request>,
        envelope: Envelope,
    ) -> Result<T, Error> {
        let value = self.ask_raw(request, envelope)?;
        reply::read(value).map_err(Error::Fault)
    }

    /// Like [`Client::ask_with`], the reply unread. Pushes that come before it are kept for
    /// [`Client::next_push`].
    pub fn ask_raw(
        &mut self,
        request: impl Into<Request>,
        envelope: Envelope,
    ) -> Result<Value, Error> {
        let mut pushes = std::mem::take(&mut self.pushes);
        let reply = self.ask_watching(request, envelope, |push| {
            if pushes.len() == PUSHES_KEPT_MAX {
                pushes.pop_front();
            }
            pushes.push_back(push.clone());
        });
        self.pushes = pushes;
        reply
    }

    /// Like [`Client::ask_raw`], showing `watch` every push that comes before the reply: the place
    /// in the queue of a lock that waits, among others.
    pub fn ask_watching(
        &mut self,
        request: impl Into<Request>,
        mut envelope: Envelope,
        mut watch: impl FnMut(&Push),
    ) -> Result<Value, Error> {
        let id = self.next_id;
        self.next_id += 1;
        envelope.id = Some(id);
        self.reader
            .get_mut()
            .write_all(&request.into().to_line(&envelope))?;
        let deadline = Some(Instant::now() + REPLY_TIME_MAX);
        loop {
            let value = self.read_line(deadline)?;
            if value.get("push").is_some() {
                if let Ok(push) = serde_json::from_value(value) {
                    watch(&push);
                }
            } else if value
                .get("id")
                .and_then(Value::as_u64)
                .is_none_or(|i| i == id)
            {
                return Ok(value);
            }
        }
    }

    /// Waits for the next push, at most `timeout`. `None` when nothing came.
    pub fn next_push(&mut self, timeout: Option<Duration>) -> Result<Option<Push>, Error> {
        if let Some(push) = self.pushes.pop_front() {
            return Ok(Some(push));
        }
        let deadline = timeout.map(|timeout| Instant::now() + timeout);
        loop {
            let value = match self.read_line(deadline) {
                Err(Error::Io(e)) if is_timeout(&e) => return Ok(None),
                other => other?,
            };
            if value.get("push").is_some() {
                return serde_json::from_value(value)
                    .map(Some)
                    .map_err(|e| Error::Io(e.into()));
            }
        }
    }

    /// The next line. After a timeout the part that came is kept, and the next call goes on.
    fn read_line(&mut self, deadline: Option<Instant>) -> Result<Value, Error> {
        loop {
            if self.reader.buffer().is_empty() {
                self.limit_read(deadline)?;
            }
            let available = self.reader.fill_buf()?;
            if available.is_empty() {
                return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
            }
            let (part, ended) = match available.iter().position(|b| *b == b'\n') {
                Some(at) => (at + 1, true),
                None => (available.len(), false),
            };
            self.line.extend_from_slice(&available[..part]);
            self.reader.consume(part);
            if ended {
                let line = std::mem::take(&mut self.line);
                return serde_json::from_slice(&line).map_err(|e| Error::Io(e.into()));
            }
            if self.line.len() > REPLY_BYTES_MAX {
                return Err(io::Error::other("reply line too long").into());
            }
        }
    }

    fn limit_read(&self, deadline: Option<Instant>) -> io::Result<()> {
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        if left.is_some_and(|left| left.is_zero()) {
            return Err(io::ErrorKind::TimedOut.into());
        }
        self.reader.get_ref().set_read_timeout(left)
    }
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
    )
}
