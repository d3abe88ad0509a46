//! What the engine and the life cycle drop into a connection while its task sleeps.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    rc::Rc,
    task::{Context, Waker},
};

use kite_wire::reply::Push;

/// Most pushes that wait for a slow reader. One more, and its connection is closed.
pub const PUSHES_QUEUED_MAX: usize = 256;

/// The connection takes nothing more: it is over, or its reader was too slow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closed;

impl core::fmt::Display for Closed {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("the connection is closed")
    }
}

impl core::error::Error for Closed {}

/// Sends pushes into one connection.
#[derive(Clone, Debug)]
pub struct PushSender(pub(super) Rc<Mailbox>);

impl PushSender {
    /// Queues a push line. Never waits: a reader that is [`PUSHES_QUEUED_MAX`] behind is dropped.
    pub fn try_send(&self, push: Push) -> Result<(), Closed> {
        self.0.push(push)
    }
}

/// Tells one hook to wait longer.
#[derive(Clone, Debug)]
pub struct WaitSender(pub(super) Rc<Mailbox>);

impl WaitSender {
    /// "Give me up to `ms` milliseconds more, from now." The longest of them counts.
    pub fn send(&self, ms: u64) {
        let unsent = self.0.wait_ms.get();
        self.0.wait_ms.set(unsent.max(Some(ms)));
        self.0.wake();
    }
}

/// The letters of one connection. Its task is the only reader.
#[derive(Debug, Default)]
pub(super) struct Mailbox {
    pushes: RefCell<VecDeque<Push>>,
    waker: RefCell<Option<Waker>>,
    wait_ms: Cell<Option<u64>>,
    closed: Cell<bool>,
    draining: Cell<bool>,
}

impl Mailbox {
    fn push(&self, push: Push) -> Result<(), Closed> {
        if self.closed.get() {
            return Err(Closed);
        }
        let mut pushes = self.pushes.borrow_mut();
        if pushes.len() >= PUSHES_QUEUED_MAX {
            pushes.clear();
            drop(pushes);
            self.close();
            return Err(Closed);
        }
        pushes.push_back(push);
        drop(pushes);
        self.wake();
        Ok(())
    }

    /// Refuses all further pushes and wakes the task, which ends.
    pub(super) fn close(&self) {
        self.closed.set(true);
        self.wake();
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed.get()
    }

    /// Tells the task to finish what it has begun and to begin nothing more.
    pub(super) fn drain(&self) {
        self.draining.set(true);
        self.wake();
    }

    pub(super) fn is_draining(&self) -> bool {
        self.draining.get()
    }

    pub(super) fn take_push(&self) -> Option<Push> {
        self.pushes.borrow_mut().pop_front()
    }

    pub(super) fn take_wait_ms(&self) -> Option<u64> {
        self.wait_ms.take()
    }

    /// The task that is polled now is the one to wake.
    pub(super) fn register(&self, cx: &Context<'_>) {
        let mut waker = self.waker.borrow_mut();
        match waker.as_mut() {
            Some(known) => known.clone_from(cx.waker()),
            None => *waker = Some(cx.waker().clone()),
        }
    }

    fn wake(&self) {
        if let Some(waker) = self.waker.borrow().as_ref() {
            waker.wake_by_ref();
        }
    }
}

#[cfg(test)]
impl PushSender {
    /// For tests of what stands behind the doors: nobody reads.
    pub(crate) fn nowhere() -> PushSender {
        PushSender(Rc::default())
    }
}

#[cfg(test)]
impl WaitSender {
    /// For tests of what stands behind the doors: nobody reads.
    pub(crate) fn nowhere() -> WaitSender {
        WaitSender(Rc::default())
    }

    /// What was asked for, in milliseconds.
    pub(crate) fn asked_ms(&self) -> Option<u64> {
        self.0.wait_ms.get()
    }
}
