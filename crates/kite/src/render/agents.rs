//! Agents that Kite runs, and what they say.

use std::io;

use kite_wire::reply::agents::{Agent, Agents, OneAgent};

use super::{Line, Role, Terminal, line::Piece, place, table::Table, text::short_id};

pub(crate) fn print(terminal: &mut Terminal, found: &Agents) -> io::Result<()> {
    if found.agents.is_empty() {
        return terminal.note("No agent of Kite's here. `kite spawn` starts one.");
    }
    let mut table = Table::new(&[
        "ID", "STATE", "AGENT", "ABOUT", "TASK", "SESSION", "BRANCH", "SINCE", "REASON",
    ]);
    for agent in &found.agents {
        let since = agent.ended_at.as_ref().or(agent.started_at.as_ref());
        table.row([
            Piece::new(Role::Name, short_id(&agent.id)),
            state(agent),
            Piece::from(&agent.agent),
            Piece::from(&agent.about),
            Piece::from(agent.task.as_deref().map(short_id).unwrap_or_default()),
            Piece::from(agent.session.as_deref().map(short_id).unwrap_or_default()),
            Piece::from(agent.branch.as_deref().unwrap_or_default()),
            Piece::new(
                Role::Faint,
                terminal.ago(since.unwrap_or(&agent.created_at)),
            ),
            Piece::from(agent.reason.as_deref().unwrap_or_default()),
        ]);
    }
    table.print(terminal)?;
    let counts = format!(
        "{} of {} running, {} queued.",
        found.running, found.running_max, found.queued
    );
    terminal.note(counts)
}

pub(crate) fn print_spawned(terminal: &mut Terminal, spawned: &OneAgent) -> io::Result<()> {
    let agent = &spawned.agent;
    let id = short_id(&agent.id);
    let words = match spawned.outcome.as_str() {
        "started" => "Agent started: ",
        "queued" => "Agent queued: ",
        _ => "Agent ended at once: ",
    };
    terminal.line(
        Line::from(words)
            .with(Role::Name, id)
            .plain(" — ")
            .plain(&agent.about),
    )?;
    if let Some(place) = agent.place {
        terminal.note(format!("Number {place} in the queue."))?;
    }
    if let Some(reason) = &agent.reason {
        terminal.note(Line::from("reason: ").plain(reason))?;
    }
    for (what, text) in [
        ("session", agent.session.as_deref().map(short_id)),
        ("branch", agent.branch.as_deref()),
        ("directory", agent.directory.as_deref()),
    ] {
        if let Some(text) = text {
            terminal.note(Line::from(what).plain(": ").plain(place::path(text)))?;
        }
    }
    terminal.note(format!("`kite agent follow {id}` shows what it says."))
}

pub(crate) fn print_stopped(terminal: &mut Terminal, stopped: &OneAgent) -> io::Result<()> {
    let words = match stopped.outcome.as_str() {
        "stopped" => "Agent stopped: ",
        "stopping" => "Agent is being stopped: ",
        _ => "Agent had ended already: ",
    };
    terminal.line(Line::from(words).with(Role::Name, short_id(&stopped.agent.id)))
}

/// One line of what an agent said.
pub(crate) fn output(terminal: &mut Terminal, line: &str) -> io::Result<()> {
    terminal.line(line)
}

/// How it ended, beside its output.
pub(crate) fn note_end(terminal: &mut Terminal, agent: &Agent) -> io::Result<()> {
    let mut line = Line::from("Agent ")
        .with(Role::Name, short_id(&agent.id))
        .plain(" ended: ");
    line.0.push(state(agent));
    if let Some(reason) = &agent.reason {
        line = line.plain(" (").plain(reason).plain(")");
    }
    terminal.note(line)?;
    match &agent.next {
        Some(next) => terminal.note(
            Line::from("It is started again as ")
                .with(Role::Name, short_id(next))
                .plain("."),
        ),
        None => Ok(()),
    }
}

fn state(agent: &Agent) -> Piece {
    let role = match agent.state.as_str() {
        "running" | "done" => Role::Good,
        "failed" | "lost" | "parked" => Role::Bad,
        "waiting" | "stopping" => Role::Caution,
        _ => Role::Plain,
    };
    Piece::new(role, &agent.state)
}
