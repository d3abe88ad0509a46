//! Tasks: a graph of work with claims that have exactly one winner.
//!
//! `blocked -> ready -> claimed -> done | failed`; any unfinished state may become `cancelled`;
//! a claim that is given back or whose holder dies makes the task `ready` again with the next
//! attempt. Readiness is a counter of unfinished dependencies, never a search at claim time.

use alloc::{string::String, vec::Vec};

use crate::{
    Now,
    refusal::Refusal,
    session::{Owner, SessionId, hex},
};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaskId(pub u128);

impl core::fmt::Display for TaskId {
    /// 32 hexadecimal digits; `{:.8}` gives the first eight, which people and agents are shown.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        hex(self.0, f)
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Priority {
    Low,
    #[default]
    Normal,
    High,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum State {
    #[default]
    Blocked,
    Ready,
    Claimed,
    Done,
    Failed,
    Cancelled,
}

impl State {
    /// Done, failed or cancelled: it will not be handed out again.
    #[must_use]
    pub fn is_finished(self) -> bool {
        matches!(self, State::Done | State::Failed | State::Cancelled)
    }
}

/// A result that came with an attempt that had been taken away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LateResult {
    pub attempt: u32,
    pub session: SessionId,
    pub result: String,
    pub at_wall_ms: u64,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Task {
    pub id: TaskId,
    /// Order of creation within the home; age for claim-next, and the cursor of lists.
    pub number: u64,
    pub project: String,
    pub title: String,
    pub description: Option<String>,
    pub priority: Priority,
    pub depends_on: Vec<TaskId>,
    /// Targets it expects to touch (canonical), and as written.
    pub paths: Vec<(crate::pattern::Target, String)>,
    pub state: State,
    /// Number of the latest claim; 0 before the first.
    pub attempt: u32,
    /// How many attempts ended with their holder's death.
    pub deaths: u32,
    /// Holder of the claim, or who finished it.
    pub owner: Option<Owner>,
    pub result: Option<String>,
    pub reasons: Vec<String>,
    pub late_results: Vec<LateResult>,
    pub created_by: Option<SessionId>,
    pub created_wall_ms: u64,
    pub claimed_wall_ms: Option<u64>,
    pub ended_wall_ms: Option<u64>,
}

/// What is asked to be created. Text limits are checked here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewTask {
    pub project: String,
    pub title: String,
    pub description: Option<String>,
    pub priority: Priority,
    /// Ids or unique prefixes (at least 4 hexadecimal digits), as given.
    pub depends_on: Vec<String>,
    pub paths: Vec<(crate::pattern::Target, String)>,
    pub created_by: Option<SessionId>,
}

/// The outcome of a change to the graph.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changed {
    /// The task it was about.
    pub task: TaskId,
    /// Every task whose record changed, `task` included where it did: what must be stored.
    pub touched: Vec<TaskId>,
    /// Tasks that became ready by it.
    pub woken: Vec<TaskId>,
    /// Nothing changed: it was so already (identical creation, repeated completion, own claim).
    pub repeated: bool,
    /// creation: an unfinished task of the project with the same title but other content.
    pub similar: Option<TaskId>,
}

/// All tasks of the home, indexed for claiming, listing and waking.
#[derive(Debug, Default)]
pub struct TaskGraph {
    // the engineer of this room fills this in
}

impl TaskGraph {
    #[must_use]
    pub fn new() -> TaskGraph {
        TaskGraph::default()
    }

    /// Puts back a task read from the store. Tasks may come in any order; call `rewire` after.
    pub fn restore(&mut self, task: Task) {
        let _ = task;
        todo!()
    }

    /// Recomputes counters and indexes after `restore`.
    pub fn rewire(&mut self) {
        todo!()
    }

    /// Creates a task, or finds the identical unfinished one of the project (same title,
    /// description, priority, dependencies, paths). Same title but other content creates and
    /// names the similar one. Dependencies may only be of the same project; done ones count as
    /// met. Self-dependency and cycles are refused (a new task cannot close one unless it names
    /// itself; `add_dependency` can).
    pub fn create(&mut self, id: TaskId, new: NewTask, now: Now) -> Result<Changed, Refusal> {
        let _ = (id, new, now);
        todo!()
    }

    /// Adds a dependency to an unfinished, unclaimed task; refuses the cycle it would close.
    pub fn add_dependency(&mut self, task: TaskId, on: TaskId) -> Result<Changed, Refusal> {
        let _ = (task, on);
        todo!()
    }

    /// Claims the next ready task of the project: by priority, then age, the first of the leading
    /// [`crate::limits::CLAIM_LOOKAHEAD`] whose paths do not overlap those of claimed tasks of
    /// other owners, else the first. An owner that holds a claim gets that one again (`repeated`),
    /// unless `another`.
    pub fn claim_next(
        &mut self,
        project: &str,
        owner: &Owner,
        another: bool,
        now: Now,
    ) -> Result<Changed, Refusal> {
        let _ = (project, owner, another, now);
        todo!()
    }

    /// Claims one task. One's own claim is repeated.
    pub fn claim(&mut self, task: TaskId, owner: &Owner, now: Now) -> Result<Changed, Refusal> {
        let _ = (task, owner, now);
        todo!()
    }

    /// Completes a claimed task. A session may complete what its subagent claimed and the other
    /// way round. With an older attempt the task's state does not change, but a result is kept as
    /// a late one: [`Refusal::StaleAttempt`] with `kept` says that the record must be stored.
    pub fn complete(
        &mut self,
        task: TaskId,
        owner: &Owner,
        attempt: Option<u32>,
        result: Option<String>,
        now: Now,
    ) -> Result<Changed, Refusal> {
        let _ = (task, owner, attempt, result, now);
        todo!()
    }

    /// Gives a claimed task back (ready again), or ends it as failed.
    pub fn release(
        &mut self,
        task: TaskId,
        owner: &Owner,
        attempt: Option<u32>,
        reason: Option<String>,
        failed: bool,
        now: Now,
    ) -> Result<Changed, Refusal> {
        let _ = (task, owner, attempt, reason, failed, now);
        todo!()
    }

    /// Cancels an unfinished task; its dependents stay blocked.
    pub fn cancel(
        &mut self,
        task: TaskId,
        reason: Option<String>,
        now: Now,
    ) -> Result<Changed, Refusal> {
        let _ = (task, reason, now);
        todo!()
    }

    /// The session is dead (or has ended): what it claimed is ready again; after
    /// [`crate::limits::ATTEMPTS_MAX`] deaths, failed with the reasons.
    pub fn orphan(&mut self, session: SessionId, why: &str, now: Now) -> Vec<Changed> {
        let _ = (session, why, now);
        todo!()
    }

    /// The task with this id or unique prefix.
    pub fn find(&self, prefix: &str) -> Result<TaskId, Refusal> {
        let _ = prefix;
        todo!()
    }

    #[must_use]
    pub fn get(&self, id: TaskId) -> Option<&Task> {
        let _ = id;
        todo!()
    }

    /// Tasks that wait for this one.
    #[must_use]
    pub fn dependents(&self, id: TaskId) -> Vec<TaskId> {
        let _ = id;
        todo!()
    }

    /// Tasks claimed by a session.
    #[must_use]
    pub fn claimed_by(&self, session: SessionId) -> Vec<TaskId> {
        let _ = session;
        todo!()
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
        let _ = (project, states, after, limit);
        core::iter::empty()
    }

    /// How many tasks are in each state, in the order of [`State`]; of one project or of all.
    #[must_use]
    pub fn counts(&self, project: Option<&str>) -> [u64; 6] {
        let _ = project;
        todo!()
    }

    pub fn iter(&self) -> impl Iterator<Item = &Task> {
        core::iter::empty()
    }
}
