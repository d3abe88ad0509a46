//! The audit log: what happened, for people to read. Its own files, apart from the state.
//!
//! Events are redacted and capped by the log's own thread before anybody can see them: on disk,
//! in memory or by following. What is recorded faster than the thread can write is dropped and
//! counted, and the log says so. After a loss of power the last second may be missing.
//!
//! **Architecture Invariant:** recording never waits and never fails, whatever the disk does.

mod cap;
mod files;
mod query;
mod ring;
mod writer;

use std::{
    io,
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
        mpsc::{SyncSender, TrySendError, sync_channel},
    },
    thread,
    time::Duration,
};

use kite_wire::reply::{Event, Events};
use tokio::sync::{broadcast, oneshot};

use crate::translate::words::rfc3339;
use files::Files;
use ring::Ring;
use writer::{Message, Writer};

/// Most events that wait for the log's thread.
pub const QUEUED_MAX: usize = 8_192;
/// Most events that a follower may be behind.
pub const FOLLOWED_MAX: usize = 1_024;

/// How much is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    pub days_max: u64,
    pub bytes_max: u64,
}

/// What to read from the log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only of the session whose id begins with this.
    pub session: Option<String>,
    /// Only of this tool.
    pub tool: Option<String>,
    /// Only at or after this moment, in milliseconds since 1970.
    pub since_wall_ms: Option<u64>,
    /// Only after this number: then the oldest ones come, else the newest.
    pub after: Option<u64>,
    /// At most so many.
    pub limit: usize,
}

/// The log of one home. Dropping it writes what is left.
#[derive(Debug)]
pub struct AuditLog {
    shared: Arc<Shared>,
    sender: Option<SyncSender<Message>>,
    thread: Option<thread::JoinHandle<()>>,
}

/// What the loop and the log's thread both see.
#[derive(Debug)]
struct Shared {
    /// The number that the next event gets.
    next_seq: AtomicU64,
    /// Events dropped since the log last said so.
    dropped: AtomicU64,
    bytes: AtomicU64,
    ring: Mutex<Ring>,
    followers: broadcast::Sender<Arc<Event>>,
}

impl AuditLog {
    /// Opens the log in `directory`, which is made where it is missing.
    pub fn open(directory: &Path, retention: Retention) -> io::Result<AuditLog> {
        let files = Files::open(directory, retention)?;
        let shared = Arc::new(Shared {
            next_seq: AtomicU64::new(files.next_seq()),
            dropped: AtomicU64::new(0),
            bytes: AtomicU64::new(files.bytes()),
            ring: Mutex::new(Ring::new(files.directory(), files.next_seq() > 1)),
            followers: broadcast::channel(FOLLOWED_MAX).0,
        });
        let (sender, receiver) = sync_channel(QUEUED_MAX);
        let writer = Writer::new(files, Arc::clone(&shared));
        let thread = thread::Builder::new()
            .name("kite-audit".to_owned())
            .spawn(move || writer.run(&receiver))?;
        Ok(AuditLog {
            shared,
            sender: Some(sender),
            thread: Some(thread),
        })
    }

    /// Records an event (its `seq` is set here; `at` too where it is empty) and returns its
    /// number. Cheap; never waits.
    pub fn record(&self, mut event: Event) -> u64 {
        let dropped = self.shared.dropped.swap(0, Ordering::Relaxed);
        if dropped > 0 && self.queue(writer::dropped(dropped)).is_none() {
            self.shared.dropped.fetch_add(dropped, Ordering::Relaxed);
        }
        cap::before_queueing(&mut event);
        self.queue(event).unwrap_or_else(|| {
            self.shared.dropped.fetch_add(1, Ordering::Relaxed);
            self.last_seq()
        })
    }

    /// `None` where the queue is full.
    fn queue(&self, mut event: Event) -> Option<u64> {
        let seq = self.shared.next_seq.load(Ordering::Relaxed);
        event.seq = seq;
        if event.at.is_empty() {
            let now_ms = jiff::Timestamp::now().as_millisecond();
            event.at = rfc3339(u64::try_from(now_ms).unwrap_or_default());
        }
        self.sender
            .as_ref()?
            .try_send(Message::Record(Box::new(event)))
            .ok()?;
        self.shared.next_seq.store(seq + 1, Ordering::Relaxed);
        Some(seq)
    }

    /// The number of the newest event.
    #[must_use]
    pub fn last_seq(&self) -> u64 {
        self.shared.next_seq.load(Ordering::Relaxed) - 1
    }

    /// How much the log takes on disk.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.shared.bytes.load(Ordering::Relaxed)
    }

    /// Events from now on, redacted, in order. A receiver that falls behind loses the oldest.
    #[must_use]
    pub fn follow(&self) -> broadcast::Receiver<Arc<Event>> {
        self.shared.followers.subscribe()
    }

    /// Events that match, oldest first. Reads files, off the loop, only where memory does not
    /// reach back far enough. What was recorded before this call is in it.
    pub async fn query(&self, filter: Filter) -> Events {
        self.settle(Message::Publish).await;
        let shared = Arc::clone(&self.shared);
        let last_seq = self.last_seq();
        let from_memory = shared.ring().find(&filter);
        let events = match from_memory {
            Ok(events) => events,
            Err(needed) => tokio::task::spawn_blocking(move || query::with_files(*needed))
                .await
                .unwrap_or_default(),
        };
        let last_seq = events.last().map_or(last_seq, |event| event.seq);
        Events {
            events: events.into_iter().map(Arc::unwrap_or_clone).collect(),
            last_seq,
        }
    }

    /// Everything recorded so far is written when this ends.
    pub async fn flush(&self) {
        self.settle(Message::Flush).await;
    }

    /// Sends a message behind everything recorded so far and waits until it is dealt with.
    async fn settle(&self, message: impl Fn(oneshot::Sender<()>) -> Message) {
        const FULL_PAUSE: Duration = Duration::from_millis(5);
        let Some(sender) = &self.sender else { return };
        loop {
            let (done, settled) = oneshot::channel();
            match sender.try_send(message(done)) {
                // An error means that the thread is gone: nothing is left to wait for.
                Ok(()) => return drop(settled.await),
                Err(TrySendError::Full(_)) => tokio::time::sleep(FULL_PAUSE).await,
                Err(TrySendError::Disconnected(_)) => return,
            }
        }
    }
}

impl Drop for AuditLog {
    fn drop(&mut self) {
        drop(self.sender.take());
        if let Some(thread) = self.thread.take() {
            // A panic of that thread has been told on stderr.
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn ring(&self) -> std::sync::MutexGuard<'_, Ring> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
