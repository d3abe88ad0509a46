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
        to_its_end,
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
            State::Open => {
                let outcome;
                let engine = Rc::clone(self);
                let start = async move { engine.start_headless(&record.id).await };
                (record, outcome) = to_its_end(start).await?;
                outcome
            }
            state => standing(state),
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

    /// Has a review read, and how it stands then. It is kept that it is read before anything is spent:
    /// who asks again meanwhile, or after a daemon that died, does not pay twice.
    async fn start_headless(
        self: &Rc<Self>,
        review: &str,
    ) -> Result<(Record, &'static str), Fault> {
        let _alone = self.agents_turn().await;
        // Somebody else may have been first.
        let mut record = self.review_named(review)?;
        if record.state != State::Open {
            let outcome = standing(record.state);
            return Ok((record, outcome));
        }
        let reading = self.reading_of(&record)?;
        self.has_room_for(&reading)?;
        record.via = Some("headless".to_owned());
        record.state = State::Running;
        self.keep_review(&record, "review begun").await?;
        let spawned = self.spawn_reader(reading).await;
        // An answer may have been given meanwhile.
        let mut record = self.review_named(review)?;
        let is_read = record.state == State::Running;
        match spawned {
            Ok(agent) => {
                record.agent = Some(agent);
                if is_read {
                    // Also where the next line fails: what it says is kept all the same.
                    self.follow_headless(record.clone());
                }
                self.keep_review(&record, "reader asked for").await?;
                let outcome = if is_read {
                    "started"
                } else {
                    standing(record.state)
                };
                Ok((record, outcome))
            }
            Err(fault) => {
                if is_read {
                    record.via = None;
                    record.state = State::Open;
                    self.keep_review(&record, "review not begun").await?;
                }
                Err(fault)
            }
        }
    }

    /// What a headless agent is given to read.
    fn reading_of(&self, record: &Record) -> Result<Reading, Fault> {
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
                .filter(|other| other.attempt == record.attempt)
                .filter(|other| other.agent.is_some() || other.state == State::Running)
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
        Ok(Reading {
            project: origin.project,
            directory: directory.unwrap_or_default().display().to_string(),
            prompt: format!("{brief}{ALSO}"),
            about: format!("review of task {}", about.id),
            model: Some(settings.model.clone()),
            #[expect(clippy::cast_precision_loss, reason = "at most 100")]
            budget_usd: settings.budget_usd as f64,
            parent: record.session.clone(),
        })
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
        let heard = match (&record.agent, waits) {
            (Some(agent), true) => self.heard_at_last(agent).await,
            (Some(agent), false) => self.heard(agent),
            (None, true) => Heard::Failed("Kite ended while its reader was asked for".to_owned()),
            // It is asked for just now.
            (None, false) => Heard::Nothing,
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

/// How a review stands that is not begun now.
fn standing(state: State) -> &'static str {
    match state {
        State::Recorded => "already_recorded",
        State::Failed => "failed",
        State::Open | State::Running => "running",
    }
}
