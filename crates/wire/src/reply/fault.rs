//! Errors and refusals, and the words that programs know them by.

use serde::{Deserialize, Serialize};

/// An error or a refusal: what, why, what now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// A stable word for programs. `docs/protocol.md` lists them.
    pub code: String,
    pub message: String,
    /// A next step that works when followed to the letter.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub hint: String,
}

/// Every `code` there is, and what it means. A code keeps its meaning for ever; programs that
/// meet an unknown one treat it as an error.
pub const CODES: &[(&str, &str)] = &[
    ("invalid_json", "the line is not JSON"),
    (
        "invalid_request",
        "the line is JSON, but not a request: no object, or no `type`",
    ),
    ("unknown_type", "there is no such request"),
    ("unknown_field", "the request has no such field"),
    (
        "invalid_field",
        "a field has the wrong type, is out of bounds or is missing",
    ),
    (
        "too_long",
        "the line is longer than the limit; the connection is closed",
    ),
    (
        "hello_required",
        "this request needs a connection that began with `hello`",
    ),
    (
        "protocol_mismatch",
        "no protocol version is spoken by both sides",
    ),
    (
        "wrong_home",
        "the caller's project is wired to another Kite home",
    ),
    ("unknown_session", "no living session has this id"),
    (
        "no_session",
        "the request needs a session, and the caller names none",
    ),
    (
        "nobody_idle",
        "no session of the project is between turns, without a task and without a dispatch",
    ),
    (
        "unknown_dispatch",
        "the caller neither sent nor was sent a dispatch with this id or prefix",
    ),
    ("locked", "another session has locked it"),
    (
        "busy",
        "another session is editing it this moment; the same edit succeeds soon",
    ),
    (
        "stale_write",
        "another session changed the file after the caller last saw it",
    ),
    (
        "stale_epoch",
        "the lock was granted anew since; the old grant is void",
    ),
    (
        "stale_attempt",
        "the task was given to another attempt since; the result is kept apart",
    ),
    ("already_claimed", "another session works on the task"),
    ("not_claimed", "the caller has no claim on the task"),
    ("not_ready", "the task is blocked or finished"),
    ("nothing_ready", "no task of the project can be claimed now"),
    ("unknown_task", "no task has this id or prefix"),
    ("ambiguous_task", "several tasks begin with this prefix"),
    ("unknown_agent", "no agent has this id or prefix"),
    ("dependency_cycle", "the tasks would wait for each other"),
    (
        "unknown_dependency",
        "no task has an id or prefix given in `depends_on`",
    ),
    ("limit_reached", "a named limit would be exceeded"),
    ("cancelled", "the request was withdrawn by `cancel`"),
    (
        "timed_out_waiting",
        "the wait ended before the lock was free",
    ),
    ("not_allowed", "only a person may do this"),
    (
        "review_required",
        "the task is completed only after an approving review of its attempt",
    ),
    ("unknown_review", "no review has this id or prefix"),
    ("review_closed", "the review has its answer already"),
    (
        "not_trusted",
        "a person has not said `kite trust` to what would run here",
    ),
    (
        "definition_changed",
        "the project's tool is not the one that the caller knows",
    ),
    (
        "unknown_tool",
        "the project declares no such tool, or not rightly",
    ),
    (
        "uncertain",
        "nobody saw how a run ended; a person must look before the next",
    ),
    (
        "unknown_note",
        "there is no such note, or it is not the caller's to see",
    ),
    (
        "unknown_worktree",
        "Kite made no worktree of this id, branch or path, or several begin so",
    ),
    (
        "not_a_repository",
        "there is no git repository with a commit, of which a worktree could be made",
    ),
    ("worktree_in_use", "a live session works in the worktree"),
    (
        "work_would_be_lost",
        "the worktree holds work that is nowhere else",
    ),
    (
        "worktree_failed",
        "git or the disk failed; nothing was left half made",
    ),
    ("no_vault", "the project has no vault of its own"),
    (
        "vault_error",
        "a note or the index of notes could not be read or written; nothing was changed",
    ),
    (
        "storage_full",
        "the disk is full; reading and releasing still work",
    ),
    ("storage_error", "the store failed; nothing was changed"),
    (
        "draining",
        "the daemon is ending; connect again and retry with the same `op_id`",
    ),
];

impl Fault {
    pub fn new(code: &str, message: impl Into<String>) -> Self {
        Fault {
            code: code.to_owned(),
            message: message.into(),
            hint: String::new(),
        }
    }

    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = hint.into();
        self
    }
}

impl core::fmt::Display for Fault {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        if self.hint.is_empty() {
            write!(f, "{}", self.message)
        } else {
            write!(f, "{} {}", self.message, self.hint)
        }
    }
}

impl core::error::Error for Fault {}
