//! `kite://sessions` and `kite://sessions/active`: who works here.

use kite_wire::{
    reply::{self, Session},
    request::Query,
};
use serde_json::{Value, json};

use super::{
    Declaration, Page, ReadError, Reader,
    page::{ENTRIES_MAX, INCOMPLETE},
    uri::Parts,
};

const SHAPE: &[(&str, &str)] = &[
    (
        "sessions",
        "oldest first; each with `id`, `client`, `client_version`, `state` (active: in a turn, idle, ended, lost: \
         its process died), `project`, `worktree`, `cwd`, `intent` (the first line of its latest prompt), `since`, \
         `last_seen`, `locks`, `holds` (files it is editing this moment), `tasks` (ids it has claimed), `outdated` \
         (runs other tool schemas than this Kite). A `last_seen` that moves alone is no update",
    ),
    ("you", "the reader's own session, where it has one"),
    ("next", "URI of the next page, where there is one"),
    INCOMPLETE,
];

pub(super) const FIXED: &[Declaration] = &[
    Declaration {
        uri: "kite://sessions",
        name: "sessions",
        title: "All sessions",
        description: "The agent sessions of this project, living ones and those that ended lately.",
        shape: SHAPE,
    },
    Declaration {
        uri: "kite://sessions/active",
        name: "sessions-active",
        title: "Living sessions",
        description: "The agent sessions at work in this project: in a turn, or between two.",
        shape: SHAPE,
    },
];

pub(super) const TEMPLATE: Declaration = Declaration {
    uri: "kite://sessions{?cursor,limit,project}",
    name: "sessions-page",
    title: "Sessions, page by page",
    description: "All sessions, page by page (limit 1 to 200, usually 50). project: a directory in another project, \
                  or * for all. kite://sessions/active takes the same.",
    shape: SHAPE,
};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sessions {
    /// Only those that live.
    active: bool,
    pub(super) page: Page,
}

impl Sessions {
    pub(super) fn parse(active: bool, parts: &Parts) -> Result<Sessions, String> {
        let page = Page::parse(parts)?;
        Ok(Sessions { active, page })
    }

    pub(super) async fn read(&self, reader: &Reader<'_>) -> Result<Value, ReadError> {
        let query = Query {
            target: "sessions".to_owned(),
            project: self.page.project.clone().or_else(|| reader.here()),
            ended: !self.active,
            limit: Some(ENTRIES_MAX),
            ..Query::default()
        };
        let found: reply::Sessions = reader.ask(query).await?;
        Ok(self.content(&found))
    }

    fn content(&self, found: &reply::Sessions) -> Value {
        let mut entries: Vec<(String, Value)> = found
            .sessions
            .iter()
            .map(|session| (key(session), entry(session)))
            .collect();
        entries.sort_by(|(a, _), (b, _)| a.cmp(b));
        let (sessions, cursor) = self.page.cut(entries);
        let mut content = json!({"sessions": sessions});
        Page::tell_end(&mut content, found.sessions.len());
        if let Some(you) = &found.you {
            content["you"] = you.as_str().into();
        }
        if let Some(cursor) = cursor {
            let path = if self.active {
                "sessions/active"
            } else {
                "sessions"
            };
            content["next"] = self.page.next(path, &cursor).into();
        }
        content
    }
}

/// Sorts by the time it began: all of one daemon are written in one zone.
fn key(session: &Session) -> String {
    format!("{} {}", session.since, session.id)
}

/// A session without what could be used to speak in its name.
pub(super) fn entry(session: &Session) -> Value {
    let shown = Session {
        client_session_id: None,
        pid: None,
        fingerprint: None,
        ..session.clone()
    };
    serde_json::to_value(shown).unwrap_or_default()
}
