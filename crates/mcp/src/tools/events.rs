//! `kite_events`.

use kite_wire::{
    reply::{self, Event, Events, Fault},
    request::{Query, Request},
};
use serde_json::Value;

use super::{Sifted, Tool, file_lock::WAIT_SECONDS_MAX};
use crate::{
    arguments::Arguments,
    schema::{Declaration, Effect, FIRST, ID_CHARS_MAX, Kind, Param},
    text::{one_line, short_id},
};

const NAME: &str = "kite_events";
/// Events in one answer.
const EVENTS_MAX: usize = 50;
/// Events asked for at once.
const PAGE: u32 = 200;
/// Characters shown of what an event is about, and of each other word.
const TARGET_CHARS_MAX: usize = 120;
const WORD_CHARS_MAX: usize = 60;
/// The largest number that every JSON reader reads as it is.
const NUMBER_MAX: u64 = (1 << 53) - 1;

/// What `of` may be, and the kinds of events it means.
const GROUPS: &[(&str, &[&str])] = &[
    ("all", &[]),
    ("tasks", &["task"]),
    ("locks", &["lock", "hold"]),
    ("sessions", &["session"]),
];

const PARAMS: &[Param] = &[
    Param::optional(
        "after",
        Kind::Integer {
            min: 0,
            max: NUMBER_MAX,
            default: None,
        },
        "Only those after this number, which the answer before gave.",
    ),
    Param::optional(
        "of",
        Kind::Choice {
            of: &["all", "tasks", "locks", "sessions"],
            default: "all",
        },
        "Only those about these.",
    ),
    Param::optional(
        "session",
        Kind::Text {
            chars_max: ID_CHARS_MAX,
        },
        "Only those of this session.",
    ),
    Param::optional(
        "wait_seconds",
        Kind::Integer {
            min: 0,
            max: WAIT_SECONDS_MAX,
            default: Some(0),
        },
        "Wait so long for one. Needs after.",
    ),
];

pub(super) const TOOL: Tool = Tool {
    declaration: Declaration {
        name: NAME,
        title: "Recent events",
        description: "Read what happened lately on this machine, or wait for what happens next: a task that is \
                      completed or becomes ready, a lock that is released. Returns one line each and the number to \
                      go on after.",
        effect: Effect::Read,
        params: PARAMS,
        changes: FIRST,
    },
    request,
    render,
    sift: Some(sift),
};

fn request(given: &Arguments, _here: Option<&str>) -> Result<Request, String> {
    let after = given.integer("after");
    if after.is_none() && given.integer("wait_seconds").unwrap_or(0) > 0 {
        return Err(format!(
            "{NAME} was not called: `wait_seconds` needs `after`. Call it without both first; the answer names the \
             number to wait after."
        ));
    }
    Ok(Query {
        target: "events".to_owned(),
        session: given.text("session"),
        after,
        limit: Some(PAGE),
        ..Query::default()
    }
    .into())
}

/// Keeps what was asked for. Where nothing is left, says after which event to look next.
fn sift(given: &Arguments, request: &Request, mut reply: Value) -> Result<Sifted, Fault> {
    let group = given.text("of").unwrap_or_default();
    let kinds = GROUPS
        .iter()
        .find(|(name, _)| *name == group)
        .map_or(&[][..], |(_, kinds)| *kinds);
    let mut found: Events = reply::read(reply.clone())?;
    let (asked, after) = match request {
        Request::Query(query) => (query.clone(), query.after),
        _ => (Query::default(), None),
    };
    let was_full = found.events.len() >= PAGE as usize;
    let newest = match found.events.last() {
        Some(last) if was_full && after.is_some() => last.seq,
        _ => found.last_seq,
    };
    found.events.retain(|event| {
        (kinds.is_empty() || kinds.contains(&event.kind.as_str())) && !is_of_this_tool(event)
    });
    let extra = found.events.len().saturating_sub(EVENTS_MAX);
    found.last_seq = newest;
    if after.is_none() {
        found.events.drain(..extra);
    } else if extra > 0 {
        found.events.truncate(EVENTS_MAX);
        found.last_seq = found.events.last().map_or(newest, |event| event.seq);
    }
    let is_empty = found.events.is_empty();
    reply["events"] = serde_json::to_value(&found.events).unwrap_or_default();
    reply["last_seq"] = found.last_seq.into();
    if !is_empty || after.is_none() {
        return Ok(Sifted::Answer(reply));
    }
    Ok(Sifted::Nothing {
        reply,
        next: Box::new(
            Query {
                after: Some(newest),
                ..asked
            }
            .into(),
        ),
        has_more: was_full,
    })
}

/// Looking for events is one: nobody waits for that.
fn is_of_this_tool(event: &Event) -> bool {
    event.tool.as_ref().is_some_and(|tool| tool.ends_with(NAME))
}

fn render(_request: &Request, reply: Value) -> Result<String, Fault> {
    let Events { events, last_seq } = reply::read(reply)?;
    if events.is_empty() {
        return Ok(format!(
            "Nothing new. To wait for what comes: {NAME} after={last_seq} wait_seconds={WAIT_SECONDS_MAX}."
        ));
    }
    let noun = if events.len() == 1 { "event" } else { "events" };
    let mut answer = format!("{} {noun}, oldest first:", events.len());
    for event in &events {
        answer.push('\n');
        answer.push_str(&line(event));
    }
    answer.push_str(&format!("\nWhat comes next: {NAME} after={last_seq}"));
    Ok(answer)
}

fn line(event: &Event) -> String {
    let time = event.at.get(11..19).unwrap_or(&event.at);
    let mut line = format!(
        "{} {} {} {}",
        event.seq,
        one_line(time, WORD_CHARS_MAX),
        one_line(&event.kind, WORD_CHARS_MAX),
        one_line(&event.what, WORD_CHARS_MAX)
    );
    if let Some(tool) = &event.tool {
        line.push_str(&format!(" {}", one_line(tool, WORD_CHARS_MAX)));
    }
    if let Some(target) = &event.target {
        line.push_str(&format!(" {}", one_line(target, TARGET_CHARS_MAX)));
    }
    if let Some(outcome) = &event.outcome {
        line.push_str(&format!(": {}", one_line(outcome, TARGET_CHARS_MAX)));
    }
    if let Some(session) = &event.session {
        line.push_str(&format!(" (by {})", short_id(session)));
    }
    line
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn event(seq: u64, kind: &str) -> Value {
        json!({"seq": seq, "at": "2026-11-22T14:02:11+01:00", "kind": kind, "what": "completed",
               "target": "1a2b", "session": "77aa0011ff", "outcome": "done"})
    }

    fn sifted(of: &str, after: Option<u64>, events: Vec<Value>, last_seq: u64) -> Sifted {
        let given = json!({"of": of});
        let given = given.as_object().cloned().expect("an object");
        let arguments = Arguments::check(&TOOL.declaration, given).expect("arguments");
        let request = Query {
            after,
            ..Query::default()
        };
        let reply = json!({"ok": true, "events": events, "last_seq": last_seq});
        sift(&arguments, &request.into(), reply).expect("an answer")
    }

    #[test]
    fn only_what_was_asked_for_is_an_answer() {
        let mut own = event(4, "task");
        own["tool"] = json!("mcp__kite__kite_events");
        let Sifted::Nothing { next, has_more, .. } =
            sifted("tasks", Some(2), vec![event(3, "hook"), own], 9)
        else {
            panic!("no event of a task")
        };
        assert!(!has_more);
        assert!(matches!(*next, Request::Query(query) if query.after == Some(9)));
        let Sifted::Answer(reply) = sifted(
            "tasks",
            Some(2),
            vec![event(3, "hook"), event(4, "task")],
            9,
        ) else {
            panic!("an event of a task")
        };
        assert_eq!(
            render(&Query::default().into(), reply).expect("a text"),
            "1 event, oldest first:\n4 14:02:11 task completed 1a2b: done (by 77aa0011)\n\
             What comes next: kite_events after=9"
        );
    }

    #[test]
    fn no_event_is_lost_between_two_answers() {
        let many: Vec<Value> = (1..=200).map(|seq| event(seq, "task")).collect();
        let Sifted::Answer(reply) = sifted("all", Some(0), many.clone(), 900) else {
            panic!("events")
        };
        assert_eq!(reply["last_seq"], 50);
        let Sifted::Nothing { next, has_more, .. } = sifted("locks", Some(0), many, 900) else {
            panic!("no locks")
        };
        assert!(has_more && matches!(*next, Request::Query(query) if query.after == Some(200)));
        let newest: Vec<Value> = (801..=900).map(|seq| event(seq, "task")).collect();
        let Sifted::Answer(reply) = sifted("all", None, newest, 900) else {
            panic!("events")
        };
        assert_eq!(
            (&reply["events"][0]["seq"], &reply["last_seq"]),
            (&json!(851), &json!(900))
        );
    }
}
