//! Agents that Kite runs: queued, started, adopted, ended.

use std::rc::Rc;

use kite_store::Store;
use kite_wire::{
    reply::Fault,
    request::{AgentList, AgentSpawn, AgentStop, Envelope},
};

use super::Engine;
use crate::doors::Connection;

impl<S: Store> Engine<S> {
    pub(super) async fn agent_spawn(
        self: &Rc<Self>,
        _connection: &Connection,
        _envelope: &Envelope,
        _request: AgentSpawn,
    ) -> Result<Vec<u8>, Fault> {
        Err(Fault::new("not_built", "`agent_spawn` is not built yet"))
    }

    pub(super) async fn agent_list(
        self: &Rc<Self>,
        _connection: &Connection,
        _envelope: &Envelope,
        _request: AgentList,
    ) -> Result<Vec<u8>, Fault> {
        Err(Fault::new("not_built", "`agent_list` is not built yet"))
    }

    pub(super) async fn agent_stop(
        self: &Rc<Self>,
        _connection: &Connection,
        _envelope: &Envelope,
        _request: AgentStop,
    ) -> Result<Vec<u8>, Fault> {
        Err(Fault::new("not_built", "`agent_stop` is not built yet"))
    }
}
