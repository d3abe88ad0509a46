//! Assignments and messages from one session to another.

use std::rc::Rc;

use kite_store::Store;
use kite_wire::{
    reply::Fault,
    request::{Dispatch, DispatchList, Envelope},
};

use super::Engine;
use crate::doors::Connection;

impl<S: Store> Engine<S> {
    pub(super) async fn dispatch(
        self: &Rc<Self>,
        _connection: &Connection,
        _envelope: &Envelope,
        _request: Dispatch,
    ) -> Result<Vec<u8>, Fault> {
        Err(Fault::new("not_built", "`dispatch` is not built yet"))
    }

    pub(super) async fn dispatch_list(
        self: &Rc<Self>,
        _connection: &Connection,
        _envelope: &Envelope,
        _request: DispatchList,
    ) -> Result<Vec<u8>, Fault> {
        Err(Fault::new("not_built", "`dispatch_list` is not built yet"))
    }
}
