//! Touches and read-sets: who last saw and who last changed which content of a file. From it
//! follow compare-and-set for whole-file writes and the one-line notes about others' changes.

use alloc::{string::String, vec::Vec};

use crate::{
    Now,
    refusal::Refusal,
    session::{Owner, SessionId},
};

/// A fingerprint of a file's content, or the absence of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Content {
    Absent,
    Hash(u128),
}

/// Another session's change that this one has not been told of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    pub file: String,
    pub shown: String,
    pub by: Owner,
    pub at: Now,
}

/// What is remembered of files, bounded by [`crate::limits::TOUCHED_FILES_MAX`].
#[derive(Debug, Default)]
pub struct TouchLog {
    // the engineer of this room fills this in
}

impl TouchLog {
    #[must_use]
    pub fn new() -> TouchLog {
        TouchLog::default()
    }

    /// The owner's session has seen this content (it read the file, or wrote it).
    pub fn saw(&mut self, file: &str, owner: &Owner, content: Content, now: Now) {
        let _ = (file, owner, content, now);
        todo!()
    }

    /// The owner has changed the file and left this content. It has thereby seen it.
    pub fn changed(&mut self, file: &str, shown: &str, owner: &Owner, content: Content, now: Now) {
        let _ = (file, shown, owner, content, now);
        todo!()
    }

    /// Compare-and-set for a whole-file write over `current`: refused with
    /// [`Refusal::StaleWrite`] where another session's change is what is there now (or lies
    /// between) and this session has not seen it; once for each such content, so that a repeated
    /// write passes. A change that nobody of Kite's made (a person, an editor) never refuses, nor
    /// does one by a session that contends with nobody (its own subagents).
    pub fn judge_overwrite(
        &mut self,
        file: &str,
        owner: &Owner,
        current: Content,
    ) -> Result<(), Refusal> {
        let _ = (file, owner, current);
        todo!()
    }

    /// The one note that is due when this owner is about to edit the file: the latest change by
    /// another live session that it has neither seen nor been told of. Given once.
    pub fn note_before_edit(&mut self, file: &str, owner: &Owner, now: Now) -> Option<Note> {
        let _ = (file, owner, now);
        todo!()
    }

    /// The files that a session changed last, newest first, at most `max`.
    #[must_use]
    pub fn changed_by(&self, session: SessionId, max: usize) -> Vec<(String, Now)> {
        let _ = (session, max);
        todo!()
    }

    /// The session is over: its read-set goes, its changes stay attributed to it.
    pub fn forget_reader(&mut self, session: SessionId) {
        let _ = session;
        todo!()
    }
}
