//! How a receiver is told, and how that is known to have happened.

use std::rc::Rc;

use kite_rules::session::{Owner, SessionId};
use kite_store::Store;
use tokio::sync::oneshot;

use super::{
    Dispatches, SHOWN_CHARS_MAX, frame,
    record::{Record, State},
};
use crate::{
    dialects::{self, Verdict, What},
    doors::Receipt,
    engine::Engine,
};

/// Dispatches that are told at one step; the others wait for the next.
const AT_ONCE_MAX: usize = 8;
/// Characters that are told at one step, where there are several: clients cut what is longer than
/// about 10,000, and notices come on top.
const AT_ONCE_CHARS_MAX: usize = SHOWN_CHARS_MAX;
/// Characters set aside for what Kite itself says of each.
const SOURCE_CHARS: usize = 500;

impl<S: Store> Engine<S> {
    /// The verdict on this step, with what was sent to the session where its model hears it. The
    /// receipt tells whether it did. A refusal stands alone.
    pub(in super::super) fn with_dispatches(
        self: &Rc<Self>,
        owner: &Owner,
        what: &What,
        is_heard: bool,
        verdict: Verdict,
    ) -> (Verdict, Option<Receipt>) {
        let at_turn_end = dialects::may_continue(what);
        let is_for_session = owner.agent.is_none() && (is_heard || at_turn_end);
        if matches!(verdict, Verdict::Deny(_)) || !is_for_session {
            return (verdict, None);
        }
        let due = self.dispatches.due(owner.session, at_turn_end);
        if due.is_empty() {
            return (verdict, None);
        }
        let mut nonce = [0; 8];
        if getrandom::fill(&mut nonce).is_err() {
            // A frame that can be forged is none: it waits.
            return (verdict, None);
        }
        let occasion = frame::Occasion {
            nonce: u64::from_le_bytes(nonce),
            now_ms: self.now().wall_ms,
            at_turn_end,
        };
        let text = frame::frame(&due, &occasion);
        self.prevented.borrow_mut().injected(&text);
        let (receipt, told) = Receipt::new();
        let numbers = due.iter().map(|record| record.number).collect();
        self.dispatches
            .being_told
            .borrow_mut()
            .insert(owner.session);
        let telling = Rc::clone(self).tell_once(owner.session, numbers, told, at_turn_end);
        tokio::task::spawn_local(telling);
        let verdict = match verdict {
            _ if at_turn_end => Verdict::Continue(text),
            Verdict::Say(said) => Verdict::Say(format!("{text}\n{said}")),
            _ => Verdict::Say(text),
        };
        (verdict, Some(receipt))
    }

    /// Waits for what becomes of the receipt. Until then the receiver is told nothing more.
    async fn tell_once(
        self: Rc<Self>,
        receiver: SessionId,
        numbers: Vec<u64>,
        told: oneshot::Receiver<()>,
        at_turn_end: bool,
    ) {
        let is_told = told.await.is_ok();
        if is_told {
            self.were_handed(receiver, &numbers).await;
        }
        self.dispatches.being_told.borrow_mut().remove(&receiver);
        if !is_told && at_turn_end && self.is_live(receiver) {
            self.turn_may_be_over(receiver);
        }
    }

    /// Marks them as handed over. Where that cannot be kept, they are told once more.
    async fn were_handed(&self, receiver: SessionId, numbers: &[u64]) {
        let now_ms = self.now().wall_ms;
        let mut handed = Vec::new();
        for number in numbers {
            let mut open = self.dispatches.open.borrow_mut();
            if let Some(record) = open.get_mut(number) {
                record.was_handed(now_ms);
                handed.push(record.clone());
            }
        }
        let documents: Vec<_> = handed.iter().map(Record::document).collect();
        let kept = self.store.keep_documents(&documents, self.now()).await;
        let mut open = self.dispatches.open.borrow_mut();
        for record in handed {
            match (&kept, open.get_mut(&record.number)) {
                (Ok(()), Some(current)) if !current.is_open() => {
                    open.remove(&record.number);
                }
                (Err(_), Some(current)) => {
                    (current.state, current.handed_ms) = (State::Queued, None)
                }
                _ => {}
            }
            let outcome = match &kept {
                Ok(()) => record.state.name().to_owned(),
                Err(error) => format!("not kept: {error}"),
            };
            self.note_of(
                "dispatch",
                "handed over",
                receiver,
                Some(record.id),
                Some(outcome),
            );
        }
    }
}

impl Dispatches {
    /// What this receiver is to be told now, in the order in which it was sent. At a turn's end that
    /// is what keeps it going, and what the same sender sent before.
    fn due(&self, receiver: SessionId, at_turn_end: bool) -> Vec<Record> {
        let open = self.open.borrow();
        if open.is_empty() || self.being_told.borrow().contains(&receiver) {
            return Vec::new();
        }
        let waiting = || {
            open.values().filter(move |record| {
                record.state == State::Queued && record.receiver() == receiver
            })
        };
        let goes_on_for = |record: &Record| {
            let mut later = waiting().filter(|other| other.number >= record.number);
            later.any(|other| other.from == record.from && other.keeps_turn_going())
        };
        let mut chars = 0;
        waiting()
            .filter(|record| !at_turn_end || goes_on_for(record))
            .take(AT_ONCE_MAX)
            .take_while(|record| {
                let is_first = chars == 0;
                chars += SOURCE_CHARS + record.message.as_deref().map_or(0, frame::chars_of);
                is_first || chars <= AT_ONCE_CHARS_MAX
            })
            .cloned()
            .collect()
    }
}

impl Record {
    fn was_handed(&mut self, now_ms: u64) {
        self.handed_ms = Some(now_ms);
        let assignment = self.assignment.as_ref();
        let accepted = assignment.map(|assignment| assignment.accepted);
        self.state = match accepted {
            Some(true) => State::Accepted,
            _ => State::Handed,
        };
        if accepted != Some(false) {
            self.settled_ms = Some(now_ms);
        }
    }
}
