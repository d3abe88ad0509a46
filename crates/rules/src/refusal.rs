//! What a judgement says when the answer is no.

use alloc::{string::String, vec::Vec};

use crate::{lock::Epoch, session::Owner, task::TaskId};

/// Who is in the way, since when and until when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InTheWay {
    /// The lock's target or the file, as shown.
    pub target: String,
    pub owner: Owner,
    pub since_wall_ms: u64,
    /// The latest it lasts without a sign of life of its owner.
    pub until_wall_ms: u64,
    pub reason: Option<String>,
}

/// A refusal: news, not a fault. Rendered to words outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Locked by others; the first is the one to name.
    Locked(Vec<InTheWay>),
    /// Being edited by another session at this moment.
    Busy(InTheWay),
    /// A whole-file write over what another changed since this session last saw it.
    StaleWrite {
        file: String,
        by: Owner,
        at_wall_ms: u64,
    },
    /// The lock's epoch is not (or no longer) current.
    StaleEpoch {
        given: Epoch,
        current: Option<Epoch>,
    },
    /// The attempt was taken away; a result that came with it is kept as a late result.
    StaleAttempt {
        task: TaskId,
        given: u32,
        current: u32,
        kept: bool,
    },
    /// Claimed by another.
    AlreadyClaimed {
        task: TaskId,
        by: Owner,
        since_wall_ms: u64,
    },
    /// Nothing to complete or release: the caller has no claim on it.
    NotClaimed {
        task: TaskId,
        state: crate::task::State,
    },
    /// Not claimable: it waits for these, or is finished.
    NotReady {
        task: TaskId,
        state: crate::task::State,
        waits_for: Vec<TaskId>,
    },
    /// No task of the project is ready.
    NothingReady {
        blocked: u64,
        claimed: u64,
    },
    UnknownTask {
        given: String,
        near: Vec<TaskId>,
    },
    AmbiguousTask {
        given: String,
        candidates: Vec<TaskId>,
    },
    /// The dependency would close this cycle.
    DependencyCycle(Vec<TaskId>),
    UnknownSession,
    /// A limit of [`crate::limits`].
    Limit {
        what: &'static str,
        max: u64,
    },
    /// A value that is not allowed, and why.
    Invalid {
        what: &'static str,
        why: String,
    },
}
