//! `kite_task_show`.

use kite_wire::{
    reply::{self, Event, Fault, OneTask, Task},
    request::{Request, TaskShow},
};
use serde_json::Value;

use super::{Tool, show};
use crate::{
    arguments::Arguments,
    schema::{
        Declaration, Effect, FIRST, ID_CHARS_MAX, Kind, Param, REASON_CHARS_MAX, TEXT_CHARS_MAX,
    },
    text::{block, one_line, quoted, short_id, time_of_day},
};

/// Latest reasons shown of why attempts ended.
const REASONS_SHOWN_MAX: usize = 3;
/// Latest events shown.
const HISTORY_SHOWN_MAX: usize = 12;
/// Neighbours shown on each side.
const NEIGHBOURS_SHOWN_MAX: usize = 16;
/// Characters shown of the result of a neighbour, and of a word of an event.
const NEIGHBOUR_RESULT_CHARS_MAX: usize = 200;
const WORD_CHARS_MAX: usize = 40;

const PARAMS: &[Param] = &[Param::required(
    "task",
    Kind::Text {
        chars_max: ID_CHARS_MAX,
    },
    "Its id.",
)];

pub(super) const TOOL: Tool = Tool {
    declaration: Declaration {
        name: "kite_task_show",
        title: "Show a task",
        description: "Show one task of any state without claiming it: to review it, to see why it is blocked or \
                      failed, or what came of it. Returns its description and result, what it depends on, what \
                      waits for it, and what happened to it.",
        effect: Effect::Read,
        params: PARAMS,
        changes: FIRST,
    },
    request,
    render,
    sift: None,
};

fn request(given: &Arguments, _here: Option<&str>) -> Result<Request, String> {
    let task = given.text("task").unwrap_or_default();
    Ok(TaskShow { task }.into())
}

fn render(_request: &Request, reply: Value) -> Result<String, Fault> {
    let OneTask {
        task,
        dependencies,
        dependents,
        history,
        ..
    } = reply::read(reply)?;
    let mut answer = format!("{}: {}", show::named(&task), state(&task));
    for (what, text) in [
        ("Description, as its author wrote it", &task.description),
        ("Result, as whoever did it wrote it", &task.result),
    ] {
        if let Some(text) = text {
            answer.push_str(&format!("\n{what}:\n"));
            answer.push_str(block(text, TEXT_CHARS_MAX).trim_end());
        }
    }
    if !task.paths.is_empty() {
        answer.push_str(&format!("\nPaths: {}", show::names(&task.paths)));
    }
    for reason in task.reasons.iter().rev().take(REASONS_SHOWN_MAX) {
        answer.push_str(&format!(
            "\nAn attempt ended: {}",
            quoted(reason, REASON_CHARS_MAX)
        ));
    }
    push_neighbours(&mut answer, "Depends on", &dependencies);
    push_neighbours(&mut answer, "Needed by", &dependents);
    let older = history.len().saturating_sub(HISTORY_SHOWN_MAX);
    for event in &history[older..] {
        answer.push('\n');
        answer.push_str(&happening(event));
    }
    if task.state == "ready" {
        let id = short_id(&task.id);
        answer.push_str(&format!("\nkite_task_claim task={id} takes it."));
    }
    Ok(answer)
}

fn state(task: &Task) -> String {
    let mut state = one_line(&task.state, WORD_CHARS_MAX);
    if task.priority != "normal" {
        state.push_str(&format!(", {} priority", task.priority));
    }
    if let Some(session) = &task.session {
        state.push_str(&format!(", by {}", short_id(session)));
    }
    if task.attempt > 0 {
        state.push_str(&format!(", attempt {}", task.attempt));
    }
    state
}

fn push_neighbours(answer: &mut String, what: &str, tasks: &[Task]) {
    for task in tasks.iter().take(NEIGHBOURS_SHOWN_MAX) {
        answer.push_str(&format!("\n{what} {} ({})", show::named(task), task.state));
        if let Some(result) = &task.result {
            answer.push_str(&format!(": {}", quoted(result, NEIGHBOUR_RESULT_CHARS_MAX)));
        }
    }
    if tasks.len() > NEIGHBOURS_SHOWN_MAX {
        answer.push_str(&format!(" and {} more", tasks.len() - NEIGHBOURS_SHOWN_MAX));
    }
}

fn happening(event: &Event) -> String {
    let mut line = format!(
        "{} {}",
        time_of_day(&event.at),
        one_line(&event.what, WORD_CHARS_MAX)
    );
    if let Some(outcome) = event
        .outcome
        .as_ref()
        .filter(|outcome| **outcome != event.what)
    {
        line.push_str(&format!(", then {}", one_line(outcome, WORD_CHARS_MAX)));
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

    #[test]
    fn a_task_is_shown_with_its_neighbours_and_its_past() {
        let task = |id: &str, title: &str, state: &str| {
            json!({"id": id, "title": title, "priority": "normal", "project": "/p", "state": state,
                   "attempt": 0, "created_at": ""})
        };
        let mut whole = task("1a2b3c4d00", "Login", "ready");
        whole["description"] = json!("all\nof it");
        let mut library = task("5e6f7a8b00", "Library", "done");
        library["result"] = json!("oauth2");
        let reply = json!({"ok": true, "outcome": "shown", "task": whole, "dependencies": [library],
            "dependents": [task("99887766aa", "Docs", "blocked")],
            "history": [{"seq": 1, "at": "2026-11-22T14:02:11+01:00", "kind": "task", "what": "created",
                "session": "77aa0011", "outcome": "ready"}]});
        assert_eq!(
            render(&TaskShow::default().into(), reply).expect("a task"),
            "1a2b3c4d \"Login\": ready\nDescription, as its author wrote it:\n> all\n> of it\n\
             Depends on 5e6f7a8b \"Library\" (done): \"oauth2\"\nNeeded by 99887766 \"Docs\" (blocked)\n\
             14:02 created, then ready (by 77aa0011)\nkite_task_claim task=1a2b3c4d takes it."
        );
    }
}
