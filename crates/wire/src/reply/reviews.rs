//! Reviews: briefs and verdicts.

use serde::{Deserialize, Serialize};

/// A review of one attempt of a task.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Review {
    /// 32 hexadecimal digits; the first 8 are what people and agents are shown.
    pub id: String,
    /// Full id of the task.
    pub task: String,
    /// The attempt whose change was to be read.
    pub attempt: u32,
    /// What was to be looked at above all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub focus: Option<String>,
    /// `open` (a brief without an answer), `running` (a headless agent reads it), `recorded`, or
    /// `failed` (the headless agent came to no answer; `text` says why).
    pub state: String,
    /// How it was read: `sampling`, `subagent`, `headless` or `person`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub via: Option<String>,
    /// The model that answered, as far as it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// `approve`, `changes_needed` or `could_not_review`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Finding>,
    /// The reviewer's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// SHA-256 of the brief, in hexadecimal digits.
    pub brief: String,
    /// The session that asked for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// The agent that reads it, where one was started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    pub created_at: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recorded_at: Option<String>,
    /// False where the task has been given to another attempt since: then it says nothing of
    /// what is there now.
    #[serde(default)]
    pub current: bool,
}

/// One thing that a reviewer found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// As the reviewer wrote it.
    pub path: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    pub text: String,
}

/// Answer to `review_brief`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Brief {
    pub review: Review,
    /// What the reviewer is to read, whole.
    pub text: String,
    /// The model to ask for: `review_model`.
    pub model: String,
    /// The longest answer to ask for.
    pub tokens_max: u32,
    /// Files whose change is in the brief.
    pub files: u64,
    /// What is not in it, and why; the brief says so, too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<String>,
    /// Whether `review_run` may be asked for: `review_headless`.
    #[serde(default)]
    pub headless: bool,
}

/// Answer to `review_record` and `review_run`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OneReview {
    pub review: Review,
    /// `recorded`, `already_recorded`, `started`, `running` or `failed`.
    pub outcome: String,
}
