//! `kite://tasks` and `kite://tasks/{state}`: the project's queue.

use kite_wire::{
    reply::{self, Task},
    request::TaskList,
};
use serde_json::{Value, json};

use super::{CONTENT_BYTES_MAX, Declaration, Page, ReadError, Reader, escape, uri::Parts};

/// What may stand for `{state}`, and what it selects.
const STATES: [(&str, &str); 8] = [
    ("open", "not ended: blocked, ready or claimed"),
    ("pending", "waiting to be claimed: blocked or ready"),
    ("blocked", "waiting for other tasks"),
    ("ready", "free to be claimed"),
    ("claimed", "being worked on"),
    ("done", "completed"),
    ("failed", "given up"),
    ("cancelled", "withdrawn"),
];

const SHAPE: &[(&str, &str)] = &[
    (
        "tasks",
        "oldest first; each with `id`, `title`, `priority` (low, normal, high), `project`, `state`, `depends_on`, \
         `paths`, `session` (who has it or did it), `attempt`, `created_at`, `claimed_at`, `ended_at`. Description \
         and result are in kite://task/{id}",
    ),
    (
        "counts",
        "how many of the project are in each state: `blocked`, `ready`, `claimed`, `done`, `failed`, `cancelled`",
    ),
    ("project", "the project that is shown, where it is one"),
    ("next", "URI of the next page, where there is one"),
];

const fn of_state(
    uri: &'static str,
    name: &'static str,
    title: &'static str,
    description: &'static str,
) -> Declaration {
    Declaration {
        uri,
        name,
        title,
        description,
        shape: SHAPE,
    }
}

pub(super) const FIXED: &[Declaration] = &[
    of_state(
        "kite://tasks",
        "tasks",
        "All tasks",
        "Every task of this project.",
    ),
    of_state(
        "kite://tasks/open",
        "tasks-open",
        "Open tasks",
        "Tasks that have not ended: blocked, ready or claimed.",
    ),
    of_state(
        "kite://tasks/pending",
        "tasks-pending",
        "Pending tasks",
        "Tasks that wait to be claimed: blocked or ready.",
    ),
    of_state(
        "kite://tasks/blocked",
        "tasks-blocked",
        "Blocked tasks",
        "Tasks that wait for other tasks.",
    ),
    of_state(
        "kite://tasks/ready",
        "tasks-ready",
        "Ready tasks",
        "Tasks that can be claimed now.",
    ),
    of_state(
        "kite://tasks/claimed",
        "tasks-claimed",
        "Claimed tasks",
        "Tasks that are being worked on, and by whom.",
    ),
    of_state(
        "kite://tasks/done",
        "tasks-done",
        "Completed tasks",
        "Tasks that are completed.",
    ),
    of_state(
        "kite://tasks/failed",
        "tasks-failed",
        "Failed tasks",
        "Tasks that were given up.",
    ),
    of_state(
        "kite://tasks/cancelled",
        "tasks-cancelled",
        "Cancelled tasks",
        "Tasks that were withdrawn.",
    ),
];

pub(super) const TEMPLATE: Declaration = Declaration {
    uri: "kite://tasks/{state}{?cursor,limit,project}",
    name: "tasks-by-state",
    title: "Tasks by state",
    description: "Tasks in one state, page by page (limit 1 to 200, usually 50). project: a directory in another \
                  project, or * for all.",
    shape: SHAPE,
};

/// The known state of this name.
pub(super) fn state(name: &str) -> Option<&'static str> {
    STATES
        .iter()
        .find(|(state, _)| *state == name)
        .map(|(state, _)| *state)
}

/// The states whose name begins so.
pub(super) fn states_beginning(start: &str) -> Vec<String> {
    STATES
        .iter()
        .filter(|(state, _)| state.starts_with(start))
        .map(|(state, _)| (*state).to_owned())
        .collect()
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tasks {
    /// As `task_list` knows it.
    status: &'static str,
    pub(super) page: Page,
}

impl Tasks {
    pub(super) fn parse(status: &'static str, parts: &Parts) -> Result<Tasks, String> {
        let page = Page::parse(parts)?;
        Ok(Tasks { status, page })
    }

    /// Whether tasks in every state are meant: then each change of one is a change of this.
    pub(super) fn are_all(&self) -> bool {
        self.status == "all"
    }

    pub(super) async fn read(&self, reader: &Reader<'_>) -> Result<Value, ReadError> {
        let mut limit = self.page.limit();
        loop {
            let found: reply::Tasks = reader.ask(self.request(limit)).await?;
            let mut content = self.content(&found);
            // Before it is measured: escaping makes it longer.
            escape(&mut content);
            // Long paths make a long page: half as many are asked for until it fits.
            if limit == 1 || content.to_string().len() <= CONTENT_BYTES_MAX {
                return Ok(content);
            }
            limit = found.tasks.len().min(limit).div_ceil(2).min(limit - 1);
        }
    }

    fn request(&self, limit: usize) -> TaskList {
        TaskList {
            status: Some(self.status.to_owned()),
            project: self.page.project.clone(),
            limit: u32::try_from(limit).ok(),
            cursor: self.page.cursor.clone(),
        }
    }

    fn content(&self, found: &reply::Tasks) -> Value {
        let tasks: Vec<Value> = found.tasks.iter().map(summary).collect();
        let mut content = json!({"tasks": tasks, "counts": found.counts});
        if let Some(project) = &found.project {
            content["project"] = project.as_str().into();
        }
        if let Some(cursor) = &found.next_cursor {
            let path = match self.status {
                "all" => "tasks".to_owned(),
                state => format!("tasks/{state}"),
            };
            content["next"] = self.page.next(&path, cursor).into();
        }
        content
    }
}

/// A task without the long texts.
pub(super) fn summary(task: &Task) -> Value {
    let short = Task {
        description: None,
        result: None,
        reasons: Vec::new(),
        late_results: Vec::new(),
        created_by: None,
        ..task.clone()
    };
    serde_json::to_value(short).unwrap_or_default()
}
