//! Notes.

use serde::{Deserialize, Serialize};

/// Answer to `vault_search`: the best first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Answers {
    pub notes: Vec<Answer>,
    /// Why some notes may be missing: the vaults are still being looked through, for example.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incomplete: Option<String>,
}

/// A note that answers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    #[serde(flatten)]
    pub note: Note,
    /// The heading above the snippet; absent before the first one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub heading: String,
    /// A few lines of the note, as one.
    pub snippet: String,
    /// Where in the snippet the words are that were searched for: first byte, and the one after the
    /// last.
    #[serde(default)]
    pub matches: Vec<(usize, usize)>,
    /// Higher is better; comparable within one answer only.
    pub score: f64,
}

/// A note as shown.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Note {
    /// Absolute.
    pub path: String,
    /// `home` (the person's), `project` (the project's own), or `folder` (one that the person named).
    pub vault: String,
    pub title: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// When the file was last changed, and how long ago that is.
    pub modified: String,
    pub age_s: u64,
    /// A person wrote it, or has looked at what an agent wrote.
    pub reviewed: bool,
    /// Brought in at the start of sessions.
    #[serde(default, skip_serializing_if = "is_false")]
    pub pinned: bool,
    /// What of its front matter could not be understood.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remark: Option<String>,
}

/// Answer to `vault_write`; and what became of what was learnt by a task.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Written {
    /// `created`, `appended`, or `unchanged`: it was there already. Of a task: also `failed`.
    pub outcome: String,
    /// Absolute; empty where it failed.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub path: String,
    /// Whether it counts as reviewed by a person.
    #[serde(default)]
    pub reviewed: bool,
    /// Another note of the same name, which says something else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub similar: Option<String>,
    /// True where something that looked like a secret was taken out.
    #[serde(default, skip_serializing_if = "is_false")]
    pub redacted: bool,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// Answer to `vault_list`: in the order of their paths.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Notes {
    pub notes: Vec<Note>,
    /// There are more than were asked for.
    #[serde(default, skip_serializing_if = "is_false")]
    pub more: bool,
    /// Files that are not used, and why: at most 200.
    #[serde(default)]
    pub skipped: Vec<Skipped>,
    /// How many there are of those.
    #[serde(default)]
    pub skipped_count: u64,
    /// Folders whose changes are noticed by looking every few minutes only, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unwatched: Vec<Skipped>,
    /// Why some notes may be missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incomplete: Option<String>,
}

/// What is not used, and why.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Skipped {
    pub path: String,
    pub why: String,
}

/// Answer to `vault_read`, and to `vault_review`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct NoteText {
    pub note: Note,
    /// With its front matter.
    pub text: String,
    /// True where the text goes on: the file has all of it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub cut: bool,
    /// SHA-256 of the whole text, in hexadecimal digits, for `vault_review`.
    pub hash: String,
}

/// Answer to `vault_reindex`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Reindexed {
    pub notes: u64,
    pub skipped: u64,
    pub took_ms: u64,
}

/// Answer to `vault_why`: what a session was given unasked, the earliest first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Why {
    /// The session's id.
    pub session: String,
    /// What its prompts brought in so far, in tokens of four bytes each: an estimate.
    pub tokens: u64,
    pub given: Vec<Given>,
    /// Earlier times, of which nothing more is known.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub earlier: u64,
}

/// One time that a session was given something.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Given {
    pub at: String,
    /// `start`: the notes that the person pinned. `prompt`: what bears on it.
    pub on: String,
    /// The frame included.
    pub bytes: u64,
    pub notes: Vec<GivenNote>,
}

/// A note that was given.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GivenNote {
    /// Absolute.
    pub path: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub heading: String,
    /// The stems of the prompt's words for which it was chosen.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub words: Vec<String>,
    pub reviewed: bool,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

fn is_false(b: &bool) -> bool {
    !*b
}
