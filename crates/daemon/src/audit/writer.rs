//! The log's thread.

use std::{
    sync::{
        Arc,
        atomic::Ordering,
        mpsc::{Receiver, RecvTimeoutError},
    },
    thread,
    time::{Duration, Instant},
};

use kite_wire::reply::Event;
use tokio::sync::oneshot;

use super::{Shared, cap, files::Files};

/// How long a line may wait to be written.
const WRITE_EVERY: Duration = Duration::from_millis(200);
/// How long events are gathered before they are looked at, and so the most that a reader waits
/// for the newest.
const GATHER: Duration = Duration::from_millis(5);
/// How much may wait to be written, in bytes.
const PENDING_BYTES_MAX: usize = 256 << 10;

#[derive(Debug)]
pub(super) enum Message {
    Record(Box<Event>),
    /// Answer when everything before this can be seen in memory.
    Publish(oneshot::Sender<()>),
    /// Answer when everything before this is written.
    Flush(oneshot::Sender<()>),
}

pub(super) struct Writer {
    files: Files,
    shared: Arc<Shared>,
    /// Whole lines that are not yet written.
    pending: Vec<u8>,
    pending_events: u64,
    /// When `pending` is to be written.
    due: Option<Instant>,
    last_seq: u64,
}

impl Writer {
    pub(super) fn new(files: Files, shared: Arc<Shared>) -> Writer {
        let last_seq = files.next_seq() - 1;
        Writer {
            files,
            shared,
            pending: Vec::new(),
            pending_events: 0,
            due: None,
            last_seq,
        }
    }

    /// Runs until nobody can send any more.
    pub(super) fn run(mut self, messages: &Receiver<Message>) {
        loop {
            let received = match (messages.try_recv(), self.due) {
                (Ok(message), _) => Ok(message),
                (Err(_), None) => messages.recv().map_err(|_| RecvTimeoutError::Disconnected),
                (Err(_), Some(due)) => {
                    // Whoever records should not have to wake this thread for every event.
                    thread::sleep(GATHER);
                    let left = due.saturating_duration_since(Instant::now());
                    messages.recv_timeout(left)
                }
            };
            match received {
                Ok(Message::Record(event)) => self.record(*event),
                // Whoever asked may be gone.
                Ok(Message::Publish(done)) => drop(done.send(())),
                Ok(Message::Flush(done)) => {
                    self.write();
                    let _ = done.send(());
                }
                Err(RecvTimeoutError::Timeout) => self.write(),
                Err(RecvTimeoutError::Disconnected) => break,
            }
            let is_due = self.due.is_some_and(|due| due <= Instant::now());
            if is_due || self.pending.len() >= PENDING_BYTES_MAX {
                self.write();
            }
        }
        self.write();
        // Without it the next numbers leave a gap, which harms nobody.
        let _ = self.files.close(self.last_seq + 1);
    }

    fn record(&mut self, mut event: Event) {
        cap::clean(&mut event);
        self.last_seq = event.seq;
        let before = self.pending.len();
        if serde_json::to_writer(&mut self.pending, &event).is_err() {
            self.pending.truncate(before);
            return;
        }
        self.pending.push(b'\n');
        self.pending_events += 1;
        self.due.get_or_insert_with(|| Instant::now() + WRITE_EVERY);
        // Where the disk is full the number may be given again after a crash; the log itself
        // has lost the event then.
        let _ = self.files.reserve(event.seq);
        let event = Arc::new(event);
        self.shared
            .ring()
            .push(Arc::clone(&event), self.pending.len() - before);
        // Nobody may be following.
        let _ = self.shared.followers.send(event);
    }

    /// Lines that cannot be written are counted as dropped: memory still has them for a while.
    fn write(&mut self) {
        self.due = None;
        if self.pending.is_empty() {
            return;
        }
        if self.files.write(&self.pending).is_err() {
            self.shared
                .dropped
                .fetch_add(self.pending_events, Ordering::Relaxed);
        }
        self.pending.clear();
        self.pending.shrink_to(PENDING_BYTES_MAX);
        self.pending_events = 0;
        self.shared
            .bytes
            .store(self.files.bytes(), Ordering::Relaxed);
    }
}

/// The log's own word about what it has lost.
pub(super) fn dropped(events: u64) -> Event {
    Event {
        kind: "log".to_owned(),
        what: "dropped".to_owned(),
        outcome: Some(format!("{events} events were not written")),
        ..Event::default()
    }
}
