//! The facts in memory, indexed the way rules need them.

use std::collections::{BTreeMap, BTreeSet};

use kite_rules::{
    Now,
    lock::{Epoch, Lock, LockTable},
    session::{Session, SessionId},
    task::{Task, TaskGraph},
};

use crate::Documents;

/// Sessions, locks and tasks of one home. Engines decide upon it and readers look at it.
#[derive(Debug, Default)]
pub struct Ledger {
    /// Live sessions, and those that ended lately.
    pub sessions: BTreeMap<SessionId, Session>,
    pub locks: LockTable,
    pub tasks: TaskGraph,
    /// Durable counters, by name.
    pub tally: BTreeMap<String, u64>,
    pub documents: Documents,
    /// The newest epoch seen in a grant: tells new locks of a grant from renewed ones.
    pub(crate) newest_epoch: Epoch,
    /// The latest time an operation was decided at.
    pub(crate) latest: Now,
}

/// The durable part of a [`Ledger`], without indexes and queues: what is loaded, and what two
/// engines can be compared by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    pub sessions: BTreeMap<SessionId, Session>,
    pub locks: BTreeMap<Epoch, Lock>,
    /// By number: the order of creation.
    pub tasks: BTreeMap<u64, Task>,
    pub tally: BTreeMap<String, u64>,
    pub documents: Documents,
}

impl Ledger {
    /// An empty ledger whose locks get epochs of this generation.
    #[must_use]
    pub fn new(generation: u64) -> Ledger {
        Ledger {
            locks: LockTable::new(generation),
            newest_epoch: Epoch {
                generation,
                counter: 0,
            },
            ..Ledger::default()
        }
    }

    /// A copy of the durable part.
    #[must_use]
    pub fn facts(&self) -> Facts {
        Facts {
            sessions: self.sessions.clone(),
            locks: self.locks.iter().map(|l| (l.epoch, l.clone())).collect(),
            tasks: self.tasks.iter().map(|t| (t.number, t.clone())).collect(),
            tally: self.tally.clone(),
            documents: self.documents.clone(),
        }
    }

    /// Replaces the facts by those on disk. The lock table itself stays, so that its epoch
    /// counter never goes back and those who wait keep their places; every lock gets a full TTL.
    /// Signs of life, which are only in memory, are kept.
    pub(crate) fn refill(&mut self, facts: Facts, now: Now) {
        self.locks.forget_locks();
        let mut before = std::mem::replace(&mut self.sessions, facts.sessions);
        for (id, session) in &mut self.sessions {
            match before.remove(id) {
                Some(old) if old.state.is_live() && session.state.is_live() => {
                    session.seen = old.seen;
                    session.state = old.state;
                }
                _ => session.seen.mono_ms = now.mono_ms,
            }
            if !session.state.is_live() {
                self.locks.release_all(*id, false);
            }
        }
        // What is left was never durable: its waits go with it.
        for id in before.into_keys() {
            self.locks.release_all(id, false);
        }
        for lock in facts.locks.into_values() {
            self.locks.restore(lock, now);
        }
        self.tasks = TaskGraph::new();
        for task in facts.tasks.into_values() {
            self.tasks.restore(task);
        }
        self.tasks.rewire();
        self.tally = facts.tally;
        self.documents = facts.documents;
    }
}

impl Facts {
    /// Forgets the oldest finished tasks beyond so many, but none that unfinished work depends
    /// on. Returns their numbers.
    pub(crate) fn forget_finished(&mut self, keep_max: usize) -> Vec<u64> {
        let unfinished = self.tasks.values().filter(|task| !task.state.is_finished());
        let needed: BTreeSet<_> = unfinished
            .flat_map(|task| task.depends_on.iter().copied())
            .collect();
        let finished: Vec<u64> = self
            .tasks
            .values()
            .filter(|task| task.state.is_finished() && !needed.contains(&task.id))
            .map(|task| task.number)
            .collect();
        let excess = finished.len().saturating_sub(keep_max);
        let forgotten = finished[..excess].to_vec();
        for number in &forgotten {
            self.tasks.remove(number);
        }
        forgotten
    }
}

#[cfg(test)]
mod tests {
    use kite_rules::task::{State, TaskId};

    use super::*;

    #[test]
    fn finished_tasks_are_forgotten_oldest_first_unless_they_are_needed() {
        let task = |number: u64, state, depends_on: &[u128]| Task {
            id: TaskId(number.into()),
            number,
            state,
            depends_on: depends_on.iter().copied().map(TaskId).collect(),
            ..Task::default()
        };
        let tasks = [
            task(1, State::Ready, &[]),
            task(2, State::Done, &[]),
            task(3, State::Cancelled, &[]),
            task(4, State::Blocked, &[2, 3]),
            task(5, State::Failed, &[]),
            task(6, State::Done, &[5]),
            task(7, State::Done, &[]),
        ];
        let mut facts = Facts {
            tasks: tasks.into_iter().map(|task| (task.number, task)).collect(),
            ..Facts::default()
        };
        assert_eq!(facts.forget_finished(3), Vec::<u64>::new());
        assert_eq!(facts.forget_finished(1), [5, 6]);
        assert_eq!(facts.tasks.into_keys().collect::<Vec<_>>(), [1, 2, 3, 4, 7]);
    }
}
