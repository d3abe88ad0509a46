//! What sessions were sent.

use std::io;

use kite_wire::reply::dispatches::{Dispatch, Dispatches, OneDispatch};

use super::{Line, Role, Terminal, line::Piece, table::Table, text::short_id};

pub(crate) fn print_sent(terminal: &mut Terminal, sent: &OneDispatch) -> io::Result<()> {
    let dispatch = &sent.dispatch;
    let id = short_id(&dispatch.id);
    terminal.line(
        Line::from("Dispatch sent: ")
            .with(Role::Name, id)
            .plain(" to session ")
            .with(Role::Name, short_id(&dispatch.to)),
    )?;
    terminal.note(match sent.heard.as_str() {
        "next_step" => "It is in a turn and hears it at its next step.",
        _ => "It is between turns and hears it at its next prompt.",
    })?;
    if let (Some(task), Some(deadline)) = (&dispatch.task, &dispatch.deadline) {
        let line = Line::from("Task ")
            .with(Role::Name, short_id(task))
            .plain(" is reserved for it until ")
            .plain(deadline)
            .plain(".");
        terminal.note(line)?;
    }
    terminal.note(format!("`kite dispatches {id}` tells what became of it."))
}

/// A row for each.
pub(crate) fn print(terminal: &mut Terminal, found: &Dispatches) -> io::Result<()> {
    if found.dispatches.is_empty() {
        return terminal
            .note("Nothing was sent. `kite dispatch` gives a session a task or a message.");
    }
    let mut table = Table::new(&[
        "ID", "STATE", "FROM", "TO", "TASK", "SENT", "SAYS", "REASON",
    ]);
    for dispatch in &found.dispatches {
        let from = match dispatch.standing.as_str() {
            "person" => "a person",
            _ => short_id(&dispatch.from),
        };
        let says = dispatch.message.as_deref().unwrap_or_default();
        table.row([
            Piece::new(Role::Name, short_id(&dispatch.id)),
            state(dispatch),
            Piece::from(from),
            Piece::from(short_id(&dispatch.to)),
            Piece::from(dispatch.task.as_deref().map(short_id).unwrap_or_default()),
            Piece::new(Role::Faint, terminal.ago(&dispatch.created_at)),
            Piece::from(says.lines().next().unwrap_or_default()),
            Piece::from(dispatch.reason.as_deref().unwrap_or_default()),
        ]);
    }
    table.print(terminal)
}

/// All that was said, line by line.
pub(crate) fn print_words(terminal: &mut Terminal, found: &Dispatches) -> io::Result<()> {
    let messages = found
        .dispatches
        .iter()
        .filter_map(|it| it.message.as_deref());
    for line in messages.flat_map(str::lines) {
        terminal.line(Line::from("> ").plain(line))?;
    }
    Ok(())
}

fn state(dispatch: &Dispatch) -> Piece {
    let role = match dispatch.state.as_str() {
        "handed" | "accepted" => Role::Good,
        "declined" | "expired" | "undeliverable" => Role::Caution,
        _ => Role::Plain,
    };
    Piece::new(role, &dispatch.state)
}
