//! Where somebody stands: the project that is meant, and the directory that paths are relative to.

use std::{cell::RefCell, collections::HashMap};

use kite_rules::session::SessionId;
use kite_store::Store;
use kite_wire::{reply::Fault, request::Envelope};

use super::{Engine, callers::text};
use crate::{doors::Connection, hands::files};

/// A directory's project is asked of the file system again after so long, in milliseconds.
const REMEMBERED_MS: u64 = 10_000;
/// Directories remembered.
const REMEMBERED_MAX: usize = 1_024;

/// A project, and the directory that relative paths start from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) project: String,
    pub(super) directory: String,
}

/// Projects of directories asked for lately.
#[derive(Debug, Default)]
pub(super) struct Projects(RefCell<HashMap<String, (u64, String)>>);

impl<S: Store> Engine<S> {
    /// The key of a directory's project.
    pub(super) async fn project_of(&self, directory: &str) -> String {
        let now = self.now().mono_ms;
        if let Some((until, project)) = self.projects.0.borrow().get(directory)
            && *until > now
        {
            return project.clone();
        }
        let project = match files::project(directory.into()).await {
            Some(project) => text(&project.key),
            None => directory.to_owned(),
        };
        let mut projects = self.projects.0.borrow_mut();
        if projects.len() >= REMEMBERED_MAX {
            projects.clear();
        }
        projects.insert(directory.to_owned(), (now + REMEMBERED_MS, project.clone()));
        project
    }

    /// Where the asker stands: the directory it names, a command's own directory, else that of
    /// its session. An MCP server stands where its session does, not where it was started.
    pub(super) async fn place(
        &self,
        connection: &Connection,
        envelope: &Envelope,
        session: Option<SessionId>,
        named: Option<&str>,
    ) -> Result<Place, Fault> {
        if let Some(directory) = named {
            if !directory.starts_with('/') {
                return Err(
                    Fault::new("invalid_field", "`project` must be an absolute directory")
                        .hint("leave it out to mean the project you are in"),
                );
            }
            return Ok(self.place_at(directory.to_owned()).await);
        }
        let caller = connection.hello.borrow().as_ref().and_then(|hello| {
            let cwd = hello.caller.as_ref()?.cwd.clone()?;
            Some((hello.role == "mcp", cwd))
        });
        let session = session.or_else(|| self.session_named(envelope.session_id.as_deref()?).ok());
        let session =
            session.and_then(|id| self.store.read(|ledger| ledger.sessions.get(&id).cloned()));
        match (session, caller) {
            (_, Some((false, cwd))) if envelope.session_id.is_none() => {
                Ok(self.place_at(cwd).await)
            }
            (Some(session), _) => Ok(Place {
                project: session.project,
                directory: session.cwd,
            }),
            (None, Some((_, cwd))) => Ok(self.place_at(cwd).await),
            (None, None) => Err(Fault::new(
                "no_session",
                "no project: neither a session nor a `project` was named",
            )
            .hint(r#"give "project":"/the/directory""#)),
        }
    }

    async fn place_at(&self, directory: String) -> Place {
        Place {
            project: self.project_of(&directory).await,
            directory,
        }
    }
}
