//! What a person does with the vault: reviewing notes, making the index anew.

use std::{rc::Rc, time::Instant};

use kite_store::Store;
use kite_vault::Reach;
use kite_wire::{
    reply::{Event, Fault, ok_line, vault::Reindexed},
    request::{Envelope, VaultReindex, VaultReview},
};

use super::{
    super::Engine,
    faults,
    looking::{hexadecimal, shown},
};
use crate::doors::Connection;

impl<S: Store> Engine<S> {
    pub(in super::super) async fn vault_review(
        self: &Rc<Self>,
        connection: &Connection,
        envelope: &Envelope,
        request: VaultReview,
    ) -> Result<Vec<u8>, Fault> {
        self.only_a_person(connection, envelope).await?;
        let mut found = self.find_note(&request.path, &Reach::everything()).await?;
        let read = self.read_note(&found).await?;
        if hexadecimal(&read.hash) != request.hash {
            return Err(Fault::new(
                "stale_write",
                format!(
                    "{} is not what was looked at: it has changed",
                    shown(&found.listed.path)
                ),
            )
            .hint("Look at it again, and give the `hash` that `vault_read` answers."));
        }
        let (vault, path) = (found.vault.clone(), found.listed.in_vault.clone());
        let review = move || vault.review(&path, &read.hash);
        let reviewed = tokio::task::spawn_blocking(review).await;
        reviewed
            .map_err(|_| faults::broken("the note could not be marked".to_owned()))?
            .map_err(|error| faults::of_vault(&error))?;
        let path = found.listed.path.clone();
        self.vaults.hand.changed(path.clone());
        self.log_vault("reviewed", Some(shown(&path)), None);
        found.listed.reviewed = true;
        let read = self.read_note(&found).await?;
        Ok(ok_line(envelope.id, &self.text_shown(&found, &read)))
    }

    pub(in super::super) async fn vault_reindex(
        self: &Rc<Self>,
        connection: &Connection,
        envelope: &Envelope,
        _request: VaultReindex,
    ) -> Result<Vec<u8>, Fault> {
        self.only_a_person(connection, envelope).await?;
        let began = Instant::now();
        let scan = self.vaults.hand.rebuild().await.map_err(faults::broken)?;
        self.log_vault("reindexed", None, Some(format!("{} notes", scan.notes)));
        let body = Reindexed {
            notes: scan.notes as u64,
            skipped: scan.skipped as u64,
            took_ms: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
        };
        Ok(ok_line(envelope.id, &body))
    }

    /// Only a person goes on from here, with the vaults known.
    async fn only_a_person(
        self: &Rc<Self>,
        connection: &Connection,
        envelope: &Envelope,
    ) -> Result<(), Fault> {
        self.person(connection, envelope).await?;
        self.vault_asker(connection, envelope, None).await?;
        Ok(())
    }

    fn log_vault(&self, what: &str, target: Option<String>, outcome: Option<String>) {
        self.note(Event {
            kind: "vault".into(),
            what: what.to_owned(),
            target,
            outcome,
            ..Event::default()
        });
    }
}
