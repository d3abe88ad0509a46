//! What an id could be, from its beginning: `completion/complete`.

use kite_wire::{
    reply::{self, Task},
    request::{Query, TaskList},
};

use super::{ReadError, Reader, tasks, vault};

/// Entries looked through.
const SEARCHED_MAX: u32 = 200;

/// Values for a variable of a template. None where the template or the variable is unknown.
pub(crate) async fn complete(
    reader: &Reader<'_>,
    template: &str,
    variable: &str,
    start: &str,
) -> Result<Vec<String>, ReadError> {
    match (template.split("{?").next(), variable) {
        (Some("kite://tasks/{state}"), "state") => Ok(tasks::states_beginning(start)),
        (Some("kite://task/{id}"), "id") => task_ids(reader, start).await,
        (Some("kite://vault/{path}"), "path") => vault::paths(reader, start).await,
        (Some("kite://session/{id}"), "id") => session_ids(reader, start).await,
        (Some("kite://events"), "session") => session_ids(reader, start).await,
        _ => Ok(Vec::new()),
    }
}

/// Short ids of the project's tasks that begin so, or whose title contains it; unfinished ones first.
pub(crate) async fn task_ids(reader: &Reader<'_>, start: &str) -> Result<Vec<String>, ReadError> {
    let list = |status: &str| TaskList {
        status: Some(status.to_owned()),
        limit: Some(SEARCHED_MAX),
        ..TaskList::default()
    };
    let mut found = Vec::new();
    for status in ["open", "all"] {
        let listed: reply::Tasks = reader.ask(list(status)).await?;
        for task in listed.tasks.iter().filter(|task| is_meant(task, start)) {
            let id = short(&task.id);
            if !found.contains(&id) {
                found.push(id);
            }
        }
    }
    Ok(found)
}

/// Short ids of the project's living sessions that begin so, newest first.
pub(crate) async fn session_ids(
    reader: &Reader<'_>,
    start: &str,
) -> Result<Vec<String>, ReadError> {
    let query = Query {
        target: "sessions".to_owned(),
        project: reader.here(),
        limit: Some(SEARCHED_MAX),
        ..Query::default()
    };
    let found: reply::Sessions = reader.ask(query).await?;
    let start = start.to_ascii_lowercase();
    let ids = found.sessions.iter().rev().map(|session| &session.id);
    Ok(ids
        .filter(|id| id.starts_with(&start))
        .map(|id| short(id))
        .collect())
}

fn is_meant(task: &Task, start: &str) -> bool {
    let start = start.to_lowercase();
    task.id.starts_with(&start) || (start.len() > 2 && task.title.to_lowercase().contains(&start))
}

fn short(id: &str) -> String {
    crate::text::short_id(id)
}
