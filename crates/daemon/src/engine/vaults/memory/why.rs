//! What a session was given, when, and for which words: for whoever asks why.

use std::rc::Rc;

use kite_store::Store;
use kite_wire::{
    reply::{
        Fault, ok_line,
        vault::{Given, GivenNote, Why},
    },
    request::{Envelope, VaultWhy},
};

use super::{
    super::{super::Engine, asker::not_yours},
    KIND,
    record::{On, Record, Told},
};
use crate::{doors::Connection, translate::words::rfc3339};

impl<S: Store> Engine<S> {
    /// Answers for sessions that have ended too, as long as their records are kept.
    pub(in super::super::super) async fn vault_why(
        self: &Rc<Self>,
        connection: &Connection,
        envelope: &Envelope,
        request: VaultWhy,
    ) -> Result<Vec<u8>, Fault> {
        let asker = self.vault_asker(connection, envelope, None).await?;
        let (session, record) = self.record_of(request.session.trim())?;
        if !asker.is_person && record.project.as_deref() != Some(asker.project.as_str()) {
            return Err(not_yours());
        }
        let why = Why {
            session,
            tokens: record.tokens,
            given: record.told.iter().map(given).collect(),
            earlier: record.forgotten,
        };
        Ok(ok_line(envelope.id, &why))
    }

    /// By the session's id or the beginning of it, or the client's own.
    fn record_of(&self, wanted: &str) -> Result<(String, Record), Fault> {
        self.store.read(|ledger| {
            let ids = ledger.sessions.keys().map(ToString::to_string);
            let kept = ledger.documents.of(KIND).map(|(key, _)| key.to_owned());
            let mut all: Vec<String> = ids.chain(kept).collect();
            all.sort_unstable();
            all.dedup();
            let record = |id: &str| {
                let body = ledger.documents.get(KIND, id);
                let mut record = body.map(Record::read).unwrap_or_default();
                let of = |it: &kite_rules::session::Session| it.id.to_string() == id;
                if let Some(session) = ledger.sessions.values().find(|it| of(it)) {
                    record
                        .project
                        .get_or_insert_with(|| session.project.clone());
                    record.conversation = record.conversation.or(session.client_session_id.clone());
                }
                record
            };
            let named = |id: &String| {
                id.starts_with(wanted) || record(id).conversation.as_deref() == Some(wanted)
            };
            let mut found = all.into_iter().filter(|id| !wanted.is_empty() && named(id));
            let Some(id) = found.next() else {
                return Err(Fault::new(
                    "unknown_session",
                    "there is no session with that id, and none is remembered",
                )
                .hint("`kite status` shows those that run"));
            };
            if found.next().is_some() {
                return Err(Fault::new(
                    "unknown_session",
                    "several sessions have an id that begins so",
                )
                .hint("give more of it"));
            }
            let record = record(&id);
            Ok((id, record))
        })
    }
}

fn given(told: &Told) -> Given {
    Given {
        at: rfc3339(told.at_ms),
        on: match told.on {
            On::Start => "start",
            On::Prompt => "prompt",
        }
        .to_owned(),
        bytes: told.bytes,
        notes: told
            .notes
            .iter()
            .map(|note| GivenNote {
                path: note.path.to_string_lossy().into_owned(),
                heading: note.heading.clone(),
                words: note.words.clone(),
                reviewed: note.reviewed,
            })
            .collect(),
    }
}
