//! `kite://session/{id}`: one session.

use kite_wire::{reply, request::Query};
use serde_json::{Value, json};

use super::{Declaration, ReadError, Reader, sessions::entry, task::checked_id, uri::Parts};

/// Sessions whose id begins alike that are named.
const ALIKE_SHOWN_MAX: u32 = 5;

pub(super) const TEMPLATE: Declaration = Declaration {
    uri: "kite://session/{id}",
    name: "session",
    title: "One session",
    description: "One session by its id or a unique beginning of it, of any project, living or ended.",
    shape: &[
        ("session", "as in kite://sessions"),
        ("is_you", "whether it is the reader's own"),
    ],
};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Session {
    /// An id or a beginning of one.
    pub(crate) id: String,
}

impl Session {
    pub(super) fn parse(id: &str, parts: &Parts) -> Result<Session, String> {
        parts.only(&[])?;
        checked_id(id).map(|id| Session { id })
    }

    pub(super) async fn read(&self, reader: &Reader<'_>) -> Result<Value, ReadError> {
        let query = Query {
            target: "sessions".to_owned(),
            session: Some(self.id.clone()),
            ended: true,
            limit: Some(ALIKE_SHOWN_MAX),
            ..Query::default()
        };
        let reply::Sessions { sessions, you } = reader.ask(query).await?;
        let id = &self.id;
        match sessions.as_slice() {
            [] => Err(ReadError::NotFound(format!(
                "No session's id begins with {id}. kite://sessions lists them."
            ))),
            [session] => {
                let is_you = you.as_ref() == Some(&session.id);
                Ok(json!({"session": entry(session), "is_you": is_you}))
            }
            several => {
                let ids: Vec<&str> = several.iter().map(|one| one.id.as_str()).collect();
                Err(ReadError::NotFound(format!(
                    "Several sessions' ids begin with {id}: {}. Give more of it.",
                    ids.join(", ")
                )))
            }
        }
    }
}
