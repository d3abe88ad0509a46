//! The project's own tools, run under its named locks.

use std::rc::Rc;

use kite_store::Store;
use kite_wire::{
    reply::Fault,
    request::{Envelope, ToolList, ToolRun, ToolSettle},
};

use super::Engine;
use crate::doors::Connection;

impl<S: Store> Engine<S> {
    pub(super) async fn tool_list(
        self: &Rc<Self>,
        _connection: &Connection,
        _envelope: &Envelope,
        _request: ToolList,
    ) -> Result<Vec<u8>, Fault> {
        Err(Fault::new("not_built", "`tool_list` is not built yet"))
    }

    pub(super) async fn tool_run(
        self: &Rc<Self>,
        _connection: &Connection,
        _envelope: &Envelope,
        _request: ToolRun,
    ) -> Result<Vec<u8>, Fault> {
        Err(Fault::new("not_built", "`tool_run` is not built yet"))
    }

    pub(super) async fn tool_settle(
        self: &Rc<Self>,
        _connection: &Connection,
        _envelope: &Envelope,
        _request: ToolSettle,
    ) -> Result<Vec<u8>, Fault> {
        Err(Fault::new("not_built", "`tool_settle` is not built yet"))
    }
}
