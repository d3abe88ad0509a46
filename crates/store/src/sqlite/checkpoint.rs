//! Checkpoints beside the writer: nobody waits for them.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
        mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use rusqlite::Connection;

use crate::limits::{CHECKPOINT_PAGES, IDLE_MS};

/// Tells the checkpointer that the log has grown. Dropped: it ends.
#[derive(Clone, Debug)]
pub(super) struct Grown {
    pages: Arc<AtomicU32>,
    awake: Arc<AtomicBool>,
    wake: SyncSender<()>,
}

impl Grown {
    /// The log has so many pages now.
    pub(super) fn to(&self, pages: u32) {
        self.pages.store(pages, Ordering::Relaxed);
        // A checkpointer that is awake looks at the number by itself, but for a log that is long.
        if pages >= CHECKPOINT_PAGES || !self.awake.swap(true, Ordering::AcqRel) {
            let _ = self.wake.try_send(());
        }
    }
}

/// Starts the thread, on a connection of its own.
pub(super) fn start(connection: Connection) -> std::io::Result<(Grown, JoinHandle<()>)> {
    let (wake, woken) = sync_channel(1);
    let pages = Arc::new(AtomicU32::new(0));
    let awake = Arc::new(AtomicBool::new(false));
    let grown = Grown {
        pages: Arc::clone(&pages),
        awake: Arc::clone(&awake),
        wake,
    };
    let thread = thread::Builder::new()
        .name("kite-checkpoint".to_owned())
        .spawn(move || run(&connection, &pages, &awake, &woken))?;
    Ok((grown, thread))
}

/// A checkpoint when the log is long, or when nothing was written for a while. An idle store
/// writes nothing at all.
fn run(connection: &Connection, pages: &AtomicU32, awake: &AtomicBool, woken: &Receiver<()>) {
    while woken.recv().is_ok() {
        let mut seen = 0;
        loop {
            let now = pages.load(Ordering::Relaxed);
            if now >= CHECKPOINT_PAGES || now == seen {
                break;
            }
            seen = now;
            match woken.recv_timeout(Duration::from_millis(IDLE_MS)) {
                Ok(()) | Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
        pages.store(0, Ordering::Relaxed);
        awake.store(false, Ordering::Release);
        // A failure (a full disk) leaves the log as it is: all of it is still read from there.
        let _ = passive(connection);
    }
}

/// Copies what it can of the log without making anybody wait.
fn passive(connection: &Connection) -> rusqlite::Result<()> {
    connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))
}
