//! `kite_task_create`.

use kite_wire::{
    reply::{self, Fault, OneTask},
    request::{Request, TaskCreate},
};
use serde_json::Value;

use super::{Tool, show};
use crate::{
    arguments::Arguments,
    schema::{
        Declaration, Effect, FIRST, ID_CHARS_MAX, Kind, PATH_CHARS_MAX, PATHS_MAX, Param,
        TEXT_CHARS_MAX, TITLE_CHARS_MAX,
    },
    text::short_id,
};

const PARAMS: &[Param] = &[
    Param::required(
        "title",
        Kind::Text {
            chars_max: TITLE_CHARS_MAX,
        },
        "What to do, in one line.",
    ),
    Param::optional(
        "description",
        Kind::Text {
            chars_max: TEXT_CHARS_MAX,
        },
        "All that whoever takes it needs to know.",
    ),
    Param::optional(
        "priority",
        Kind::Choice {
            of: &["low", "normal", "high"],
            default: "normal",
        },
        "High is claimed first.",
    ),
    Param::optional(
        "project",
        Kind::Text {
            chars_max: PATH_CHARS_MAX,
        },
        "A directory in another project. Default: this project.",
    ),
    Param::optional(
        "depends_on",
        Kind::List {
            items_max: PATHS_MAX,
            chars_max: ID_CHARS_MAX,
        },
        "Ids of tasks that must be done first.",
    ),
    Param::optional(
        "paths",
        Kind::List {
            items_max: PATHS_MAX,
            chars_max: PATH_CHARS_MAX,
        },
        "Files, directories (dir/) or globs it will change, so that work that overlaps is handed out apart.",
    ),
];

pub(super) const TOOL: Tool = Tool {
    declaration: Declaration {
        name: "kite_task_create",
        title: "Create a task",
        description: "Create a task in the project's Kite queue, for yourself or for any other session: when work \
                      is to be split, ordered, done later or handed over. Returns its id. The same unfinished task \
                      is not created twice.",
        effect: Effect::Once,
        params: PARAMS,
        changes: FIRST,
    },
    request,
    render,
    sift: None,
};

fn request(given: &Arguments, _here: Option<&str>) -> Result<Request, String> {
    Ok(TaskCreate {
        title: given.text("title").unwrap_or_default(),
        description: given.text("description"),
        priority: given.text("priority"),
        project: given.text("project"),
        depends_on: given.list("depends_on"),
        paths: given.list("paths"),
    }
    .into())
}

fn render(_request: &Request, reply: Value) -> Result<String, Fault> {
    let OneTask {
        task,
        outcome,
        similar,
        ..
    } = reply::read(reply)?;
    let id = short_id(&task.id);
    let mut answer = if outcome == "exists" {
        format!(
            "This task exists already: {} ({}). Nothing was created.",
            show::headline(&task),
            task.state
        )
    } else {
        format!("Task created: {}", show::headline(&task))
    };
    match task.state.as_str() {
        "blocked" => {
            answer.push_str(&format!(
                "\nIt is blocked until these are done: {}.",
                show::ids(&task.depends_on)
            ));
        }
        "ready" => answer.push_str(&format!(
            "\nIt is ready: kite_task_claim task={id} takes it."
        )),
        _ => {}
    }
    if let Some(similar) = similar {
        answer.push_str(&format!(
            "\nsimilar: {} has the same title but other content ({}). If it is the same work, do it once.",
            short_id(&similar.id),
            similar.state
        ));
    }
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn reply(outcome: &str, state: &str) -> Value {
        json!({"ok": true, "outcome": outcome, "task": {
            "id": "1a2b3c4d5e6f70811a2b3c4d5e6f7081", "title": "Add OAuth\nlogin", "priority": "normal",
            "project": "/p", "state": state, "depends_on": ["5e6f7a8b5e6f7a8b"], "attempt": 0, "created_at": "",
        }})
    }

    fn rendered(reply: Value) -> String {
        render(&TaskCreate::default().into(), reply).expect("a reply of this shape")
    }

    #[test]
    fn a_created_task_reads_as_in_the_blog_and_names_the_next_step() {
        assert_eq!(
            rendered(reply("created", "ready")),
            "Task created: 1a2b3c4d — Add OAuth login\nIt is ready: kite_task_claim task=1a2b3c4d takes it."
        );
        assert!(
            rendered(reply("created", "blocked"))
                .ends_with("blocked until these are done: 5e6f7a8b.")
        );
    }

    #[test]
    fn an_identical_one_is_returned_and_a_similar_one_named() {
        assert!(rendered(reply("exists", "claimed")).starts_with(
            "This task exists already: 1a2b3c4d — Add OAuth login (claimed). Nothing was created."
        ));
        let mut with_similar = reply("created", "ready");
        let mut similar = with_similar["task"].clone();
        similar["id"] = json!("99887766aa");
        with_similar["similar"] = similar;
        assert!(rendered(with_similar).contains("similar: 99887766 "));
    }
}
