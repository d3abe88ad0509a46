//! What is kept of a run, and the runs that are not over.

use std::{cell::RefCell, collections::BTreeMap};

use kite_rules::session::{Owner, SessionId};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tokio::sync::Notify;

/// How a run stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum State {
    #[default]
    Running,
    Exited,
    Signalled,
    TimedOut,
    Stopped,
    NotStarted,
    /// Nobody saw its end, and it had a lock: nobody gets that before a person has looked.
    Uncertain,
    /// Nobody saw its end, and nothing waits for it.
    Lost,
    /// It was uncertain; a person has looked.
    Settled,
}

impl State {
    pub(super) fn word(self) -> &'static str {
        match self {
            State::Running => "running",
            State::Exited => "exited",
            State::Signalled => "signalled",
            State::TimedOut => "timed_out",
            State::Stopped => "stopped",
            State::NotStarted => "not_started",
            State::Uncertain => "uncertain",
            State::Lost => "lost",
            State::Settled => "settled",
        }
    }

    /// Whether it still stands in the way of others.
    pub(super) fn is_open(self) -> bool {
        matches!(self, State::Running | State::Uncertain)
    }
}

/// A run, as its document holds it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Record {
    pub(super) id: String,
    pub(super) tool: String,
    pub(super) project: String,
    pub(super) arguments: Map<String, Value>,
    pub(super) lock: Option<String>,
    /// The grant that the run took for itself; `None` where its session held the lock already.
    pub(super) epoch: Option<String>,
    pub(super) session: String,
    pub(super) agent: Option<String>,
    pub(super) op_id: Option<String>,
    pub(super) read_only: bool,
    pub(super) timeout_s: u64,
    pub(super) output_bytes_max: u64,
    pub(super) state: State,
    pub(super) exit_code: Option<i32>,
    pub(super) signal: Option<i32>,
    pub(super) reason: Option<String>,
    pub(super) output_bytes: u64,
    pub(super) started_ms: u64,
    pub(super) ended_ms: Option<u64>,
}

impl Record {
    pub(super) fn owner(&self) -> Option<Owner> {
        Some(Owner {
            session: self.session_id()?,
            agent: self.agent.clone(),
        })
    }

    pub(super) fn session_id(&self) -> Option<SessionId> {
        crate::translate::session_id(&self.session)
    }

    /// Whether it has the project's lock of that name.
    pub(super) fn has_lock(&self, project: &str, name: &str) -> bool {
        self.project == project && self.lock.as_deref() == Some(name)
    }
}

/// Runs that are not over, and whoever waits for their end.
#[derive(Debug, Default)]
pub(in crate::engine) struct ProjectTools {
    open: RefCell<BTreeMap<String, Record>>,
    /// Told whenever a run is no longer what it was.
    pub(super) moved: Notify,
}

impl ProjectTools {
    pub(super) fn put(&self, record: Record) {
        let mut open = self.open.borrow_mut();
        match record.state.is_open() {
            true => drop(open.insert(record.id.clone(), record)),
            false => drop(open.remove(&record.id)),
        }
        drop(open);
        self.moved.notify_waiters();
    }

    pub(super) fn forget(&self, id: &str) {
        self.open.borrow_mut().remove(id);
        self.moved.notify_waiters();
    }

    pub(super) fn get(&self, id: &str) -> Option<Record> {
        self.open.borrow().get(id).cloned()
    }

    pub(super) fn find(&self, wanted: impl Fn(&Record) -> bool) -> Option<Record> {
        self.open.borrow().values().find(|it| wanted(it)).cloned()
    }

    pub(super) fn of_project(&self, project: &str) -> Vec<Record> {
        let open = self.open.borrow();
        let of_project = open.values().filter(|record| record.project == project);
        of_project.cloned().collect()
    }
}
