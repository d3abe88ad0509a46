//! The end of a claim: completed, given back, failed, cancelled, or taken from the dead.

use alloc::{format, string::String, vec::Vec};

use super::{Changed, LateResult, State, Task, TaskGraph, TaskId, claim::repeated, create};
use crate::{
    Now, limits,
    refusal::Refusal,
    session::{Owner, SessionId},
};

impl TaskGraph {
    /// Completes a claimed task. A session may complete what its subagent claimed and the other
    /// way round. With an older attempt the task's state does not change, but a result is kept as
    /// a late one: [`Refusal::StaleAttempt`] with `kept` says that the record must be stored.
    pub fn complete(
        &mut self,
        task: TaskId,
        owner: &Owner,
        attempt: Option<u32>,
        result: Option<String>,
        now: Now,
    ) -> Result<Changed, Refusal> {
        create::within(
            "characters of a result",
            result.as_deref().unwrap_or_default().chars().count(),
            limits::TEXT_CHARS_MAX,
        )?;
        match self.standing(task, owner, attempt)? {
            Standing::Holder => {}
            Standing::Finished(State::Done) => return Ok(repeated(task)),
            Standing::Finished(state) => return Err(Refusal::NotClaimed { task, state }),
            Standing::TakenAway { given, current } => {
                let kept = result.is_some_and(|result| {
                    let late = LateResult {
                        attempt: given,
                        session: owner.session,
                        result,
                        at_wall_ms: now.wall_ms,
                    };
                    self.keep_late(task, late)
                });
                return Err(Refusal::StaleAttempt {
                    task,
                    given,
                    current,
                    kept,
                });
            }
        }
        self.change(task, |record| {
            record.state = State::Done;
            record.owner = Some(owner.clone());
            record.result = result;
            record.ended_wall_ms = Some(now.wall_ms);
        });
        Ok(self.wake(task))
    }

    /// Gives a claimed task back (ready again), or ends it as failed.
    pub fn release(
        &mut self,
        task: TaskId,
        owner: &Owner,
        attempt: Option<u32>,
        reason: Option<String>,
        failed: bool,
        now: Now,
    ) -> Result<Changed, Refusal> {
        match self.standing(task, owner, attempt)? {
            Standing::Holder => {}
            Standing::Finished(State::Failed) if failed => return Ok(repeated(task)),
            Standing::Finished(state) => return Err(Refusal::NotClaimed { task, state }),
            Standing::TakenAway { given, current } => {
                return Err(Refusal::StaleAttempt {
                    task,
                    given,
                    current,
                    kept: false,
                });
            }
        }
        Ok(self.end_claim(task, reason, failed, now))
    }

    /// Cancels an unfinished task; its dependents stay blocked.
    pub fn cancel(
        &mut self,
        task: TaskId,
        reason: Option<String>,
        now: Now,
    ) -> Result<Changed, Refusal> {
        match self.known(task)?.state {
            State::Blocked | State::Ready | State::Claimed => {}
            State::Cancelled => return Ok(repeated(task)),
            State::Done | State::Failed => return Err(self.not_ready(task)),
        }
        self.change(task, |record| {
            record.state = State::Cancelled;
            record.owner = None;
            record.ended_wall_ms = Some(now.wall_ms);
            push_reason(record, reason);
        });
        Ok(TaskGraph::changed(task))
    }

    /// The session is dead (or has ended): what it claimed is ready again; after
    /// [`crate::limits::ATTEMPTS_MAX`] deaths, failed with the reasons.
    pub fn orphan(&mut self, session: SessionId, why: &str, now: Now) -> Vec<Changed> {
        let claimed = self.claimed_by(session);
        claimed
            .into_iter()
            .map(|id| {
                let (attempt, deaths) = self
                    .get(id)
                    .map_or((0, 0), |task| (task.attempt, task.deaths + 1));
                self.change(id, |task| task.deaths = deaths);
                let reason = format!("attempt {attempt} by {session:.8}: {why}");
                self.end_claim(id, Some(reason), deaths >= limits::ATTEMPTS_MAX, now)
            })
            .collect()
    }

    /// How the caller stands to the task; refused where another holds it or nobody does.
    fn standing(
        &self,
        task: TaskId,
        owner: &Owner,
        attempt: Option<u32>,
    ) -> Result<Standing, Refusal> {
        let record = self.known(task)?;
        let (state, current) = (record.state, record.attempt);
        let is_kin = record
            .owner
            .as_ref()
            .is_some_and(|holder| !holder.contends_with(owner));
        match attempt {
            Some(given) if given == 0 || given > current => {
                let why = format!("{given} was never handed out; the latest is {current}");
                Err(create::invalid("attempt", why))
            }
            Some(given) if given < current => Ok(Standing::TakenAway { given, current }),
            _ if is_kin && state == State::Claimed => Ok(Standing::Holder),
            _ if is_kin && state.is_finished() => Ok(Standing::Finished(state)),
            _ if state == State::Claimed => Err(self.already_claimed(task)),
            Some(given) if state != State::Done => Ok(Standing::TakenAway { given, current }),
            _ => Err(Refusal::NotClaimed { task, state }),
        }
    }

    /// Ends a claim without success: ready again, or failed.
    fn end_claim(&mut self, id: TaskId, reason: Option<String>, failed: bool, now: Now) -> Changed {
        self.change(id, |task| {
            push_reason(task, reason);
            if failed {
                task.state = State::Failed;
                task.ended_wall_ms = Some(now.wall_ms);
            } else {
                task.state = State::Ready;
                task.owner = None;
                task.claimed_wall_ms = None;
            }
        });
        Changed {
            woken: if failed { Vec::new() } else { Vec::from([id]) },
            ..TaskGraph::changed(id)
        }
    }

    /// Tells the dependents of a task that has just been done.
    fn wake(&mut self, done: TaskId) -> Changed {
        let mut changed = TaskGraph::changed(done);
        for dependent in self.dependents(done) {
            if self.count(dependent, |unfinished| unfinished.saturating_sub(1)) {
                changed.touched.push(dependent);
                changed.woken.push(dependent);
            }
        }
        changed
    }

    /// Keeps a result that came too late; the same again is kept once.
    fn keep_late(&mut self, id: TaskId, late: LateResult) -> bool {
        self.change(id, |task| {
            let is_known = task.late_results.iter().any(|known| {
                (known.attempt, known.session) == (late.attempt, late.session)
                    && known.result == late.result
            });
            if !is_known {
                push_bounded(&mut task.late_results, late);
            }
        });
        true
    }
}

/// How a caller stands to a task it wants to complete or give back.
enum Standing {
    /// It holds the claim, or its parent or subagent does.
    Holder,
    /// It was the last to hold it, and it is finished.
    Finished(State),
    /// Its attempt has been taken away.
    TakenAway { given: u32, current: u32 },
}

fn push_reason(task: &mut Task, reason: Option<String>) {
    if let Some(reason) = reason.filter(|reason| !reason.trim().is_empty()) {
        let reason = limits::cut(reason, limits::REASON_CHARS_MAX);
        push_bounded(&mut task.reasons, reason);
    }
}

/// The oldest makes room.
fn push_bounded<T>(notes: &mut Vec<T>, note: T) {
    if notes.len() >= limits::NOTES_PER_TASK_MAX {
        notes.remove(0);
    }
    notes.push(note);
}
