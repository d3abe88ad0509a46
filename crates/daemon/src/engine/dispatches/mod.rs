//! Assignments and messages from one session to another, or from a person to one.
//!
//! A message waits for the receiver's next step at which its model hears anything. An assignment
//! does, too, and its task is claimed for the receiver meanwhile, so that nobody else is given it;
//! not claimed by the receiver itself in time, it is ready again.
//!
//! **Architecture Invariant:** at least once, in order from each sender to each receiver, and marked
//! only when the hook has written it out. What is kept is kept before anybody is told.
//!
//! **Architecture Invariant:** text of one agent keeps no other's turn going, but for the agent that
//! had it started.

mod delivery;
mod ends;
mod frame;
mod receiver;
mod record;
#[cfg(test)]
mod stories;

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

use kite_rules::{
    Refusal,
    session::{Owner, Session, SessionId, State as SessionState},
    task::{State as TaskState, Task},
};
use kite_store::{Document, Store};
use kite_wire::{
    reply::{
        Fault,
        dispatches::{Dispatches as Listed, OneDispatch},
        ok_line,
    },
    request::{Dispatch, DispatchList, Envelope},
};

pub(super) use self::frame::is_frame;
use self::record::{Assignment, KIND, Record};
use super::{Engine, callers, retries::with_id, secrets::clean, storage};
use crate::{
    doors::Connection,
    translate::{self, refusal::Reader},
};

/// Characters of a message.
const MESSAGE_CHARS_MAX: usize = 4_000;
/// Characters of a message as it is shown: escaping makes some texts longer.
const SHOWN_CHARS_MAX: usize = 8_000;
/// Dispatches of which something may still become, for one receiver.
const OPEN_PER_RECEIVER_MAX: usize = 32;
/// Seconds within which an assignment is to be claimed, usually and at most.
const DEADLINE_S: u64 = 900;
const DEADLINE_S_MAX: u64 = 24 * 3_600;
/// A message that nobody heard for so long is forgotten, in milliseconds.
const MESSAGE_AGE_MS_MAX: u64 = 24 * 3_600_000;
/// Dispatches that are kept once nothing more becomes of them; the oldest make room.
const KEPT_MAX: usize = 1_000;
/// Dispatches on one page: usually, and at most.
const PAGE: u32 = 50;
const PAGE_MAX: u32 = 200;

/// What is under way from session to session. The documents hold the same, and all that is over.
#[derive(Debug, Default)]
pub(super) struct Dispatches {
    /// Those of which something may still become, by number.
    open: RefCell<BTreeMap<u64, Record>>,
    /// What is over, and not yet kept as such.
    unsaved: RefCell<Vec<Record>>,
    /// Receivers that are being told something.
    being_told: RefCell<BTreeSet<SessionId>>,
    last_number: Cell<u64>,
}

impl<S: Store> Engine<S> {
    pub(super) async fn dispatch(
        self: &Rc<Self>,
        connection: &Connection,
        envelope: &Envelope,
        request: Dispatch,
    ) -> Result<Vec<u8>, Fault> {
        let sender = self.sender(connection, envelope).await?;
        let session = sender.session;
        let op_id = envelope.op_id.as_deref();
        if let Some(known) = op_id.and_then(|op_id| self.dispatches.made_by(op_id)) {
            return Ok(ok_line(envelope.id, &self.one(&known)));
        }
        let message = message(request.message.as_deref())?;
        let deadline_s = deadline_s(request.deadline_s)?;
        if message.is_none() && request.task.is_none() {
            return Err(Fault::new(
                "invalid_field",
                "a dispatch needs a `task`, a `message`, or both",
            )
            .hint("say what the receiver is to do or to know"));
        }
        let named = request.project.as_deref();
        let place = self
            .place(connection, envelope, Some(session), named)
            .await?;
        let receiver = self.receiver(&request.to, &sender, &place.project)?;
        let given = request.task.as_deref();
        let task = given
            .map(|task| self.assignable(task, &receiver))
            .transpose()?;
        let now = self.now();
        let assignment = task.map(|task| Assignment {
            task: task.id.to_string(),
            title: task.title,
            attempt: task.attempt + 1,
            deadline_ms: now.wall_ms + deadline_s * 1_000,
            accepted: false,
        });
        let record = Record {
            id: format!("{:032x}", callers::random()),
            number: self.dispatches.next_number(),
            op_id: op_id.map(str::to_owned),
            from: session.to_string(),
            about: sender.intent.clone(),
            standing: self.standing(&sender, receiver.id),
            to: receiver.id.to_string(),
            project: receiver.project.clone(),
            assignment,
            message,
            created_ms: now.wall_ms,
            ..Record::default()
        };
        let line = ok_line(None, &self.one(&record));
        self.take_on(record).await?;
        if let Some(op_id) = op_id
            && let Err(error) = self.store.remember(op_id, &line).await
        {
            // A repetition finds the dispatch itself.
            self.note_of(
                "dispatch",
                "answer not kept",
                session,
                None,
                Some(error.to_string()),
            );
        }
        Ok(with_id(&line, envelope.id))
    }

    /// Keeps it, reserves its task, and has the receiver told at its next step.
    async fn take_on(self: &Rc<Self>, record: Record) -> Result<(), Fault> {
        let (receiver, sender) = (record.receiver(), record.sender());
        let mut documents = vec![record.document()];
        documents.extend(self.outlived());
        let kept = self.store.keep_documents(&documents, self.now()).await;
        kept.map_err(|e| storage(&e))?;
        if let Some(task) = record.task() {
            let owner = Owner::session(receiver);
            let claimed = self.store.claim(task, &owner, self.now(), None).await;
            let refusal = match claimed {
                Ok(Ok(changed)) if !changed.repeated => {
                    self.task_changed(&changed, "reserved", Some(receiver));
                    None
                }
                // It came to it by itself this moment.
                Ok(Ok(_)) => Some(Fault::new(
                    "already_claimed",
                    "the receiver works on that task already; nothing was sent",
                )),
                Ok(Err(refusal)) => Some(self.refused(&refusal, Reader::Request)),
                Err(error) => Some(storage(&error)),
            };
            if let Some(fault) = refusal {
                let forget = Document::forget(KIND, &record::key(record.number));
                // What stays behind is found at the next start, and reserves nothing.
                let _ = self.store.keep_documents(&[forget], self.now()).await;
                return Err(fault);
            }
        }
        self.note_of(
            "dispatch",
            "queued",
            sender,
            Some(record.id.clone()),
            Some(format!("for {receiver:.8}")),
        );
        self.dispatches
            .open
            .borrow_mut()
            .insert(record.number, record);
        self.changed("sessions", "");
        Ok(())
    }

    /// The task, if it can be given to that session.
    fn assignable(&self, given: &str, receiver: &Session) -> Result<Task, Fault> {
        let id = self.find(given)?;
        let task = self.store.read(|ledger| ledger.tasks.get(id).cloned());
        let unknown = || Fault::new("unknown_task", "there is no such task any more");
        let task = task.ok_or_else(unknown)?;
        if task.project != receiver.project {
            let message = format!(
                "task {id:.8} is of another project than session {:.8}",
                receiver.id
            );
            return Err(
                Fault::new("invalid_field", message).hint("name a session of the task's project")
            );
        }
        match (task.state, &task.owner) {
            (TaskState::Ready, _) => Ok(task),
            (TaskState::Claimed, Some(owner)) if owner.session == receiver.id => {
                let message = format!("session {:.8} has that task already", receiver.id);
                Err(Fault::new("already_claimed", message).hint("send it a message instead"))
            }
            (TaskState::Claimed, Some(owner)) => {
                let refusal = Refusal::AlreadyClaimed {
                    task: id,
                    by: owner.clone(),
                    since_wall_ms: task.claimed_wall_ms.unwrap_or_default(),
                };
                Err(self.refused(&refusal, Reader::Request))
            }
            (state, _) => {
                let state = translate::state_name(state);
                let message = format!("task {id:.8} is {state}: only a ready task can be assigned");
                Err(Fault::new("not_ready", message).hint("kite_task_show tells what it waits for"))
            }
        }
    }

    fn one(&self, record: &Record) -> OneDispatch {
        let receiver = record.receiver();
        let is_in_turn = self.store.read(|ledger| {
            let session = ledger.sessions.get(&receiver);
            session.is_some_and(|session| session.state == SessionState::Active)
        });
        let heard = if is_in_turn {
            "next_step"
        } else {
            "next_prompt"
        };
        OneDispatch {
            dispatch: record.shown(),
            outcome: "queued".to_owned(),
            heard: heard.to_owned(),
        }
    }

    pub(super) async fn dispatch_list(
        self: &Rc<Self>,
        connection: &Connection,
        envelope: &Envelope,
        request: DispatchList,
    ) -> Result<Vec<u8>, Fault> {
        let sender = self.sender(connection, envelope).await?;
        let me = sender.session.to_string();
        let concerns = |record: &Record| sender.is_person || record.from == me || record.to == me;
        let limit = request.limit.unwrap_or(PAGE).clamp(1, PAGE_MAX) as usize;
        let all = self.dispatches_known().into_iter().rev().filter(concerns);
        let mut dispatches: Vec<_> = match request.dispatch.as_deref() {
            None => all.take(limit).map(|record| record.shown()).collect(),
            Some(given) => {
                let given = given.to_ascii_lowercase();
                let mut found = all.filter(|record| record.id.starts_with(&given)).take(2);
                found.by_ref().map(|record| record.shown()).collect()
            }
        };
        if let Some(given) = &request.dispatch {
            let is_prefix = !given.is_empty();
            let why = match dispatches.len() {
                1 if is_prefix => None,
                0 | 1 => Some("you neither sent nor were sent a dispatch with this id"),
                _ => Some("several dispatches begin with this id"),
            };
            if let Some(why) = why {
                return Err(Fault::new("unknown_dispatch", why)
                    .hint("leave `dispatch` out to see the newest"));
            }
        }
        dispatches.truncate(limit);
        Ok(ok_line(envelope.id, &Listed { dispatches }))
    }

    /// All that are kept, oldest first, as they stand now.
    fn dispatches_known(&self) -> Vec<Record> {
        let mut known: BTreeMap<u64, Record> = self.store.read(|ledger| {
            let kept = ledger.documents.of(KIND);
            kept.filter_map(|(_, body)| serde_json::from_str(body).ok())
                .map(|record: Record| (record.number, record))
                .collect()
        });
        for record in self.dispatches.unsaved.borrow().iter() {
            known.insert(record.number, record.clone());
        }
        for (number, record) in self.dispatches.open.borrow().iter() {
            known.insert(*number, record.clone());
        }
        known.into_values().collect()
    }

    /// The oldest of those that are over, where there are too many.
    fn outlived(&self) -> Vec<Document> {
        let open = self.dispatches.open.borrow();
        self.store.read(|ledger| {
            let over = ledger.documents.count(KIND).saturating_sub(open.len());
            let keys = ledger.documents.of(KIND).map(|(key, _)| key);
            keys.filter(|key| {
                !key.parse()
                    .is_ok_and(|number: u64| open.contains_key(&number))
            })
            .take(over.saturating_sub(KEPT_MAX))
            .map(|key| Document::forget(KIND, key))
            .collect()
        })
    }
}

impl Dispatches {
    fn next_number(&self) -> u64 {
        let number = self.last_number.get() + 1;
        self.last_number.set(number);
        number
    }

    /// The one that this request has made already.
    fn made_by(&self, op_id: &str) -> Option<Record> {
        let open = self.open.borrow();
        let made = open
            .values()
            .find(|record| record.op_id.as_deref() == Some(op_id));
        made.cloned()
    }

    /// How many of this receiver's something may still become of.
    fn open_of(&self, receiver: SessionId) -> usize {
        let open = self.open.borrow();
        open.values()
            .filter(|record| record.receiver() == receiver)
            .count()
    }
}

/// The message to keep: within its limits, and without secrets.
fn message(given: Option<&str>) -> Result<Option<String>, Fault> {
    let Some(text) = clean(given).filter(|text| !text.trim().is_empty()) else {
        return Ok(None);
    };
    let count = text.chars().count();
    if count > MESSAGE_CHARS_MAX {
        let message =
            format!("`message` has {count} characters; at most {MESSAGE_CHARS_MAX} are allowed");
        return Err(Fault::new("invalid_field", message)
            .hint("write the rest into a file or a task's description and name that"));
    }
    if frame::chars_of(&text) > SHOWN_CHARS_MAX {
        let message = "`message` holds too many invisible characters or empty lines";
        return Err(Fault::new("invalid_field", message).hint("send plain text"));
    }
    Ok(Some(text))
}

fn deadline_s(given: Option<u64>) -> Result<u64, Fault> {
    match given {
        None => Ok(DEADLINE_S),
        Some(seconds @ 1..=DEADLINE_S_MAX) => Ok(seconds),
        Some(_) => Err(Fault::new(
            "invalid_field",
            format!("`deadline_s` must be 1 to {DEADLINE_S_MAX} seconds"),
        )
        .hint("leave it out for 15 minutes")),
    }
}
