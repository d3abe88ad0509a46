//! Worktrees that Kite makes and removes.

use std::rc::Rc;

use kite_store::Store;
use kite_wire::{
    reply::Fault,
    request::{Envelope, WorktreeList, WorktreeRemove},
};

use super::Engine;
use crate::doors::Connection;

impl<S: Store> Engine<S> {
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
