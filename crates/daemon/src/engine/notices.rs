//! What sessions are told at their next step that can be told anything: each text once.
//!
//! Most hooks are only noticed by the client, which does not wait for what they say. So what one
//! session's step means for another waits here until that one is about to edit, to run a command,
//! or to call Kite.

use std::{
    cell::RefCell,
    collections::{BTreeMap, VecDeque},
};

use kite_rules::session::{Owner, SessionId};
use kite_store::Store;

use super::{Engine, prevented};
use crate::dialects::Verdict;

/// Texts that wait for one owner. The oldest makes room.
const WAITING_MAX: usize = 16;
/// Texts that are told at one step; the others wait for the next.
const AT_ONCE_MAX: usize = 3;

/// Texts that wait for their owners' next step.
#[derive(Debug, Default)]
pub(super) struct Notices {
    waiting: RefCell<BTreeMap<Owner, VecDeque<String>>>,
}

impl Notices {
    /// A subagent has ended: what it was to be told, its session is told.
    pub(super) fn agent_is_gone(&self, owner: &Owner) {
        let mut waiting = self.waiting.borrow_mut();
        if let Some(left) = waiting.remove(owner) {
            let session = waiting.entry(Owner::session(owner.session)).or_default();
            session.extend(left);
            while session.len() > WAITING_MAX {
                session.pop_front();
            }
        }
    }

    /// The session is over.
    pub(super) fn forget(&self, session: SessionId) {
        self.waiting
            .borrow_mut()
            .retain(|owner, _| owner.session != session);
    }

    fn take(&self, owner: &Owner) -> Vec<String> {
        let mut waiting = self.waiting.borrow_mut();
        let Some(texts) = waiting.get_mut(owner) else {
            return Vec::new();
        };
        let taken = texts.drain(..texts.len().min(AT_ONCE_MAX)).collect();
        if texts.is_empty() {
            waiting.remove(owner);
        }
        taken
    }
}

impl<S: Store> Engine<S> {
    /// Has this owner told at its next step, unless its person switched notes off.
    pub(super) fn tell(&self, owner: &Owner, text: String) {
        if !self.settings.of(owner.session).notes || !self.is_live(owner.session) {
            return;
        }
        let mut waiting = self.notices.waiting.borrow_mut();
        let texts = waiting.entry(owner.clone()).or_default();
        if texts.contains(&text) {
            return;
        }
        if texts.len() >= WAITING_MAX {
            texts.pop_front();
        }
        texts.push_back(text);
    }

    /// The verdict on this step, with what waited for it where the model hears it. A refusal
    /// stands alone: what waits goes on waiting. So does what is due where nobody hears it.
    pub(super) async fn with_notices(
        &self,
        owner: &Owner,
        is_heard: bool,
        verdict: Verdict,
    ) -> Verdict {
        match verdict {
            Verdict::Deny(_) | Verdict::Continue(_) => return verdict,
            Verdict::Say(text) if !is_heard => {
                self.tell(owner, text);
                return Verdict::Pass;
            }
            _ if !is_heard => return verdict,
            _ => {}
        }
        let mut due = self.notices.take(owner);
        due.extend(self.stale_contracts(owner).await);
        if due.is_empty() {
            return verdict;
        }
        let text = due.join("\n");
        self.count(
            prevented::NOTES,
            u64::try_from(due.len()).unwrap_or(u64::MAX),
        );
        self.prevented.borrow_mut().injected(&text);
        match verdict {
            Verdict::Say(said) => Verdict::Say(format!("{said}\n{text}")),
            _ => Verdict::Say(text),
        }
    }
}
