//! A request with an `op_id` acts once, and is answered with the same words each time.

use std::{cell::RefCell, collections::HashSet, rc::Rc};

use kite_store::{Retry, Store};
use kite_wire::{
    reply::Fault,
    request::{Envelope, Request},
};
use tokio::sync::Notify;

use super::{Engine, storage};
use crate::doors::Connection;

/// Longest `op_id`, in characters.
const OP_ID_CHARS_MAX: usize = 64;

impl<S: Store> Engine<S> {
    /// Answers a request, unless it has been answered before. One that comes again while the
    /// first is still under way waits for it.
    pub(super) async fn dispatch_once(
        self: &Rc<Self>,
        connection: &Rc<Connection>,
        envelope: &Envelope,
        request: Request,
    ) -> Result<Vec<u8>, Fault> {
        let Some(op_id) = envelope.op_id.as_deref() else {
            return self.answer_request(connection, envelope, request).await;
        };
        if !(1..=OP_ID_CHARS_MAX).contains(&op_id.chars().count()) {
            let message = format!("`op_id` must have 1 to {OP_ID_CHARS_MAX} characters");
            return Err(Fault::new("invalid_field", message).hint("a random UUID is a good one"));
        }
        let _turn = self.operations.begin(op_id).await;
        let before = self.store.answered(op_id).await.map_err(|e| storage(&e))?;
        match before {
            Some(line) => Ok(with_id(&line, envelope.id)),
            None => self.answer_request(connection, envelope, request).await,
        }
    }
}

/// The `op_id`s of the requests under way.
#[derive(Debug, Default)]
pub(super) struct Operations {
    under_way: RefCell<HashSet<String>>,
    ended: Notify,
}

impl Operations {
    /// Waits until no other request of this `op_id` is under way. This one is, until the turn is
    /// dropped.
    async fn begin<'a>(&'a self, op_id: &str) -> Turn<'a> {
        loop {
            let mut ended = std::pin::pin!(self.ended.notified());
            ended.as_mut().enable();
            if self.under_way.borrow_mut().insert(op_id.to_owned()) {
                return Turn {
                    operations: self,
                    op_id: op_id.to_owned(),
                };
            }
            ended.await;
        }
    }
}

struct Turn<'a> {
    operations: &'a Operations,
    op_id: String,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.operations.under_way.borrow_mut().remove(&self.op_id);
        self.operations.ended.notify_waiters();
    }
}

/// An answer that is built once: what is kept for a retry is what is said now, although the
/// state may have moved on in between.
pub(super) struct Once<F> {
    build: F,
    built: RefCell<Option<Vec<u8>>>,
}

impl<F> Once<F> {
    /// `build` makes the line, without an id.
    pub(super) fn new<T>(build: F) -> Once<F>
    where
        F: Fn(&T) -> Vec<u8>,
    {
        let built = RefCell::default();
        Once { build, built }
    }

    /// The line to keep.
    pub(super) fn keep<T>(&self, value: &T) -> Vec<u8>
    where
        F: Fn(&T) -> Vec<u8>,
    {
        let line = (self.build)(value);
        self.built.replace(Some(line.clone()));
        line
    }

    /// The line to say: what was kept, else one that is built now.
    pub(super) fn say<T>(&self, value: &T, id: Option<u64>) -> Vec<u8>
    where
        F: Fn(&T) -> Vec<u8>,
    {
        let built = self.built.take();
        with_id(&built.unwrap_or_else(|| (self.build)(value)), id)
    }
}

/// What the store keeps for a request that may come again.
pub(super) fn retry<'a, T>(
    envelope: &'a Envelope,
    answer: &'a dyn Fn(&T) -> Vec<u8>,
) -> Option<Retry<'a, T>> {
    let op_id = envelope.op_id.as_deref()?;
    Some(Retry { op_id, answer })
}

/// A line, with the id of the request that it answers.
pub(super) fn with_id(line: &[u8], id: Option<u64>) -> Vec<u8> {
    match (id, line.strip_prefix(b"{")) {
        (Some(id), Some(rest)) => [format!("{{\"id\":{id},").as_bytes(), rest].concat(),
        _ => line.to_vec(),
    }
}
