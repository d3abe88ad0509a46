//! What would run of a repository's own, and whether a person trusts it.

use serde::{Deserialize, Serialize};

/// The answer to `trust_show` and `trust_set`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trust {
    pub project: String,
    /// The working copy that was looked at.
    pub directory: String,
    /// `trusted`, `changed` (it was trusted, and something is new or different since) or
    /// `untrusted`.
    pub state: String,
    /// Names everything in `parts`; what `trust_set` is given.
    pub fingerprint: String,
    /// When a person last trusted it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    pub parts: Vec<Part>,
    /// What is wrong with the project's tools, and so is not among the parts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<String>,
}

/// One thing that would run, or that widens what may.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// `git_config`, `git_hook`, `settings`, `mcp_server`, `extension`, `tool` or `vault`.
    pub kind: String,
    /// Its name or path.
    pub what: String,
    /// The beginning of what it says.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub text: String,
    pub hash: String,
    /// `trusted`, `changed` or `new`.
    pub state: String,
}
