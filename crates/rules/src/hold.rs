//! Holds: what an editing tool takes by itself, for seconds, so that racing edits of one file
//! follow each other instead of overwriting each other. In memory only.

use alloc::{string::String, vec::Vec};

use crate::{
    Now,
    refusal::InTheWay,
    session::{Owner, SessionId},
};

/// An edit under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    /// Canonical key of the file.
    pub file: String,
    /// The path as shown.
    pub shown: String,
    pub owner: Owner,
    /// The client's id of the tool call.
    pub tool_use_id: String,
    pub since: Now,
    /// When it ends by itself, on the monotonic clock.
    pub until_mono_ms: u64,
}

/// All holds, and who waits for which file, first come first served.
#[derive(Debug, Default)]
pub struct HoldTable {
    // the engineer of this room fills this in
}

/// A place in a file's queue. Never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u64);

impl HoldTable {
    #[must_use]
    pub fn new() -> HoldTable {
        HoldTable::default()
    }

    /// Takes the file for this tool call, or says who has it. Others who wait for it come first
    /// unless `ticket` is the first of them. An owner who does not contend shares it. A repeated
    /// take of the same tool call renews. Lasts [`crate::limits::HOLD_TTL_MS`] unless ended.
    pub fn take(
        &mut self,
        file: &str,
        shown: &str,
        owner: &Owner,
        tool_use_id: &str,
        ticket: Option<Ticket>,
        now: Now,
    ) -> Result<(), InTheWay> {
        let _ = (file, shown, owner, tool_use_id, ticket, now);
        todo!()
    }

    /// Joins the file's queue.
    pub fn wait(&mut self, file: &str, owner: &Owner) -> Ticket {
        let _ = (file, owner);
        todo!()
    }

    /// Leaves the queue, after a take or when giving up.
    pub fn leave(&mut self, ticket: Ticket) {
        let _ = ticket;
        todo!()
    }

    /// The tool has finished: the hold ends [`crate::limits::HOLD_GRACE_MS`] from now (formatter
    /// hooks still run), or earlier by `settle`.
    pub fn finished(&mut self, session: SessionId, tool_use_id: &str, now: Now) {
        let _ = (session, tool_use_id, now);
        todo!()
    }

    /// The tool did not run or failed: the hold ends now. Returns the freed files.
    pub fn drop_call(&mut self, session: SessionId, tool_use_id: &str) -> Vec<String> {
        let _ = (session, tool_use_id);
        todo!()
    }

    /// A later event of this owner shows that its earlier calls are over (all hooks of a batch
    /// have run, a new prompt, ...): its holds end now, but for the calls in `still_open`.
    pub fn settle(&mut self, owner: &Owner, still_open: &[&str]) -> Vec<String> {
        let _ = (owner, still_open);
        todo!()
    }

    /// The turn or the session is over: everything of it and of its subagents ends now.
    pub fn drop_session(&mut self, session: SessionId) -> Vec<String> {
        let _ = session;
        todo!()
    }

    /// Ends what has run out; returns the freed files.
    pub fn expire(&mut self, now: Now) -> Vec<String> {
        let _ = now;
        todo!()
    }

    /// When the next hold runs out, on the monotonic clock.
    #[must_use]
    pub fn next_expiry(&self) -> Option<u64> {
        todo!()
    }

    /// A hold of another owner on this file.
    #[must_use]
    pub fn blocking(&self, file: &str, owner: &Owner, now: Now) -> Option<InTheWay> {
        let _ = (file, owner, now);
        todo!()
    }

    pub fn iter(&self) -> impl Iterator<Item = &Hold> {
        core::iter::empty()
    }

    #[must_use]
    pub fn len(&self) -> usize {
        todo!()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
