//! All runs that are kept, in memory as they are on disk.

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use kite_rules::session::SessionId;
use kite_store::{Document, Store, StoreError};
use kite_wire::reply::{Event, Fault};
use tokio::sync::{Mutex, Notify};

use super::{
    super::{Engine, storage},
    record::{KIND, Record, State},
};
use crate::{config::settings::agents::PermissionMode, translate::words::quoted};

/// Runs that have ended and are kept.
const ENDED_MAX: usize = 500;
/// Days that a run which has ended is kept.
const ENDED_DAYS_MAX: u64 = 30;
/// Digits of a prefix, at least.
const DIGITS_MIN: usize = 4;
/// Digits of an id.
const DIGITS: usize = 32;
/// The directory of all runs, below the home.
const DIRECTORY: &str = "agents";

/// The room's state.
#[derive(Debug, Default)]
pub(in crate::engine) struct Agents {
    records: RefCell<BTreeMap<u64, Record>>,
    /// Something may be due: a run was asked for, ended, or its task became ready.
    pub(super) due: Notify,
    /// Some run has changed.
    pub(super) changed: Notify,
    /// What sessions may do without being asked, as their clients last told it.
    modes: RefCell<BTreeMap<SessionId, PermissionMode>>,
    /// Held while a run that is asked for is judged and kept: two that ask at once are judged one
    /// after the other.
    pub(super) asking: Mutex<()>,
    /// The number that was given last.
    last_number: Cell<u64>,
}

impl Agents {
    /// Has the queue looked at: a task may have become ready.
    pub(in crate::engine) fn wake(&self) {
        self.due.notify_one();
    }

    /// What a session may do, as its client tells it.
    pub(in crate::engine) fn session_may(&self, session: SessionId, mode: &str) {
        if let Some(mode) = PermissionMode::named(mode) {
            self.modes.borrow_mut().insert(session, mode);
        }
    }

    pub(super) fn mode_of(&self, session: SessionId) -> Option<PermissionMode> {
        self.modes.borrow().get(&session).copied()
    }

    pub(in crate::engine) fn forget_session(&self, session: SessionId) {
        self.modes.borrow_mut().remove(&session);
    }

    /// All of them that `is_wanted`, in the order of their creation.
    pub(super) fn all(&self, is_wanted: impl Fn(&Record) -> bool) -> Vec<Record> {
        let records = self.records.borrow();
        records
            .values()
            .filter(|run| is_wanted(run))
            .cloned()
            .collect()
    }

    pub(super) fn count(&self, is_wanted: impl Fn(&Record) -> bool) -> usize {
        let records = self.records.borrow();
        records.values().filter(|run| is_wanted(run)).count()
    }

    pub(super) fn with<R>(&self, look: impl FnOnce(&mut dyn Iterator<Item = &Record>) -> R) -> R {
        look(&mut self.records.borrow().values())
    }

    pub(super) fn get(&self, id: &str) -> Option<Record> {
        let records = self.records.borrow();
        records.values().rev().find(|run| run.id == id).cloned()
    }

    /// The run with this id or unique prefix.
    pub(super) fn find(&self, given: &str) -> Result<Record, Fault> {
        let unknown = |why: &str| {
            Fault::new("unknown_agent", format!("{why} {}", quoted(given, DIGITS)))
                .hint("`agent_list` with `ended` shows all that are kept")
        };
        let prefix = given.to_ascii_lowercase();
        if prefix.len() < DIGITS_MIN || prefix.len() > DIGITS {
            return Err(unknown("an agent's id has 4 to 32 digits, unlike"));
        }
        let records = self.records.borrow();
        let mut found = records.values().filter(|run| run.id.starts_with(&prefix));
        let first = found.next().ok_or_else(|| unknown("no agent has the id"))?;
        match found.next() {
            None => Ok(first.clone()),
            Some(_) => Err(unknown("several agents begin with")),
        }
    }

    /// In memory alone, where nothing could be stored.
    pub(super) fn set(&self, record: Record) {
        self.records.borrow_mut().insert(record.number, record);
        self.changed.notify_waiters();
    }

    /// A number that no run has, nor will have.
    pub(super) fn next_number(&self) -> u64 {
        let records = self.records.borrow();
        let kept = records.last_key_value().map_or(0, |(number, _)| *number);
        let next = kept.max(self.last_number.get()) + 1;
        self.last_number.set(next);
        next
    }

    /// The run that this session is of, where it has not ended.
    pub(super) fn of_session(&self, session: SessionId) -> Option<Record> {
        let id = session.to_string();
        let records = self.records.borrow();
        let mut runs = records.values().rev();
        runs.find(|run| !run.state.has_ended() && run.session.as_ref() == Some(&id))
            .cloned()
    }
}

impl<S: Store> Engine<S> {
    /// The directory of a run.
    pub(super) fn run_directory(&self, id: &str) -> PathBuf {
        self.identity.home.path().join(DIRECTORY).join(id)
    }

    /// Keeps a run as it is now: on disk when this returns.
    pub(super) async fn keep_agent(&self, record: Record) -> Result<(), StoreError> {
        self.keep_agents(vec![record]).await
    }

    pub(super) async fn keep_agents(&self, records: Vec<Record>) -> Result<(), StoreError> {
        let documents: Vec<Document> = records.iter().map(document).collect();
        // In memory at once: whoever changes a run or takes a number while this is stored goes on
        // from here.
        let before: Vec<(u64, Option<Record>)> = records
            .into_iter()
            .map(|record| (record.number, self.put_agent(record)))
            .collect();
        let kept = self.store.keep_documents(&documents, self.now()).await;
        if kept.is_err() {
            let mut records = self.agents.records.borrow_mut();
            for (number, before) in before {
                match before {
                    Some(before) => drop(records.insert(number, before)),
                    None => drop(records.remove(&number)),
                }
            }
        }
        self.agents.changed.notify_waiters();
        kept
    }

    /// Puts a run into memory, and gives what was there.
    fn put_agent(&self, record: Record) -> Option<Record> {
        self.note_agent(&record);
        self.changed("sessions", &record.project);
        let mut records = self.agents.records.borrow_mut();
        records.insert(record.number, record)
    }

    /// Changes a run, if it is still there. What cannot be stored is logged, and goes on in memory:
    /// processes do not wait for a disk.
    pub(super) async fn change_agent(
        &self,
        id: &str,
        change: impl FnOnce(&mut Record),
    ) -> Option<Record> {
        let mut record = self.agents.get(id)?;
        change(&mut record);
        if let Err(error) = self.keep_agent(record.clone()).await {
            self.agent_trouble(&record, &error.to_string());
            self.agents.set(record.clone());
        }
        Some(record)
    }

    fn note_agent(&self, record: &Record) {
        let before = self.agents.get(&record.id).map(|before| before.state);
        if before == Some(record.state) {
            return;
        }
        self.note(Event {
            kind: "agent".to_owned(),
            what: record.state.name().to_owned(),
            session: record.session.clone(),
            tool: Some(record.preset.clone()),
            target: Some(record.id.clone()),
            outcome: record.reason.clone(),
            ..Event::default()
        });
    }

    /// Logs what went wrong beside a run.
    pub(super) fn agent_trouble(&self, record: &Record, why: &str) {
        self.note(Event {
            kind: "agent".to_owned(),
            what: "trouble".to_owned(),
            session: record.session.clone(),
            target: Some(record.id.clone()),
            outcome: Some(why.to_owned()),
            ..Event::default()
        });
    }

    /// Reads what is kept. What cannot be read is left as it is, for a Kite that can.
    pub(in crate::engine) fn load_agents(&self) {
        let records: Vec<Record> = self.store.read(|ledger| {
            let documents = ledger.documents.of(KIND);
            documents
                .filter_map(|(_, body)| serde_json::from_str(body).ok())
                .collect()
        });
        let mut kept = self.agents.records.borrow_mut();
        *kept = records.into_iter().map(|run| (run.number, run)).collect();
    }

    /// Forgets the oldest runs that have ended, and their directories. Of a run that something still
    /// refers to nothing is removed.
    pub(super) async fn prune_agents(&self) {
        let now = self.now().wall_ms;
        let too_old = now.saturating_sub(ENDED_DAYS_MAX * 24 * 3_600_000);
        let old: Vec<Record> = self.agents.with(|all| {
            let all: Vec<&Record> = all.collect();
            let alive = all.iter().filter(|run| !run.state.has_ended());
            let lines: BTreeSet<&str> = alive.map(|run| run.line.as_str()).collect();
            let ended: Vec<_> = all
                .iter()
                .filter(|run| run.state.has_ended() && !lines.contains(run.line.as_str()))
                .collect();
            let beyond = ended.len().saturating_sub(ENDED_MAX);
            let places = ended.into_iter().enumerate();
            places
                .filter(|(at, run)| *at < beyond || run.ended_ms.is_some_and(|at| at < too_old))
                .map(|(_, run)| (**run).clone())
                .collect()
        });
        if old.is_empty() {
            return;
        }
        let gone: Vec<Document> = old
            .iter()
            .map(|run| Document::forget(KIND, &run.id))
            .collect();
        if self.store.keep_documents(&gone, self.now()).await.is_err() {
            return;
        }
        let directories: Vec<PathBuf> = old.iter().map(|run| self.run_directory(&run.id)).collect();
        for run in &old {
            self.agents.records.borrow_mut().remove(&run.number);
        }
        let remove = move || {
            for directory in directories {
                let _ = std::fs::remove_dir_all(directory);
            }
        };
        let _ = tokio::task::spawn_blocking(remove).await;
    }
}

fn document(record: &Record) -> Document {
    let body = serde_json::to_string(record).unwrap_or_default();
    Document::put(KIND, &record.id, body)
}

/// A fault of the store, as whoever asked is told it.
pub(super) fn stored<T>(outcome: Result<T, StoreError>) -> Result<T, Fault> {
    outcome.map_err(|error| storage(&error))
}

/// Whether this state counts against `max_agents`.
pub(super) fn is_under_way(record: &Record) -> bool {
    record.state.is_under_way()
}

/// Whether it waits for its turn.
pub(super) fn is_queued(record: &Record) -> bool {
    record.state == State::Queued
}
