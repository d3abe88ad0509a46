//! Worktrees that Kite makes and removes.
//!
//! A worktree is a document of the kind `checkout`: written before git is asked for anything, and
//! again when it is there, so that none is forgotten whatever dies in between.

use std::{
    path::{Path, PathBuf},
    rc::Rc,
};

use kite_store::Store;
use kite_wire::{
    reply::{Fault, checkouts::CheckoutRemoved},
    request::{Envelope, WorktreeList, WorktreeRemove},
};

use super::Engine;
use crate::doors::Connection;

/// The worktree that is wanted.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    /// Full id of the agent that is to work in it.
    pub(super) agent: Option<String>,
    /// What it is for, in a few words: a task's title. They become part of the branch's name.
    pub(super) about: String,
    /// The branch, tag or commit to begin with; otherwise what is checked out in the directory.
    pub(super) base: Option<String>,
}

/// A worktree that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Checkout {
    /// 32 hexadecimal digits.
    pub(super) id: String,
    /// Absolute and canonical.
    pub(super) path: PathBuf,
    /// `kite/<words>-<first 8 of id>`.
    pub(super) branch: String,
    /// The commit that it began with.
    pub(super) base: String,
}

/// What may be given up when a worktree is removed; by default nothing is.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Removal {
    /// Its branch is not merged: the branch stays.
    pub(super) unmerged: bool,
    /// Files are not committed: they are first kept as a snapshot under `refs/kite/rescue/`.
    pub(super) uncommitted: bool,
}

impl<S: Store> Engine<S> {
    /// Makes a worktree of the repository that `directory` is in, with a branch of its own. Done to its
    /// end although whoever waits goes away; takes as long as the checkout of the repository does.
    ///
    /// # Errors
    /// `not_a_repository`, `invalid_field` (the base), `worktree_failed`: in each case nothing is
    /// left behind.
    pub(super) async fn make_checkout(
        self: &Rc<Self>,
        _directory: &Path,
        _wanted: Wanted,
    ) -> Result<Checkout, Fault> {
        Err(Fault::new("not_built", "worktrees are not built yet"))
    }

    /// The worktree with this id, where it is there.
    pub(super) fn checkout(&self, _id: &str) -> Option<Checkout> {
        None
    }

    /// Whether everything in it is committed, and its commits are in the branch it came from or in an
    /// upstream: it can be removed and nothing is lost. False where it is gone, or cannot be asked.
    pub(super) async fn checkout_is_merged_and_clean(self: &Rc<Self>, _id: &str) -> bool {
        false
    }

    /// Removes a worktree where nothing is lost, but what `removal` allows.
    ///
    /// # Errors
    /// `unknown_worktree`, `worktree_in_use`, `work_would_be_lost`, `worktree_failed`.
    pub(super) async fn remove_checkout(
        self: &Rc<Self>,
        _id: &str,
        _removal: Removal,
    ) -> Result<CheckoutRemoved, Fault> {
        Err(Fault::new("not_built", "worktrees are not built yet"))
    }

    pub(super) async fn worktree_list(
        self: &Rc<Self>,
        _connection: &Connection,
        _envelope: &Envelope,
        _request: WorktreeList,
    ) -> Result<Vec<u8>, Fault> {
        Err(Fault::new("not_built", "`worktree_list` is not built yet"))
    }

    pub(super) async fn worktree_remove(
        self: &Rc<Self>,
        _connection: &Connection,
        _envelope: &Envelope,
        _request: WorktreeRemove,
    ) -> Result<Vec<u8>, Fault> {
        Err(Fault::new(
            "not_built",
            "`worktree_remove` is not built yet",
        ))
    }
}
