//! Tasks: a graph of work with claims that have exactly one winner.
//!
//! `blocked -> ready -> claimed -> done | failed`; any unfinished state may become `cancelled`;
//! a claim that is given back or whose holder dies makes the task `ready` again with the next
//! attempt. Readiness is a counter of unfinished dependencies, never a search at claim time.
//!
//! **Architecture Invariant:** a task has at most one holder, each claim a higher attempt number
//! than any before, and a task is ready exactly when all it depends on is done. What a claim
//! costs does not depend on how many tasks there are.

mod claim;
mod create;
mod find;
mod finish;
mod graph;
mod shelf;

use alloc::{string::String, vec::Vec};

pub use graph::TaskGraph;

use crate::session::{Owner, SessionId, hex};

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
    /// Holder of the claim, or who completed or failed it.
    pub owner: Option<Owner>,
    pub result: Option<String>,
    pub reasons: Vec<String>,
    pub late_results: Vec<LateResult>,
    pub created_by: Option<SessionId>,
    pub created_wall_ms: u64,
    pub claimed_wall_ms: Option<u64>,
    pub ended_wall_ms: Option<u64>,
}

/// What is asked to be created. Limits are checked by [`TaskGraph::create`].
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
    /// Tasks that became ready by it: dependents of a completed one, or a task given back. Not a
    /// new task.
    pub woken: Vec<TaskId>,
    /// Nothing changed: it was so already (identical creation, repeated completion, own claim).
    pub repeated: bool,
    /// creation: an unfinished task of the project with the same title but other content.
    pub similar: Option<TaskId>,
}

#[cfg(test)]
mod tests;
