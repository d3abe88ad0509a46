//! One connection to the daemon: requests go out as they come, replies find their asker by id.

use std::{
    collections::HashMap,
    io,
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use kite_wire::{
    PROTOCOL,
    frame::LINE_BYTES_MAX,
    reply::{self, Fault, Push, Welcome},
    request::{Caller, Cancel, Envelope, Hello, Request},
};
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{
        UnixStream,
        unix::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::{mpsc, oneshot, watch},
    time::timeout,
};

/// How long the daemon may take over `hello`.
const HELLO_MAX: Duration = Duration::from_secs(3);
/// Requests that wait to be written.
const OUTGOING_MAX: usize = 64;
/// Longest reply line, in bytes.
const REPLY_BYTES_MAX: usize = 4 * LINE_BYTES_MAX;
/// Read at once, in bytes.
const READ_BYTES: usize = 4 << 10;

/// Why there is no connection.
#[derive(Debug)]
pub(super) enum OpenError {
    /// Nobody listens, or nobody answers.
    Io(io::Error),
    /// The daemon answered `hello` with a refusal.
    Refused(Fault),
}

impl From<io::Error> for OpenError {
    fn from(error: io::Error) -> Self {
        OpenError::Io(error)
    }
}

/// An open connection, after `hello`.
pub(super) struct Link {
    caller: Option<Caller>,
    outgoing: mpsc::Sender<Vec<u8>>,
    waiting: Arc<Waiting>,
    next_id: AtomicU64,
}

/// A request on its way.
pub(super) struct Asked {
    pub(super) id: u64,
    /// Ends without a reply when the connection breaks.
    pub(super) reply: oneshot::Receiver<Value>,
    waiting: Arc<Waiting>,
}

impl Drop for Asked {
    fn drop(&mut self) {
        self.waiting.remove(self.id);
    }
}

/// Who waits for what the daemon says. `None` once the connection is gone.
struct Waiting(Mutex<Option<Listeners>>);

struct Listeners {
    askers: HashMap<u64, Asker>,
    /// Who is told of changes.
    pushes: Option<mpsc::Sender<Push>>,
}

struct Asker {
    reply: oneshot::Sender<Value>,
    place: watch::Sender<Option<u64>>,
}

impl Link {
    /// Connects and says hello, on behalf of nobody where there is no caller. `pushes` hears of
    /// changes, once they are subscribed to; one that does not keep up loses the connection.
    pub(super) async fn open(
        socket: &Path,
        build: &str,
        caller: Option<&Caller>,
        pushes: Option<mpsc::Sender<Push>>,
    ) -> Result<Link, OpenError> {
        let stream = UnixStream::connect(socket).await?;
        let (reader, writer) = stream.into_split();
        let listeners = Listeners {
            askers: HashMap::new(),
            pushes,
        };
        let waiting = Arc::new(Waiting(Mutex::new(Some(listeners))));
        let (outgoing, lines) = mpsc::channel(OUTGOING_MAX);
        tokio::spawn(read_replies(reader, Arc::clone(&waiting)));
        tokio::spawn(write_lines(writer, lines, Arc::clone(&waiting)));
        let link = Link {
            caller: caller.cloned(),
            outgoing,
            waiting,
            next_id: AtomicU64::new(1),
        };
        link.hello(build).await?;
        Ok(link)
    }

    async fn hello(&self, build: &str) -> Result<(), OpenError> {
        let hello = Hello {
            protocol: PROTOCOL,
            build: build.to_owned(),
            role: "mcp".to_owned(),
            caller: self.caller.clone(),
        };
        let gone = || io::Error::from(io::ErrorKind::UnexpectedEof);
        let place = watch::Sender::new(None);
        let mut asked = self
            .ask(&hello.into(), &Envelope::default(), &place)
            .ok_or_else(gone)?;
        let answer = timeout(HELLO_MAX, &mut asked.reply).await.map_err(|_| {
            io::Error::new(
                io::ErrorKind::TimedOut,
                format!("no welcome within {} s", HELLO_MAX.as_secs()),
            )
        })?;
        let _: Welcome = reply::read(answer.map_err(|_| gone())?).map_err(OpenError::Refused)?;
        Ok(())
    }

    pub(super) fn is_open(&self) -> bool {
        !self.outgoing.is_closed() && self.waiting.with(|open| open.is_some())
    }

    pub(super) fn is_for(&self, caller: &Caller) -> bool {
        self.caller.as_ref() == Some(caller)
    }

    /// Sends a request. `None` where the connection is gone or chokes.
    pub(super) fn ask(
        &self,
        request: &Request,
        envelope: &Envelope,
        place: &watch::Sender<Option<u64>>,
    ) -> Option<Asked> {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let (sender, reply) = oneshot::channel();
        let asker = Asker {
            reply: sender,
            place: place.clone(),
        };
        self.waiting
            .with(|open| open.as_mut().map(|open| open.askers.insert(id, asker)))?;
        let asked = Asked {
            id,
            reply,
            waiting: Arc::clone(&self.waiting),
        };
        let envelope = Envelope {
            id: Some(id),
            ..envelope.clone()
        };
        self.outgoing.try_send(request.to_line(&envelope)).ok()?;
        Some(asked)
    }

    /// Withdraws a request that still waits. Its reply still comes.
    pub(super) fn cancel(&self, request: u64) {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let cancel: Request = Cancel { request }.into();
        // Where this finds no room the connection is as good as gone, and the request with it.
        let _ = self.outgoing.try_send(cancel.to_line(&Envelope {
            id: Some(id),
            ..Envelope::default()
        }));
    }
}

impl Waiting {
    fn with<T>(&self, use_it: impl FnOnce(&mut Option<Listeners>) -> T) -> T {
        use_it(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn remove(&self, id: u64) -> Option<Asker> {
        self.with(|open| open.as_mut().and_then(|open| open.askers.remove(&id)))
    }

    fn close(&self) {
        self.with(Option::take);
    }

    fn deliver(&self, line: Value) {
        if line.get("push").is_some() {
            // A push of a kind that this build does not know is none of its business.
            if let Ok(push) = serde_json::from_value(line) {
                self.push(push);
            }
        } else if let Some(asker) = line
            .get("id")
            .and_then(Value::as_u64)
            .and_then(|id| self.remove(id))
        {
            // An asker that has left needs no reply.
            let _ = asker.reply.send(line);
        }
    }

    fn push(&self, push: Push) {
        self.with(|open| {
            let Some(listeners) = open else { return };
            if let (Some(request), Some(_)) = (push.request, push.place) {
                if let Some(asker) = listeners.askers.get(&request) {
                    asker.place.send_replace(push.place);
                }
            } else if let Some(pushes) = &listeners.pushes
                && pushes.try_send(push).is_err()
            {
                // Whoever has missed one connects again and looks at everything.
                *open = None;
            }
        });
    }
}

/// Reads until the daemon closes or talks nonsense; then nobody waits any longer.
async fn read_replies(reader: OwnedReadHalf, waiting: Arc<Waiting>) {
    let mut reader = BufReader::with_capacity(READ_BYTES, reader);
    let mut line = Vec::new();
    while let Ok(available) = reader.fill_buf().await {
        if available.is_empty() {
            break;
        }
        let (part, ended) = match available.iter().position(|byte| *byte == b'\n') {
            Some(at) => (at + 1, true),
            None => (available.len(), false),
        };
        line.extend_from_slice(&available[..part]);
        reader.consume(part);
        if ended {
            let Ok(value) = serde_json::from_slice(&line) else {
                break;
            };
            line = Vec::new();
            waiting.deliver(value);
        } else if line.len() > REPLY_BYTES_MAX {
            break;
        }
    }
    waiting.close();
}

/// Writes until nobody sends any longer or the daemon is gone.
async fn write_lines(
    mut writer: OwnedWriteHalf,
    mut lines: mpsc::Receiver<Vec<u8>>,
    waiting: Arc<Waiting>,
) {
    while let Some(line) = lines.recv().await {
        if writer.write_all(&line).await.is_err() {
            break;
        }
    }
    waiting.close();
}
