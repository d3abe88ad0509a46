//! Reviews of tasks' changes: a brief that an independent reader is given, the answer kept with the
//! task, and the rule that a task is completed only once it is approved.
//!
//! **Architecture Invariant:** who reads the brief is not known here: a model that the caller's
//! client asks, a subagent, a headless agent, a person. The answer is data, and an answer that is
//! not plainly an approval is none.

mod brief;
mod change;
mod frame;
mod gate;
mod headless;
mod origin;
mod record;
#[cfg(test)]
mod stories;
mod verdict;

use std::{
    cell::RefCell,
    collections::VecDeque,
    fmt::Write as _,
    rc::Rc,
    time::{Duration, Instant},
};

use kite_rules::task::TaskId;
use kite_store::Store;
use kite_wire::{
    reply::{
        Fault, ok_line,
        reviews::{Brief, OneReview, Review},
    },
    request::{Envelope, ReviewBrief, ReviewRecord, nearest_hint},
};
use sha2::{Digest, Sha256};

use super::{Engine, callers, retries::with_id, secrets::clean, storage};
use crate::{doors::Connection, translate::words};
use record::{Record, State};
use verdict::Verdict;

/// The longest answer that a reviewer is asked for, in tokens.
const ANSWER_TOKENS_MAX: u32 = 2_000;
/// The longest answer that is kept, in characters.
const ANSWER_CHARS_MAX: usize = 16_000;
/// The longest focus, in characters.
const FOCUS_CHARS_MAX: usize = 2_000;
/// Characters of a model's name.
const MODEL_CHARS_MAX: usize = 100;
/// How long the change is looked for. Callers give a request 10 s.
const GATHER_MAX: Duration = Duration::from_secs(7);
/// How much of that git and the disk may take; the rest is for comparing.
const READ_MAX: Duration = Duration::from_secs(5);
/// Briefs held for `review_run`; the latest.
const BRIEFS_MAX: usize = 16;
/// The shortest prefix of an id that names a review.
const ID_PREFIX_MIN: usize = 4;

/// How an answer can have come about, as callers may say.
const VIA: [&str; 3] = ["sampling", "subagent", "person"];

/// Briefs by the ids of their reviews.
#[derive(Debug, Default)]
pub(super) struct Reviews {
    briefs: RefCell<VecDeque<(String, Rc<str>)>>,
}

impl Reviews {
    fn hold(&self, review: &str, brief: &str) {
        let mut briefs = self.briefs.borrow_mut();
        briefs.push_back((review.to_owned(), brief.into()));
        if briefs.len() > BRIEFS_MAX {
            briefs.pop_front();
        }
    }

    fn brief(&self, review: &str) -> Option<Rc<str>> {
        let briefs = self.briefs.borrow();
        let held = briefs.iter().find(|(id, _)| id == review);
        held.map(|(_, brief)| Rc::clone(brief))
    }
}

impl<S: Store> Engine<S> {
    pub(super) async fn review_brief(
        self: &Rc<Self>,
        connection: &Connection,
        envelope: &Envelope,
        request: ReviewBrief,
    ) -> Result<Vec<u8>, Fault> {
        let focus = clean(request.focus.as_deref().map(str::trim)).filter(|text| !text.is_empty());
        if focus
            .as_ref()
            .is_some_and(|text| text.chars().count() > FOCUS_CHARS_MAX)
        {
            return Err(too_long("focus", FOCUS_CHARS_MAX));
        }
        let asker = self.asker(connection, envelope).await?;
        let task = self.find(&request.task)?;
        let (about, origin) = self.origin(task, focus.clone());
        let begun = Instant::now();
        let nonce = callers::random();
        let attempt = about.attempt;
        let written = tokio::task::spawn_blocking(move || {
            let change = change::gather(&origin, begun + READ_MAX);
            brief::write(nonce, &about, &change, begun + GATHER_MAX)
        });
        let written = written.await.map_err(|_| {
            Fault::new("internal", "the change of the task could not be gathered")
                .hint("Ask again; `kite doctor` looks into it.")
        })?;
        let record = Record {
            id: format!("{:032x}", callers::random()),
            task: task.to_string(),
            attempt,
            focus,
            brief: hash(&written.text),
            session: asker.map(|id| id.to_string()),
            created_ms: self.now().wall_ms,
            ..Record::default()
        };
        let mut documents = self.store.read(|ledger| record::room(ledger, task));
        documents.push(record.document());
        self.store
            .keep_documents(&documents, self.now())
            .await
            .map_err(|e| storage(&e))?;
        self.reviews.hold(&record.id, &written.text);
        let note = format!("review {:.8}, {} files", record.id, written.files);
        self.note_review(task, "review asked for", asker, note);
        let settings = &self.settings.of_home().reviews;
        let body = Brief {
            review: record.shown(attempt),
            text: written.text,
            model: settings.model.clone(),
            tokens_max: ANSWER_TOKENS_MAX,
            files: written.files,
            left_out: written.left_out,
            headless: settings.headless,
        };
        self.remembered(envelope, &ok_line(None, &body)).await
    }

    pub(super) async fn review_record(
        self: &Rc<Self>,
        connection: &Connection,
        envelope: &Envelope,
        request: ReviewRecord,
    ) -> Result<Vec<u8>, Fault> {
        let mut record = self.review_named(&request.review)?;
        if !VIA.contains(&request.via.as_str()) {
            let near = nearest_hint(&request.via, VIA.into_iter());
            let shown = words::quoted(&request.via, 40);
            return Err(
                Fault::new("invalid_field", format!("`via`: {shown} is not one")).hint(near),
            );
        }
        if request.via == "person" && self.person(connection, envelope).await.is_err() {
            return Err(Fault::new(
                "not_allowed",
                "A review in a person's name can only be given by a person.",
            )
            .hint("Ask the person to run `kite review`, or have a subagent review it."));
        }
        if request.text.chars().count() > ANSWER_CHARS_MAX {
            return Err(too_long("text", ANSWER_CHARS_MAX));
        }
        let verdict = judged(&request)?;
        let text = clean(Some(&request.text)).unwrap_or_default();
        if record.state == State::Recorded {
            let is_same = record.text.as_deref() == Some(&text)
                && record.verdict == Some(verdict)
                && record.via.as_deref() == Some(&request.via);
            if !is_same {
                return Err(self.closed(&record));
            }
            return self
                .remembered(envelope, &self.review_line(record, "already_recorded"))
                .await;
        }
        record.via = Some(request.via);
        record.model = request
            .model
            .map(|model| model.chars().take(MODEL_CHARS_MAX).collect());
        self.settle_review(&mut record, verdict, text).await?;
        self.remembered(envelope, &self.review_line(record, "recorded"))
            .await
    }

    /// Keeps an answer with its review.
    async fn settle_review(
        &self,
        record: &mut Record,
        verdict: Verdict,
        text: String,
    ) -> Result<(), Fault> {
        record.state = State::Recorded;
        record.verdict = Some(verdict);
        record.findings = verdict::findings(&text)
            .into_iter()
            .map(record::Kept::from)
            .collect();
        record.text = Some(text);
        record.recorded_ms = Some(self.now().wall_ms);
        self.keep_review(record, "reviewed").await
    }

    /// Keeps a review as it is now, and tells of it.
    async fn keep_review(&self, record: &Record, what: &str) -> Result<(), Fault> {
        self.store
            .keep_documents(&[record.document()], self.now())
            .await
            .map_err(|e| storage(&e))?;
        let verdict = record.verdict.map_or("no verdict", Verdict::name);
        let via = record.via.as_deref().unwrap_or("headless");
        if let Some(task) = task_id(&record.task) {
            self.note_review(task, what, None, format!("{verdict}, by {via}"));
        }
        Ok(())
    }

    /// Says in the log, with the task, what happened to a review of it.
    fn note_review(
        &self,
        task: TaskId,
        what: &str,
        by: Option<kite_rules::session::SessionId>,
        outcome: String,
    ) {
        self.note(kite_wire::reply::Event {
            kind: "task".to_owned(),
            what: what.to_owned(),
            session: by.map(|id| id.to_string()),
            target: Some(task.to_string()),
            outcome: Some(outcome),
            ..kite_wire::reply::Event::default()
        });
        let changed = kite_rules::task::Changed {
            task,
            ..kite_rules::task::Changed::default()
        };
        let project = self
            .store
            .read(|ledger| ledger.tasks.get(task).map(|task| task.project.clone()));
        self.tasks_changed(&project.unwrap_or_default(), &changed);
    }

    /// The reviews of a task, as they are shown.
    pub(super) fn reviews_of(&self, task: TaskId) -> Vec<Review> {
        self.store.read(|ledger| {
            let attempt = ledger.tasks.get(task).map_or(0, |task| task.attempt);
            let records = record::of_task(ledger, task).into_iter();
            records.map(|record| record.shown(attempt)).collect()
        })
    }

    fn review_named(&self, given: &str) -> Result<Record, Fault> {
        let shown = words::quoted(given, 40);
        let is_id = given.len() >= ID_PREFIX_MIN && given.bytes().all(|b| b.is_ascii_hexdigit());
        let mut named = match is_id {
            true => self
                .store
                .read(|ledger| record::named(ledger, &given.to_ascii_lowercase())),
            false => Vec::new(),
        };
        match (named.pop(), named.is_empty()) {
            (Some(record), true) => Ok(record),
            (Some(_), false) => Err(Fault::new(
                "unknown_review",
                format!("{shown} fits several reviews."),
            )
            .hint("Give the whole id.")),
            (None, _) => Err(
                Fault::new("unknown_review", format!("There is no review {shown}.")).hint(
                    "kite_review with task_id begins one; kite_task_show names those there are.",
                ),
            ),
        }
    }

    fn closed(&self, record: &Record) -> Fault {
        let verdict = record.verdict.map_or("none", Verdict::name);
        Fault::new(
            "review_closed",
            format!("Review {:.8} has its answer already: {verdict}.", record.id),
        )
        .hint("Begin another with kite_review and the task's id; the latest one counts.")
    }

    fn review_line(&self, record: Record, outcome: &str) -> Vec<u8> {
        let attempt = task_id(&record.task).and_then(|task| {
            self.store
                .read(|ledger| ledger.tasks.get(task).map(|task| task.attempt))
        });
        let body = OneReview {
            review: record.shown(attempt.unwrap_or_default()),
            outcome: outcome.to_owned(),
        };
        ok_line(None, &body)
    }

    /// Keeps the answer for a request that may come again, and gives it.
    async fn remembered(&self, envelope: &Envelope, line: &[u8]) -> Result<Vec<u8>, Fault> {
        if let Some(op_id) = envelope.op_id.as_deref() {
            self.store
                .remember(op_id, line)
                .await
                .map_err(|e| storage(&e))?;
        }
        Ok(with_id(line, envelope.id))
    }
}

/// The verdict of an answer: what was given, else what the text states.
fn judged(request: &ReviewRecord) -> Result<Verdict, Fault> {
    let stated = verdict::stated(&request.text);
    let Some(given) = request.verdict.as_deref() else {
        return Ok(stated.unwrap_or(Verdict::CouldNotReview));
    };
    let Some(verdict) = Verdict::named(given) else {
        let shown = words::quoted(given, 40);
        return Err(
            Fault::new("invalid_field", format!("`verdict`: {shown} is not one"))
                .hint(nearest_hint(given, Verdict::NAMES.into_iter())),
        );
    };
    match stated {
        Some(stated) if stated != verdict => Err(Fault::new(
            "invalid_field",
            format!("`verdict` is {given}, and the text says {}", stated.name()),
        )
        .hint("leave `verdict` out, or give the one that the reviewer came to")),
        _ => Ok(verdict),
    }
}

fn too_long(field: &str, chars_max: usize) -> Fault {
    Fault::new(
        "invalid_field",
        format!("`{field}` is longer than {chars_max} characters"),
    )
    .hint("shorten it and ask again")
}

fn task_id(text: &str) -> Option<TaskId> {
    u128::from_str_radix(text, 16).ok().map(TaskId)
}

fn hash(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    digest
        .iter()
        .fold(String::with_capacity(64), |mut hex, byte| {
            // Writing to a string cannot fail.
            let _ = write!(hex, "{byte:02x}");
            hex
        })
}
