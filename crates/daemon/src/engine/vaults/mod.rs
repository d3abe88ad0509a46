//! The vault: notes searched, written, and brought into sessions.

use std::rc::Rc;

use kite_store::Store;
use kite_wire::{
    reply::Fault,
    request::{
        Envelope, VaultList, VaultRead, VaultReindex, VaultReview, VaultSearch, VaultWhy,
        VaultWrite,
    },
};

use super::Engine;
use crate::doors::Connection;

impl<S: Store> Engine<S> {
    pub(super) async fn vault_search(
        self: &Rc<Self>,
        _connection: &Connection,
        _envelope: &Envelope,
        _request: VaultSearch,
    ) -> Result<Vec<u8>, Fault> {
        Err(Fault::new("not_built", "`vault_search` is not built yet"))
    }

    pub(super) async fn vault_write(
        self: &Rc<Self>,
        _connection: &Connection,
        _envelope: &Envelope,
        _request: VaultWrite,
    ) -> Result<Vec<u8>, Fault> {
        Err(Fault::new("not_built", "`vault_write` is not built yet"))
    }

    pub(super) async fn vault_list(
        self: &Rc<Self>,
        _connection: &Connection,
        _envelope: &Envelope,
        _request: VaultList,
    ) -> Result<Vec<u8>, Fault> {
        Err(Fault::new("not_built", "`vault_list` is not built yet"))
    }

    pub(super) async fn vault_read(
        self: &Rc<Self>,
        _connection: &Connection,
        _envelope: &Envelope,
        _request: VaultRead,
    ) -> Result<Vec<u8>, Fault> {
        Err(Fault::new("not_built", "`vault_read` is not built yet"))
    }

    pub(super) async fn vault_review(
        self: &Rc<Self>,
        _connection: &Connection,
        _envelope: &Envelope,
        _request: VaultReview,
    ) -> Result<Vec<u8>, Fault> {
        Err(Fault::new("not_built", "`vault_review` is not built yet"))
    }

    pub(super) async fn vault_reindex(
        self: &Rc<Self>,
        _connection: &Connection,
        _envelope: &Envelope,
        _request: VaultReindex,
    ) -> Result<Vec<u8>, Fault> {
        Err(Fault::new("not_built", "`vault_reindex` is not built yet"))
    }

    pub(super) async fn vault_why(
        self: &Rc<Self>,
        _connection: &Connection,
        _envelope: &Envelope,
        _request: VaultWhy,
    ) -> Result<Vec<u8>, Fault> {
        Err(Fault::new("not_built", "`vault_why` is not built yet"))
    }
}
