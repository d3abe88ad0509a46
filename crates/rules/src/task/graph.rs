//! The graph: every task with its edges and indexes, and the one place where a record changes.

use alloc::{
    boxed::Box,
    collections::{BTreeMap, BTreeSet},
    string::String,
    sync::Arc,
    vec::Vec,
};

use super::{
    Changed, State, Task, TaskId,
    create::Likeness,
    shelf::{STATES, Shelf},
};
use crate::{
    pattern::{Overlaps, Pattern},
    session::{Owner, SessionId},
};

/// All tasks of the home, indexed for claiming, listing and waking.
#[derive(Clone, Debug, Default)]
pub struct TaskGraph {
    /// Boxed: a node is large, and the map's leaves move their values.
    pub(super) tasks: BTreeMap<TaskId, Box<Node>>,
    pub(super) projects: BTreeMap<String, Shelf>,
    all: Shelf,
    claims: BTreeMap<SessionId, BTreeSet<(u64, TaskId)>>,
    /// Paths of claimed tasks, by task and number of the path.
    pub(super) claimed_paths: Overlaps<(TaskId, usize)>,
    /// Unfinished tasks by what makes a creation a repetition of another.
    pub(super) likeness: Likeness,
    /// Of the newest task.
    pub(super) last_number: u64,
}

#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) task: Task,
    /// How many of its dependencies are not done.
    pub(super) waits_for: usize,
    /// Who depends on it, oldest edge first.
    pub(super) dependents: Vec<TaskId>,
    patterns: Vec<Arc<Pattern>>,
}

impl TaskGraph {
    #[must_use]
    pub fn new() -> TaskGraph {
        TaskGraph::default()
    }

    /// Puts back a task read from the store. Tasks may come in any order; call `rewire` after.
    pub fn restore(&mut self, task: Task) {
        self.last_number = self.last_number.max(task.number);
        self.tasks.insert(task.id, Box::new(Node::new(task)));
    }

    /// Recomputes counters and indexes after `restore`. Whether an unclaimed task is ready
    /// follows from what it depends on. A dependency that is not here counts as done.
    pub fn rewire(&mut self) {
        *self = TaskGraph {
            tasks: core::mem::take(&mut self.tasks),
            last_number: self.last_number,
            ..TaskGraph::default()
        };
        let mut by_age: Vec<(u64, TaskId)> = Vec::with_capacity(self.tasks.len());
        for node in self.tasks.values_mut() {
            node.dependents.clear();
            by_age.push((node.task.number, node.task.id));
        }
        by_age.sort_unstable();
        for (_, id) in by_age {
            self.wire(id);
        }
    }

    #[must_use]
    pub fn get(&self, id: TaskId) -> Option<&Task> {
        self.tasks.get(&id).map(|node| &node.task)
    }

    /// Tasks that wait for this one, or waited for it.
    #[must_use]
    pub fn dependents(&self, id: TaskId) -> Vec<TaskId> {
        self.tasks
            .get(&id)
            .map(|node| node.dependents.clone())
            .unwrap_or_default()
    }

    /// Tasks claimed by a session and its subagents, oldest task first.
    #[must_use]
    pub fn claimed_by(&self, session: SessionId) -> Vec<TaskId> {
        let claims = self.claims.get(&session).into_iter().flatten();
        claims.map(|(_, id)| *id).collect()
    }

    /// One page of a project's tasks (all projects for `None`) in these states, by number, after
    /// that number.
    pub fn page<'a>(
        &'a self,
        project: Option<&'a str>,
        states: &'a [State],
        after: u64,
        limit: usize,
    ) -> impl Iterator<Item = &'a Task> + 'a {
        self.shelf(project)
            .into_iter()
            .flat_map(move |shelf| shelf.page(states, after))
            .filter_map(|id| self.get(id))
            .take(limit)
    }

    /// How many tasks are in each state, in the order of [`State`]; of one project or of all.
    #[must_use]
    pub fn counts(&self, project: Option<&str>) -> [u64; STATES] {
        self.shelf(project).map(Shelf::counts).unwrap_or_default()
    }

    /// All tasks, by id.
    pub fn iter(&self) -> impl Iterator<Item = &Task> {
        self.tasks.values().map(|node| &node.task)
    }

    fn shelf(&self, project: Option<&str>) -> Option<&Shelf> {
        match project {
            Some(project) => self.projects.get(project),
            None => Some(&self.all),
        }
    }

    /// Adds a new task, with its edges.
    pub(super) fn insert(&mut self, task: Task) {
        let id = task.id;
        self.tasks.insert(id, Box::new(Node::new(task)));
        self.wire(id);
    }

    /// Changes where a task stands: the only place where that happens, so that the indexes follow.
    pub(super) fn change(&mut self, id: TaskId, change: impl FnOnce(&mut Task)) {
        self.unshelve(id);
        if let Some(Node { task, .. }) = self.tasks.get_mut(&id).map(Box::as_mut) {
            let was_finished = task.state.is_finished();
            change(task);
            if task.state.is_finished() && !was_finished {
                self.likeness.remove(task);
            }
        }
        self.shelve(id);
    }

    /// Counts one more (or fewer) unfinished dependency, and moves the task between blocked and
    /// ready as follows from it. Whether it moved.
    pub(super) fn count(&mut self, id: TaskId, unfinished: impl FnOnce(usize) -> usize) -> bool {
        let Some(node) = self.tasks.get_mut(&id) else {
            return false;
        };
        node.waits_for = unfinished(node.waits_for);
        let state = match (node.task.state, node.waits_for) {
            (State::Blocked, 0) => State::Ready,
            (State::Ready, 1..) => State::Blocked,
            _ => return false,
        };
        self.change(id, |task| task.state = state);
        true
    }

    /// What has been done to one task.
    pub(super) fn changed(task: TaskId) -> Changed {
        Changed {
            task,
            touched: Vec::from([task]),
            ..Changed::default()
        }
    }

    /// Connects a task with what it depends on, and indexes it.
    fn wire(&mut self, id: TaskId) {
        let Some(node) = self.tasks.get(&id) else {
            return;
        };
        let mut waits_for = 0;
        for on in node.task.depends_on.clone() {
            if let Some(on) = self.tasks.get_mut(&on) {
                on.dependents.push(id);
                waits_for += usize::from(on.task.state != State::Done);
            }
        }
        if let Some(node) = self.tasks.get_mut(&id) {
            node.waits_for = waits_for;
            node.task.state = match node.task.state {
                State::Blocked | State::Ready if waits_for == 0 => State::Ready,
                State::Blocked | State::Ready => State::Blocked,
                other => other,
            };
            if !node.task.state.is_finished() {
                self.likeness.insert(&node.task);
            }
        }
        self.shelve(id);
    }

    fn shelve(&mut self, id: TaskId) {
        let Some(Node { task, patterns, .. }) = self.tasks.get(&id).map(Box::as_ref) else {
            return;
        };
        self.all.put(task);
        match self.projects.get_mut(&task.project) {
            Some(shelf) => shelf.put(task),
            None => self
                .projects
                .entry(task.project.clone())
                .or_default()
                .put(task),
        }
        if let (State::Claimed, Some(owner)) = (task.state, &task.owner) {
            let claims = self.claims.entry(owner.session).or_default();
            claims.insert((task.number, id));
            for (at, pattern) in patterns.iter().enumerate() {
                self.claimed_paths.insert((id, at), Arc::clone(pattern));
            }
        }
    }

    fn unshelve(&mut self, id: TaskId) {
        let Some(Node { task, patterns, .. }) = self.tasks.get(&id).map(Box::as_ref) else {
            return;
        };
        self.all.take(task);
        if let Some(shelf) = self.projects.get_mut(&task.project) {
            shelf.take(task);
        }
        if let (State::Claimed, Some(owner)) = (task.state, &task.owner) {
            if let Some(claims) = self.claims.get_mut(&owner.session) {
                claims.remove(&(task.number, id));
                if claims.is_empty() {
                    self.claims.remove(&owner.session);
                }
            }
            for (at, pattern) in patterns.iter().enumerate() {
                self.claimed_paths.remove((id, at), pattern);
            }
        }
    }

    /// Whether the task expects to touch what another owner's claimed task does.
    pub(super) fn is_in_use(&self, id: TaskId, owner: &Owner) -> bool {
        let patterns = self.tasks.get(&id).map_or(&[][..], |node| &node.patterns);
        patterns
            .iter()
            .flat_map(|pattern| self.claimed_paths.overlapping(pattern))
            .filter_map(|(claimed, _)| self.get(claimed)?.owner.as_ref())
            .any(|holder| holder.contends_with(owner))
    }
}

impl Node {
    fn new(task: Task) -> Node {
        let patterns = task
            .paths
            .iter()
            .map(|(target, _)| Arc::new(Pattern::compile_kept(target.clone())))
            .collect();
        Node {
            task,
            waits_for: 0,
            dependents: Vec::new(),
            patterns,
        }
    }
}
