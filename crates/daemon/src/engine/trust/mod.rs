//! What a person trusts a repository to run.

use std::rc::Rc;

use kite_store::Store;
use kite_wire::{
    reply::Fault,
    request::{Envelope, TrustSet, TrustShow},
};

use super::Engine;
use crate::doors::Connection;

impl<S: Store> Engine<S> {
    pub(super) async fn trust_show(
        self: &Rc<Self>,
        _connection: &Connection,
        _envelope: &Envelope,
        _request: TrustShow,
    ) -> Result<Vec<u8>, Fault> {
        Err(Fault::new("not_built", "`trust_show` is not built yet"))
    }

    pub(super) async fn trust_set(
        self: &Rc<Self>,
        _connection: &Connection,
        _envelope: &Envelope,
        _request: TrustSet,
    ) -> Result<Vec<u8>, Fault> {
        Err(Fault::new("not_built", "`trust_set` is not built yet"))
    }
}
