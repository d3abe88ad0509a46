//! The audit log: what happened, for people to read. Its own files, apart from the state.
//!
//! Events are redacted and capped by the log's own thread before anybody can see them: on disk,
//! in memory or by following. What is recorded faster than the thread can write is dropped and
//! counted, and the log says so. After a loss of power the last second may be missing.
//!
//! **Architecture Invariant:** recording never waits and never fails, whatever the disk does.

use std::{io, path::Path, sync::Arc};

use kite_wire::reply::{Event, Events};
use tokio::sync::broadcast;

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

/// The log of one home.
#[derive(Debug)]
pub struct AuditLog {}

impl AuditLog {
    /// Opens the log in `directory`, which is made where it is missing.
    pub fn open(_directory: &Path, _retention: Retention) -> io::Result<AuditLog> {
        Ok(AuditLog {})
    }

    /// Records an event (its `seq` is set here; `at` too where it is empty) and returns its
    /// number. Cheap; never waits.
    pub fn record(&self, _event: Event) -> u64 {
        0
    }

    /// The number of the newest event.
    #[must_use]
    pub fn last_seq(&self) -> u64 {
        0
    }

    /// How much the log takes on disk.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        0
    }

    /// Events from now on, redacted, in order. A receiver that falls behind loses the oldest.
    #[must_use]
    pub fn follow(&self) -> broadcast::Receiver<Arc<Event>> {
        broadcast::channel(1).1
    }

    /// Events that match, oldest first. Reads files, off the loop, only where memory does not
    /// reach back far enough.
    pub async fn query(&self, _filter: Filter) -> Events {
        Events::default()
    }

    /// Everything recorded so far is written when this ends.
    pub async fn flush(&self) {}
}
