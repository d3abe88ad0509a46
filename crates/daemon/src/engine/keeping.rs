//! What is kept of files before agents change them: contents for single edits, snapshots before
//! git commands. The files of it belong to `kite undo`, which needs no daemon.

use std::{
    cell::RefCell,
    collections::HashMap,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use kite_rules::session::Owner;
use kite_store::Store;
use kite_undo::{
    Edit, History, PathText, Settings,
    journal::{Change, Version},
};

use super::Engine;

/// An edit waits at most so long for the content before it to be kept.
const KEEP_MAX: Duration = Duration::from_millis(250);
/// Working copies whose history is held open.
const HISTORIES_MAX: usize = 64;
/// Edits under way whose content before is known.
const EDITS_MAX: usize = 1_024;

/// A file's content before an edit that is under way.
#[derive(Debug)]
pub(super) struct Before {
    path: PathBuf,
    version: Version,
}

#[derive(Debug, Default)]
pub(super) struct Keeping {
    histories: RefCell<HashMap<String, Arc<History>>>,
    /// By the id of the tool call.
    edits: RefCell<HashMap<String, Before>>,
    /// Snapshots taken before a call's command, by the id of the tool call: where, and which.
    pub(super) snapshots: RefCell<HashMap<String, (PathBuf, u64)>>,
}

impl<S: Store> Engine<S> {
    /// The history of the working copy that the session stands in.
    async fn history(&self, owner: &Owner) -> Option<Arc<History>> {
        let worktree = self.store.read(|ledger| {
            let session = ledger.sessions.get(&owner.session)?;
            session.worktree.clone()
        })?;
        if let Some(known) = self.keeping.histories.borrow().get(&worktree) {
            return Some(Arc::clone(known));
        }
        let home = self.identity.home.path().to_owned();
        let directory = PathBuf::from(&worktree);
        let open = move || History::open(&home, &directory, Settings::default()).ok();
        let history = Arc::new(tokio::task::spawn_blocking(open).await.ok()??);
        let mut histories = self.keeping.histories.borrow_mut();
        if histories.len() >= HISTORIES_MAX {
            histories.clear();
        }
        histories.insert(worktree, Arc::clone(&history));
        Some(history)
    }

    /// Keeps what a file holds before this call changes it. Whatever fails here only means that
    /// this edit cannot be undone.
    pub(super) async fn keep_before(&self, owner: &Owner, file: &Path, call: &str) {
        let keep = async {
            let history = self.history(owner).await?;
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
        edits.insert(call.to_owned(), Before { path, version });
    }

    /// Records an edit that has happened, with what the file holds now.
    pub(super) async fn keep_after(&self, owner: &Owner, call: &str, tool: &str) {
        let before = self.keeping.edits.borrow_mut().remove(call);
        let (Some(before), Some(history)) = (before, self.history(owner).await) else {
            return;
        };
        let edit = Edit {
            changes: Vec::new(),
            session: Some(owner.session.to_string()),
            tool: Some(tool.to_owned()),
            tool_use_id: Some(call.to_owned()),
            at_ms: self.now().wall_ms,
        };
        let record = move || {
            let after = history.keep(&before.path)?;
            let path = PathText::from(history.relative(&before.path)?.as_path());
            let change = Change {
                path,
                before: before.version,
                after,
            };
            history.record(&Edit {
                changes: vec![change],
                ..edit
            })
        };
        if let Ok(Err(error)) = tokio::task::spawn_blocking(record).await {
            let (what, why) = ("edit not kept for undo", error.to_string());
            self.note_of("undo", what, owner.session, None, Some(why));
        }
    }

    /// The edit will not happen, or failed.
    pub(super) fn keep_nothing(&self, call: &str) {
        self.keeping.edits.borrow_mut().remove(call);
    }
}
