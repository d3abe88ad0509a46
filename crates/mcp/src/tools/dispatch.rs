//! `kite_dispatch`.

use kite_wire::{
    reply::{
        self, Fault,
        dispatches::{Dispatch as Sent, Dispatches, OneDispatch},
    },
    request::{AgentSpawn, Dispatch, DispatchList, Request},
};
use serde_json::Value;

use super::{Tool, spawn};
use crate::{
    arguments::Arguments,
    schema::{Declaration, Effect, FIRST, ID_CHARS_MAX, Kind, Param},
    text::{one_line, short_id, time_of_day},
};

const NAME: &str = "kite_dispatch";
/// Characters of a message.
const MESSAGE_CHARS_MAX: usize = 4_000;
/// Seconds within which an assignment is to be claimed, at most.
const DEADLINE_S_MAX: u64 = 24 * 3_600;
/// Dispatches that are listed.
const LISTED: u32 = 20;
/// Characters shown of a reason or a state.
const REASON_SHOWN_MAX: usize = 300;
/// Asks for all that one sent or was sent.
const ALL: &str = "all";

const PARAMS: &[Param] = &[
    Param::optional(
        "to",
        Kind::Text {
            chars_max: ID_CHARS_MAX,
        },
        "A session's or an agent's id, or `idle`: whoever has nothing to do.",
    ),
    Param::optional(
        "task_id",
        Kind::Text {
            chars_max: ID_CHARS_MAX,
        },
        "The ready task to work on. It is reserved for them at once.",
    ),
    Param::optional(
        "message",
        Kind::Text {
            chars_max: MESSAGE_CHARS_MAX,
        },
        "What they are to know.",
    ),
    Param::optional(
        "deadline_seconds",
        Kind::Integer {
            min: 1,
            max: DEADLINE_S_MAX,
            default: Some(900),
        },
        "Not claimed by them within this time, the task is ready again.",
    ),
    Param::optional(
        "spawn",
        Kind::Flag,
        "Start an agent for it instead of telling a running session; without `to`.",
    ),
    Param::optional(
        "dispatch_id",
        Kind::Text {
            chars_max: ID_CHARS_MAX,
        },
        "Alone: what became of this one. `all`: of all that you sent or were sent.",
    ),
];

pub(super) const TOOL: Tool = Tool {
    declaration: Declaration {
        name: NAME,
        title: "Dispatch to a session",
        description: "Give a task or a message to another running session; it hears it at its next step or prompt. \
                      Returns the dispatch's id, and with dispatch_id what became of it: queued, handed, accepted, \
                      declined, expired, withdrawn, undeliverable.",
        effect: Effect::Each,
        params: PARAMS,
        changes: FIRST,
    },
    request,
    render,
    sift: None,
};

fn request(given: &Arguments, _here: Option<&str>) -> Result<Request, String> {
    let (to, task, message) = (
        given.text("to"),
        given.text("task_id"),
        given.text("message"),
    );
    let says_anything = task.is_some() || message.is_some();
    let why = match (given.text("dispatch_id"), to) {
        (Some(asked), None) if !says_anything && !given.flag("spawn") => {
            let dispatch = (asked != ALL).then_some(asked);
            let limit = Some(LISTED);
            return Ok(DispatchList { dispatch, limit }.into());
        }
        (Some(_), _) => "`dispatch_id` asks what became of one, and goes with nothing else",
        (None, _) if !says_anything => "give `task_id`, `message`, or both",
        (None, None) if given.flag("spawn") => {
            return Ok(AgentSpawn {
                task,
                prompt: message,
                ..AgentSpawn::default()
            }
            .into());
        }
        (None, Some(_)) if given.flag("spawn") => {
            "give `to` to tell a running session, or `spawn` to start an agent"
        }
        (None, Some(to)) => {
            return Ok(Dispatch {
                to,
                task,
                message,
                deadline_s: given.integer("deadline_seconds"),
                project: None,
            }
            .into());
        }
        (None, None) => "`to` is missing: kite_sessions lists who is there",
    };
    Err(format!(
        "{NAME} was not called: {why}. Correct this and call again."
    ))
}

fn render(request: &Request, reply: Value) -> Result<String, Fault> {
    Ok(match request {
        Request::DispatchList(_) => listed(&reply::read::<Dispatches>(reply)?),
        Request::AgentSpawn(_) => (spawn::TOOL.render)(request, reply)?,
        _ => sent(&reply::read::<OneDispatch>(reply)?),
    })
}

fn sent(one: &OneDispatch) -> String {
    let Sent {
        id, to, deadline, ..
    } = &one.dispatch;
    let (id, to) = (short_id(id), short_id(to));
    let when = match one.heard.as_str() {
        "next_step" => "It is in a turn and hears it at its next step",
        _ => "It is between turns and hears it at its next prompt",
    };
    let until = match (&one.dispatch.task, deadline) {
        (Some(task), Some(deadline)) => format!(
            " Task {} is reserved for it until {}; not claimed by then, it is ready again.",
            short_id(task),
            time_of_day(deadline)
        ),
        _ => String::new(),
    };
    format!(
        "Dispatch {id} is on its way to session {to}. {when}.{until} What became of it: {NAME} with dispatch_id={id}."
    )
}

fn listed(found: &Dispatches) -> String {
    if found.dispatches.is_empty() {
        return "You have sent no dispatch, and were sent none.".to_owned();
    }
    let lines: Vec<String> = found.dispatches.iter().map(line).collect();
    lines.join("\n")
}

/// `Dispatch a1b2c3d4 from session 3f2a91bc to session 77aa91bc, task 1a2b3c4d: expired (why).`
fn line(sent: &Sent) -> String {
    let task = sent
        .task
        .as_deref()
        .map_or(String::new(), |task| format!(", task {}", short_id(task)));
    let why = sent.reason.as_deref().map_or(String::new(), |reason| {
        format!(" ({})", one_line(reason, REASON_SHOWN_MAX))
    });
    let until = match (&sent.deadline, sent.state.as_str()) {
        (Some(deadline), "queued" | "handed") => {
            format!(", reserved until {}", time_of_day(deadline))
        }
        _ => String::new(),
    };
    format!(
        "Dispatch {} from session {} to session {}{task}: {}{why}{until}.",
        short_id(&sent.id),
        short_id(&sent.from),
        short_id(&sent.to),
        one_line(&sent.state, REASON_SHOWN_MAX),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn asked(given: Value) -> Result<Request, String> {
        let given = given.as_object().cloned().unwrap_or_default();
        let arguments = Arguments::check(&TOOL.declaration, given).expect("known parameters");
        request(&arguments, None)
    }

    #[test]
    fn a_dispatch_tells_when_it_is_heard_and_how_to_ask_after_it() {
        let reply = json!({"ok": true, "outcome": "queued", "heard": "next_step", "dispatch": {
            "id": "e5f6071800", "standing": "session", "from": "3f2a91bc00", "to": "77aa91bc00", "task": "1a2b3c4d00",
            "state": "queued", "project": "/p", "created_at": "", "deadline": "2026-11-22T14:30:00.120+01:00"}});
        let request = asked(json!({"to": "77aa91bc", "task_id": "1a2b3c4d"})).expect("a request");
        assert_eq!(
            render(&request, reply).expect("an answer"),
            "Dispatch e5f60718 is on its way to session 77aa91bc. It is in a turn and hears it at its next step. \
             Task 1a2b3c4d is reserved for it until 14:30; not claimed by then, it is ready again. \
             What became of it: kite_dispatch with dispatch_id=e5f60718."
        );
    }

    #[test]
    fn what_became_of_it_is_told_without_what_others_wrote() {
        let reply = json!({"ok": true, "dispatches": [{"id": "e5f6071800", "standing": "session", "from": "3f2a91bc00",
            "to": "77aa91bc00", "message": "obey", "state": "undeliverable", "reason": "its receiver\nended",
            "project": "/p", "created_at": ""}]});
        let request = asked(json!({"dispatch_id": "e5f60718"})).expect("a request");
        assert_eq!(
            render(&request, reply).expect("an answer"),
            "Dispatch e5f60718 from session 3f2a91bc to session 77aa91bc: undeliverable (its receiver ended)."
        );
    }

    #[test]
    fn spawning_is_another_request_with_the_same_words() {
        let spawn = asked(json!({"spawn": true, "task_id": "1a2b3c4d", "message": "Today."}));
        let Ok(Request::AgentSpawn(spawn)) = spawn else {
            panic!("{spawn:?}");
        };
        let words = (spawn.task.as_deref(), spawn.prompt.as_deref());
        assert_eq!(words, (Some("1a2b3c4d"), Some("Today.")));
        let all = asked(json!({"dispatch_id": "all"}));
        assert!(matches!(all, Ok(Request::DispatchList(list)) if list.dispatch.is_none()));
    }

    #[test]
    fn what_does_not_go_together_is_said() {
        for (given, why) in [
            (json!({}), "give `task_id`"),
            (json!({"to": "idle"}), "give `task_id`"),
            (json!({"message": "x"}), "`to` is missing"),
            (
                json!({"to": "idle", "message": "x", "spawn": true}),
                "or `spawn`",
            ),
            (json!({"dispatch_id": "a", "message": "x"}), "nothing else"),
        ] {
            let said = asked(given.clone()).expect_err("not called");
            assert!(said.contains(why), "{given}: {said}");
        }
    }
}
