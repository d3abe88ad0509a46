//! Worktrees that Kite made.

use serde::{Deserialize, Serialize};

/// A worktree that Kite made, with its branch.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkout {
    /// 32 hexadecimal digits; the first 8 are what people and agents are shown.
    pub id: String,
    pub path: String,
    pub branch: String,
    /// The commit that it began with.
    pub base: String,
    /// The branch that it came from and is to be merged into, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_branch: Option<String>,
    pub project: String,
    /// Full id of the agent for which it was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// `making`, `ready`, `removing`, `missing` (its directory is gone), `repository_gone`, or
    /// `unknown` (git could not be asked: `note` says why).
    pub state: String,
    pub made_at: String,
    /// Full ids of the live sessions that work in it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sessions: Vec<String>,
    /// Paths that are not committed: changed, untracked, or ignored and not disposable. At most
    /// 20 are named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub uncommitted: Vec<String>,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub uncommitted_count: u64,
    /// Commits that neither the branch it came from nor an upstream has.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub unmerged_commits: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Answer to `worktree_list`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkouts {
    /// The newest first.
    pub worktrees: Vec<Checkout>,
}

/// Answer to `worktree_remove`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckoutRemoved {
    /// Its id.
    pub worktree: String,
    pub path: String,
    pub branch: String,
    /// The branch stays: it has commits that were not merged.
    #[serde(default, skip_serializing_if = "is_false")]
    pub branch_kept: bool,
    /// Number of the snapshot that holds what was not committed: `refs/kite/rescue/N`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rescue: Option<u64>,
    /// Disposable files and directories that were removed with it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub disposed: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

fn is_false(flag: &bool) -> bool {
    !*flag
}
