//! What a person trusts a repository to run.
//!
//! **Architecture Invariant:** only a person trusts, and only what they were shown. Nothing here
//! runs any of the repository's code.

use std::rc::Rc;

use kite_store::Store;
use kite_wire::{
    reply::Fault,
    request::{Envelope, TrustSet, TrustShow},
};

use super::Engine;
use crate::doors::Connection;

/// The kind of the documents of this room; the key is the project's.
const KIND: &str = "trust";

/// What trust is needed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Running agents: all that the repository has run by itself is as the person saw it.
    Agents,
    /// Running the project's own tools; each is looked at by itself.
    Tools,
    /// Reading and writing the repository's vault.
    Vault,
}

impl<S: Store> Engine<S> {
    /// Whether the person trusts this project for that.
    ///
    /// # Errors
    /// `not_trusted`, in words that also an agent may read.
    pub(super) async fn trusts(&self, project: &str, purpose: Purpose) -> Result<(), Fault> {
        let _ = purpose;
        let known = self
            .store
            .read(|ledger| ledger.documents.get(KIND, project).is_some());
        if known {
            return Ok(());
        }
        Err(Fault::new("not_trusted", "This project is not trusted yet: what its repository would run is not known to be wanted; nothing was done.")
            .hint("Ask the person to run `kite trust` here."))
    }

    /// Trusts a project as it is, for stories.
    #[cfg(test)]
    #[expect(dead_code, reason = "the rooms that need trust come to use it")]
    pub(super) async fn trust_as_it_is(&self, project: &str) {
        let document = kite_store::Document::put(KIND, project, "{}".to_owned());
        self.store
            .keep_documents(&[document], self.now())
            .await
            .unwrap();
    }

    pub(super) async fn trust_show(
        self: &Rc<Self>,
        _connection: &Connection,
        _envelope: &Envelope,
        _request: TrustShow,
    ) -> Result<Vec<u8>, Fault> {
        Err(Fault::new("not_built", "`trust_show` is not built yet"))
    }

    pub(super) async fn trust_set(
        self: &Rc<Self>,
        _connection: &Connection,
        _envelope: &Envelope,
        _request: TrustSet,
    ) -> Result<Vec<u8>, Fault> {
        Err(Fault::new("not_built", "`trust_set` is not built yet"))
    }
}
