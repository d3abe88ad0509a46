//! The model: every record in a list, and every question answered by looking at all of it.

use std::collections::BTreeSet;

use kite_rules::{
    Now,
    limits::CLAIM_LOOKAHEAD,
    pattern::{Pattern, Target},
    session::Owner,
    task::{State, Task, TaskId},
};
use proptest::sample::Index;

/// The records, oldest first.
#[derive(Default)]
pub(super) struct Model(pub(super) Vec<Task>);

impl Model {
    pub(super) fn at(&self, index: Index) -> Option<&Task> {
        (!self.0.is_empty()).then(|| index.get(&self.0))
    }

    pub(super) fn get(&self, id: TaskId) -> &Task {
        self.0.iter().find(|task| task.id == id).expect("known")
    }

    pub(super) fn change(&mut self, id: TaskId, change: impl FnOnce(&mut Task)) {
        change(self.0.iter_mut().find(|task| task.id == id).expect("known"));
    }

    pub(super) fn waits_for(&self, task: &Task) -> Vec<TaskId> {
        let is_open = |on: &&TaskId| self.get(**on).state != State::Done;
        task.depends_on.iter().filter(is_open).copied().collect()
    }

    /// Moves every unclaimed task to where its dependencies put it; the ones that became ready.
    pub(super) fn settle(&mut self) -> BTreeSet<TaskId> {
        let mut woken = BTreeSet::new();
        for at in 0..self.0.len() {
            let is_free = self.waits_for(&self.0[at]).is_empty();
            let task = &mut self.0[at];
            match task.state {
                State::Blocked if is_free => {
                    task.state = State::Ready;
                    woken.insert(task.id);
                }
                State::Ready if !is_free => task.state = State::Blocked,
                _ => {}
            }
        }
        woken
    }

    /// Whether `from` depends on `to`, however far.
    pub(super) fn reaches(&self, from: TaskId, to: TaskId) -> bool {
        let mut reached = BTreeSet::from([from]);
        loop {
            let next: BTreeSet<TaskId> = reached
                .iter()
                .flat_map(|id| self.get(*id).depends_on.iter().copied())
                .chain(reached.iter().copied())
                .collect();
            if next.len() == reached.len() {
                return reached.contains(&to);
            }
            reached = next;
        }
    }

    /// What claim-next has to answer: repeated or not, and which.
    pub(super) fn next(
        &self,
        project: &str,
        owner: &Owner,
        another: bool,
    ) -> Option<(bool, TaskId)> {
        let of_project = || self.0.iter().filter(|task| task.project == project);
        let is_own =
            |task: &&Task| task.state == State::Claimed && task.owner.as_ref() == Some(owner);
        if let Some(own) = of_project().find(is_own).filter(|_| !another) {
            return Some((true, own.id));
        }
        let mut ready: Vec<&Task> = of_project()
            .filter(|task| task.state == State::Ready)
            .collect();
        ready.sort_by_key(|task| (std::cmp::Reverse(task.priority), task.number));
        ready.truncate(CLAIM_LOOKAHEAD);
        let free = ready.iter().find(|task| !self.is_in_use(task, owner));
        free.or(ready.first()).map(|task| (false, task.id))
    }

    pub(super) fn is_in_use(&self, task: &Task, owner: &Owner) -> bool {
        let others = self.0.iter().filter(|other| {
            let holder = other.owner.as_ref();
            other.state == State::Claimed && holder.is_some_and(|o| o.contends_with(owner))
        });
        let theirs: Vec<&Target> = others
            .flat_map(|other| other.paths.iter().map(|(path, _)| path))
            .collect();
        task.paths
            .iter()
            .any(|(path, _)| theirs.iter().any(|other| overlap(path, other)))
    }

    pub(super) fn claim(&mut self, id: TaskId, owner: &Owner, now: Now) {
        self.change(id, |task| {
            task.state = State::Claimed;
            task.attempt += 1;
            task.owner = Some(owner.clone());
            task.claimed_wall_ms = Some(now.wall_ms);
        });
    }

    pub(super) fn give_back(&mut self, id: TaskId) {
        self.change(id, |task| {
            task.state = State::Ready;
            task.owner = None;
            task.claimed_wall_ms = None;
        });
    }
}

pub(super) fn overlap(one: &Target, other: &Target) -> bool {
    let compile = |target: &Target| Pattern::compile(target.clone()).expect("a good target");
    compile(one).overlaps(&compile(other))
}
