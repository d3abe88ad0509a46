//! What an operation leaves to be kept.

use kite_rules::{
    lock::{Epoch, Lock},
    session::{Session, SessionId},
    task::Task,
};

use crate::{Change, Document, Facts};

/// One record to keep or to drop. Whole records, so that keeping one twice does no harm.
#[derive(Clone, Debug)]
pub(crate) enum Write {
    Session(Box<Session>),
    ForgetSession(SessionId),
    Task(Box<Task>),
    Lock(Box<Lock>),
    Unlock(Epoch),
    Document(Document),
    /// A counter's new total.
    Tally(String, u64),
    /// A row of the change feed; its `seq` is given when it is kept.
    Change(Change),
    Answer(Answer),
}

/// The answer to a request, to be given again when the request is repeated.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) op_id: String,
    pub(crate) at_wall_ms: u64,
    pub(crate) body: Vec<u8>,
}

/// A verdict and what must be kept before it may be told.
#[derive(Debug)]
pub(crate) struct Decision<T> {
    pub(crate) verdict: T,
    pub(crate) writes: Vec<Write>,
}

impl Facts {
    /// Applies a write that the disk has not taken yet.
    pub(crate) fn apply(&mut self, write: &Write) {
        match write {
            Write::Session(session) => {
                self.sessions.insert(session.id, (**session).clone());
            }
            Write::ForgetSession(id) => {
                self.sessions.remove(id);
            }
            Write::Task(task) => {
                self.tasks.insert(task.number, (**task).clone());
            }
            Write::Lock(lock) => {
                self.locks.insert(lock.epoch, (**lock).clone());
            }
            Write::Unlock(epoch) => {
                self.locks.remove(epoch);
            }
            Write::Tally(name, total) => {
                self.tally.insert(name.clone(), *total);
            }
            Write::Document(document) => self.documents.apply(document),
            Write::Change(_) | Write::Answer(_) => {}
        }
    }
}
