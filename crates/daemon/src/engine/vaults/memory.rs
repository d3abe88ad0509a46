//! Memory: what sessions are given of the vaults, unasked.
//!
//! At its start a session hears one line of what the vaults know, and the notes that its person
//! pinned; at a prompt, the parts of notes that bear on it. What it was given is written down, and
//! is not given again while it is in the model's context.
//!
//! **Architecture Invariant:** nothing here is an error for a step. A vault that is slow, damaged
//! or not there means that nothing is said.

mod record;
#[cfg(test)]
mod stories;
mod telling;
mod why;

use std::{cell::RefCell, collections::BTreeMap, future::Future, rc::Rc, time::Duration};

use kite_rules::session::{Owner, SessionId};
use kite_store::Store;
use kite_vault::Prompt;
use tokio::time::timeout;

use super::super::Engine;
use crate::{
    config::settings::vault::Memory as Setting,
    dialects::{Step, Verdict, What},
    doors::Receipt,
    hands::vaults::Unanswered,
};
use record::{On, Record};
use telling::Telling;

/// Documents of this room: one for each session that was given something.
const KIND: &str = "memory";
/// Sessions whose records are kept: those that were given something last.
const RECORDS_MAX: usize = 200;
/// How long a prompt waits for the vaults. A hook has more patience than that.
const WAIT: Duration = Duration::from_millis(100);
/// How long the start of a session waits for them, the first look at a small vault included.
const WAIT_AT_START: Duration = Duration::from_millis(250);
/// Most that a session hears at its start besides pinned notes, in bytes: 120 tokens.
const START_BYTES_MAX: usize = 480;

/// What sessions were given.
#[derive(Debug, Default)]
pub(super) struct Memory {
    records: RefCell<BTreeMap<SessionId, Record>>,
    /// What hooks are writing out.
    telling: RefCell<Vec<Telling>>,
}

impl Memory {
    fn with<T>(&self, session: SessionId, run: impl FnOnce(&mut Record) -> T) -> T {
        run(self.records.borrow_mut().entry(session).or_default())
    }
}

impl<S: Store> Engine<S> {
    /// The verdict on this step, with what the vaults have for it. The receipt tells whether the
    /// model was given it; what is not heard at this step waits as a notice, and counts as given.
    pub(in super::super) async fn with_memory(
        self: &Rc<Self>,
        owner: &Owner,
        step: &Step,
        is_heard: bool,
        verdict: Verdict,
    ) -> (Verdict, Option<Receipt>) {
        let (verdict, receipt) = match &step.what {
            What::SessionStart if self.memory_of(owner) >= Setting::Search => {
                self.memory_at_start(owner, step, verdict).await
            }
            What::Prompt { text, .. } if self.memory_of(owner) == Setting::Inject => {
                self.memory_for_prompt(owner, step, text).await
            }
            _ => return (verdict, None),
        };
        match receipt {
            Some(receipt) if !is_heard => {
                receipt.give();
                (verdict, None)
            }
            receipt => (verdict, receipt),
        }
    }

    /// What the vaults have for the start of a session, beside its greeting.
    async fn memory_at_start(
        self: &Rc<Self>,
        owner: &Owner,
        step: &Step,
        greeting: Verdict,
    ) -> (Verdict, Option<Receipt>) {
        self.take_up_record(owner.session, step);
        let tokens_max = match self.memory_of(owner) {
            Setting::Inject => self.settings.of(owner.session).vault.memory_prompt_tokens,
            // That there are notes, and none of them.
            Setting::Search | Setting::Off => 0,
        };
        let (seen, _) = self.vaults.memory.known_to(owner.session);
        let session = owner.session;
        let opening = async {
            if !self.vaults_are_known(session).await {
                return Err(Unanswered::NotYet);
            }
            let reach = self.vault_reach(session);
            let tokens_max = usize::try_from(tokens_max).unwrap_or(usize::MAX);
            let ask = self
                .vaults
                .hand
                .ask(move |searcher| searcher.opening(&reach, &seen, tokens_max));
            ask.await
        };
        let Some(opening) = self.in_time(session, WAIT_AT_START, opening).await else {
            return (greeting, None);
        };
        let said = match greeting {
            Verdict::Say(text) => text,
            _ => String::new(),
        };
        let mut parts = vec![said.clone()];
        let map = match opening.map.as_str() {
            "" => String::new(),
            map => format!("Kite's vault has {map}; kite_vault_search searches them."),
        };
        if said.len() + map.len() < START_BYTES_MAX {
            parts.push(map);
        }
        parts.push(opening.pinned.text.clone());
        let receipt = self.tell_notes(session, On::Start, opening.pinned);
        (said_together(parts), receipt)
    }

    /// What the vaults have for a prompt.
    async fn memory_for_prompt(
        self: &Rc<Self>,
        owner: &Owner,
        step: &Step,
        text: &str,
    ) -> (Verdict, Option<Receipt>) {
        let session = owner.session;
        self.take_up_record(session, step);
        let settings = self.settings.of(session);
        let (seen, given) = self.vaults.memory.known_to(session);
        let left = settings.vault.memory_session_tokens.saturating_sub(given);
        let tokens_max = left.min(settings.vault.memory_prompt_tokens);
        if tokens_max == 0 {
            return (Verdict::Pass, None);
        }
        let (text, reach) = (text.to_owned(), self.vault_reach(session));
        let now_ms = i64::try_from(self.now().wall_ms).unwrap_or(i64::MAX);
        let recalled = self.vaults.hand.ask(move |searcher| {
            searcher.recall(&Prompt {
                text: &text,
                reach: &reach,
                seen: &seen,
                tokens_max: usize::try_from(tokens_max).unwrap_or(usize::MAX),
                now_ms,
            })
        });
        let recalled = self.in_time(session, WAIT, recalled).await;
        // A folder that came since, or trust that was taken back, counts from the next prompt on.
        // Looking for them is not to keep this one waiting.
        self.begin_vaults(session);
        let Some(recalled) = recalled else {
            return (Verdict::Pass, None);
        };
        let verdict = said_together(vec![recalled.text.clone()]);
        (verdict, self.tell_notes(session, On::Prompt, recalled))
    }

    /// How much this session hears unasked. A subagent hears nothing: it works on what its session
    /// gave it.
    fn memory_of(&self, owner: &Owner) -> Setting {
        match owner.agent {
            Some(_) => Setting::Off,
            None => self.settings.of(owner.session).vault.memory,
        }
    }

    /// Names the vaults of a session's project and has them looked through; false where there is
    /// no folder to look through.
    async fn vaults_are_known(&self, session: SessionId) -> bool {
        let found = self.store.read(|ledger| {
            let session = ledger.sessions.get(&session)?;
            Some((session.project.clone(), session.worktree.clone()))
        });
        let Some((project, worktree)) = found else {
            return false;
        };
        if !self.has_notes(&project, worktree.as_deref()).await {
            return false;
        }
        self.know_vault(&project, worktree.as_deref()).await;
        self.vaults.hand.caught_up(WAIT_AT_START / 2).await;
        true
    }

    /// What the vaults answer, if they do in time. A failure is for the log alone.
    async fn in_time<T>(
        &self,
        session: SessionId,
        wait: Duration,
        asked: impl Future<Output = Result<T, Unanswered>>,
    ) -> Option<T> {
        let outcome = match timeout(wait, asked).await {
            Ok(Ok(answer)) => return Some(answer),
            Ok(Err(Unanswered::NotYet)) => return None,
            Ok(Err(Unanswered::Busy)) => "the vault is busy".to_owned(),
            Ok(Err(Unanswered::Failed(fault))) => fault.to_string(),
            Err(_) => format!("the vault gave no answer in {} ms", wait.as_millis()),
        };
        self.note_of("vault", "memory", session, None, Some(outcome));
        None
    }

    /// Finds what this session was given: by an earlier daemon, or in an earlier session of the
    /// same conversation. What is no longer in the model's context is forgotten.
    fn take_up_record(&self, session: SessionId, step: &Step) {
        let conversation = step.client_session_id.as_deref();
        let known = self.vaults.memory.records.borrow().contains_key(&session);
        if !known {
            let key = session.to_string();
            let kept = self.store.read(|ledger| {
                let own = ledger.documents.get(KIND, &key).map(Record::read);
                own.or_else(|| {
                    let all = ledger
                        .documents
                        .of(KIND)
                        .map(|(_, body)| Record::read(body));
                    let same = all.filter(|it| {
                        conversation.is_some() && it.conversation.as_deref() == conversation
                    });
                    same.max_by_key(|it| it.last_ms).map(Record::resumed)
                })
            });
            self.vaults
                .memory
                .records
                .borrow_mut()
                .insert(session, kept.unwrap_or_default());
        }
        self.vaults.memory.with(session, |record| {
            record.is_in(conversation);
            if step.context_lost {
                record.forget_seen();
            }
        });
    }

    /// The session is over; what it was given is kept on disk.
    pub(in super::super) fn forget_memory(&self, session: SessionId) {
        self.vaults.memory.records.borrow_mut().remove(&session);
    }
}

/// What there is, on lines of its own.
fn said_together(mut parts: Vec<String>) -> Verdict {
    parts.retain(|part| !part.is_empty());
    if parts.is_empty() {
        return Verdict::Pass;
    }
    Verdict::Say(parts.join("\n"))
}
