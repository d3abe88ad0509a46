//! The entries of a journal, as they are written.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::{git::Side, hash::Hash, path_text::PathText, place::Shape};

/// Paths that a shortened entry still names.
const PATHS_SHORT_MAX: usize = 100;

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// What `kite undo` takes. Where the entry has a snapshot, also the number of its ref.
    pub number: u64,
    /// Wall clock, in milliseconds since 1970.
    pub at_ms: u64,
    /// The working copy's top directory.
    pub worktree: PathText,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    #[serde(flatten)]
    pub kind: EntryKind,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum EntryKind {
    /// A tool changed files: an editing tool one, a shell command any.
    Edit {
        changes: Vec<Change>,
        /// The shell command, where that was the tool.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        command: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tool: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tool_use_id: Option<String>,
    },
    /// Everything uncommitted went to `refs/kite/rescue/<number>`.
    Snapshot {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        command: Option<String>,
        commit: String,
        /// The first of them; the snapshot itself has them all.
        files: Vec<PathText>,
        files_count: usize,
    },
    /// What a snapshot's files were right after the command it was taken for. Has its number.
    After { files: Vec<(PathText, Version)> },
    /// Commits went out of reach of their branch; `refs/kite/rescue/<number>` holds the last one.
    Lost {
        /// The branch (`refs/heads/side`), or `HEAD` where none was checked out.
        reference: String,
        commit: String,
        /// The first line of its message.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        subject: Option<String>,
        /// Where the branch went; `None` where it was deleted.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        moved_to: Option<String>,
    },
    /// Something was brought back.
    Undo {
        /// The numbers that were undone.
        of: Vec<u64>,
        /// Of those, only this file or what is below this directory.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        only: Option<PathText>,
        /// The snapshot of what was there before the undo.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        safety: Option<u64>,
        changes: Vec<Change>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        index: Vec<IndexChange>,
    },
}

/// One file, before and after.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Relative to the working copy's top.
    pub path: PathText,
    pub before: Version,
    pub after: Version,
}

/// One file's content at one moment, by its hash. Whether the content itself is still kept is
/// for the store to say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Version {
    /// There was no file.
    Absent,
    File {
        hash: Hash,
        shape: Shape,
    },
    /// Nobody looked, or it could not be read.
    Unknown,
}

/// One entry of git's index, before and after.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexChange {
    pub path: PathText,
    pub before: Option<Side>,
    pub after: Option<Side>,
}

impl Entry {
    /// The paths that it names.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        let (changes, files): (&[Change], &[PathText]) = match &self.kind {
            EntryKind::Edit { changes, .. } | EntryKind::Undo { changes, .. } => (changes, &[]),
            EntryKind::Snapshot { files, .. } => (&[], files),
            EntryKind::After { .. } | EntryKind::Lost { .. } => (&[], &[]),
        };
        let changed = changes.iter().map(|change| change.path.as_path());
        changed.chain(files.iter().map(PathText::as_path))
    }

    /// Whether [`Entry::paths`] are all that it has.
    pub(super) fn names_all(&self) -> bool {
        match &self.kind {
            EntryKind::Edit { changes, .. } => !changes.is_empty(),
            EntryKind::Snapshot {
                files, files_count, ..
            } => !files.is_empty() && files.len() == *files_count,
            EntryKind::After { .. } | EntryKind::Lost { .. } | EntryKind::Undo { .. } => false,
        }
    }

    pub(super) fn tool_use_id(&self) -> Option<&str> {
        match &self.kind {
            EntryKind::Edit { tool_use_id, .. } => tool_use_id.as_deref(),
            _ => None,
        }
    }

    /// With fewer paths, for a line that would be too long.
    pub(super) fn shortened(&self) -> Entry {
        let mut entry = self.clone();
        match &mut entry.kind {
            EntryKind::Edit { changes, .. } => changes.truncate(PATHS_SHORT_MAX),
            EntryKind::Snapshot { files, .. } => files.truncate(PATHS_SHORT_MAX),
            EntryKind::After { files } => files.truncate(PATHS_SHORT_MAX),
            EntryKind::Lost { .. } => {}
            EntryKind::Undo { changes, index, .. } => {
                changes.truncate(PATHS_SHORT_MAX);
                index.truncate(PATHS_SHORT_MAX);
            }
        }
        entry
    }
}
