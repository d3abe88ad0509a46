//! From what is chosen to what was given: a note counts once the hook has written it out.

use std::rc::Rc;

use kite_rules::session::SessionId;
use kite_store::{Document, Store};
use kite_vault::{Recalled, Seen};
use tokio::sync::oneshot;

use super::{
    KIND, Memory, RECORDS_MAX,
    record::{On, Record},
};
use crate::{
    doors::Receipt,
    engine::{Engine, prevented},
};

/// Notes that a hook is writing out.
#[derive(Debug)]
pub(super) struct Telling {
    session: SessionId,
    on: On,
    given: Rc<Recalled>,
}

impl Memory {
    /// The notes that a session has or is about to have, and the tokens that its prompts took.
    pub(super) fn known_to(&self, session: SessionId) -> (Vec<Seen>, u64) {
        let (mut seen, mut tokens) = self.with(session, |it| (it.seen(), it.tokens));
        let telling = self.telling.borrow();
        for now in telling.iter().filter(|it| it.session == session) {
            seen.extend(now.given.notes.iter().map(|note| note.seen.clone()));
            tokens = tokens.saturating_add(now.on.tokens_of(&now.given));
        }
        (seen, tokens)
    }

    fn no_longer_telling(&self, given: &Rc<Recalled>) {
        let mut telling = self.telling.borrow_mut();
        telling.retain(|it| !Rc::ptr_eq(&it.given, given));
    }
}

impl<S: Store> Engine<S> {
    /// Goes with the answer that has these notes. They are not chosen again while it is on its way.
    pub(super) fn tell_notes(
        self: &Rc<Self>,
        session: SessionId,
        on: On,
        given: Recalled,
    ) -> Option<Receipt> {
        if given.notes.is_empty() {
            return None;
        }
        let (receipt, told) = Receipt::new();
        let given = Rc::new(given);
        self.vaults.memory.telling.borrow_mut().push(Telling {
            session,
            on,
            given: Rc::clone(&given),
        });
        let engine = Rc::clone(self);
        tokio::task::spawn_local(async move { engine.told_notes(session, on, given, told).await });
        Some(receipt)
    }

    /// Waits for what becomes of the receipt, and writes down what was given: here at once, and on
    /// disk.
    async fn told_notes(
        &self,
        session: SessionId,
        on: On,
        given: Rc<Recalled>,
        told: oneshot::Receiver<()>,
    ) {
        let is_told = told.await.is_ok();
        self.vaults.memory.no_longer_telling(&given);
        if !is_told {
            let outcome = Some("the hook ended before it had told: it comes again".to_owned());
            self.note_of("vault", "memory", session, None, outcome);
            return;
        }
        self.count(prevented::NOTES, 1);
        self.prevented.borrow_mut().injected(&given.text);
        let now_ms = self.now().wall_ms;
        let project = self
            .store
            .read(|ledger| Some(ledger.sessions.get(&session)?.project.clone()));
        let record = {
            let mut records = self.vaults.memory.records.borrow_mut();
            let mut record = match records.get(&session) {
                Some(record) => record.clone(),
                // The session is over meanwhile.
                None => self.kept_record(session).unwrap_or_default(),
            };
            record.project = project.or(record.project.take());
            record.give(on, now_ms, &given);
            if let Some(known) = records.get_mut(&session) {
                known.clone_from(&record);
            }
            record
        };
        self.keep_record(session, &record).await;
    }

    /// What an earlier daemon, or an earlier step of an ended session, has written down.
    pub(super) fn kept_record(&self, session: SessionId) -> Option<Record> {
        let key = session.to_string();
        self.store
            .read(|ledger| ledger.documents.get(KIND, &key).map(Record::read))
    }

    async fn keep_record(&self, session: SessionId, record: &Record) {
        let key = session.to_string();
        let mut documents = vec![Document::put(KIND, &key, record.body())];
        let mut others: Vec<(u64, String)> = self.store.read(|ledger| {
            let others = ledger.documents.of(KIND).filter(|(other, _)| *other != key);
            others
                .map(|(other, body)| (Record::read(body).last_ms, other.to_owned()))
                .collect()
        });
        others.sort_unstable();
        let too_many = (others.len() + 1).saturating_sub(RECORDS_MAX);
        let oldest = others.iter().take(too_many);
        documents.extend(oldest.map(|(_, other)| Document::forget(KIND, other)));
        if let Err(error) = self.store.keep_documents(&documents, self.now()).await {
            let outcome = Some(format!("what was given is not kept: {error}"));
            self.note_of("vault", "memory", session, None, outcome);
        }
    }
}
