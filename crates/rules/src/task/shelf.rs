//! Tasks in order: by state and number, and the ready ones by what is to be done first.

use alloc::{
    collections::{BTreeMap, BTreeSet, btree_map},
    vec::Vec,
};
use core::{cmp::Reverse, iter::Peekable, ops::Bound};

use super::{Priority, State, Task, TaskId};

/// How many states there are.
pub(super) const STATES: usize = 6;

/// The order of claim-next: high priority first, then the oldest.
pub(super) type Turn = (Reverse<Priority>, u64, TaskId);

/// The tasks of one project, or of all.
#[derive(Clone, Debug, Default)]
pub(super) struct Shelf {
    by_state: [BTreeMap<u64, TaskId>; STATES],
    ready: BTreeSet<Turn>,
}

impl Shelf {
    pub(super) fn put(&mut self, task: &Task) {
        self.by_state[task.state as usize].insert(task.number, task.id);
        if task.state == State::Ready {
            self.ready.insert(turn(task));
        }
    }

    pub(super) fn take(&mut self, task: &Task) {
        self.by_state[task.state as usize].remove(&task.number);
        if task.state == State::Ready {
            self.ready.remove(&turn(task));
        }
    }

    /// The ready tasks, next first.
    pub(super) fn ready(&self) -> impl Iterator<Item = TaskId> {
        self.ready.iter().map(|(_, _, id)| *id)
    }

    /// How many tasks are in each state.
    pub(super) fn counts(&self) -> [u64; STATES] {
        core::array::from_fn(|state| self.by_state[state].len() as u64)
    }

    pub(super) fn unfinished(&self) -> u64 {
        [State::Blocked, State::Ready, State::Claimed]
            .iter()
            .map(|state| self.by_state[*state as usize].len() as u64)
            .sum()
    }

    /// The tasks in these states with a number above `after`, by number.
    pub(super) fn page(&self, states: &[State], after: u64) -> Page<'_> {
        let wanted: BTreeSet<usize> = states.iter().map(|state| *state as usize).collect();
        let above = (Bound::Excluded(after), Bound::Unbounded);
        Page {
            runs: wanted
                .into_iter()
                .map(|state| self.by_state[state].range(above).peekable())
                .collect(),
        }
    }
}

fn turn(task: &Task) -> Turn {
    (Reverse(task.priority), task.number, task.id)
}

/// Merges the states' runs by number.
pub(super) struct Page<'a> {
    runs: Vec<Peekable<btree_map::Range<'a, u64, TaskId>>>,
}

impl Iterator for Page<'_> {
    type Item = TaskId;

    fn next(&mut self) -> Option<TaskId> {
        self.runs
            .iter_mut()
            .filter_map(|run| Some((*run.peek()?.0, run)))
            .min_by_key(|(number, _)| *number)
            .and_then(|(_, run)| run.next())
            .map(|(_, id)| *id)
    }
}
