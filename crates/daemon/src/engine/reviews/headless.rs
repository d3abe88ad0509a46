//! Reviews by a headless agent, which spends money: only where the person has switched it on.

use std::rc::Rc;

use kite_store::Store;
use kite_wire::{
    reply::Fault,
    request::{Envelope, ReviewRun},
};

use super::{
    record::{self, Record, State},
    task_id,
    verdict::{self, Verdict},
};
use crate::{
    doors::Connection,
    engine::{
        Engine,
        agents::reader::{Heard, Reading},
    },
};

/// Headless reviews of one attempt of a task.
const RUNS_MAX: usize = 5;
/// What a headless agent is told beside the brief. The end of a longer answer would be all that is kept.
const ALSO: &str = "\nYou may read files here with Read, Grep and Glob to see what surrounds the change. Make no \
                    plan; give the answer, in at most 3,000 characters.\n";

impl<S: Store> Engine<S> {
    pub(in crate::engine) async fn review_run(
        self: &Rc<Self>,
        _connection: &Connection,
        envelope: &Envelope,
        request: ReviewRun,
    ) -> Result<Vec<u8>, Fault> {
        let mut record = self.review_named(&request.review)?;
        if record.state == State::Running {
            record = self.settle_headless(record, false).await?;
        }
        let outcome = match record.state {
            State::Recorded => "already_recorded",
            State::Running => "running",
            State::Failed => "failed",
            State::Open => {
                self.start_headless(&mut record).await?;
                self.follow_headless(record.clone());
                "started"
            }
        };
        self.remembered(envelope, &self.review_line(record, outcome))
            .await
    }

    /// Goes on with the reviews that an earlier daemon left to headless agents.
    pub(in crate::engine) fn take_up_reviews(self: &Rc<Self>) {
        for record in self.store.read(record::running) {
            self.follow_headless(record);
        }
    }

    async fn start_headless(self: &Rc<Self>, record: &mut Record) -> Result<(), Fault> {
        let settings = &self.settings.of_home().reviews;
        if !settings.headless {
            return Err(Fault::new(
                "not_allowed",
                "Headless reviews are switched off here: they spend money.",
            )
            .hint(
                "Have a subagent review it, or ask the person to set `review_headless = \"on\"`.",
            ));
        }
        let gone = || {
            Fault::new(
                "unknown_review",
                "The brief of this review is not held any more.",
            )
            .hint("Begin another with kite_review and the task's id.")
        };
        let task = task_id(&record.task).ok_or_else(gone)?;
        let brief = self.reviews.brief(&record.id).ok_or_else(gone)?;
        let runs = self.store.read(|ledger| {
            let of_task = record::of_task(ledger, task).into_iter();
            of_task
                .filter(|other| other.attempt == record.attempt && other.agent.is_some())
                .count()
        });
        if runs >= RUNS_MAX {
            let why = format!("headless reviews of one attempt: at most {RUNS_MAX}");
            return Err(Fault::new("limit_reached", why)
                .hint("Have a subagent review it: kite_review with how=subagent."));
        }
        let (about, origin) = self.origin(task, None);
        let directory = match &origin.checkout {
            Some(checkout) => Some(checkout.top.clone()),
            None => origin.directories.into_iter().next(),
        };
        let reading = Reading {
            project: origin.project,
            directory: directory.unwrap_or_default().display().to_string(),
            prompt: format!("{brief}{ALSO}"),
            about: format!("review of task {}", about.id),
            model: Some(settings.model.clone()),
            #[expect(clippy::cast_precision_loss, reason = "at most 100")]
            budget_usd: settings.budget_usd as f64,
            parent: record.session.clone(),
        };
        record.agent = Some(self.spawn_reader(reading).await?);
        record.via = Some("headless".to_owned());
        record.state = State::Running;
        self.keep_review(record, "review begun").await
    }

    /// Keeps what the agent says as soon as it has.
    fn follow_headless(self: &Rc<Self>, record: Record) {
        let engine = Rc::clone(self);
        tokio::task::spawn_local(async move {
            // A failure to store it is met again by whoever asks how it stands.
            let _ = engine.settle_headless(record, true).await;
        });
    }

    /// A review as it stands with its agent; `waits` for its end.
    async fn settle_headless(&self, record: Record, waits: bool) -> Result<Record, Fault> {
        let agent = record.agent.clone().unwrap_or_default();
        let heard = match waits {
            true => self.heard_at_last(&agent).await,
            false => self.heard(&agent),
        };
        // Somebody else may have seen it meanwhile.
        let mut record = self.review_named(&record.id)?;
        if record.state != State::Running {
            return Ok(record);
        }
        match heard {
            Heard::Nothing => {}
            Heard::Said { text, model } => {
                record.model = model;
                let verdict = verdict::stated(&text).unwrap_or(Verdict::CouldNotReview);
                self.settle_review(&mut record, verdict, text).await?;
            }
            Heard::Failed(why) => {
                record.state = State::Failed;
                record.text = Some(why);
                record.recorded_ms = Some(self.now().wall_ms);
                self.keep_review(&record, "review failed").await?;
            }
        }
        Ok(record)
    }
}
