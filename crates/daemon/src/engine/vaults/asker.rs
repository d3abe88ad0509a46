//! Who asks for notes, and what they may find.

use kite_rules::session::{Kind, Session};
use kite_store::Store;
use kite_vault::Reach;
use kite_wire::{
    reply::Fault,
    request::{Caller, Envelope},
};

use super::super::{Engine, callers::text};
use crate::{doors::Connection, hands::files, translate};

/// Whoever asks for notes.
#[derive(Debug)]
pub(super) struct Asker {
    pub(super) reach: Reach,
    pub(super) is_person: bool,
    /// The project that they stand in.
    pub(super) project: String,
}

impl<S: Store> Engine<S> {
    /// Who asks. Opens no session. The vault of their project is known when this returns.
    ///
    /// # Errors
    /// `no_session`: nobody is named. `not_allowed`: an agent names a project that is not its own.
    pub(super) async fn vault_asker(
        &self,
        connection: &Connection,
        envelope: &Envelope,
        named: Option<&str>,
    ) -> Result<Asker, Fault> {
        let session = self.session_asking(connection, envelope)?;
        let caller = (connection.hello.borrow().as_ref()).and_then(|hello| hello.caller.clone());
        let is_person = match (&session, &caller) {
            (Some(session), _) => session.kind == Kind::Person,
            (None, Some(caller)) => caller.client == "person",
            (None, None) => return Err(nobody()),
        };
        let (project, worktree) = self
            .stands(session.as_ref(), caller.as_ref(), is_person)
            .await?;
        self.know_vault(&project, worktree.as_deref()).await;
        let reach = match named {
            None if is_person => Reach::everything(),
            None => self.reach_in(&project),
            Some(directory) => {
                let (other, worktree) = self.project_named(directory).await?;
                if !is_person && other != project {
                    return Err(not_yours());
                }
                self.know_vault(&other, worktree.as_deref()).await;
                self.reach_in(&other)
            }
        };
        Ok(Asker {
            reach,
            is_person,
            project,
        })
    }

    /// A directory's project, and the worktree it is in.
    pub(super) async fn project_named(
        &self,
        directory: &str,
    ) -> Result<(String, Option<String>), Fault> {
        if !directory.starts_with('/') {
            return Err(
                Fault::new("invalid_field", "`project` must be an absolute directory")
                    .hint("leave it out to mean the project you are in"),
            );
        }
        Ok(match files::project(directory.into()).await {
            Some(project) => (text(&project.key), Some(text(&project.worktree))),
            None => (directory.to_owned(), None),
        })
    }

    fn session_asking(
        &self,
        connection: &Connection,
        envelope: &Envelope,
    ) -> Result<Option<Session>, Fault> {
        let id = match &envelope.session_id {
            Some(given) => Some(self.session_named(given)?),
            None => self
                .you(connection, envelope)
                .and_then(|id| translate::session_id(&id)),
        };
        let find = |id| self.store.read(|ledger| ledger.sessions.get(&id).cloned());
        Ok(id.and_then(find))
    }

    /// The project that is meant: an agent's is its session's; a person's is where they stand.
    async fn stands(
        &self,
        session: Option<&Session>,
        caller: Option<&Caller>,
        is_person: bool,
    ) -> Result<(String, Option<String>), Fault> {
        if let Some(session) = session
            && !is_person
        {
            return Ok((session.project.clone(), session.worktree.clone()));
        }
        let here = caller.and_then(|caller| caller.cwd.clone());
        let here = here.or_else(|| session.map(|session| session.cwd.clone()));
        self.project_named(&here.ok_or_else(nobody)?).await
    }
}

pub(super) fn not_yours() -> Fault {
    Fault::new(
        "not_allowed",
        "`project` is another project; a project's notes stay in it",
    )
    .hint("leave `project` out")
}

fn nobody() -> Fault {
    Fault::new(
        "no_session",
        "whose notes are meant is not known: no session and no caller was named",
    )
    .hint("give `session_id`, or name the caller in `hello`")
}
