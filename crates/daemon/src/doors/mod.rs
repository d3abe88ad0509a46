//! The way in: whoever wants something of the daemon comes through here.
//!
//! A door reads bytes, finds out what is asked, has it answered through [`Answers`], and writes
//! the answer. It keeps every limit on connections, lines, queues and patience.
//!
//! **Architecture Invariant:** a door knows the wire, and nothing of sessions, locks, tasks or
//! storage. Whatever it is sent, it neither panics nor waits without an end nor grows.

mod exchange;
mod hook;
mod lasting;
mod mailbox;
mod receipt;
mod single;
pub mod socket;

use std::{
    cell::{Cell, RefCell},
    future::Future,
    rc::Rc,
};

use kite_wire::{
    frame,
    request::{Envelope, Hello, Request},
};

pub use mailbox::{Closed, PUSHES_QUEUED_MAX, PushSender, WaitSender};
pub use receipt::Receipt;

/// A client's connection, from accept to close.
#[derive(Debug)]
pub struct Connection {
    /// Unique in the life of this daemon.
    pub id: u64,
    /// The process that connected, where the system tells it (not across pid namespaces).
    pub peer_pid: Option<u32>,
    /// Sends lines that nobody asked for: subscriptions and places in a queue.
    pub push: PushSender,
    /// What the client said in its `hello`. `None` on a connection for a single request.
    pub hello: RefCell<Option<Hello>>,
}

/// How many connections are open, for whoever shows it. Clones share one count.
#[derive(Clone, Debug, Default)]
pub struct Connections(Rc<Cell<usize>>);

impl Connections {
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.get()
    }

    fn set(&self, count: usize) {
        self.0.set(count);
    }
}

/// What a hook is to do: copied out by it byte by byte.
#[derive(Debug, Default)]
pub struct HookAnswer {
    pub exit: u8,
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
    /// For whoever must know whether the agent has been told this.
    pub receipt: Option<Receipt>,
}

/// Whoever answers: the engine, or a stand-in in tests. Everything happens on one thread.
///
/// A future that is dropped before it is ready has been cancelled: its client went away, or the
/// daemon's patience in draining ended.
pub trait Answers: 'static {
    /// Answers one request with a whole line, newline included. `hello` and `subscribe` too.
    fn request(
        self: Rc<Self>,
        connection: Rc<Connection>,
        envelope: Envelope,
        request: Request,
    ) -> impl Future<Output = Vec<u8>>;

    /// Answers one hook call. Through `extend` it tells the hook to wait longer.
    fn hook(
        self: Rc<Self>,
        connection: Rc<Connection>,
        header: frame::Header,
        input: Vec<u8>,
        extend: WaitSender,
    ) -> impl Future<Output = HookAnswer>;

    /// The connection is over; its waits and subscriptions with it.
    fn closed(&self, connection: &Connection);
}
