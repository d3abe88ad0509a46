//! Locks: asked for, exclusive, fenced by an epoch, with a lease and a fair queue.
//!
//! **Architecture Invariant:** two locks that overlap never belong to owners who contend, and no
//! epoch is issued twice. The table does not look at any clock: leases end when `expire` is called.

mod queue;
mod release;
mod table;

use alloc::{string::String, vec::Vec};

pub use table::LockTable;

use crate::{pattern::Target, session::Owner};

/// The fencing token of a grant: compared first by generation, then by counter. The generation is
/// made durable once at each start of the daemon, the counter grows with each grant: no epoch is
/// ever issued twice (Lamport/Chubby sequencers).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Epoch {
    pub generation: u64,
    pub counter: u64,
}

impl core::fmt::Display for Epoch {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{}.{}", self.generation, self.counter)
    }
}

/// One granted target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lock {
    pub epoch: Epoch,
    pub target: Target,
    /// As the asker wrote it, for showing.
    pub shown: String,
    pub project: String,
    pub owner: Owner,
    pub reason: Option<String>,
    pub ttl_ms: u64,
    /// Outlives the end of the turn.
    pub keep: bool,
    pub since_wall_ms: u64,
    /// Monotonic time of the last renewal. Leases get a full TTL at a daemon start or wake-up.
    pub renewed_mono_ms: u64,
}

impl Lock {
    #[must_use]
    pub fn expires_mono_ms(&self) -> u64 {
        self.renewed_mono_ms.saturating_add(self.ttl_ms)
    }
}

/// What is asked for: all targets or none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    pub owner: Owner,
    pub project: String,
    /// Target and how the asker wrote it.
    pub targets: Vec<(Target, String)>,
    pub reason: Option<String>,
    pub ttl_ms: u64,
    pub keep: bool,
}

/// A place in the queue. Never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u64);

/// The answer to a request that was not refused for its form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Granted {
    /// One for each target, in the order asked.
    pub locks: Vec<Lock>,
    /// True where the asker held every one of them already: nothing changed but their leases.
    /// False also where a lock that was held got a longer TTL or `keep`; its epoch stays.
    pub already_held: bool,
}

#[cfg(test)]
mod tests;
