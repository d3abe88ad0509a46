//! `kite://events`: what happened lately, on this machine.

use kite_wire::{
    reply::{self, Event},
    request::Query,
};
use serde_json::{Value, json};

use super::{
    CONTENT_BYTES_MAX, Declaration, ReadError, Reader,
    task::checked_id,
    uri::{Parts, written},
};
use crate::text;

/// Events of a page, usually and at most.
pub(crate) const LIMIT: u64 = 50;
pub(crate) const LIMIT_MAX: u64 = 200;
/// Characters shown of what an event is about: it may be a whole shell command.
const TARGET_CHARS_MAX: usize = 300;

const SHAPE: &[(&str, &str)] = &[
    (
        "events",
        "oldest first; each with `seq`, `at`, `kind` (hook, tool, session, lock, touch, task, daemon, ...), `what`, \
         `session`, `tool`, `target` (the file, command, task or lock it is about), `outcome`, `took_us`. What went \
         into a tool and came out of it is not shown",
    ),
    (
        "next",
        "URI of what comes after these. Always there: read it later",
    ),
];

pub(super) const FIXED: Declaration = Declaration {
    uri: "kite://events",
    name: "events",
    title: "Recent events",
    description: "The newest 50 events of all projects on this machine: edits, commands, locks, tasks, sessions.",
    shape: SHAPE,
};

pub(super) const TEMPLATE: Declaration = Declaration {
    uri: "kite://events{?after,limit,session}",
    name: "events-after",
    title: "Events since",
    description: "Events after a sequence number, without gaps (limit 1 to 200, usually 50); or of one session.",
    shape: SHAPE,
};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Events {
    pub(crate) after: Option<u64>,
    pub(crate) limit: u64,
    /// An id or a beginning of one.
    pub(crate) session: Option<String>,
}

impl Events {
    pub(super) fn parse(parts: &Parts) -> Result<Events, String> {
        parts.only(&["after", "limit", "session"])?;
        Ok(Events {
            after: parts.number("after", 0, u64::MAX)?,
            limit: parts.number("limit", 1, LIMIT_MAX)?.unwrap_or(LIMIT),
            session: parts.get("session").map(checked_id).transpose()?,
        })
    }

    pub(super) async fn read(&self, reader: &Reader<'_>) -> Result<Value, ReadError> {
        let query = Query {
            target: "events".to_owned(),
            session: self.session.clone(),
            after: self.after,
            limit: u32::try_from(self.limit).ok(),
            ..Query::default()
        };
        let found: reply::Events = reader.ask(query).await?;
        Ok(self.content(&found))
    }

    fn content(&self, found: &reply::Events) -> Value {
        let (events, next) = shown(found, self.after, self.limit);
        let events: Vec<Value> = events.iter().map(entry).collect();
        let (limit, after) = (self.limit.to_string(), next.to_string());
        let next = written(
            "events",
            &[
                ("session", self.session.as_deref()),
                (
                    "limit",
                    Some(limit.as_str()).filter(|_| self.limit != LIMIT),
                ),
                ("after", Some(&after)),
            ],
        );
        json!({"events": events, "next": next})
    }
}

/// The events of an answer that fit into a page, and the number after which to go on. After a
/// number, the oldest are shown and the rest comes later; without one, the newest are shown.
pub(crate) fn shown(found: &reply::Events, after: Option<u64>, limit: u64) -> (&[Event], u64) {
    let mut bytes = 0;
    let mut fits = |event: &Event| {
        bytes += entry(event).to_string().len() + 1;
        bytes <= CONTENT_BYTES_MAX
    };
    let all = found.events.as_slice();
    if after.is_none() {
        let count = all.iter().rev().take_while(|event| fits(event)).count();
        return (&all[all.len() - count..], found.last_seq);
    }
    let count = all.iter().take_while(|event| fits(event)).count();
    let is_cut = count < all.len() || all.len() as u64 >= limit;
    let events = &all[..count];
    match events.last() {
        Some(last) if is_cut => (events, last.seq),
        _ => (events, found.last_seq),
    }
}

fn entry(event: &Event) -> Value {
    let shown = Event {
        input: None,
        output: None,
        target: event
            .target
            .as_deref()
            .map(|target| text::clipped(target, TARGET_CHARS_MAX)),
        outcome: event
            .outcome
            .as_deref()
            .map(|outcome| text::clipped(outcome, TARGET_CHARS_MAX)),
        ..event.clone()
    };
    serde_json::to_value(shown).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(seqs: std::ops::RangeInclusive<u64>, last_seq: u64) -> reply::Events {
        let events = seqs.map(|seq| Event {
            seq,
            kind: "hook".into(),
            input: Some(json!({"secret": 1})),
            ..Event::default()
        });
        reply::Events {
            events: events.collect(),
            last_seq,
        }
    }

    fn of(uri: &str) -> Events {
        match super::super::Uri::parse(uri) {
            Ok(super::super::Uri::Events(events)) => events,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn each_page_names_where_the_next_begins() {
        let newest = of("kite://events").content(&found(5..=7, 7));
        assert_eq!(newest["next"], "kite://events?after=7");
        assert!(newest["events"][0].get("input").is_none());
        let full = of("kite://events?after=2&limit=3").content(&found(3..=5, 90));
        assert_eq!(full["next"], "kite://events?limit=3&after=5");
        let last = of("kite://events?after=85&limit=30&session=3F2a").content(&found(86..=88, 90));
        assert_eq!(last["next"], "kite://events?session=3f2a&limit=30&after=90");
    }

    #[test]
    fn a_page_is_bounded_and_no_event_is_lost_for_it() {
        let mut many = found(1..=200, 200);
        for event in &mut many.events {
            event.what = "x".repeat(2_000);
        }
        let (events, next) = shown(&many, Some(0), 200);
        assert!(!events.is_empty() && events.len() < 200);
        assert_eq!(next, events[events.len() - 1].seq);
        let (newest, next) = shown(&many, None, 200);
        assert_eq!((newest[newest.len() - 1].seq, next), (200, 200));
    }
}
