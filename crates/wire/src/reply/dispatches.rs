//! What one session sent to another, and what became of it.

use serde::{Deserialize, Serialize};

/// An assignment or a message.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dispatch {
    /// 32 hexadecimal digits; the first 8 are what people and agents are shown.
    pub id: String,
    /// `person`, `parent` (the session that had the receiver started), or `session`.
    pub standing: String,
    /// Full id of the session that sent it.
    pub from: String,
    /// What that session was about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// Full id of the session it is for.
    pub to: String,
    /// Full id of the task it assigns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// `queued`; `handed` (the receiver has been told); an assignment is then `accepted` (its task
    /// was claimed), `declined` (given back), `expired` (not claimed in time) or `withdrawn` (the
    /// task went another way). A message that nobody heard in time is `expired`, too. Where the
    /// receiver ended first, both are `undeliverable`.
    pub state: String,
    /// Why it is in that state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    pub project: String,
    pub created_at: String,
    /// Until when the task is reserved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handed_at: Option<String>,
    /// When it came to its last state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settled_at: Option<String>,
}

/// Answer to `dispatch`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OneDispatch {
    pub dispatch: Dispatch,
    /// `queued`.
    pub outcome: String,
    /// When the receiver hears it: `next_step` (it is in a turn) or `next_prompt` (it is not).
    pub heard: String,
}

/// Answer to `dispatch_list`, the newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dispatches {
    pub dispatches: Vec<Dispatch>,
}
