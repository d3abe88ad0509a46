//! One assignment or message, as it is kept.

use kite_rules::{session::SessionId, task::TaskId};
use kite_store::Document;
use kite_wire::reply::dispatches::Dispatch;
use serde::{Deserialize, Serialize};

use crate::translate::{self, words::rfc3339};

/// The kind of the documents of this room; the key is the number.
pub(super) const KIND: &str = "dispatch";

/// Changed by addition: documents of older daemons are read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Record {
    /// 32 hexadecimal digits.
    pub(super) id: String,
    /// Counts up over all dispatches: their order.
    pub(super) number: u64,
    /// The key of the request that made it.
    pub(super) op_id: Option<String>,
    pub(super) from: String,
    /// What the sender was about.
    pub(super) about: Option<String>,
    pub(super) standing: Standing,
    pub(super) to: String,
    pub(super) project: String,
    pub(super) assignment: Option<Assignment>,
    pub(super) message: Option<String>,
    pub(super) state: State,
    pub(super) reason: Option<String>,
    pub(super) created_ms: u64,
    pub(super) handed_ms: Option<u64>,
    pub(super) settled_ms: Option<u64>,
}

/// A task that is reserved for the receiver: claimed for it, until it claims the task itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Assignment {
    /// 32 hexadecimal digits.
    pub(super) task: String,
    pub(super) title: String,
    /// The attempt by which the task is reserved.
    pub(super) attempt: u32,
    /// By the wall clock.
    pub(super) deadline_ms: u64,
    pub(super) accepted: bool,
}

/// How the sender stands to the receiver.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Standing {
    Person,
    /// The session that had the receiver started.
    Parent,
    #[default]
    Session,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum State {
    #[default]
    Queued,
    Handed,
    Accepted,
    Declined,
    Expired,
    Withdrawn,
    Undeliverable,
}

impl State {
    pub(super) fn name(self) -> &'static str {
        match self {
            State::Queued => "queued",
            State::Handed => "handed",
            State::Accepted => "accepted",
            State::Declined => "declined",
            State::Expired => "expired",
            State::Withdrawn => "withdrawn",
            State::Undeliverable => "undeliverable",
        }
    }
}

impl Record {
    /// The receiver. An id that is none belongs to nobody.
    pub(super) fn receiver(&self) -> SessionId {
        translate::session_id(&self.to).unwrap_or_default()
    }

    pub(super) fn sender(&self) -> SessionId {
        translate::session_id(&self.from).unwrap_or_default()
    }

    /// Its task, where it assigns one.
    pub(super) fn task(&self) -> Option<TaskId> {
        let task = &self.assignment.as_ref()?.task;
        u128::from_str_radix(task, 16).ok().map(TaskId)
    }

    /// Something may still become of it.
    pub(super) fn is_open(&self) -> bool {
        match self.state {
            State::Queued => true,
            State::Handed => self.assignment.is_some(),
            _ => false,
        }
    }

    /// The task is kept from others, and its receiver has not said yet that it takes it.
    pub(super) fn is_reserved(&self) -> bool {
        let assignment = self.assignment.as_ref();
        self.is_open() && assignment.is_some_and(|assignment| !assignment.accepted)
    }

    /// Its receiver's turn does not end before this has been handed over.
    pub(super) fn keeps_turn_going(&self) -> bool {
        self.state == State::Queued && self.is_reserved() && self.standing != Standing::Session
    }

    pub(super) fn document(&self) -> Document {
        // A record is text and numbers, which JSON can always hold.
        let body = serde_json::to_string(self).unwrap_or_default();
        Document::put(KIND, &key(self.number), body)
    }

    pub(super) fn shown(&self) -> Dispatch {
        let standing = match self.standing {
            Standing::Person => "person",
            Standing::Parent => "parent",
            Standing::Session => "session",
        };
        let assignment = self.assignment.as_ref();
        Dispatch {
            id: self.id.clone(),
            standing: standing.to_owned(),
            from: self.from.clone(),
            about: self.about.clone(),
            to: self.to.clone(),
            task: assignment.map(|assignment| assignment.task.clone()),
            message: self.message.clone(),
            state: self.state.name().to_owned(),
            reason: self.reason.clone(),
            project: translate::project(&self.project).to_owned(),
            created_at: rfc3339(self.created_ms),
            deadline: assignment.map(|assignment| rfc3339(assignment.deadline_ms)),
            handed_at: self.handed_ms.map(rfc3339),
            settled_at: self.settled_ms.map(rfc3339),
        }
    }
}

/// Keys in the order of numbers.
pub(super) fn key(number: u64) -> String {
    format!("{number:020}")
}
