//! Worktrees of one project whose uncommitted or unmerged changes would conflict.

use kite_rules::session::Owner;
use kite_store::Store;

use super::Engine;

/// Pairs of worktrees, and when they were last compared.
#[derive(Debug, Default)]
pub(super) struct Worktrees {}

impl<S: Store> Engine<S> {
    /// Something in the working copy of this owner has changed.
    pub(super) fn worktree_changed(&self, _owner: &Owner) {
        let _ = &self.worktrees;
    }
}
