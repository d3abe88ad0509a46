//! Whose files are: what a commit is about to take in belongs to whoever changed it.
//!
//! The answer is that of the guard in front of git commands (`shell`): a file is another's where
//! another live session changed it and the caller did not.

use std::rc::Rc;

use kite_rules::session::SessionId;
use kite_store::Store;
use kite_wire::{
    reply::{self, ChangedFile, Fault},
    request::{Envelope, FileChangers},
};

use super::Engine;
use crate::{doors::Connection, translate};

/// Most paths of one request.
const PATHS_MAX: usize = 10_000;

impl<S: Store> Engine<S> {
    pub(super) fn file_changers(
        self: &Rc<Self>,
        connection: &Connection,
        envelope: &Envelope,
        request: FileChangers,
    ) -> Result<reply::FileChangers, Fault> {
        if request.paths.len() > PATHS_MAX {
            let what = format!("`paths`: {} are more than {PATHS_MAX}", request.paths.len());
            return Err(Fault::new("invalid_field", what).hint("ask for them in parts"));
        }
        let you = self.you(connection, envelope);
        let me = you.as_deref().and_then(translate::session_id);
        let guarded = match me {
            Some(me) => self.settings.of(me).git_guard,
            None => self.settings.of_home().git_guard,
        };
        let files = request.paths.into_iter();
        Ok(reply::FileChangers {
            files: files
                .filter_map(|path| self.changed_file(path, me))
                .collect(),
            you,
            guarded,
        })
    }

    fn changed_file(&self, path: String, me: Option<SessionId>) -> Option<ChangedFile> {
        let touches = self.touches.borrow();
        let changers = touches.changers(&path);
        let last = changers.first()?.session;
        let of_another = |session: &SessionId| Some(*session) != me && self.is_live(*session);
        let mut sessions = changers.iter().map(|owner| owner.session);
        let session = sessions.find(of_another).unwrap_or(last);
        let yours = changers.iter().any(|owner| Some(owner.session) == me);
        let intent = self.store.read(|ledger| {
            let session = ledger.sessions.get(&session)?;
            session.intent.clone()
        });
        Some(ChangedFile {
            path,
            session: session.to_string(),
            intent,
            live: self.is_live(session),
            yours,
        })
    }
}
