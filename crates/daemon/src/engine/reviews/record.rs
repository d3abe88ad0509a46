//! A review as it is kept: one document each.

use kite_rules::task::TaskId;
use kite_store::{Document, Ledger};
use kite_wire::reply::reviews::{Finding, Review};
use serde::{Deserialize, Serialize};

use super::verdict::Verdict;
use crate::translate::words::rfc3339;

/// The kind of document.
pub(super) const KIND: &str = "review";
/// Reviews kept of one task; the oldest make room.
pub(super) const REVIEWS_OF_TASK_MAX: usize = 20;
/// Reviews kept in all; the oldest make room.
pub(super) const REVIEWS_MAX: usize = 2_000;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum State {
    /// There is a brief, and no answer.
    #[default]
    Open,
    /// A headless agent reads it.
    Running,
    Recorded,
    /// The headless agent came to no answer.
    Failed,
}

impl State {
    fn name(self) -> &'static str {
        match self {
            State::Open => "open",
            State::Running => "running",
            State::Recorded => "recorded",
            State::Failed => "failed",
        }
    }
}

/// The document. Changed by addition.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Record {
    pub(super) id: String,
    pub(super) task: String,
    pub(super) attempt: u32,
    pub(super) focus: Option<String>,
    pub(super) state: State,
    pub(super) via: Option<String>,
    pub(super) model: Option<String>,
    pub(super) verdict: Option<Verdict>,
    pub(super) findings: Vec<Kept>,
    pub(super) text: Option<String>,
    /// SHA-256 of the brief.
    pub(super) brief: String,
    /// Who asked for it.
    pub(super) session: Option<String>,
    /// The headless agent.
    pub(super) agent: Option<String>,
    pub(super) created_ms: u64,
    pub(super) recorded_ms: Option<u64>,
}

/// A finding as it is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Kept {
    path: String,
    line: Option<u32>,
    text: String,
}

impl From<Finding> for Kept {
    fn from(Finding { path, line, text }: Finding) -> Kept {
        Kept { path, line, text }
    }
}

impl From<Kept> for Finding {
    fn from(Kept { path, line, text }: Kept) -> Finding {
        Finding { path, line, text }
    }
}

impl Record {
    /// `task.time.id`: those of a task are together, in order.
    fn key(&self) -> String {
        format!("{}.{:013}.{}", self.task, self.created_ms, self.id)
    }

    pub(super) fn document(&self) -> Document {
        // It is made of texts and numbers, which can be written.
        let body = serde_json::to_string(self).unwrap_or_default();
        Document::put(KIND, &self.key(), body)
    }

    /// As shown. `attempt`: that of the task now.
    pub(super) fn shown(self, attempt: u32) -> Review {
        Review {
            current: self.attempt == attempt,
            id: self.id,
            task: self.task,
            attempt: self.attempt,
            focus: self.focus,
            state: self.state.name().to_owned(),
            via: self.via,
            model: self.model,
            verdict: self.verdict.map(|verdict| verdict.name().to_owned()),
            findings: self.findings.into_iter().map(Finding::from).collect(),
            text: self.text,
            brief: self.brief,
            session: self.session,
            agent: self.agent,
            created_at: rfc3339(self.created_ms),
            recorded_at: self.recorded_ms.map(rfc3339),
        }
    }
}

/// The reviews of a task, oldest first.
pub(super) fn of_task(ledger: &Ledger, task: TaskId) -> Vec<Record> {
    let prefix = format!("{task}.");
    let mine = ledger.documents.of(KIND);
    mine.filter(|(key, _)| key.starts_with(&prefix))
        .filter_map(|(_, body)| serde_json::from_str(body).ok())
        .collect()
}

/// Reviews whose id begins so, at most two.
pub(super) fn named(ledger: &Ledger, given: &str) -> Vec<Record> {
    let has_id = |key: &str| {
        key.rsplit('.')
            .next()
            .is_some_and(|id| id.starts_with(given))
    };
    let fitting = ledger.documents.of(KIND).filter(|(key, _)| has_id(key));
    fitting
        .filter_map(|(_, body)| serde_json::from_str(body).ok())
        .take(2)
        .collect()
}

/// Those with a headless agent that was still reading.
pub(super) fn running(ledger: &Ledger) -> Vec<Record> {
    let all = ledger.documents.of(KIND);
    all.filter_map(|(_, body)| serde_json::from_str::<Record>(body).ok())
        .filter(|record| record.state == State::Running)
        .collect()
}

/// What makes room for one more of `task`.
pub(super) fn room(ledger: &Ledger, task: TaskId) -> Vec<Document> {
    let prefix = format!("{task}.");
    let keys: Vec<&str> = ledger.documents.of(KIND).map(|(key, _)| key).collect();
    let mine: Vec<&str> = keys
        .iter()
        .copied()
        .filter(|key| key.starts_with(&prefix))
        .collect();
    let mut goes: Vec<&str> = Vec::new();
    if mine.len() >= REVIEWS_OF_TASK_MAX {
        goes.extend(&mine[..=mine.len() - REVIEWS_OF_TASK_MAX]);
    } else if keys.len() >= REVIEWS_MAX {
        let made = |key: &&&str| key.split('.').nth(1).map(str::to_owned);
        goes.extend(keys.iter().min_by_key(made));
    }
    let forget = |key: &str| Document::forget(KIND, key);
    goes.into_iter().map(forget).collect()
}
