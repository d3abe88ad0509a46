//! `kite://locks`: what is locked, what is being edited, and who waits for it.

use kite_wire::{
    reply::{self, Lock},
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
        "locks",
        "by target; each with `target` (a path, a directory ending in /, a glob, or a name), `kind` (lock: asked \
         for; hold: an edit under way, for seconds), `session`, `agent` (its subagent), `project`, `epoch`, `since`, \
         `until` (the latest it can last without a sign of life), `keep`, `reason`, `waiting` (sessions in its queue, \
         first first). An `until` that moves alone is no update",
    ),
    ("next", "URI of the next page, where there is one"),
    INCOMPLETE,
];

pub(super) const FIXED: Declaration = Declaration {
    uri: "kite://locks",
    name: "locks",
    title: "Locks",
    description: "What is locked in this project, by whom, until when, and who waits; and the edits under way.",
    shape: SHAPE,
};

pub(super) const TEMPLATE: Declaration = Declaration {
    uri: "kite://locks{?cursor,limit,project}",
    name: "locks-page",
    title: "Locks, page by page",
    description: "Locks, page by page (limit 1 to 200, usually 50). project: a directory in another project, or * \
                  for all.",
    shape: SHAPE,
};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Locks {
    pub(super) page: Page,
}

impl Locks {
    pub(super) fn parse(parts: &Parts) -> Result<Locks, String> {
        let page = Page::parse(parts)?;
        Ok(Locks { page })
    }

    pub(super) async fn read(&self, reader: &Reader<'_>) -> Result<Value, ReadError> {
        let query = Query {
            target: "locks".to_owned(),
            project: self.page.project.clone().or_else(|| reader.here()),
            limit: Some(ENTRIES_MAX),
            ..Query::default()
        };
        let found: reply::Locks = reader.ask(query).await?;
        let mut entries: Vec<(String, Value)> = found
            .locks
            .iter()
            .map(|lock| (key(lock), serde_json::to_value(lock).unwrap_or_default()))
            .collect();
        entries.sort_by(|(a, _), (b, _)| a.cmp(b));
        let (locks, cursor) = self.page.cut(entries);
        let mut content = json!({"locks": locks});
        Page::tell_end(&mut content, found.locks.len());
        if let Some(cursor) = cursor {
            content["next"] = self.page.next("locks", &cursor).into();
        }
        Ok(content)
    }
}

/// Two subagents of one session may hold one file, one after the other.
fn key(lock: &Lock) -> String {
    let agent = lock.agent.as_deref().unwrap_or_default();
    format!("{} {} {} {}", lock.target, lock.kind, lock.session, agent)
}
