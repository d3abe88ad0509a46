//! Reviews of tasks' changes.

use std::rc::Rc;

use kite_store::Store;
use kite_wire::{
    reply::Fault,
    request::{Envelope, ReviewBrief, ReviewRecord, ReviewRun},
};

use super::Engine;
use crate::doors::Connection;

impl<S: Store> Engine<S> {
    pub(super) async fn review_brief(
        self: &Rc<Self>,
        _connection: &Connection,
        _envelope: &Envelope,
        _request: ReviewBrief,
    ) -> Result<Vec<u8>, Fault> {
        Err(Fault::new("not_built", "`review_brief` is not built yet"))
    }

    pub(super) async fn review_record(
        self: &Rc<Self>,
        _connection: &Connection,
        _envelope: &Envelope,
        _request: ReviewRecord,
    ) -> Result<Vec<u8>, Fault> {
        Err(Fault::new("not_built", "`review_record` is not built yet"))
    }

    pub(super) async fn review_run(
        self: &Rc<Self>,
        _connection: &Connection,
        _envelope: &Envelope,
        _request: ReviewRun,
    ) -> Result<Vec<u8>, Fault> {
        Err(Fault::new("not_built", "`review_run` is not built yet"))
    }
}
