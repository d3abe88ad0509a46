//! Tasks.

use std::io;

use kite_wire::reply::{OneTask, Task, TaskCounts, Tasks};

use super::{Line, Role, Terminal, line::Piece, place, table::Table, text::short_id};

/// A list, and below it how many there are in all.
pub(crate) fn print(terminal: &mut Terminal, tasks: &Tasks, status: &str) -> io::Result<()> {
    if tasks.tasks.is_empty() {
        let which = if status == "all" {
            "tasks".to_owned()
        } else {
            format!("{status} tasks")
        };
        return terminal.note(match counts(&tasks.counts).as_str() {
            NONE => format!("No {which} here."),
            others => format!("No {which} here ({others})."),
        });
    }
    table(terminal, &tasks.tasks).print(terminal)?;
    if let Some(cursor) = &tasks.next_cursor {
        terminal.note(format!(
            "More: add `--cursor {cursor}`. In all: {}.",
            counts(&tasks.counts)
        ))?;
    }
    Ok(())
}

fn table(terminal: &Terminal, tasks: &[Task]) -> Table {
    let mut table = Table::new(&[
        "ID",
        "STATE",
        "PRIORITY",
        "TITLE",
        "SESSION",
        "WAITS FOR",
        "CREATED",
    ]);
    for task in tasks {
        let session = task.session.as_deref().map(short_id).unwrap_or_default();
        let waits = if task.state == "blocked" {
            ids(&task.depends_on)
        } else {
            String::new()
        };
        table.row([
            Piece::new(Role::Name, short_id(&task.id)),
            state(task),
            Piece::from(&task.priority),
            Piece::from(&task.title),
            Piece::from(session),
            Piece::from(waits),
            Piece::new(Role::Faint, terminal.ago(&task.created_at)),
        ]);
    }
    table
}

/// What became of one task.
pub(crate) fn print_one(terminal: &mut Terminal, answer: &OneTask) -> io::Result<()> {
    if answer.outcome == "shown" {
        return show(terminal, answer);
    }
    let task = &answer.task;
    terminal.line(headline(&answer.outcome, task))?;
    match answer.outcome.as_str() {
        "claimed" | "already_claimed" => brief(terminal, answer)?,
        "released" => terminal.note(format!("It is {} again.", task.state))?,
        _ => {}
    }
    if let Some(similar) = &answer.similar {
        terminal.note(
            Line::from("similar: ")
                .with(Role::Name, short_id(&similar.id))
                .plain(" — ")
                .plain(&similar.title),
        )?;
    }
    for woken in &answer.woken {
        terminal.note(
            Line::from("now ready: ")
                .with(Role::Name, short_id(&woken.id))
                .plain(" — ")
                .plain(&woken.title),
        )?;
    }
    Ok(())
}

fn headline(outcome: &str, task: &Task) -> Line {
    let words = match outcome {
        "created" => "Task created",
        "exists" => "Task exists already",
        "claimed" => "Task claimed",
        "already_claimed" => "You hold this task already",
        "completed" => "Task completed",
        "already_done" => "Task was done already",
        "released" => "Task released",
        "failed" => "Task failed",
        "cancelled" => "Task cancelled",
        other => other,
    };
    Line::from(words)
        .plain(": ")
        .with(Role::Name, short_id(&task.id))
        .plain(" — ")
        .plain(&task.title)
}

/// What whoever claims a task has to know.
fn brief(terminal: &mut Terminal, answer: &OneTask) -> io::Result<()> {
    let task = &answer.task;
    if let Some(description) = &task.description {
        terminal.paragraph("  ", description)?;
    }
    field(terminal, "attempt", &task.attempt.to_string())?;
    if !task.paths.is_empty() {
        field(terminal, "paths", &task.paths.join(", "))?;
    }
    for dependency in &answer.dependencies {
        let result = dependency.result.as_deref().unwrap_or("no result");
        field(
            terminal,
            "after",
            &format!(
                "{} — {}: {result}",
                short_id(&dependency.id),
                dependency.title
            ),
        )?;
    }
    terminal.note(format!(
        "When done: kite task complete {} --result \"...\"",
        short_id(&task.id)
    ))
}

fn show(terminal: &mut Terminal, answer: &OneTask) -> io::Result<()> {
    let task = &answer.task;
    terminal.line(
        Line::new()
            .with(Role::Name, &task.id)
            .plain(" — ")
            .with(Role::Heading, &task.title),
    )?;
    if let Some(description) = &task.description {
        terminal.paragraph("  ", description)?;
    }
    field(terminal, "state", &task.state)?;
    field(terminal, "priority", &task.priority)?;
    field(terminal, "project", place::project(&task.project))?;
    if let Some(session) = &task.session {
        field(terminal, "session", short_id(session))?;
    }
    if task.attempt > 0 {
        field(terminal, "attempt", &task.attempt.to_string())?;
    }
    if !task.paths.is_empty() {
        field(terminal, "paths", &task.paths.join(", "))?;
    }
    let created = terminal.ago(&task.created_at);
    field(terminal, "created", &created)?;
    if let Some(claimed) = task.claimed_at.as_deref().map(|at| terminal.ago(at)) {
        field(terminal, "claimed", &claimed)?;
    }
    if let Some(ended) = task.ended_at.as_deref().map(|at| terminal.ago(at)) {
        field(terminal, "ended", &ended)?;
    }
    outcomes(terminal, task)?;
    for (heading, tasks) in [
        ("Waits for", &answer.dependencies),
        ("Awaited by", &answer.dependents),
    ] {
        if !tasks.is_empty() {
            terminal.line(Line::new().with(Role::Heading, heading))?;
            let mut table = Table::new(&["", "", ""]).indented("  ");
            for other in tasks {
                table.row([
                    Piece::new(Role::Name, short_id(&other.id)),
                    state(other),
                    Piece::from(&other.title),
                ]);
            }
            table.print(terminal)?;
        }
    }
    if !answer.history.is_empty() {
        terminal.line(Line::new().with(Role::Heading, "History"))?;
        super::events::print_lines(terminal, &answer.history)?;
    }
    Ok(())
}

/// What came of the attempts.
fn outcomes(terminal: &mut Terminal, task: &Task) -> io::Result<()> {
    if let Some(result) = &task.result {
        field(terminal, "result", "")?;
        terminal.paragraph("    ", result)?;
    }
    for reason in &task.reasons {
        field(terminal, "reason", reason)?;
    }
    for late in &task.late_results {
        let words = format!(
            "attempt {} by {}: {}",
            late.attempt,
            short_id(&late.session),
            late.result
        );
        field(terminal, "late", &words)?;
    }
    Ok(())
}

fn field(terminal: &mut Terminal, name: &str, value: &str) -> io::Result<()> {
    terminal.line(
        Line::from("  ")
            .with(Role::Faint, format!("{name:<9}"))
            .plain(value),
    )
}

fn state(task: &Task) -> Piece {
    let role = match task.state.as_str() {
        "ready" => Role::Good,
        "claimed" => Role::Caution,
        "failed" => Role::Bad,
        "done" | "cancelled" => Role::Faint,
        _ => Role::Plain,
    };
    Piece::new(role, &task.state)
}

fn ids(tasks: &[String]) -> String {
    tasks
        .iter()
        .map(|id| short_id(id))
        .collect::<Vec<_>>()
        .join(", ")
}

const NONE: &str = "none";

/// `3 ready, 1 claimed`; `none` where there are none.
#[must_use]
pub(crate) fn counts(counts: &TaskCounts) -> String {
    let all = [
        (counts.ready, "ready"),
        (counts.claimed, "claimed"),
        (counts.blocked, "blocked"),
        (counts.done, "done"),
        (counts.failed, "failed"),
        (counts.cancelled, "cancelled"),
    ];
    let some: Vec<String> = all
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, name)| format!("{count} {name}"))
        .collect();
    if some.is_empty() {
        NONE.to_owned()
    } else {
        some.join(", ")
    }
}
