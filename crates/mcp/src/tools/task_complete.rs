//! `kite_task_complete`.

use kite_wire::{
    reply::{self, Fault, OneTask},
    request::{Request, TaskComplete},
};
use serde_json::Value;

use super::{Tool, show, vault_write};
use crate::{
    arguments::Arguments,
    schema::{Change, Declaration, Effect, ID_CHARS_MAX, Kind, Param, TEXT_CHARS_MAX},
};

pub(super) const TASK: Param = Param::required(
    "task",
    Kind::Text {
        chars_max: ID_CHARS_MAX,
    },
    "The id of the task you claimed.",
);
pub(super) const ATTEMPT: Param = Param::optional(
    "attempt",
    Kind::Integer {
        min: 1,
        max: u32::MAX as u64,
        default: None,
    },
    "The attempt number that the claim gave.",
);

const PARAMS: &[Param] = &[
    TASK,
    ATTEMPT,
    Param::optional(
        "result",
        Kind::Text {
            chars_max: TEXT_CHARS_MAX,
        },
        "What came of it: files, decisions, what is left open. Those who go on from it read this.",
    ),
    Param::optional(
        "learnt",
        Kind::Text {
            chars_max: TEXT_CHARS_MAX,
        },
        "What later sessions should know and could not see in the code. Kept as a note that kite_vault_search finds.",
    ),
];

const CHANGES: &[Change] = &[
    Change {
        version: 1,
        what: "first version",
    },
    Change {
        version: 2,
        what: "`learnt` is kept as a note",
    },
];

pub(super) const TOOL: Tool = Tool {
    declaration: Declaration {
        name: "kite_task_complete",
        title: "Complete a task",
        description: "End a task you have claimed, as soon as its work is done. Tasks that waited for it become \
                      ready. Returns which.",
        effect: Effect::Once,
        params: PARAMS,
        changes: CHANGES,
    },
    request,
    render,
    sift: None,
};

fn request(given: &Arguments, _here: Option<&str>) -> Result<Request, String> {
    Ok(TaskComplete {
        task: given.text("task").unwrap_or_default(),
        attempt: given.integer_u32("attempt"),
        result: given.text("result"),
        learnt: given.text("learnt"),
    }
    .into())
}

fn render(_request: &Request, reply: Value) -> Result<String, Fault> {
    let OneTask {
        task,
        outcome,
        woken,
        learnt,
        ..
    } = reply::read(reply)?;
    let mut answer = match outcome.as_str() {
        "already_done" => format!(
            "Task was done already: {}. Nothing changed.",
            show::named(&task)
        ),
        _ => format!("Task done: {}", show::named(&task)),
    };
    show::push_woken(&mut answer, &woken);
    if let Some(written) = &learnt {
        answer.push('\n');
        answer.push_str(&vault_write::told(written));
    }
    if outcome != "already_done" {
        answer.push_str("\nkite_task_claim takes the next one.");
    }
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn completing_names_the_woken() {
        let task = |id: &str, title: &str| {
            json!({"id": id, "title": title, "priority": "normal", "project": "/p", "state": "ready",
                   "attempt": 0, "created_at": ""})
        };
        let reply = json!({"ok": true, "outcome": "completed", "task": task("1a2b3c4d00", "Login"),
            "woken": [task("5e6f7a8b00", "Logout")]});
        assert_eq!(
            render(&TaskComplete::default().into(), reply).expect("an end"),
            "Task done: 1a2b3c4d \"Login\"\nNow ready: 5e6f7a8b \"Logout\".\nkite_task_claim takes the next one."
        );
    }

    #[test]
    fn what_was_learnt_is_kept_or_said_to_be_lost() {
        let rendered = |learnt: Value| {
            let task = json!({"id": "1a2b3c4d00", "title": "Login", "priority": "normal", "project": "/p",
                "state": "done", "attempt": 1, "created_at": ""});
            let reply = json!({"ok": true, "outcome": "completed", "task": task, "learnt": learnt});
            render(&TaskComplete::default().into(), reply).expect("an end")
        };
        let kept = rendered(json!({"outcome": "created", "path": "/v/Login.md"}));
        assert!(kept.contains("\nNoted in /v/Login.md\n"), "{kept}");
        let lost = rendered(json!({"outcome": "failed", "why": "the disk is full"}));
        assert!(
            lost.starts_with("Task done: ")
                && lost.contains("not kept as a note: the disk is full"),
            "{lost}"
        );
    }
}
