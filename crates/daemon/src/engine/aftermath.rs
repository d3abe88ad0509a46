//! What a shell command changed: found after it ran, attributed to who ran it.

use kite_rules::{session::Owner, touch::Content};
use kite_store::Store;

use super::Engine;
use crate::hands::files::File;

/// What is known of the working copies' files, and of the commands that run.
#[derive(Debug, Default)]
pub(super) struct Aftermath {}

impl<S: Store> Engine<S> {
    /// A shell command is about to run. Costs the command nothing.
    pub(super) fn shell_begins(&self, _owner: &Owner, _command: &str, _call: &str) {
        let _ = &self.aftermath;
    }

    /// A shell command has run, or failed half-way: what it changed is looked for.
    pub(super) async fn shell_ended(&self, _owner: &Owner, _command: &str, _call: &str) {}

    /// A file's content is known to be this now.
    pub(super) fn last_known(&self, _key: &str, _file: &File, _content: Content) {}
}
