//! `kite://task/{id}`: one task, what it depends on, what waits for it, what happened to it.

use kite_wire::{
    reply::{self, OneTask},
    request::TaskShow,
};
use serde_json::{Value, json};

use super::{Declaration, ReadError, Reader, fitting::fit, tasks::summary, uri::Parts};
use crate::{schema::ID_CHARS_MAX, text};

/// Results shown that came too late, and reasons of earlier ends: the newest.
const EARLIER_SHOWN_MAX: usize = 4;
/// Characters shown of the result of a dependency, and of one that came too late.
const RESULT_CHARS_MAX: usize = 500;
/// Tasks shown that wait for it.
const DEPENDENTS_SHOWN_MAX: usize = 64;

pub(super) const TEMPLATE: Declaration = Declaration {
    uri: "kite://task/{id}",
    name: "task",
    title: "One task",
    description: "One task by its id or a unique beginning of it: description, result, dependencies, dependents and \
                  history.",
    shape: &[
        (
            "task",
            "as in kite://tasks, and `description`, `result`, `reasons` (why earlier attempts ended, the newest 4), \
             `late_results` (of attempts that had been taken away), `created_by`",
        ),
        (
            "dependencies",
            "tasks it waits for, as in kite://tasks, each with the beginning of its `result`",
        ),
        ("dependents", "tasks that wait for it, at most 64"),
        (
            "history",
            "oldest first: `seq`, `at`, `what`, `session`, `outcome` (the state it came to)",
        ),
        (
            "omitted",
            "where all of it were too long: how many are left out of `dependents`, `dependencies`, `history`, and of \
             the task's `paths`, `late_results`, `reasons`, in this order. Before that, the `paths` of other tasks are",
        ),
    ],
};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Task {
    /// An id or a beginning of one.
    pub(crate) id: String,
}

impl Task {
    pub(super) fn parse(id: &str, parts: &Parts) -> Result<Task, String> {
        parts.only(&[])?;
        checked_id(id).map(|id| Task { id })
    }

    pub(super) async fn read(&self, reader: &Reader<'_>) -> Result<Value, ReadError> {
        let task = self.id.clone();
        let shown: OneTask = reader.ask(TaskShow { task }).await?;
        let mut content = content(shown);
        fit(&mut content);
        Ok(content)
    }
}

/// What may be an id: letters and digits, not too many.
pub(super) fn checked_id(id: &str) -> Result<String, String> {
    let is_one =
        (1..=ID_CHARS_MAX).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_hexdigit());
    if is_one {
        Ok(id.to_ascii_lowercase())
    } else {
        let shown = text::one_line(id, ID_CHARS_MAX);
        Err(format!("`{shown}` is no id: ids are hexadecimal digits"))
    }
}

fn content(shown: OneTask) -> Value {
    let OneTask {
        mut task,
        dependencies,
        dependents,
        history,
        ..
    } = shown;
    keep_last(&mut task.reasons);
    keep_last(&mut task.late_results);
    for late in &mut task.late_results {
        late.result = text::clipped(&late.result, RESULT_CHARS_MAX);
    }
    let dependencies: Vec<Value> = dependencies
        .iter()
        .map(|dependency| {
            let mut shown = summary(dependency);
            if let Some(result) = &dependency.result {
                shown["result"] = text::clipped(result, RESULT_CHARS_MAX).into();
            }
            shown
        })
        .collect();
    let dependents: Vec<Value> = dependents
        .iter()
        .take(DEPENDENTS_SHOWN_MAX)
        .map(summary)
        .collect();
    let history: Vec<Value> = history.iter().map(happening).collect();
    json!({"task": task, "dependencies": dependencies, "dependents": dependents, "history": history})
}

fn happening(event: &reply::Event) -> Value {
    let mut shown = json!({"seq": event.seq, "at": event.at, "what": event.what});
    for (name, value) in [("session", &event.session), ("outcome", &event.outcome)] {
        if let Some(value) = value {
            shown[name] = value.as_str().into();
        }
    }
    shown
}

fn keep_last<T>(all: &mut Vec<T>) {
    all.drain(..all.len().saturating_sub(EARLIER_SHOWN_MAX));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_task_is_whole_and_bounded() {
        let long = "x".repeat(9_000);
        let task = json!({"id": "1a2b", "title": "Login", "description": "all of it", "priority": "normal",
            "project": "/p", "state": "ready", "attempt": 3, "created_at": "", "result": long,
            "reasons": ["1", "2", "3", "4", "5"]});
        let shown = serde_json::from_value(json!({"task": task, "outcome": "shown", "dependencies": [task],
            "history": [{"seq": 3, "at": "t", "kind": "task", "what": "created", "target": "1a2b", "outcome": "ready"}]}))
        .expect("an answer");
        let content = content(shown);
        assert_eq!(content["task"]["description"], "all of it");
        assert_eq!(content["task"]["reasons"], json!(["2", "3", "4", "5"]));
        let of_dependency = content["dependencies"][0]["result"].as_str().map(str::len);
        assert!(of_dependency.is_some_and(|length| length < 600));
        assert!(content["dependencies"][0].get("description").is_none());
        assert_eq!(
            content["history"],
            json!([{"seq": 3, "at": "t", "what": "created", "outcome": "ready"}])
        );
    }
}
