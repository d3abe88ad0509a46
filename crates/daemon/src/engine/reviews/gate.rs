//! `review_required`: a task is completed once a review has approved it.

use kite_rules::{
    session::{Kind, Owner},
    task::{State as TaskState, TaskId},
};
use kite_store::Store;
use kite_wire::reply::Fault;

use super::{
    record::{self, State},
    verdict::Verdict,
};
use crate::engine::Engine;

impl<S: Store> Engine<S> {
    /// Refuses to have `owner` complete a task that must be approved first. The latest review of
    /// the current attempt that came to a verdict counts. `attempt`: as the caller gave it; one
    /// that is over is judged elsewhere.
    pub(in crate::engine) fn approved(
        &self,
        task: TaskId,
        owner: &Owner,
        attempt: Option<u32>,
    ) -> Result<(), Fault> {
        if !self.settings.of(owner.session).reviews.required {
            return Ok(());
        }
        self.store.read(|ledger| {
            let session = ledger.sessions.get(&owner.session);
            if session.is_some_and(|session| session.kind == Kind::Person) {
                return Ok(());
            }
            let Some(task) = ledger.tasks.get(task) else {
                return Ok(());
            };
            let is_theirs = task.owner.as_ref().is_some_and(|it| it.session == owner.session);
            let is_current = attempt.is_none_or(|attempt| attempt == task.attempt);
            if task.state != TaskState::Claimed || !is_theirs || !is_current {
                return Ok(());
            }
            let decided = record::of_task(ledger, task.id).into_iter().rfind(|review| {
                review.attempt == task.attempt
                    && review.state == State::Recorded
                    && review.verdict != Some(Verdict::CouldNotReview)
            });
            let why = match &decided {
                Some(review) if review.verdict == Some(Verdict::Approve) => return Ok(()),
                Some(review) => format!("the latest one ({:.8}) says changes_needed", review.id),
                None => "there is none".to_owned(),
            };
            Err(Fault::new(
                "review_required",
                format!(
                    "Task {:.8} cannot be completed yet: attempt {} needs an approving review here, and {why}. \
                     The task is still yours.",
                    task.id, task.attempt
                ),
            )
            .hint(format!(
                "Call kite_review with task_id={:.8} and follow its answer. Once the verdict is approve, complete \
                 the task again.",
                task.id
            )))
        })
    }
}
