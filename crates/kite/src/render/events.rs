//! The log, one line an event.

use std::io;

use kite_wire::reply::Event;

use super::{Line, Role, Terminal, moment, place, text::short_id};

pub(crate) fn print(terminal: &mut Terminal, events: &[Event]) -> io::Result<()> {
    if events.is_empty() {
        return terminal.note("Nothing in the log matches.");
    }
    print_lines(terminal, events)
}

pub(crate) fn print_lines(terminal: &mut Terminal, events: &[Event]) -> io::Result<()> {
    for event in events {
        let at = if terminal.columns().is_some() {
            moment::clock(&event.at)
        } else {
            event.at.clone()
        };
        terminal.line_fitted(line(event, &at))?;
    }
    Ok(())
}

fn line(event: &Event, at: &str) -> Line {
    let session = event.session.as_deref().map_or("-", short_id);
    let mut line = Line::new()
        .with(Role::Faint, at)
        .plain("  ")
        .with(Role::Name, format!("{session:<8}"))
        .plain(format!("  {:<7}  ", event.kind))
        .with(role(event), &event.what);
    let shown_path = event.target.as_deref().map(|target| {
        // A session's target is its project.
        place::path(match event.kind.as_str() {
            "session" => place::project(target),
            _ => target,
        })
    });
    for part in [event.tool.as_deref(), shown_path.as_deref()]
        .into_iter()
        .flatten()
    {
        line = line.plain("  ").plain(part);
    }
    if let Some(outcome) = event
        .outcome
        .as_deref()
        .filter(|outcome| *outcome != event.what)
    {
        line = line.plain(" → ").with(outcome_role(outcome), outcome);
    }
    if let Some(took_us) = event.took_us {
        line = line.with(
            Role::Faint,
            format!("  {}.{:02} ms", took_us / 1_000, took_us % 1_000 / 10),
        );
    }
    for (sign, value) in [("<", &event.input), (">", &event.output)] {
        if let Some(value) = value {
            line = line.with(Role::Faint, format!("  {sign} {value}"));
        }
    }
    line
}

fn role(event: &Event) -> Role {
    outcome_role(&event.what)
}

fn outcome_role(word: &str) -> Role {
    match word {
        "refused" | "failed" | "lost" | "error" | "deny" | "denied" => Role::Bad,
        "expired" | "cancelled" | "waited" | "queued" | "late_result" => Role::Caution,
        "granted" | "claimed" | "completed" | "done" => Role::Good,
        _ => Role::Plain,
    }
}
