//! What is kept of a worktree, in the store's documents.

use kite_worktree::Plan;
use serde::{Deserialize, Serialize};

/// The kind of the documents of this room; the key is the worktree's id.
pub(super) const KIND: &str = "checkout";

/// A worktree, from before it is made until it is gone. Changes by addition.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Record {
    pub(super) plan: Plan,
    pub(super) state: State,
    #[serde(default)]
    pub(super) agent: Option<String>,
    /// The project's key.
    pub(super) project: String,
    /// Wall clock, in milliseconds since 1970.
    pub(super) made_ms: u64,
}

/// How far it has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum State {
    /// It is going to be made. One that is found so by the next daemon is abandoned.
    Making,
    Made,
    /// It is going to be removed. One that is found so by the next daemon is looked after.
    Removing,
}
