//! A blocking client of the daemon, for programs that ask one thing at a time.

use std::{
    io::{self, BufRead, BufReader, Write},
    os::unix::net::UnixStream,
    path::Path,
    time::Duration,
};

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{
    PROTOCOL,
    frame::LINE_BYTES_MAX,
    reply::{self, Fault, Push, Welcome},
    request::{Caller, Envelope, Hello, Request},
};

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
    next_id: u64,
    /// What the daemon said of itself.
    pub welcome: Welcome,
}

impl Client {
    /// Connects and says hello.
    pub fn connect(socket: &Path, role: &str, build: &str, caller: Option<Caller>) -> Result<Client, Error> {
        let stream = UnixStream::connect(socket)?;
        stream.set_read_timeout(Some(Duration::from_secs(60)))?;
        stream.set_write_timeout(Some(Duration::from_secs(10)))?;
        let mut client = Client { reader: BufReader::new(stream), next_id: 1, welcome: Welcome::default() };
        let hello = Hello { protocol: PROTOCOL, build: build.to_owned(), role: role.to_owned(), caller };
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

    /// Like [`Client::ask_with`], the reply unread.
    pub fn ask_raw(&mut self, request: impl Into<Request>, envelope: Envelope) -> Result<Value, Error> {
        self.ask_watching(request, envelope, |_| ())
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
        self.reader.get_mut().write_all(&request.into().to_line(&envelope))?;
        loop {
            let value = self.read_line()?;
            if value.get("push").is_some() {
                if let Ok(push) = serde_json::from_value(value) {
                    watch(&push);
                }
            } else if value.get("id").and_then(Value::as_u64).is_none_or(|i| i == id) {
                return Ok(value);
            }
        }
    }

    /// Waits for the next push, at most `timeout`. `None` when nothing came.
    pub fn next_push(&mut self, timeout: Option<Duration>) -> Result<Option<Push>, Error> {
        self.reader.get_ref().set_read_timeout(timeout)?;
        loop {
            let value = match self.read_line() {
                Err(Error::Io(e)) if matches!(e.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                    return Ok(None);
                }
                other => other?,
            };
            if value.get("push").is_some() {
                return serde_json::from_value(value).map(Some).map_err(|e| Error::Io(e.into()));
            }
        }
    }

    fn read_line(&mut self) -> Result<Value, Error> {
        let mut line = Vec::new();
        loop {
            let available = self.reader.fill_buf()?;
            if available.is_empty() {
                return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
            }
            let (part, ended) = match available.iter().position(|b| *b == b'\n') {
                Some(at) => (at + 1, true),
                None => (available.len(), false),
            };
            line.extend_from_slice(&available[..part]);
            self.reader.consume(part);
            if ended {
                return serde_json::from_slice(&line).map_err(|e| Error::Io(e.into()));
            }
            if line.len() > 4 * LINE_BYTES_MAX {
                return Err(io::Error::other("reply line too long").into());
            }
        }
    }
}
