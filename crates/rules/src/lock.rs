//! Locks: asked for, exclusive, fenced by an epoch, with a lease and a fair queue.

use alloc::{string::String, vec::Vec};

use crate::{
    Now,
    pattern::Target,
    refusal::Refusal,
    session::{Owner, SessionId},
};

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
    pub already_held: bool,
}

/// All locks of the home and the queue for them, indexed so that checking one path looks at its
/// ancestors only, however many locks there are.
#[derive(Debug, Default)]
pub struct LockTable {
    // the engineer of this room fills this in
}

impl LockTable {
    /// An empty table that issues epochs of this generation.
    #[must_use]
    pub fn new(generation: u64) -> LockTable {
        let _ = generation;
        todo!()
    }

    /// Puts back a lock read from the store, with a full TTL from now.
    pub fn restore(&mut self, lock: Lock, now: Now) {
        let _ = (lock, now);
        todo!()
    }

    /// Grants all targets or refuses with [`Refusal::Locked`]. Also refused where an earlier
    /// waiter of another owner wants what overlaps: first come, first served. What the owner
    /// (or its parent session) holds already is renewed and answered with its old epoch.
    pub fn acquire(&mut self, request: &Request, now: Now) -> Result<Granted, Refusal> {
        let _ = (request, now);
        todo!()
    }

    /// Like `acquire`, but takes a place in the queue instead of a refusal.
    pub fn enqueue(&mut self, request: Request, now: Now) -> Result<Ticket, Refusal> {
        let _ = (request, now);
        todo!()
    }

    /// The place of a waiting request, first is 1. `None` once it is granted or has left.
    #[must_use]
    pub fn place(&self, ticket: Ticket) -> Option<usize> {
        let _ = ticket;
        todo!()
    }

    /// Leaves the queue. Returns what is in the way, for the refusal that follows a time-out.
    pub fn leave(&mut self, ticket: Ticket, now: Now) -> Option<Refusal> {
        let _ = (ticket, now);
        todo!()
    }

    /// Grants what has become free to those who wait, in order. Call after anything was freed.
    pub fn promote(&mut self, now: Now) -> Vec<(Ticket, Granted)> {
        let _ = now;
        todo!()
    }

    /// Releases the owner's locks on exactly these targets (a session also those of its
    /// subagents). What is free is not an error: the result is what was released.
    /// With an epoch, only the lock with that epoch; another current epoch is refused.
    pub fn release(
        &mut self,
        owner: &Owner,
        targets: &[Target],
        epoch: Option<Epoch>,
    ) -> Result<Vec<Lock>, Refusal> {
        let _ = (owner, targets, epoch);
        todo!()
    }

    /// Breaks whoever's locks on exactly these targets: for a person only.
    pub fn break_locks(&mut self, targets: &[Target]) -> Vec<Lock> {
        let _ = targets;
        todo!()
    }

    /// Releases everything of a session (and its waits); with `unless_kept`, only locks without
    /// `keep` (end of turn) and no waits.
    pub fn release_all(&mut self, session: SessionId, unless_kept: bool) -> Vec<Lock> {
        let _ = (session, unless_kept);
        todo!()
    }

    /// Like `release_all` for one subagent that has ended.
    pub fn release_agent(&mut self, owner: &Owner) -> Vec<Lock> {
        let _ = owner;
        todo!()
    }

    /// Renews every lock of a session: it showed a sign of life.
    pub fn renew(&mut self, session: SessionId, now: Now) {
        let _ = (session, now);
        todo!()
    }

    /// Gives every lock a full TTL from now (after a wake-up of the machine).
    pub fn renew_all(&mut self, now: Now) {
        let _ = now;
        todo!()
    }

    /// Removes and returns the locks whose lease has run out.
    pub fn expire(&mut self, now: Now) -> Vec<Lock> {
        let _ = now;
        todo!()
    }

    /// When the next lease runs out, on the monotonic clock.
    #[must_use]
    pub fn next_expiry(&self) -> Option<u64> {
        todo!()
    }

    /// The lock of another that covers this file, if any: what an edit is checked against.
    #[must_use]
    pub fn blocking(&self, owner: &Owner, path: &str) -> Option<&Lock> {
        let _ = (owner, path);
        todo!()
    }

    /// The current lock with this epoch, if it is still held.
    #[must_use]
    pub fn by_epoch(&self, epoch: Epoch) -> Option<&Lock> {
        let _ = epoch;
        todo!()
    }

    /// All locks, oldest grant first.
    pub fn iter(&self) -> impl Iterator<Item = &Lock> {
        core::iter::empty()
    }

    /// Sessions waiting for what overlaps this lock, first first.
    #[must_use]
    pub fn waiting_for(&self, lock: &Lock) -> Vec<Owner> {
        let _ = lock;
        todo!()
    }

    #[must_use]
    pub fn len(&self) -> usize {
        todo!()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
