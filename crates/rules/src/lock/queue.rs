//! The queue: who waits for what, first come, first served.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    vec::Vec,
};

use super::{Granted, Lock, LockTable, Request, Ticket, table::compile};
use crate::{
    Now, limits,
    pattern::{Overlaps, Pattern},
    refusal::{InTheWay, Refusal},
    session::{Owner, SessionId},
};

#[derive(Clone, Debug, Default)]
pub(super) struct Queue {
    waiters: BTreeMap<Ticket, Waiter>,
    /// By ticket and number of the target.
    index: Overlaps<(Ticket, usize)>,
    /// The last ticket given out. Never goes back.
    last: u64,
}

#[derive(Clone, Debug)]
struct Waiter {
    request: Request,
    patterns: Vec<Arc<Pattern>>,
    since: Now,
}

impl LockTable {
    /// Like `acquire`, but takes a place in the queue instead of a refusal; `promote` grants it,
    /// also where everything is free. Refused at once where waiting would close a circle of
    /// owners that wait for each other.
    pub fn enqueue(&mut self, request: Request, now: Now) -> Result<Ticket, Refusal> {
        let patterns = compile(&request)?;
        if self.queue.waiters.len() >= limits::WAITERS_MAX {
            return Err(Refusal::Limit {
                what: "requests waiting for locks",
                max: limits::WAITERS_MAX as u64,
            });
        }
        let last = Ticket(u64::MAX);
        match self.judge(&request, &patterns, last, now) {
            Err(refusal @ Refusal::Locked(_)) => {
                if self.would_circle(&request.owner, &patterns) {
                    return Err(refusal);
                }
            }
            Err(refusal) => return Err(refusal),
            Ok(_) => {}
        }
        Ok(self.queue.push(Waiter {
            request,
            patterns,
            since: now,
        }))
    }

    /// The place of a waiting request among those that want what overlaps, first is 1. `None`
    /// once it is granted or has left.
    #[must_use]
    pub fn place(&self, ticket: Ticket) -> Option<usize> {
        let waiter = self.queue.waiters.get(&ticket)?;
        let wanted = waiter.patterns.iter().map(|pattern| &**pattern);
        Some(
            1 + self
                .queue
                .earlier(&waiter.request.owner, wanted, ticket)
                .len(),
        )
    }

    /// Leaves the queue. Returns what is in the way, for the refusal that follows a time-out;
    /// nothing is named where nothing is, and `promote` would have granted it.
    pub fn leave(&mut self, ticket: Ticket, now: Now) -> Option<Refusal> {
        let Waiter {
            request, patterns, ..
        } = self.queue.remove(ticket)?;
        Some(
            self.judge(&request, &patterns, ticket, now)
                .err()
                .unwrap_or(Refusal::Locked(Vec::new())),
        )
    }

    /// Grants what has become free to those who wait, in order. Call after anything was freed.
    pub fn promote(&mut self, now: Now) -> Vec<(Ticket, Granted)> {
        let tickets: Vec<Ticket> = self.queue.waiters.keys().copied().collect();
        let mut promoted = Vec::new();
        for ticket in tickets {
            let waiter = &self.queue.waiters[&ticket];
            let judged = self.judge(&waiter.request, &waiter.patterns, ticket, now);
            if let Ok(existing) = judged
                && let Some(waiter) = self.queue.remove(ticket)
            {
                let granted = self.grant(&waiter.request, &waiter.patterns, &existing, now);
                promoted.push((ticket, granted));
            }
        }
        promoted
    }

    /// Owners waiting for what overlaps this lock, first first, each once.
    #[must_use]
    pub fn waiting_for(&self, lock: &Lock) -> Vec<Owner> {
        let pattern = match self.held.get(&lock.epoch) {
            Some(held) => Arc::clone(&held.pattern),
            None => Arc::new(Pattern::compile_kept(lock.target.clone())),
        };
        let wanted = core::iter::once(&*pattern);
        let mut owners = Vec::new();
        for ticket in self.queue.earlier(&lock.owner, wanted, Ticket(u64::MAX)) {
            let owner = &self.queue.waiters[&ticket].request.owner;
            if !owners.contains(owner) {
                owners.push(owner.clone());
            }
        }
        owners
    }

    /// Whether somebody whom this owner would wait for waits, directly or not, for this owner.
    fn would_circle(&self, owner: &Owner, patterns: &[Arc<Pattern>]) -> bool {
        let mut seen = BTreeSet::new();
        let mut open = self.waited_for(owner, patterns, Ticket(u64::MAX));
        while let Some(other) = open.pop_first() {
            if other == *owner {
                return true;
            }
            for (ticket, waiter) in &self.queue.waiters {
                if waiter.request.owner == other {
                    open.extend(self.waited_for(&other, &waiter.patterns, *ticket));
                }
            }
            seen.insert(other);
            open.retain(|owner| !seen.contains(owner));
        }
        false
    }

    /// Owners of locks and of earlier waits that keep this owner from these targets.
    fn waited_for(
        &self,
        owner: &Owner,
        patterns: &[Arc<Pattern>],
        place: Ticket,
    ) -> BTreeSet<Owner> {
        let holders = patterns
            .iter()
            .flat_map(|pattern| self.index.overlapping(pattern))
            .filter_map(|epoch| self.by_epoch(epoch))
            .map(|lock| &lock.owner)
            .filter(|holder| holder.contends_with(owner));
        let wanted = patterns
            .iter()
            .filter(|pattern| self.held_by_kin(pattern, owner).is_none())
            .map(|pattern| &**pattern);
        let earlier = self.queue.earlier(owner, wanted, place);
        let waiters = earlier
            .iter()
            .map(|ticket| &self.queue.waiters[ticket].request.owner);
        holders.chain(waiters).cloned().collect()
    }
}

impl Queue {
    fn push(&mut self, waiter: Waiter) -> Ticket {
        self.last += 1;
        let ticket = Ticket(self.last);
        for (at, pattern) in waiter.patterns.iter().enumerate() {
            self.index.insert((ticket, at), Arc::clone(pattern));
        }
        self.waiters.insert(ticket, waiter);
        ticket
    }

    fn remove(&mut self, ticket: Ticket) -> Option<Waiter> {
        let waiter = self.waiters.remove(&ticket)?;
        for (at, pattern) in waiter.patterns.iter().enumerate() {
            self.index.remove((ticket, at), pattern);
        }
        Some(waiter)
    }

    /// Ends the waits of a session and of its subagents.
    pub(super) fn remove_session(&mut self, session: SessionId) {
        self.remove_where(|owner| owner.session == session);
    }

    /// Ends the waits of exactly this owner.
    pub(super) fn remove_owner(&mut self, owner: &Owner) {
        self.remove_where(|other| other == owner);
    }

    fn remove_where(&mut self, leaves: impl Fn(&Owner) -> bool) {
        let leaving: Vec<Ticket> = self
            .waiters
            .iter()
            .filter(|(_, waiter)| leaves(&waiter.request.owner))
            .map(|(ticket, _)| *ticket)
            .collect();
        for ticket in leaving {
            self.remove(ticket);
        }
    }

    /// The waiters before `place` that this owner contends with for one of these patterns.
    fn earlier<'a>(
        &self,
        owner: &Owner,
        wanted: impl Iterator<Item = &'a Pattern>,
        place: Ticket,
    ) -> BTreeSet<Ticket> {
        wanted
            .flat_map(|pattern| self.index.overlapping(pattern).collect::<Vec<_>>())
            .map(|(ticket, _)| ticket)
            .filter(|ticket| *ticket < place)
            .filter(|ticket| self.waiters[ticket].request.owner.contends_with(owner))
            .collect()
    }

    /// The same as news: since when they wait, and until when at most.
    pub(super) fn in_the_way<'a>(
        &self,
        owner: &Owner,
        wanted: impl Iterator<Item = &'a Pattern>,
        place: Ticket,
    ) -> Vec<InTheWay> {
        let earlier = self.earlier(owner, wanted, place);
        let waiters = earlier.iter().map(|ticket| &self.waiters[ticket]);
        waiters
            .map(|Waiter { request, since, .. }| InTheWay {
                target: request.targets[0].1.clone(),
                owner: request.owner.clone(),
                since_wall_ms: since.wall_ms,
                until_wall_ms: since.wall_ms.saturating_add(limits::LOCK_WAIT_MS_MAX),
                reason: request.reason.clone(),
            })
            .collect()
    }
}
