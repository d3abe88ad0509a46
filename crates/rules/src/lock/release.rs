//! Giving back: by the holder, by the end of a turn or session, by a person.

use alloc::{collections::BTreeSet, vec::Vec};

use super::{Epoch, Lock, LockTable};
use crate::{
    pattern::{Pattern, Target},
    refusal::Refusal,
    session::{Owner, SessionId},
};

impl LockTable {
    /// Releases the owner's locks on exactly these targets (a session also those of its
    /// subagents). What is free is not an error: the result is what was released.
    /// With an epoch, only the lock with that epoch; another current epoch is refused, whoever
    /// has it, and nothing is released then.
    pub fn release(
        &mut self,
        owner: &Owner,
        targets: &[Target],
        epoch: Option<Epoch>,
    ) -> Result<Vec<Lock>, Refusal> {
        let current = self.on_exactly(targets);
        if let Some(given) = epoch
            && let Some(other) = current.iter().find(|current| **current != given)
        {
            return Err(Refusal::StaleEpoch {
                given,
                current: Some(*other),
            });
        }
        Ok(self.remove_where(current, |lock| may_release(owner, &lock.owner)))
    }

    /// Breaks whoever's locks on exactly these targets: for a person only.
    pub fn break_locks(&mut self, targets: &[Target]) -> Vec<Lock> {
        let current = self.on_exactly(targets);
        self.remove_where(current, |_| true)
    }

    /// Releases everything of a session (and its waits); with `unless_kept`, only locks without
    /// `keep` (end of turn) and no waits.
    pub fn release_all(&mut self, session: SessionId, unless_kept: bool) -> Vec<Lock> {
        if !unless_kept {
            self.queue.remove_session(session);
        }
        let epochs = self.of_session(session).collect();
        self.remove_where(epochs, |lock| !(unless_kept && lock.keep))
    }

    /// Like `release_all` for one subagent that has ended.
    pub fn release_agent(&mut self, owner: &Owner) -> Vec<Lock> {
        self.queue.remove_owner(owner);
        let epochs = self.of_session(owner.session).collect();
        self.remove_where(epochs, |lock| lock.owner == *owner)
    }

    /// The locks on exactly these targets, whoever holds them.
    fn on_exactly(&self, targets: &[Target]) -> BTreeSet<Epoch> {
        targets
            .iter()
            .map(|target| Pattern::compile_kept(target.clone()))
            .flat_map(|pattern| self.index.exactly(&pattern).collect::<Vec<_>>())
            .collect()
    }

    fn remove_where(&mut self, epochs: BTreeSet<Epoch>, goes: impl Fn(&Lock) -> bool) -> Vec<Lock> {
        epochs
            .into_iter()
            .filter(|epoch| self.by_epoch(*epoch).is_some_and(&goes))
            .collect::<Vec<Epoch>>()
            .into_iter()
            .filter_map(|epoch| self.remove(epoch))
            .collect()
    }
}

/// A session gives back what is its own and its subagents'; a subagent only what is its own.
fn may_release(owner: &Owner, holder: &Owner) -> bool {
    holder == owner || (owner.agent.is_none() && holder.session == owner.session)
}
