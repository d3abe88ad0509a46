//! What is kept of files before agents change them: contents for single edits, snapshots before
//! git commands. The files of it belong to `kite undo`, which needs no daemon.

use std::{
    cell::RefCell,
    collections::HashMap,
    path::{Path, PathBuf},
    time::Duration,
};

use kite_rules::session::Owner;
use kite_store::Store;
use kite_undo::{
    Edit, History, PathText,
    journal::{Change, Version},
};

use super::{
    Engine, aftermath,
    calls::{CallKey, call_key},
};

/// An edit waits at most so long for the content before it to be kept.
const KEEP_MAX: Duration = Duration::from_millis(250);
/// Calls under way for which the content before is known.
const EDITS_MAX: usize = 1_024;

/// A file's content before an edit that is under way.
#[derive(Debug)]
pub(super) struct Before {
    path: PathBuf,
    version: Version,
}

#[derive(Debug, Default)]
pub(super) struct Keeping {
    edits: RefCell<HashMap<CallKey, Vec<Before>>>,
    /// Snapshots taken before a call's command: where, and which.
    pub(super) snapshots: RefCell<HashMap<String, (PathBuf, u64)>>,
}

impl<S: Store> Engine<S> {
    /// Records edits of the working copy that the session stands in. Starts no git.
    fn history(&self, owner: &Owner) -> Option<History> {
        let (top, common_directory) = self.store.read(|ledger| {
            let session = ledger.sessions.get(&owner.session)?;
            Some((session.worktree.clone()?, session.project.clone()))
        })?;
        let home = self.identity.home.path();
        let (top, identity) = (Path::new(&top), Path::new(&common_directory));
        let limits = self.settings.of_home().undo();
        Some(History::recorder(home, top, identity, limits))
    }

    /// Keeps what a file holds before this call changes it. Whatever fails here only means that
    /// this edit cannot be undone.
    pub(super) async fn keep_before(&self, owner: &Owner, file: &Path, call: &str) {
        let keep = async {
            let history = self.history(owner)?;
            let path = file.to_owned();
            tokio::task::spawn_blocking(move || history.keep(&path).ok())
                .await
                .ok()?
        };
        let Ok(Some(version)) = tokio::time::timeout(KEEP_MAX, keep).await else {
            return;
        };
        let mut edits = self.keeping.edits.borrow_mut();
        if edits.len() >= EDITS_MAX {
            edits.clear();
        }
        let path = file.to_owned();
        let files = edits.entry(call_key(owner.session, call)).or_default();
        files.retain(|before| before.path != path);
        files.push(Before { path, version });
    }

    /// Records an edit that has happened, with what its files hold now.
    pub(super) async fn keep_after(&self, owner: &Owner, call: &str, tool: &str) {
        let key = call_key(owner.session, call);
        let before = self.keeping.edits.borrow_mut().remove(&key);
        let (Some(before), Some(history)) = (before, self.history(owner)) else {
            return;
        };
        let session = Some(owner.session.to_string());
        let (tool, tool_use_id) = (Some(tool.to_owned()), Some(call.to_owned()));
        let at_ms = self.now().wall_ms;
        let record = move || {
            let (mut changes, mut left) = (Vec::new(), Vec::new());
            for Before { path, version } in before {
                let sight = history.sight(&path, aftermath::print)?;
                changes.push(Change {
                    path: PathText::from(history.relative(&path)?.as_path()),
                    before: version,
                    after: sight.version(),
                });
                left.push((path, sight));
            }
            history.record(&Edit {
                changes,
                command: None,
                session,
                tool,
                tool_use_id,
                at_ms,
            })?;
            Ok::<_, kite_undo::Error>(left)
        };
        match tokio::task::spawn_blocking(record).await {
            Ok(Ok(left)) => {
                for (file, sight) in left {
                    self.edit_left(owner, &file, sight);
                }
            }
            Ok(Err(error)) => {
                let (what, why) = ("edit not kept for undo", error.to_string());
                self.note_of("undo", what, owner.session, None, Some(why));
            }
            Err(_) => {}
        }
    }

    /// The edit will not happen, or failed.
    pub(super) fn keep_nothing(&self, owner: &Owner, call: &str) {
        let key = call_key(owner.session, call);
        self.keeping.edits.borrow_mut().remove(&key);
    }
}
