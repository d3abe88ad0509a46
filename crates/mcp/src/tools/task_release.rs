//! `kite_task_release`.

use kite_wire::{
    reply::{self, Fault, OneTask, Task},
    request::{Request, TaskRelease},
};
use serde_json::Value;

use super::{
    Tool, show,
    task_complete::{ATTEMPT, TASK},
};
use crate::{
    arguments::Arguments,
    schema::{Declaration, Effect, FIRST, Kind, Param, REASON_CHARS_MAX},
};

const PARAMS: &[Param] = &[
    TASK,
    ATTEMPT,
    Param::optional(
        "reason",
        Kind::Text {
            chars_max: REASON_CHARS_MAX,
        },
        "Why, and what you found out. Whoever takes it next reads this.",
    ),
    Param::optional(
        "failed",
        Kind::Flag,
        "End it as failed: nobody else can do it either.",
    ),
];

pub(super) const TOOL: Tool = Tool {
    declaration: Declaration {
        name: "kite_task_release",
        title: "Give a task back",
        description: "Give a task you have claimed back to the queue when you cannot finish it, so that another \
                      session can take it; or end it as failed. Returns its new state.",
        effect: Effect::Once,
        params: PARAMS,
        changes: FIRST,
    },
    request,
    render,
    sift: None,
};

fn request(given: &Arguments, _here: Option<&str>) -> Result<Request, String> {
    Ok(TaskRelease {
        task: given.text("task").unwrap_or_default(),
        attempt: given.integer_u32("attempt"),
        reason: given.text("reason"),
        failed: given.flag("failed"),
    }
    .into())
}

fn render(_request: &Request, reply: Value) -> Result<String, Fault> {
    let OneTask { task, woken, .. } = reply::read(reply)?;
    let mut answer = match task.state.as_str() {
        "failed" => format!(
            "Task failed: {}. Tasks that depend on it stay blocked.",
            show::named(&task)
        ),
        "ready" => format!(
            "Task given back: {}. It is ready for whoever claims it.",
            show::named(&task)
        ),
        state => format!("Task released: {} ({state}).", show::named(&task)),
    };
    // That this one is ready again is said already.
    let others: Vec<Task> = woken
        .into_iter()
        .filter(|other| other.id != task.id)
        .collect();
    show::push_woken(&mut answer, &others);
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_released_task_says_what_became_of_it() {
        let rendered = |state: &str| {
            let reply = json!({"ok": true, "outcome": "released", "task": {"id": "1a2b3c4d00", "title": "Login",
                "priority": "normal", "project": "/p", "state": state, "attempt": 1, "created_at": ""}});
            render(&TaskRelease::default().into(), reply).expect("a release")
        };
        assert!(rendered("ready").starts_with("Task given back: 1a2b3c4d \"Login\". It is ready"));
        assert!(rendered("failed").starts_with("Task failed: 1a2b3c4d \"Login\"."));
    }
}
