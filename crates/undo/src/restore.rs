//! The way back: one file, a session's edits, a snapshot, or the state before one tool call.
//!
//! Each change to undo has a *base* (what the file was right after it) and a *theirs* (what it was
//! before it, which is to come back). Where the file is still as in the base, the old content
//! simply comes back; else what came later is merged with it, by git's own three-way merge. A
//! snapshot of what is there now is taken first, so an undo can be undone, too.
//!
//! **Architecture Invariant:** never overwrites a content that is not kept somewhere else.

mod apply;
mod content;
mod merge;
mod plan;
mod worktree;

use std::path::PathBuf;

use crate::{error::Error, history::History};

/// What is to be undone. With nothing set, the latest entry of this working copy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// One entry or snapshot.
    pub number: Option<u64>,
    /// All edits of a session that are not undone yet; with a number, only if it is that session's.
    pub session: Option<String>,
    /// All edits of one tool call.
    pub tool_use_id: Option<String>,
    /// Only this file, or what is below this directory. Alone: the latest entry that names it.
    pub path: Option<PathBuf>,
}

/// How to undo.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UndoOptions {
    /// Only say what would happen.
    pub dry_run: bool,
    /// Who undoes, for the journal.
    pub session: Option<String>,
    /// Wall clock, in milliseconds since 1970.
    pub at_ms: u64,
}

/// What an undo did, or would do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// The numbers that were undone.
    pub of: Vec<u64>,
    /// What undoes this undo; `None` in a dry run, or where nothing changed.
    pub number: Option<u64>,
    pub paths: Vec<PathReport>,
    /// Paths that are staged again as they were, or would be.
    pub staged: Vec<PathBuf>,
    /// Why the index could not be written, in git's words. The files are back all the same.
    pub index_failed: Option<String>,
    /// Of a snapshot: the commit and the branch that were checked out then, if `HEAD` is another
    /// commit now. An undo moves neither.
    pub head_then: Option<(String, Option<String>)>,
}

/// What became of one path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathReport {
    pub path: PathBuf,
    pub outcome: Outcome,
}

/// How a path came out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// As it was before, byte for byte.
    Restored,
    /// Gone again: the change had made it.
    Removed,
    /// Merged with what came later, without conflict.
    Merged,
    /// Merged, with conflicts marked as git marks them.
    Conflict,
    /// Not mergeable: what is there stays, and the old content stands beside it.
    Beside(PathBuf),
    /// It is that way already.
    Unchanged,
    LeftAlone(LeftAlone),
}

/// Why a path was left alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeftAlone {
    /// Its old content is not there: secret, too large, or pruned.
    NotKept,
    /// The change had made it, and somebody changed it since.
    ChangedSince,
    /// A directory, a link, a permission or a full disk is in the way, or it is too large.
    InTheWay,
    /// What is there now could not be kept, so it is not overwritten.
    NotSaved,
}

/// One file of an entry, for looking at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownFile {
    pub path: PathBuf,
    /// Of a snapshot: the file in `HEAD`.
    pub before: Shown,
    /// Of a snapshot: the file as it was kept.
    pub after: Shown,
}

/// A content for looking at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shown {
    Absent,
    Content(Vec<u8>),
    /// It is not known, or not kept.
    NotKept,
}

pub(crate) fn undo(
    history: &History,
    selection: &Selection,
    options: &UndoOptions,
) -> Result<Report, Error> {
    let plan = match plan::make(history, selection) {
        Err(Error::WorktreeGone { top, number }) if !options.dry_run => {
            worktree::add_again(history, &top, number)?;
            plan::make(history, selection)?
        }
        plan => plan?,
    };
    if plan.top != history.top {
        // An entry of another worktree of the project is undone there.
        let home = history.directory.parent().unwrap_or(&history.directory);
        let there = History::open(home, &plan.top, history.settings.clone())?;
        if there.top != history.top {
            return undo(&there, selection, options);
        }
    }
    apply::apply(history, &plan, options)
}

pub(crate) fn show(history: &History, number: u64) -> Result<Vec<ShownFile>, Error> {
    plan::show(history, number)
}

impl Outcome {
    /// Whether the undo wrote or removed something.
    #[must_use]
    pub fn is_change(&self) -> bool {
        !matches!(self, Outcome::Unchanged | Outcome::LeftAlone(_))
    }
}
