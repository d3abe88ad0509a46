//! Creating tasks and adding dependencies.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    format,
    string::String,
    vec::Vec,
};
use core::hash::{Hash, Hasher};

use super::{Changed, NewTask, State, Task, TaskGraph, TaskId, find::is_prefix_of};
use crate::{
    Now, limits,
    pattern::{Pattern, Target},
    refusal::Refusal,
};

impl TaskGraph {
    /// Creates a task, or finds the identical unfinished one of the project (same title,
    /// description, priority, dependencies, paths). Same title but other content creates and
    /// names the similar one. Dependencies may only be of the same project; done ones count as
    /// met. Self-dependency and cycles are refused (a new task cannot close one unless it names
    /// itself; `add_dependency` can).
    pub fn create(&mut self, id: TaskId, new: NewTask, now: Now) -> Result<Changed, Refusal> {
        if self.tasks.contains_key(&id) {
            return Err(invalid("task id", "it is taken".into()));
        }
        let task = self.draft(id, new, now)?;
        if let Some(same) = self.identical(&task) {
            return Ok(Changed {
                task: same,
                repeated: true,
                ..Changed::default()
            });
        }
        let unfinished = self
            .projects
            .get(&task.project)
            .map_or(0, |shelf| shelf.unfinished());
        within(
            "unfinished tasks of one project",
            unfinished as usize + 1,
            limits::OPEN_TASKS_MAX,
        )?;
        let similar = self.oldest_titled(&task.project, &task.title);
        self.last_number = task.number;
        self.insert(task);
        Ok(Changed {
            similar,
            ..TaskGraph::changed(id)
        })
    }

    /// Adds a dependency to an unfinished, unclaimed task; refuses the cycle it would close.
    pub fn add_dependency(&mut self, task: TaskId, on: TaskId) -> Result<Changed, Refusal> {
        let (record, blocker) = (self.known(task)?, self.known(on)?);
        match record.state {
            State::Blocked | State::Ready => {}
            State::Claimed => return Err(self.already_claimed(task)),
            _ => return Err(self.not_ready(task)),
        }
        if record.project != blocker.project {
            return Err(foreign(on));
        }
        if record.depends_on.contains(&on) {
            return Ok(Changed {
                task,
                repeated: true,
                ..Changed::default()
            });
        }
        within(
            "dependencies of one task",
            record.depends_on.len() + 1,
            limits::DEPENDENCIES_MAX,
        )?;
        let is_done = blocker.state == State::Done;
        if let Some(cycle) = self.cycle(task, on) {
            return Err(Refusal::DependencyCycle(cycle));
        }
        if let Some(node) = self.tasks.get_mut(&task) {
            self.likeness.remove(&node.task);
            node.task.depends_on.push(on);
            self.likeness.insert(&node.task);
        }
        if let Some(node) = self.tasks.get_mut(&on) {
            node.dependents.push(task);
        }
        if !is_done {
            self.count(task, |unfinished| unfinished + 1);
        }
        Ok(TaskGraph::changed(task))
    }

    /// The record that would be created. Limits and dependencies are checked here.
    fn draft(&self, id: TaskId, new: NewTask, now: Now) -> Result<Task, Refusal> {
        let title = one_line(&new.title);
        if title.is_empty() {
            return Err(invalid("title", "it is empty".into()));
        }
        let description = new.description.filter(|text| !text.trim().is_empty());
        let text = description.as_deref().unwrap_or_default();
        for (what, given, max) in [
            (
                "characters of a title",
                title.chars().count(),
                limits::TITLE_CHARS_MAX,
            ),
            (
                "characters of a description",
                text.chars().count(),
                limits::TEXT_CHARS_MAX,
            ),
            (
                "dependencies of one task",
                new.depends_on.len(),
                limits::DEPENDENCIES_MAX,
            ),
            ("paths of one task", new.paths.len(), limits::TASK_PATHS_MAX),
        ] {
            within(what, given, max)?;
        }
        for (target, shown) in &new.paths {
            within(
                "characters of a path, glob or lock name",
                shown.chars().count(),
                limits::TARGET_CHARS_MAX,
            )?;
            Pattern::compile(target.clone())?;
        }
        let depends_on = self.resolve(id, &new.project, &new.depends_on)?;
        Ok(Task {
            id,
            number: self.last_number + 1,
            project: new.project,
            title,
            description,
            priority: new.priority,
            depends_on,
            paths: new.paths,
            created_by: new.created_by,
            created_wall_ms: now.wall_ms,
            ..Task::default()
        })
    }

    /// The tasks named, each once, in the order given.
    fn resolve(&self, id: TaskId, project: &str, given: &[String]) -> Result<Vec<TaskId>, Refusal> {
        let mut depends_on = Vec::with_capacity(given.len());
        for prefix in given {
            let on = match self.find(prefix) {
                Err(Refusal::UnknownTask { .. }) if is_prefix_of(prefix, id) => {
                    return Err(Refusal::DependencyCycle(Vec::from([id])));
                }
                found => found?,
            };
            if self.known(on)?.project != project {
                return Err(foreign(on));
            }
            if !depends_on.contains(&on) {
                depends_on.push(on);
            }
        }
        Ok(depends_on)
    }

    fn identical(&self, task: &Task) -> Option<TaskId> {
        let alike = self.likeness.alike(task);
        alike
            .filter_map(|id| self.get(id))
            .find(|other| content(other) == content(task))
            .map(|other| other.id)
    }

    /// The circle that `task` depending on `on` would close: each depends on the next, the last
    /// on the first.
    fn cycle(&self, task: TaskId, on: TaskId) -> Option<Vec<TaskId>> {
        let mut reached_from = BTreeMap::from([(on, task)]);
        let mut open = Vec::from([on]);
        while let Some(at) = open.pop() {
            if at == task {
                let mut cycle = Vec::from([task]);
                let mut step = reached_from[&task];
                while step != task {
                    cycle.push(step);
                    step = reached_from[&step];
                }
                cycle[1..].reverse();
                return Some(cycle);
            }
            for next in self.get(at).map_or(&[][..], |record| &record.depends_on) {
                if !reached_from.contains_key(next) {
                    reached_from.insert(*next, at);
                    open.push(*next);
                }
            }
        }
        None
    }
}

/// Unfinished tasks by digests of their title and of their content. Small keys, so that a look-up
/// among many does not compare long texts; what is found is compared in full.
#[derive(Clone, Debug, Default)]
pub(super) struct Likeness {
    /// By project and title, oldest first.
    titles: BTreeSet<(u64, u64, TaskId)>,
    contents: BTreeSet<(u64, TaskId)>,
}

impl Likeness {
    pub(super) fn insert(&mut self, task: &Task) {
        let title = digest(&(&task.project, &task.title));
        self.titles.insert((title, task.number, task.id));
        self.contents.insert((digest(&content(task)), task.id));
    }

    pub(super) fn remove(&mut self, task: &Task) {
        let title = digest(&(&task.project, &task.title));
        self.titles.remove(&(title, task.number, task.id));
        self.contents.remove(&(digest(&content(task)), task.id));
    }

    /// Those that may have this title, oldest first.
    fn titled(&self, project: &str, title: &str) -> impl Iterator<Item = TaskId> {
        let digest = digest(&(project, title));
        let all = (digest, 0, TaskId(0))..=(digest, u64::MAX, TaskId(u128::MAX));
        self.titles.range(all).map(|(_, _, id)| *id)
    }

    /// Those that may have this content.
    fn alike(&self, task: &Task) -> impl Iterator<Item = TaskId> {
        let digest = digest(&content(task));
        let all = (digest, TaskId(0))..=(digest, TaskId(u128::MAX));
        self.contents.range(all).map(|(_, id)| *id)
    }
}

impl TaskGraph {
    /// The oldest unfinished task of the project with this title.
    pub(super) fn oldest_titled(&self, project: &str, title: &str) -> Option<TaskId> {
        self.likeness.titled(project, title).find(|id| {
            self.get(*id)
                .is_some_and(|task| task.project == project && task.title == title)
        })
    }
}

/// What makes two tasks the same; the order of dependencies and paths does not matter.
fn content(task: &Task) -> impl PartialEq + Hash {
    let depends_on: BTreeSet<TaskId> = task.depends_on.iter().copied().collect();
    let paths: BTreeSet<&Target> = task.paths.iter().map(|(target, _)| target).collect();
    (
        &task.project,
        &task.title,
        &task.description,
        task.priority,
        depends_on,
        paths,
    )
}

fn digest(of: &impl Hash) -> u64 {
    let mut fnv = Fnv(0xcbf2_9ce4_8422_2325);
    of.hash(&mut fnv);
    fnv.finish()
}

/// FNV-1a: small, and the same in every run. Collisions are only slow: content is compared.
struct Fnv(u64);

impl Hasher for Fnv {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// Trimmed, line breaks as spaces.
fn one_line(text: &str) -> String {
    text.trim().replace("\r\n", " ").replace(['\r', '\n'], " ")
}

pub(super) fn within(what: &'static str, given: usize, max: usize) -> Result<(), Refusal> {
    if given > max {
        return Err(Refusal::Limit {
            what,
            max: max as u64,
        });
    }
    Ok(())
}

pub(super) fn invalid(what: &'static str, why: String) -> Refusal {
    Refusal::Invalid { what, why }
}

fn foreign(task: TaskId) -> Refusal {
    invalid(
        "depends_on",
        format!("{task:.8} is a task of another project"),
    )
}
