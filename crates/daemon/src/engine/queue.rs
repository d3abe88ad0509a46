//! Between the store, which grants to whoever waits, and the request that waits for it.
//!
//! A grant and its request can miss each other: a lock may come free before the request is there
//! to be told, and the request may go while its grant is being made durable. No grant is lost for
//! it, and none stays with a session that does not know of it.

use std::{
    collections::{HashMap, HashSet},
    rc::Rc,
};

use kite_rules::lock::{Granted, Ticket};
use kite_store::{Release, Store};
use tokio::sync::oneshot;

use super::Engine;

/// Who waits, and the grants that have not met their request.
#[derive(Default)]
pub(super) struct Waits {
    waiting: HashMap<Ticket, oneshot::Sender<Granted>>,
    /// Granted before the request was there to be told.
    early: HashMap<Ticket, Granted>,
    /// Gone after the store had granted it, and before that was told.
    gone: HashSet<Ticket>,
    /// Granted to nobody any more.
    unwanted: Vec<Granted>,
}

/// A place in the locks' queue. Dropped with its request, it is left; a grant that nobody takes
/// any more is given back.
pub(super) struct Place<S: Store> {
    engine: Rc<Engine<S>>,
    pub(super) ticket: Ticket,
    /// `None` once the grant has been taken, or the queue left.
    pub(super) granted: Option<oneshot::Receiver<Granted>>,
}

impl<S: Store> Engine<S> {
    /// The place of a ticket that the store has just given out.
    pub(super) fn take_place(self: &Rc<Self>, ticket: Ticket) -> Place<S> {
        let (send, receive) = oneshot::channel();
        let mut waits = self.lock_waits.borrow_mut();
        match waits.early.remove(&ticket) {
            // The receiver is here: it is heard.
            Some(granted) => drop(send.send(granted)),
            None => drop(waits.waiting.insert(ticket, send)),
        }
        Place {
            engine: Rc::clone(self),
            ticket,
            granted: Some(receive),
        }
    }

    /// Tells a waiting request of its grant, which is durable now.
    pub(super) fn hand_over(&self, ticket: Ticket, granted: Granted) {
        let mut waits = self.lock_waits.borrow_mut();
        if let Some(waiting) = waits.waiting.remove(&ticket) {
            // A request that goes takes its sender away: somebody listens.
            let _ = waiting.send(granted);
        } else if waits.gone.remove(&ticket) {
            waits.unwanted.push(granted);
            self.leases_changed.notify_one();
        } else {
            waits.early.insert(ticket, granted);
        }
    }

    /// Releases what was granted to requests that are gone.
    pub(super) async fn give_back(&self) {
        let unwanted = std::mem::take(&mut self.lock_waits.borrow_mut().unwanted);
        for lock in unwanted.into_iter().flat_map(|granted| granted.locks) {
            let release = Release::Targets {
                owner: lock.owner,
                targets: vec![lock.target],
                epoch: Some(lock.epoch),
            };
            // Where that fails, the lock ends with its session or its time.
            if let Ok(Ok(freed)) = self.store.release(release, self.now(), None).await {
                self.freed(&freed, "released: nobody waited for it any more");
            }
        }
    }
}

impl<S: Store> Drop for Place<S> {
    fn drop(&mut self) {
        let Some(mut granted) = self.granted.take() else {
            return;
        };
        let has_left = self.engine.store.leave(self.ticket, self.engine.now());
        let mut waits = self.engine.lock_waits.borrow_mut();
        waits.waiting.remove(&self.ticket);
        match granted.try_recv() {
            Ok(granted) => waits.unwanted.push(granted),
            Err(_) if has_left.is_none() => drop(waits.gone.insert(self.ticket)),
            Err(_) => {}
        }
        drop(waits);
        self.engine.waiter_left();
    }
}
