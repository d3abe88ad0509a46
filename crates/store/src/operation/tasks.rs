//! Tasks: created, claimed, finished, given back.

use kite_rules::{
    Refusal,
    session::{Owner, SessionId},
    task::{Changed, NewTask, State, TaskId},
};

use super::Operation;
use crate::write::{Decision, Write};

/// The judgement of an operation on tasks.
type Verdict = Decision<Result<Changed, Refusal>>;

impl Operation<'_> {
    pub(crate) fn create_task(self, id: TaskId, task: NewTask) -> Verdict {
        let by = task.created_by;
        let changed = self.ledger.tasks.create(id, task, self.now);
        self.judged(changed, "created", by)
    }

    pub(crate) fn claim_next(self, project: &str, owner: &Owner, another: bool) -> Verdict {
        if let Err(refusal) = self.require_live(owner.session) {
            return self.done(Err(refusal));
        }
        let changed = self
            .ledger
            .tasks
            .claim_next(project, owner, another, self.now);
        self.judged(changed, "claimed", Some(owner.session))
    }

    pub(crate) fn claim(self, task: TaskId, owner: &Owner) -> Verdict {
        if let Err(refusal) = self.require_live(owner.session) {
            return self.done(Err(refusal));
        }
        let changed = self.ledger.tasks.claim(task, owner, self.now);
        self.judged(changed, "claimed", Some(owner.session))
    }

    pub(crate) fn complete(
        self,
        task: TaskId,
        owner: &Owner,
        attempt: Option<u32>,
        result: Option<String>,
    ) -> Verdict {
        let changed = self
            .ledger
            .tasks
            .complete(task, owner, attempt, result, self.now);
        self.judged(changed, "completed", Some(owner.session))
    }

    pub(crate) fn release_task(
        self,
        task: TaskId,
        owner: &Owner,
        attempt: Option<u32>,
        reason: Option<String>,
        failed: bool,
    ) -> Verdict {
        let changed = self
            .ledger
            .tasks
            .release(task, owner, attempt, reason, failed, self.now);
        self.judged(
            changed,
            if failed { "failed" } else { "released" },
            Some(owner.session),
        )
    }

    pub(crate) fn cancel_task(self, task: TaskId, reason: Option<String>) -> Verdict {
        let changed = self.ledger.tasks.cancel(task, reason, self.now);
        self.judged(changed, "cancelled", None)
    }

    /// Gives back what a session that is over had claimed.
    pub(super) fn orphan(&mut self, session: SessionId, why: &str) -> Vec<Changed> {
        let orphaned = self.ledger.tasks.orphan(session, why, self.now);
        for changed in &orphaned {
            let failed = self
                .ledger
                .tasks
                .get(changed.task)
                .is_some_and(|task| task.state == State::Failed);
            self.keep_tasks(
                changed,
                if failed { "failed" } else { "orphaned" },
                Some(session),
            );
        }
        orphaned
    }

    fn judged(
        mut self,
        changed: Result<Changed, Refusal>,
        what: &str,
        by: Option<SessionId>,
    ) -> Verdict {
        match &changed {
            Ok(changed) => self.keep_tasks(changed, what, by),
            Err(Refusal::StaleAttempt {
                task, kept: true, ..
            }) => {
                self.keep_task(*task);
                self.task_change(*task, "late_result", by);
            }
            Err(_) => {}
        }
        self.done(changed)
    }

    fn keep_tasks(&mut self, changed: &Changed, what: &str, by: Option<SessionId>) {
        for task in &changed.touched {
            self.keep_task(*task);
        }
        if !changed.repeated {
            self.task_change(changed.task, what, by);
        }
        // What the task itself became follows from what happened to it.
        for task in changed.woken.iter().filter(|task| **task != changed.task) {
            self.task_change(*task, "ready", None);
        }
    }

    fn keep_task(&mut self, id: TaskId) {
        if let Some(task) = self.ledger.tasks.get(id) {
            self.writes.push(Write::Task(Box::new(task.clone())));
        }
    }

    fn task_change(&mut self, id: TaskId, what: &str, by: Option<SessionId>) {
        if let Some(project) = self.ledger.tasks.get(id).map(|task| task.project.clone()) {
            self.change("task", id.to_string(), &project, what, by);
        }
    }
}
