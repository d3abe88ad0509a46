//! Stale contracts: a session has read a file, and another has changed what that file exports.

use kite_rules::{session::Owner, touch::Content};
use kite_store::Store;

use super::Engine;
use crate::hands::files::File;

/// Readers whose view of a file's exports may be out of date.
#[derive(Debug, Default)]
pub(super) struct Contracts {}

impl<S: Store> Engine<S> {
    /// A file has been changed by `owner`, and holds `content` now: those who saw it before may
    /// have to be told. Called before the touch log learns of the change.
    pub(super) fn contract_may_have_changed(
        &self,
        _owner: &Owner,
        _key: &str,
        _file: &File,
        _content: Content,
    ) {
        let _ = &self.contracts;
    }

    /// What this owner is to be told of exports that changed since it read them; each once.
    pub(super) async fn stale_contracts(&self, _owner: &Owner) -> Vec<String> {
        Vec::new()
    }

    /// Why this new text is refused: it uses a name that has changed since this owner read it.
    /// Once; the same edit, repeated, passes.
    pub(super) fn uses_stale_contract(&self, _owner: &Owner, _text: &str) -> Option<String> {
        None
    }
}
