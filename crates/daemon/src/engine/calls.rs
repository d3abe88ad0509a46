//! Tool calls under way: which owner made them, and which of them edit.
//!
//! Not every client's ids are its own (`call_1` in each session): a call is known by its session
//! and its id together.

use std::collections::{HashMap, VecDeque};

use kite_rules::session::{Owner, SessionId};

/// Tool calls remembered; the oldest make room.
const CALLS_MAX: usize = 4_096;

/// A tool call's session, and its id in it.
pub(super) type CallKey = (SessionId, String);

pub(super) fn call_key(session: SessionId, tool_use_id: &str) -> CallKey {
    (session, tool_use_id.to_owned())
}

/// An editing call that has a hold.
#[derive(Clone, Debug)]
struct Edit {
    owner: Owner,
    /// Its end was seen, or is presumed.
    over: bool,
}

#[derive(Debug, Default)]
pub(super) struct Calls {
    owners: HashMap<CallKey, Owner>,
    order: VecDeque<CallKey>,
    edits: HashMap<CallKey, Edit>,
}

impl Calls {
    /// A call begins: whoever asks with its id later is this owner.
    pub(super) fn begin(&mut self, tool_use_id: &str, owner: &Owner) {
        let key = call_key(owner.session, tool_use_id);
        if self.owners.insert(key.clone(), owner.clone()).is_none() {
            self.order.push_back(key);
        }
        while self.order.len() > CALLS_MAX {
            if let Some(oldest) = self.order.pop_front() {
                self.owners.remove(&oldest);
            }
        }
    }

    pub(super) fn owner(&self, session: SessionId, tool_use_id: &str) -> Option<&Owner> {
        self.owners.get(&call_key(session, tool_use_id))
    }

    pub(super) fn edit_begins(&mut self, tool_use_id: &str, owner: &Owner) {
        self.edits.insert(
            call_key(owner.session, tool_use_id),
            Edit {
                owner: owner.clone(),
                over: false,
            },
        );
    }

    /// The end of an edit was seen. True where it was presumed over before: hooks that do not
    /// wait for each other may arrive out of order.
    pub(super) fn edit_is_over(&mut self, session: SessionId, tool_use_id: &str) -> bool {
        match self.edits.get_mut(&call_key(session, tool_use_id)) {
            Some(edit) => std::mem::replace(&mut edit.over, true),
            None => true,
        }
    }

    pub(super) fn edit_is_gone(&mut self, session: SessionId, tool_use_id: &str) {
        self.edits.remove(&call_key(session, tool_use_id));
    }

    /// The owner's edits but `except`, whose end was not seen yet: they are presumed over now.
    /// The others are forgotten.
    pub(super) fn presume_over(&mut self, owner: &Owner, except: Option<&str>) -> Vec<String> {
        let mut unseen = Vec::new();
        self.edits.retain(|(_, id), edit| {
            if edit.owner != *owner || Some(id.as_str()) == except {
                return true;
            }
            if edit.over {
                return false;
            }
            edit.over = true;
            unseen.push(id.clone());
            true
        });
        unseen
    }

    pub(super) fn forget(&mut self, session: SessionId) {
        self.edits.retain(|(of, _), _| *of != session);
    }
}
