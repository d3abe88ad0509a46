//! The uncommitted files of a worktree, as facts from outside.

/// One uncommitted file and whose it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dirty<'a> {
    /// Relative to the top of the worktree, with `/`.
    pub path: &'a str,
    pub state: DirtyState,
    /// The asking session touched it last.
    pub mine: bool,
    /// The other live session that touched it last. With `mine`, both have work in it: such a file
    /// makes nothing certain, and no alternative throws it away.
    pub theirs: Option<&'a str>,
}

/// How a file differs from the last commit, as `git status --porcelain -uall` tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DirtyState {
    /// ` M`: changed in the work tree only.
    Modified,
    /// ` D`: deleted in the work tree only.
    Deleted,
    /// `??`
    Untracked,
    /// `!!`
    Ignored,
    /// `M `: a change of a committed file, staged.
    Staged,
    /// `MM`, `MD`: staged, then changed again.
    StagedModified,
    /// `A `: a new file, staged. A rename's new name is one.
    Added,
    /// `AM`, `AD`: a new file, staged, then changed again.
    AddedModified,
    /// `D `: a deletion, staged. A rename's old name is one.
    Removed,
    /// Conflicts, intent-to-add, anything else: many commands refuse, so nothing is certain while
    /// there is one.
    Unsettled,
}

impl DirtyState {
    /// From the two letters of `git status --porcelain` (version 1, or 2 with its dots).
    #[must_use]
    pub fn from_porcelain(index: u8, worktree: u8) -> DirtyState {
        let untouched = matches!(worktree, b' ' | b'.');
        match (index, worktree) {
            (b'?', _) => DirtyState::Untracked,
            (b'!', _) => DirtyState::Ignored,
            (b'A', b'A') | (b'D', b'D') | (b'U', _) | (_, b'U' | b'A') => DirtyState::Unsettled,
            (b'M' | b'T', _) if untouched => DirtyState::Staged,
            (b'M' | b'T', _) => DirtyState::StagedModified,
            (b'A' | b'R' | b'C', _) if untouched => DirtyState::Added,
            (b'A' | b'R' | b'C', _) => DirtyState::AddedModified,
            (b'D', _) => DirtyState::Removed,
            (b' ' | b'.', b'M' | b'T') => DirtyState::Modified,
            (b' ' | b'.', b'D') => DirtyState::Deleted,
            _ => DirtyState::Unsettled,
        }
    }

    /// The work tree differs from the index.
    pub(crate) fn in_worktree(self) -> bool {
        use DirtyState::{AddedModified, Deleted, Modified, StagedModified};
        matches!(self, Modified | Deleted | StagedModified | AddedModified)
    }

    /// The index differs from the last commit.
    pub(crate) fn in_index(self) -> bool {
        use DirtyState::{Added, AddedModified, Removed, Staged, StagedModified};
        matches!(
            self,
            Staged | StagedModified | Added | AddedModified | Removed
        )
    }

    /// git knows the file.
    pub(crate) fn tracked(self) -> bool {
        self.in_worktree() || self.in_index()
    }

    /// Not in the last commit.
    pub(crate) fn uncommitted(self) -> bool {
        matches!(self, DirtyState::Added | DirtyState::AddedModified)
    }
}
