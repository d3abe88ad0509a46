//! What becomes of dispatches: taken, given back, too late, or without a receiver.

use kite_rules::{
    session::{Owner, SessionId},
    task::{State as TaskState, TaskId},
};
use kite_store::Store;

use super::{
    MESSAGE_AGE_MS_MAX,
    record::{KIND, Record, State},
};
use crate::{engine::Engine, translate::words::time_of_day};

impl<S: Store> Engine<S> {
    /// Takes up what an earlier daemon left. Call before sessions are adopted.
    pub(in super::super) fn take_up_dispatches(&self) {
        let kept: Vec<Record> = self.store.read(|ledger| {
            let kept = ledger.documents.of(KIND);
            kept.filter_map(|(_, body)| serde_json::from_str(body).ok())
                .collect()
        });
        for record in kept {
            let last = self.dispatches.last_number.get().max(record.number);
            self.dispatches.last_number.set(last);
            if !record.is_open() {
                continue;
            }
            if record.is_reserved() && !self.is_reserved(&record) {
                self.settle(record, State::Withdrawn, "its task went another way");
            } else if !self.is_live(record.receiver()) {
                self.settle(record, State::Undeliverable, "its receiver has ended");
            } else {
                self.dispatches
                    .open
                    .borrow_mut()
                    .insert(record.number, record);
            }
        }
    }

    /// Whether the task is claimed for its receiver, by the attempt that was made for it.
    fn is_reserved(&self, record: &Record) -> bool {
        let (Some(task), Some(assignment)) = (record.task(), &record.assignment) else {
            return false;
        };
        self.store.read(|ledger| {
            ledger.tasks.get(task).is_some_and(|task| {
                let owner = task.owner.as_ref();
                task.state == TaskState::Claimed
                    && task.attempt == assignment.attempt
                    && owner.is_some_and(|owner| owner.session == record.receiver())
            })
        })
    }

    /// The receiver claims the task that was reserved for it. Kept when this returns.
    pub(in super::super) async fn assignment_claimed(&self, task: TaskId, by: &Owner) {
        let accepted = {
            let mut open = self.dispatches.open.borrow_mut();
            let reserved = open.values_mut().find(|record| {
                record.is_reserved()
                    && record.task() == Some(task)
                    && record.receiver() == by.session
            });
            let Some(record) = reserved else {
                return;
            };
            if let Some(assignment) = &mut record.assignment {
                assignment.accepted = true;
            }
            // What it says is still to be heard.
            if record.state == State::Handed || record.message.is_none() {
                record.state = State::Accepted;
                record.settled_ms = Some(self.now().wall_ms);
            }
            record.clone()
        };
        if !accepted.is_open() {
            self.dispatches.open.borrow_mut().remove(&accepted.number);
        }
        let kept = self
            .store
            .keep_documents(&[accepted.document()], self.now())
            .await;
        let outcome = kept.err().map(|error| format!("not kept: {error}"));
        self.note_of(
            "dispatch",
            "accepted",
            by.session,
            Some(accepted.id),
            outcome,
        );
    }

    /// The task has changed: a reservation of it may be over.
    pub(in super::super) fn assignment_moved(&self, task: TaskId) {
        let moved = {
            let open = self.dispatches.open.borrow();
            open.values()
                .find(|record| record.is_reserved() && record.task() == Some(task))
                .cloned()
        };
        let Some(record) = moved.filter(|record| !self.is_reserved(record)) else {
            return;
        };
        let state = self
            .store
            .read(|ledger| ledger.tasks.get(task).map(|task| task.state));
        self.dispatches.open.borrow_mut().remove(&record.number);
        match state {
            Some(TaskState::Done) => self.settle(record, State::Accepted, "the task is done"),
            Some(TaskState::Ready | TaskState::Failed) => {
                self.settle(record, State::Declined, "its receiver gave the task back");
            }
            _ => self.settle(record, State::Withdrawn, "its task went another way"),
        }
    }

    /// Ends what is too late, and keeps what has ended.
    pub(in super::super) async fn dispatches_due(&self) {
        let now_ms = self.now().wall_ms;
        for record in self.dispatches.take_out(|record| record.is_late(now_ms)) {
            let until = record
                .assignment
                .as_ref()
                .map(|assignment| assignment.deadline_ms);
            let why = match until.filter(|_| record.is_reserved()) {
                Some(until) => format!(
                    "not claimed by session {:.8} until {}",
                    record.receiver(),
                    time_of_day(until, now_ms, false)
                ),
                None => "nobody heard it for a day".to_owned(),
            };
            self.end_dispatch(record, State::Expired, &why).await;
        }
        self.save_dispatches().await;
    }

    /// The session is about to end: what it was sent finds nobody, and what was reserved for it is
    /// ready again, which is no failed attempt.
    pub(in super::super) async fn receiver_ends(&self, session: SessionId) {
        for record in self
            .dispatches
            .take_out(|record| record.receiver() == session)
        {
            let state = match record.is_reserved() || record.assignment.is_none() {
                true => State::Undeliverable,
                false => State::Accepted,
            };
            self.end_dispatch(record, state, "its receiver ended").await;
        }
    }

    /// Gives back what is reserved, and settles it. It has been taken out; where the store is in
    /// trouble it is put back, for the next time.
    async fn end_dispatch(&self, record: Record, state: State, why: &str) {
        if let (true, Some(task), Some(assignment)) =
            (record.is_reserved(), record.task(), &record.assignment)
        {
            let (owner, attempt) = (Owner::session(record.receiver()), Some(assignment.attempt));
            let reason = Some(why.to_owned());
            let released = self
                .store
                .release_task(task, &owner, attempt, reason, false, self.now(), None)
                .await;
            match released {
                Ok(Ok(changed)) if !changed.repeated => {
                    self.task_changed(&changed, "given back: its reservation ended", None);
                }
                // It went another way.
                Ok(_) => {}
                Err(_) => {
                    self.dispatches
                        .open
                        .borrow_mut()
                        .insert(record.number, record);
                    return;
                }
            }
        }
        self.settle(record, state, why);
    }

    /// Nothing more becomes of it; it is kept soon. The sender hears why it was not taken.
    fn settle(&self, mut record: Record, state: State, why: &str) {
        (record.state, record.reason) = (state, Some(why.to_owned()));
        record.settled_ms = Some(self.now().wall_ms);
        let id = record.id.get(..8).unwrap_or(&record.id);
        if state != State::Accepted {
            let text = format!(
                "Kite: your dispatch {id} to session {:.8} is {}: {why}.",
                record.receiver(),
                state.name()
            );
            self.tell(&Owner::session(record.sender()), text);
        }
        let (id, why) = (record.id.clone(), why.to_owned());
        self.note_of(
            "dispatch",
            state.name(),
            record.receiver(),
            Some(id),
            Some(why),
        );
        self.dispatches.unsaved.borrow_mut().push(record);
        self.leases_changed.notify_one();
    }

    async fn save_dispatches(&self) {
        let unsaved = self.dispatches.unsaved.take();
        if unsaved.is_empty() {
            return;
        }
        let documents: Vec<_> = unsaved.iter().map(Record::document).collect();
        if self
            .store
            .keep_documents(&documents, self.now())
            .await
            .is_err()
        {
            // With the next tick; until then the list shows them.
            self.dispatches.unsaved.borrow_mut().extend(unsaved);
        }
    }
}

impl super::Dispatches {
    fn take_out(&self, wanted: impl Fn(&Record) -> bool) -> Vec<Record> {
        let mut open = self.open.borrow_mut();
        open.extract_if(.., |_, record| wanted(record))
            .map(|(_, record)| record)
            .collect()
    }
}

impl Record {
    fn is_late(&self, now_ms: u64) -> bool {
        match &self.assignment {
            Some(assignment) if !assignment.accepted => assignment.deadline_ms <= now_ms,
            _ => {
                self.state == State::Queued
                    && self.created_ms.saturating_add(MESSAGE_AGE_MS_MAX) <= now_ms
            }
        }
    }
}
