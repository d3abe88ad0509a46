//! `kite_task_list`.

use kite_wire::{
    reply::{self, Fault, Task, TaskCounts, Tasks},
    request::{Request, TaskList},
};
use serde_json::Value;

use super::{Tool, show};
use crate::{
    arguments::Arguments,
    schema::{Declaration, Effect, FIRST, Kind, PATH_CHARS_MAX, Param},
    text::{one_line, short_id},
};

/// Characters of a cursor.
const CURSOR_CHARS_MAX: usize = 256;
const STATUSES: &[&str] = &[
    "open",
    "pending",
    "blocked",
    "ready",
    "claimed",
    "done",
    "failed",
    "cancelled",
    "all",
];
const STATUS_DEFAULT: &str = "open";

const PARAMS: &[Param] = &[
    Param::optional(
        "status",
        Kind::Choice {
            of: STATUSES,
            default: STATUS_DEFAULT,
        },
        "pending: blocked or ready. open: pending or claimed.",
    ),
    Param::optional(
        "project",
        Kind::Text {
            chars_max: PATH_CHARS_MAX,
        },
        "A directory in a project, or * for all. Default: this project.",
    ),
    Param::optional(
        "limit",
        Kind::Integer {
            min: 1,
            max: 200,
            default: Some(50),
        },
        "Tasks in one answer.",
    ),
    Param::optional(
        "cursor",
        Kind::Text {
            chars_max: CURSOR_CHARS_MAX,
        },
        "The cursor that the answer before gave.",
    ),
];

pub(super) const TOOL: Tool = Tool {
    declaration: Declaration {
        name: "kite_task_list",
        title: "List tasks",
        description: "List the project's tasks by status: before you claim or create one, or to see what waits for \
                      what. Returns one line each: id, state, priority, title, who has it.",
        effect: Effect::Read,
        params: PARAMS,
        changes: FIRST,
    },
    request,
    render,
    sift: None,
};

fn request(given: &Arguments, _here: Option<&str>) -> Result<Request, String> {
    Ok(TaskList {
        status: given.text("status"),
        project: given.text("project"),
        limit: given.integer_u32("limit"),
        cursor: given.text("cursor"),
    }
    .into())
}

fn render(request: &Request, reply: Value) -> Result<String, Fault> {
    let Tasks {
        tasks,
        next_cursor,
        counts,
        ..
    } = reply::read(reply)?;
    let status = match request {
        Request::TaskList(list) => list.status.as_deref().unwrap_or(STATUS_DEFAULT),
        _ => STATUS_DEFAULT,
    };
    let noun = if tasks.len() == 1 { "task" } else { "tasks" };
    let mut answer = format!(
        "{} {noun} ({status}). In the project: {}.",
        tasks.len(),
        counted(counts)
    );
    for task in &tasks {
        answer.push('\n');
        answer.push_str(&line(task));
    }
    if let Some(cursor) = next_cursor {
        answer.push_str(&format!(
            "\nThere is more: kite_task_list cursor={}",
            one_line(&cursor, CURSOR_CHARS_MAX)
        ));
    } else if tasks.is_empty() && status == STATUS_DEFAULT {
        answer.push_str(" kite_task_create adds one.");
    }
    Ok(answer)
}

fn line(task: &Task) -> String {
    let mut line = format!("{} {}", short_id(&task.id), task.state);
    if task.priority != "normal" {
        line.push_str(&format!(" {}", task.priority));
    }
    line.push_str(&format!(
        " {}",
        &show::named(task)[short_id(&task.id).len() + 1..]
    ));
    if let Some(session) = &task.session {
        line.push_str(&format!(" by {}", short_id(session)));
    }
    if task.attempt > 1 {
        line.push_str(&format!(" attempt {}", task.attempt));
    }
    if task.state == "blocked" {
        line.push_str(&format!(" after {}", show::ids(&task.depends_on)));
    }
    line
}

fn counted(counts: TaskCounts) -> String {
    let TaskCounts {
        blocked,
        ready,
        claimed,
        done,
        failed,
        cancelled,
    } = counts;
    let named = [
        (blocked, "blocked"),
        (ready, "ready"),
        (claimed, "claimed"),
        (done, "done"),
        (failed, "failed"),
        (cancelled, "cancelled"),
    ];
    let present: Vec<String> = named
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, state)| format!("{count} {state}"))
        .collect();
    if present.is_empty() {
        "no tasks".to_owned()
    } else {
        present.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_list_is_one_line_a_task_and_says_where_it_goes_on() {
        let task = |id: &str, state: &str, title: &str| {
            json!({"id": id, "title": title, "priority": "high", "project": "/p", "state": state,
                   "depends_on": ["0000111122"], "attempt": 2, "session": "3f2a91bcaa", "created_at": ""})
        };
        let reply = json!({"ok": true, "next_cursor": "c7", "counts": {"blocked": 1, "ready": 0, "claimed": 1,
            "done": 4, "failed": 0, "cancelled": 0}, "tasks": [
            task("1a2b3c4d00", "claimed", "Add\nlogin"), task("5e6f7a8b00", "blocked", "Then logout")]});
        let request = TaskList::default().into();
        assert_eq!(
            render(&request, reply).expect("a list"),
            "2 tasks (open). In the project: 1 blocked, 1 claimed, 4 done.\n\
             1a2b3c4d claimed high \"Add login\" by 3f2a91bc attempt 2\n\
             5e6f7a8b blocked high \"Then logout\" by 3f2a91bc attempt 2 after 00001111\n\
             There is more: kite_task_list cursor=c7"
        );
    }
}
