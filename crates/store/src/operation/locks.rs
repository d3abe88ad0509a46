//! Locks: asked for, waited for, released, run out.

use kite_rules::{
    Refusal,
    lock::{Granted, Lock, Request, Ticket},
    session::SessionId,
};

use super::Operation;
use crate::{
    Acquired, Freed, Release,
    write::{Decision, Write},
};

impl Operation<'_> {
    pub(crate) fn acquire(
        mut self,
        request: Request,
        wait: bool,
    ) -> Decision<Result<Acquired, Refusal>> {
        if let Err(refusal) = self.require_live(request.owner.session) {
            return self.done(Err(refusal));
        }
        let now = self.now;
        match self.ledger.locks.acquire(&request, now) {
            Ok(granted) => {
                self.granted(&granted);
                self.done(Ok(Acquired::Granted(granted)))
            }
            Err(Refusal::Locked(_)) if wait => {
                let queued = self.ledger.locks.enqueue(request, now);
                self.done(queued.map(Acquired::Queued))
            }
            Err(refusal) => self.done(Err(refusal)),
        }
    }

    pub(crate) fn release(mut self, release: Release) -> Decision<Result<Freed, Refusal>> {
        let (released, what) = match release {
            Release::Targets {
                owner,
                targets,
                epoch,
            } => match self.ledger.locks.release(&owner, &targets, epoch) {
                Ok(released) => (released, "released"),
                Err(refusal) => return self.done(Err(refusal)),
            },
            Release::Session {
                session,
                unless_kept,
            } => (
                self.ledger.locks.release_all(session, unless_kept),
                "released",
            ),
            Release::Agent(owner) => (self.ledger.locks.release_agent(&owner), "released"),
            Release::Broken { targets } => (self.ledger.locks.break_locks(&targets), "broken"),
        };
        let locks = self.unlocked(released, what);
        let promoted = self.promote();
        self.done(Ok(Freed {
            locks,
            promoted,
            tasks: Vec::new(),
        }))
    }

    pub(crate) fn expire(mut self) -> Decision<Freed> {
        let expired = self.ledger.locks.expire(self.now);
        let locks = self.unlocked(expired, "expired");
        let promoted = self.promote();
        self.done(Freed {
            locks,
            promoted,
            tasks: Vec::new(),
        })
    }

    pub(crate) fn leave(self, ticket: Ticket) -> Option<Refusal> {
        self.ledger.locks.leave(ticket, self.now)
    }

    pub(crate) fn renew_all(self) {
        self.ledger.locks.renew_all(self.now);
    }

    /// Grants what is free to those who wait.
    pub(super) fn promote(&mut self) -> Vec<(Ticket, Granted)> {
        if !self.grants {
            return Vec::new();
        }
        let promoted = self.ledger.locks.promote(self.now);
        for (_, granted) in &promoted {
            self.granted(granted);
        }
        promoted
    }

    pub(super) fn unlocked(&mut self, locks: Vec<Lock>, what: &str) -> Vec<Lock> {
        for lock in &locks {
            self.writes.push(Write::Unlock(lock.epoch));
            self.lock_change(lock, what);
        }
        locks
    }

    /// Keeps the locks of a grant, and tells of the new ones. Where all were held already only
    /// their leases are new, and a sign of life stays in memory; else one that was held may have
    /// got a longer lease or be kept past the turn now.
    fn granted(&mut self, granted: &Granted) {
        if granted.already_held {
            return;
        }
        let before = self.ledger.newest_epoch;
        for lock in &granted.locks {
            self.writes.push(Write::Lock(Box::new(lock.clone())));
            if lock.epoch > before {
                self.ledger.newest_epoch = self.ledger.newest_epoch.max(lock.epoch);
                self.lock_change(lock, "granted");
            }
        }
    }

    fn lock_change(&mut self, lock: &Lock, what: &str) {
        let session: SessionId = lock.owner.session;
        self.change(
            "lock",
            lock.epoch.to_string(),
            &lock.project,
            what,
            Some(session),
        );
    }
}
