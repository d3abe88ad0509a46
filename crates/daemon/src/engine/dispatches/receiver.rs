//! Who sends, who receives, and how they stand to each other.

use std::rc::Rc;

use kite_rules::session::{Kind, Owner, Session, SessionId, State};
use kite_store::Store;
use kite_wire::{reply::Fault, request::Envelope};
use serde::Deserialize;

use super::{OPEN_PER_RECEIVER_MAX, record::Standing};
use crate::{doors::Connection, engine::Engine};

/// The word for whoever has nothing to do.
const IDLE: &str = "idle";
/// The documents of agents that Kite runs; the key is the agent's id.
const AGENT: &str = "agent";
/// Fewer characters of an id than this name nobody.
const PREFIX_CHARS_MIN: usize = 4;

/// Whoever sends.
pub(super) struct Sender {
    pub(super) session: SessionId,
    pub(super) project: String,
    pub(super) intent: Option<String>,
    pub(super) is_person: bool,
}

/// What is known here of an agent that Kite runs.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Agent {
    session: Option<String>,
    parent: Option<String>,
    ended_ms: Option<u64>,
}

impl<S: Store> Engine<S> {
    /// Who sends.
    pub(super) async fn sender(
        self: &Rc<Self>,
        connection: &Connection,
        envelope: &Envelope,
    ) -> Result<Sender, Fault> {
        let Owner { session, .. } = self.owner(connection, envelope).await?;
        let is_person = self.person(connection, envelope).await.is_ok();
        let known = self
            .store
            .read(|ledger| ledger.sessions.get(&session).cloned());
        let known = known.ok_or_else(|| Fault::new("unknown_session", "your session has ended"))?;
        Ok(Sender {
            session,
            project: known.project,
            intent: known.intent,
            is_person,
        })
    }

    pub(super) fn standing(&self, sender: &Sender, receiver: SessionId) -> Standing {
        if sender.is_person {
            return Standing::Person;
        }
        let (parent, child) = (sender.session.to_string(), receiver.to_string());
        let is_parent = self.store.read(|ledger| {
            ledger.documents.of(AGENT).any(|(_, body)| {
                let agent: Agent = serde_json::from_str(body).unwrap_or_default();
                agent.session.as_deref() == Some(&child) && agent.parent.as_deref() == Some(&parent)
            })
        });
        match is_parent {
            true => Standing::Parent,
            false => Standing::Session,
        }
    }

    /// The session that `to` names, if it can be sent anything.
    pub(super) fn receiver(
        &self,
        to: &str,
        sender: &Sender,
        project: &str,
    ) -> Result<Session, Fault> {
        let receiver = match to {
            IDLE => self.idle(sender, project)?,
            named => self.addressed(named)?,
        };
        let id = receiver.id;
        if id == sender.session {
            return Err(Fault::new("invalid_field", "`to` is your own session")
                .hint("name another: kite_sessions lists them"));
        }
        if receiver.kind == Kind::Person {
            let message = format!("session {id:.8} is a person's shell, which hears nothing");
            return Err(Fault::new("invalid_field", message).hint("name an agent's session"));
        }
        let is_theirs = sender.is_person
            || receiver.project == sender.project
            || self.standing(sender, id) == Standing::Parent;
        if !is_theirs {
            let message = format!("session {id:.8} works in another project");
            return Err(Fault::new("not_allowed", message)
                .hint("only a person may dispatch across projects: ask yours"));
        }
        if self.dispatches.open_of(id) >= OPEN_PER_RECEIVER_MAX {
            let message =
                format!("{OPEN_PER_RECEIVER_MAX} dispatches wait for session {id:.8} already");
            return Err(Fault::new("limit_reached", message).hint("wait until it has heard them"));
        }
        Ok(receiver)
    }

    /// By its id, a unique prefix, its client's id, or the id of the agent whose session it is.
    fn addressed(&self, named: &str) -> Result<Session, Fault> {
        let prefix = named.to_ascii_lowercase();
        let is_prefix = prefix.len() >= PREFIX_CHARS_MIN;
        self.store.read(|ledger| {
            let sessions = ledger.sessions.values();
            let is_named = |session: &&Session| {
                session.client_session_id.as_deref() == Some(named)
                    || is_prefix && session.id.to_string().starts_with(&prefix)
            };
            let mut found: Vec<&Session> = sessions.filter(is_named).collect();
            let (mut waits, mut has_ended) = (false, false);
            for (id, body) in ledger.documents.of(AGENT) {
                if is_prefix && id.starts_with(&prefix) {
                    let agent: Agent = serde_json::from_str(body).unwrap_or_default();
                    let session = agent.session.as_deref().and_then(crate::translate::session_id);
                    waits |= session.is_none() && agent.ended_ms.is_none();
                    has_ended |= agent.ended_ms.is_some();
                    found.extend(session.and_then(|id| ledger.sessions.get(&id)));
                }
            }
            let is_any = has_ended || !found.is_empty();
            found.retain(|session| session.state.is_live());
            found.sort_by_key(|session| session.id);
            found.dedup_by_key(|session| session.id);
            match found.as_slice() {
                [one] => Ok((*one).clone()),
                [] if waits => Err(Fault::new("unknown_session", "that agent has no session yet")
                    .hint("send it once it runs: `kite agents` shows it")),
                [] if is_any => Err(Fault::new("unknown_session", "that session has ended")
                    .hint("name a live one: kite_sessions lists them")),
                [] => Err(Fault::new("unknown_session", "no session or agent has this id")
                    .hint("give an id, a prefix of at least 4 digits, or `idle`: kite_sessions lists them")),
                _ => Err(Fault::new("unknown_session", "several sessions begin with this id")
                    .hint("give more of it")),
            }
        })
    }

    /// Whoever has nothing to do here: in no turn, without a task, and sent nothing. Of several the
    /// one that was seen last, whose person is the likeliest to be there.
    fn idle(&self, sender: &Sender, project: &str) -> Result<Session, Fault> {
        let idle = self.store.read(|ledger| {
            let is_idle = |session: &&Session| {
                session.state == State::Idle
                    && session.kind != Kind::Person
                    && session.project == project
                    && session.id != sender.session
                    && ledger.tasks.claimed_by(session.id).is_empty()
                    && self.dispatches.open_of(session.id) == 0
            };
            let idle = ledger.sessions.values().filter(is_idle);
            idle.max_by_key(|session| (session.seen.wall_ms, session.id))
                .cloned()
        });
        idle.ok_or_else(|| {
            Fault::new("nobody_idle", "no session of this project is idle: each is in a turn, has a task, or was sent something")
                .hint("name one that kite_sessions lists, or give spawn=true to have an agent started")
        })
    }
}
