//! The table: what is held, by whom, and the judgement of a request.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    vec::Vec,
};

use super::{Epoch, Granted, Lock, Request, Ticket, queue::Queue};
use crate::{
    Now, limits,
    pattern::{Overlaps, Pattern},
    refusal::{InTheWay, Refusal},
    session::{Owner, SessionId},
};

/// All locks of the home and the queue for them, indexed so that checking one path looks at its
/// ancestors only, however many locks there are.
#[derive(Clone, Debug, Default)]
pub struct LockTable {
    generation: u64,
    /// Of the last epoch issued. Never goes back.
    counter: u64,
    pub(super) held: BTreeMap<Epoch, Held>,
    pub(super) index: Overlaps<Epoch>,
    pub(super) by_session: BTreeMap<SessionId, BTreeSet<Epoch>>,
    /// When each lease runs out, soonest first.
    leases: BTreeSet<(u64, Epoch)>,
    pub(super) queue: Queue,
}

#[derive(Clone, Debug)]
pub(super) struct Held {
    pub(super) lock: Lock,
    pub(super) pattern: Arc<Pattern>,
}

impl LockTable {
    /// An empty table that issues epochs of this generation.
    #[must_use]
    pub fn new(generation: u64) -> LockTable {
        LockTable {
            generation,
            ..LockTable::default()
        }
    }

    /// Puts back a lock read from the store, with a full TTL from now. No epoch up to its own
    /// will be issued.
    pub fn restore(&mut self, lock: Lock, now: Now) {
        let last = (self.generation, self.counter).max((lock.epoch.generation, lock.epoch.counter));
        (self.generation, self.counter) = last;
        self.remove(lock.epoch);
        let pattern = Arc::new(Pattern::compile_kept(lock.target.clone()));
        self.insert(
            Lock {
                renewed_mono_ms: now.mono_ms,
                ..lock
            },
            pattern,
        );
    }

    /// Forgets what is held, to be restored from the store after a failed commit. The queue
    /// stays, and no epoch that was issued is issued again.
    pub fn forget_locks(&mut self) {
        self.held.clear();
        self.index = Overlaps::default();
        self.by_session.clear();
        self.leases.clear();
    }

    /// Grants all targets or refuses with [`Refusal::Locked`]. Also refused where an earlier
    /// waiter of another owner wants what overlaps: first come, first served. What the owner
    /// (or its parent session, or a subagent of the asking session) holds already is renewed and
    /// answered with its old epoch.
    pub fn acquire(&mut self, request: &Request, now: Now) -> Result<Granted, Refusal> {
        let patterns = compile(request)?;
        let existing = self.judge(request, &patterns, Ticket(u64::MAX), now)?;
        Ok(self.grant(request, &patterns, &existing, now))
    }

    /// Renews every lock of a session: it showed a sign of life.
    pub fn renew(&mut self, session: SessionId, now: Now) {
        let epochs: Vec<Epoch> = self.of_session(session).collect();
        for epoch in epochs {
            self.renew_lock(epoch, now);
        }
    }

    /// Gives every lock a full TTL from now (after a wake-up of the machine).
    pub fn renew_all(&mut self, now: Now) {
        let epochs: Vec<Epoch> = self.held.keys().copied().collect();
        for epoch in epochs {
            self.renew_lock(epoch, now);
        }
    }

    /// Removes and returns the locks whose lease has run out.
    pub fn expire(&mut self, now: Now) -> Vec<Lock> {
        let mut expired = Vec::new();
        while self.next_expiry().is_some_and(|at| at <= now.mono_ms) {
            let due = self.leases.pop_first();
            expired.extend(due.and_then(|(_, epoch)| self.remove(epoch)));
        }
        expired
    }

    /// When the next lease runs out, on the monotonic clock.
    #[must_use]
    pub fn next_expiry(&self) -> Option<u64> {
        self.leases.first().map(|(at, _)| *at)
    }

    /// The lock of another that covers this file, if any: what an edit is checked against.
    #[must_use]
    pub fn blocking(&self, owner: &Owner, path: &str) -> Option<&Lock> {
        self.index
            .covering(path)
            .filter_map(|epoch| self.by_epoch(epoch))
            .find(|lock| lock.owner.contends_with(owner))
    }

    /// The current lock with this epoch, if it is still held.
    #[must_use]
    pub fn by_epoch(&self, epoch: Epoch) -> Option<&Lock> {
        self.held.get(&epoch).map(|held| &held.lock)
    }

    /// All locks, oldest grant first.
    pub fn iter(&self) -> impl Iterator<Item = &Lock> {
        self.held.values().map(|held| &held.lock)
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.held.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// What each target is held by already, or the refusal; for a request with that place in the
    /// queue.
    pub(super) fn judge(
        &self,
        request: &Request,
        patterns: &[Arc<Pattern>],
        place: Ticket,
        now: Now,
    ) -> Result<Vec<Option<Epoch>>, Refusal> {
        let owner = &request.owner;
        let existing: Vec<Option<Epoch>> = patterns
            .iter()
            .map(|pattern| self.held_by_kin(pattern, owner))
            .collect();
        let in_the_way = self.in_the_way(owner, patterns, &existing, place, now);
        if !in_the_way.is_empty() {
            return Err(Refusal::Locked(in_the_way));
        }
        let fresh = existing.iter().filter(|held| held.is_none()).count();
        if fresh > 0
            && self.of_session(owner.session).count() + fresh > limits::LOCKS_PER_SESSION_MAX
        {
            return Err(Refusal::Limit {
                what: "locks of one session",
                max: limits::LOCKS_PER_SESSION_MAX as u64,
            });
        }
        Ok(existing)
    }

    /// Grants what was judged free. Targets given twice get one lock.
    pub(super) fn grant(
        &mut self,
        request: &Request,
        patterns: &[Arc<Pattern>],
        existing: &[Option<Epoch>],
        now: Now,
    ) -> Granted {
        let mut already_held = true;
        let mut locks = Vec::with_capacity(patterns.len());
        for (at, pattern) in patterns.iter().enumerate() {
            let held = existing[at].or_else(|| self.held_by_kin(pattern, &request.owner));
            let epoch = match held {
                Some(epoch) => {
                    already_held &= !self.raise(epoch, request);
                    self.renew_lock(epoch, now);
                    epoch
                }
                None => {
                    already_held = false;
                    self.add(request, at, pattern, now)
                }
            };
            locks.extend(self.by_epoch(epoch).cloned());
        }
        Granted {
            locks,
            already_held,
        }
    }

    /// Owners of locks and, for targets not held yet, of earlier waiters that are in the way.
    fn in_the_way(
        &self,
        owner: &Owner,
        patterns: &[Arc<Pattern>],
        existing: &[Option<Epoch>],
        place: Ticket,
        now: Now,
    ) -> Vec<InTheWay> {
        let mut named = BTreeSet::new();
        let locks = patterns
            .iter()
            .flat_map(|pattern| self.index.overlapping(pattern))
            .filter_map(|epoch| self.by_epoch(epoch))
            .filter(|lock| lock.owner.contends_with(owner))
            .filter(|lock| named.insert(lock.epoch))
            .map(|lock| InTheWay {
                target: lock.shown.clone(),
                owner: lock.owner.clone(),
                since_wall_ms: lock.since_wall_ms,
                until_wall_ms: now.wall_at(lock.expires_mono_ms()),
                reason: lock.reason.clone(),
            });
        let wanted = patterns
            .iter()
            .zip(existing)
            .filter(|(_, held)| held.is_none())
            .map(|(pattern, _)| &**pattern);
        let waiters = self.queue.in_the_way(owner, wanted, place);
        locks
            .chain(waiters)
            .take(limits::LOCKED_NAMED_MAX)
            .collect()
    }

    /// The lock on exactly this target that the owner need not contend for.
    pub(super) fn held_by_kin(&self, pattern: &Pattern, owner: &Owner) -> Option<Epoch> {
        self.index.exactly(pattern).find(|epoch| {
            self.by_epoch(*epoch)
                .is_some_and(|lock| !lock.owner.contends_with(owner))
        })
    }

    pub(super) fn of_session(&self, session: SessionId) -> impl ExactSizeIterator<Item = Epoch> {
        static NONE: BTreeSet<Epoch> = BTreeSet::new();
        self.by_session
            .get(&session)
            .unwrap_or(&NONE)
            .iter()
            .copied()
    }

    fn add(&mut self, request: &Request, at: usize, pattern: &Arc<Pattern>, now: Now) -> Epoch {
        self.counter += 1;
        let epoch = Epoch {
            generation: self.generation,
            counter: self.counter,
        };
        let (target, shown) = request.targets[at].clone();
        let lock = Lock {
            epoch,
            target,
            shown,
            project: request.project.clone(),
            owner: request.owner.clone(),
            reason: request
                .reason
                .clone()
                .map(|reason| limits::cut(reason, limits::REASON_CHARS_MAX)),
            ttl_ms: request.ttl_ms,
            keep: request.keep,
            since_wall_ms: now.wall_ms,
            renewed_mono_ms: now.mono_ms,
        };
        self.insert(lock, Arc::clone(pattern));
        epoch
    }

    fn insert(&mut self, lock: Lock, pattern: Arc<Pattern>) {
        self.index.insert(lock.epoch, Arc::clone(&pattern));
        self.leases.insert((lock.expires_mono_ms(), lock.epoch));
        self.by_session
            .entry(lock.owner.session)
            .or_default()
            .insert(lock.epoch);
        self.held.insert(lock.epoch, Held { lock, pattern });
    }

    pub(super) fn remove(&mut self, epoch: Epoch) -> Option<Lock> {
        let Held { lock, pattern } = self.held.remove(&epoch)?;
        self.index.remove(epoch, &pattern);
        self.leases.remove(&(lock.expires_mono_ms(), epoch));
        if let Some(epochs) = self.by_session.get_mut(&lock.owner.session) {
            epochs.remove(&epoch);
            if epochs.is_empty() {
                self.by_session.remove(&lock.owner.session);
            }
        }
        Some(lock)
    }

    fn renew_lock(&mut self, epoch: Epoch, now: Now) {
        if let Some(Held { lock, .. }) = self.held.get_mut(&epoch) {
            self.leases.remove(&(lock.expires_mono_ms(), epoch));
            lock.renewed_mono_ms = lock.renewed_mono_ms.max(now.mono_ms);
            self.leases.insert((lock.expires_mono_ms(), epoch));
        }
    }

    /// Gives a held lock the longer TTL and the `keep` of a repeated request. Whether it changed.
    fn raise(&mut self, epoch: Epoch, request: &Request) -> bool {
        let Some(Held { lock, .. }) = self.held.get_mut(&epoch) else {
            return false;
        };
        if lock.ttl_ms >= request.ttl_ms && lock.keep >= request.keep {
            return false;
        }
        self.leases.remove(&(lock.expires_mono_ms(), epoch));
        lock.ttl_ms = lock.ttl_ms.max(request.ttl_ms);
        lock.keep |= request.keep;
        self.leases.insert((lock.expires_mono_ms(), epoch));
        true
    }
}

/// Checks the form of a request and compiles its targets.
pub(super) fn compile(request: &Request) -> Result<Vec<Arc<Pattern>>, Refusal> {
    if request.targets.is_empty() {
        return Err(Refusal::Invalid {
            what: "lock targets",
            why: "there is none".into(),
        });
    }
    let limits = [
        (
            "targets of one lock request",
            request.targets.len() as u64,
            limits::LOCK_TARGETS_MAX as u64,
        ),
        (
            "milliseconds of a lock's life",
            request.ttl_ms,
            limits::LOCK_TTL_MS_MAX,
        ),
    ];
    if let Some((what, _, max)) = limits.into_iter().find(|(_, given, max)| given > max) {
        return Err(Refusal::Limit { what, max });
    }
    if request.ttl_ms == 0 {
        return Err(Refusal::Invalid {
            what: "lock ttl",
            why: "it is 0".into(),
        });
    }
    request
        .targets
        .iter()
        .map(|(target, shown)| {
            if shown.chars().nth(limits::TARGET_CHARS_MAX).is_some() {
                return Err(Refusal::Limit {
                    what: "characters of a path, glob or lock name",
                    max: limits::TARGET_CHARS_MAX as u64,
                });
            }
            Pattern::compile(target.clone()).map(Arc::new)
        })
        .collect()
}
