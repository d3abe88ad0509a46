//! A file has changed by an owner's doing, through whatever tool: who else must know.

use kite_rules::{session::Owner, touch::Content};
use kite_store::Store;

use super::{Engine, callers::text};
use crate::hands::files::File;

impl<S: Store> Engine<S> {
    /// Remembers that this owner changed a file and left this content. The one place where a
    /// change is attributed to somebody: edits and shell commands both end here.
    pub(super) fn file_changed(&self, owner: &Owner, file: &File, content: Content) {
        let (key, shown) = (text(&file.key), self.shown(owner, file));
        self.contract_may_have_changed(owner, &key, file, content);
        self.touches
            .borrow_mut()
            .changed(&key, &shown, owner, content, self.now());
        self.last_known(file, content);
        self.worktree_changed(owner, file);
        self.note_of("touch", "edited", owner.session, Some(shown), None);
    }
}
