//! Claiming: exactly one winner, each time with a new attempt number.

use super::{Changed, State, TaskGraph, TaskId};
use crate::{Now, limits, refusal::Refusal, session::Owner};

impl TaskGraph {
    /// Claims the next ready task of the project: by priority, then age, the first of the leading
    /// [`crate::limits::CLAIM_LOOKAHEAD`] whose paths do not overlap those of claimed tasks of
    /// other owners, else the first. An owner that holds a claim gets that one again (`repeated`),
    /// unless `another`.
    pub fn claim_next(
        &mut self,
        project: &str,
        owner: &Owner,
        another: bool,
        now: Now,
    ) -> Result<Changed, Refusal> {
        if !another && let Some(task) = self.claim_of(project, owner) {
            return Ok(repeated(task));
        }
        let leading = self
            .projects
            .get(project)
            .into_iter()
            .flat_map(|shelf| shelf.ready())
            .take(limits::CLAIM_LOOKAHEAD);
        let mut first = None;
        let mut free = None;
        for id in leading {
            first = first.or(Some(id));
            if !self.is_in_use(id, owner) {
                free = Some(id);
                break;
            }
        }
        match free.or(first) {
            Some(id) => Ok(self.hand_out(id, owner, now)),
            None => {
                let counts = self.counts(Some(project));
                Err(Refusal::NothingReady {
                    blocked: counts[State::Blocked as usize],
                    claimed: counts[State::Claimed as usize],
                })
            }
        }
    }

    /// Claims one task. A claim of one's own, one's parent's or one's subagent's is repeated.
    pub fn claim(&mut self, task: TaskId, owner: &Owner, now: Now) -> Result<Changed, Refusal> {
        let record = self.known(task)?;
        match (record.state, &record.owner) {
            (State::Ready, _) => Ok(self.hand_out(task, owner, now)),
            (State::Claimed, Some(holder)) if !holder.contends_with(owner) => Ok(repeated(task)),
            (State::Claimed, _) => Err(self.already_claimed(task)),
            _ => Err(self.not_ready(task)),
        }
    }

    pub(super) fn already_claimed(&self, task: TaskId) -> Refusal {
        let record = self.get(task);
        let holder = record.and_then(|record| record.owner.clone());
        Refusal::AlreadyClaimed {
            task,
            by: holder.unwrap_or_else(|| Owner::session(crate::session::SessionId::default())),
            since_wall_ms: record
                .and_then(|record| record.claimed_wall_ms)
                .unwrap_or_default(),
        }
    }

    /// The oldest task of the project that exactly this owner has claimed.
    fn claim_of(&self, project: &str, owner: &Owner) -> Option<TaskId> {
        self.claimed_by(owner.session).into_iter().find(|id| {
            self.get(*id)
                .is_some_and(|task| task.project == project && task.owner.as_ref() == Some(owner))
        })
    }

    fn hand_out(&mut self, id: TaskId, owner: &Owner, now: Now) -> Changed {
        self.change(id, |task| {
            task.state = State::Claimed;
            task.attempt += 1;
            task.owner = Some(owner.clone());
            task.claimed_wall_ms = Some(now.wall_ms);
        });
        TaskGraph::changed(id)
    }
}

pub(super) fn repeated(task: TaskId) -> Changed {
    Changed {
        task,
        repeated: true,
        ..Changed::default()
    }
}
