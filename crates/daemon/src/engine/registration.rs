//! Requests about sessions themselves: by the name that a client gives its own.

use std::rc::Rc;

use kite_rules::session::{Owner, SessionId, State};
use kite_store::Store;
use kite_wire::{
    reply::{Done, Fault, Sessions},
    request::{Envelope, FileTouch, Register},
};

use super::{Engine, callers::Actor};
use crate::doors::Connection;

impl<S: Store> Engine<S> {
    pub(super) async fn register(
        self: &Rc<Self>,
        envelope: &Envelope,
        request: Register,
    ) -> Result<Sessions, Fault> {
        let theirs = envelope
            .session_id
            .clone()
            .filter(|id| !id.is_empty() && id.len() <= 256)
            .ok_or_else(|| {
                Fault::new(
                    "invalid_field",
                    "`register` needs a `session_id` of 1 to 256 characters",
                )
            })?;
        let actor = Actor {
            client: request.client.unwrap_or_else(|| "other".to_owned()),
            pid: request.pid,
            client_session_id: Some(theirs),
            cwd: request.cwd,
            intent: request.intent,
            ..Actor::default()
        };
        let id = self.open(actor).await?.ok_or_else(|| {
            Fault::new("no_session", "the process `pid` does not run")
                .hint("leave `pid` out, or give the agent's own")
        })?;
        self.alive(id);
        Ok(self.only(id))
    }

    /// The session named in the envelope; an unknown one is registered by its own word.
    async fn named_or_registered(
        self: &Rc<Self>,
        connection: &Connection,
        envelope: &Envelope,
    ) -> Result<Owner, Fault> {
        match &envelope.session_id {
            Some(given) if self.session_named(given).is_err() => {
                self.register(envelope, Register::default()).await?;
            }
            _ => {}
        }
        self.owner(connection, envelope).await
    }

    pub(super) async fn heartbeat(
        self: &Rc<Self>,
        connection: &Connection,
        envelope: &Envelope,
    ) -> Result<Sessions, Fault> {
        let owner = self.named_or_registered(connection, envelope).await?;
        Ok(self.only(owner.session))
    }

    pub(super) async fn session_end(
        self: &Rc<Self>,
        connection: &Connection,
        envelope: &Envelope,
    ) -> Result<Sessions, Fault> {
        let owner = self.owner(connection, envelope).await?;
        self.end(owner.session, State::Ended, "it said goodbye")
            .await;
        Ok(self.only(owner.session))
    }

    pub(super) async fn file_touch(
        self: &Rc<Self>,
        connection: &Connection,
        envelope: &Envelope,
        request: FileTouch,
    ) -> Result<Done, Fault> {
        if request.file.is_empty() {
            return Err(Fault::new("invalid_field", "`file_touch` needs a `file`")
                .hint("give its path, absolute or relative to the session's directory"));
        }
        let owner = self.named_or_registered(connection, envelope).await?;
        match request.action.as_deref() {
            None | Some("edit" | "write") => self.edited(&owner, &request.file).await,
            Some("read") => self.has_read(&owner, &request.file).await,
            Some(_) => {
                return Err(
                    Fault::new("invalid_field", "`action` is unknown").hint("allowed: edit, read")
                );
            }
        }
        Ok(Done {})
    }

    fn only(&self, id: SessionId) -> Sessions {
        let sessions = self.sessions_shown(|session| session.id == id);
        Sessions {
            sessions,
            you: Some(id.to_string()),
        }
    }
}
