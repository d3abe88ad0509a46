//! What the doctor found.

use std::io;

use super::{Line, Role, Terminal};
use crate::{checks::State, commands::doctor::Report};

pub(crate) fn print(terminal: &mut Terminal, report: &Report) -> io::Result<()> {
    for check in &report.checks {
        let (role, word) = match check.state {
            State::Ok => (Role::Good, "ok  "),
            State::Warn => (Role::Caution, "warn"),
            State::Fail => (Role::Bad, "fail"),
        };
        let name = check.name.replace('_', " ");
        terminal.line(
            Line::new()
                .with(role, word)
                .plain("  ")
                .with(Role::Heading, format!("{name:<15}"))
                .plain(&check.found),
        )?;
        if let Some(hint) = &check.hint {
            terminal.line(
                Line::from(" ".repeat(21))
                    .with(Role::Faint, "→ ")
                    .plain(hint),
            )?;
        }
    }
    let count = |state| {
        report
            .checks
            .iter()
            .filter(|check| check.state == state)
            .count()
    };
    terminal.note(match (count(State::Fail), count(State::Warn)) {
        (0, 0) => "All is well.".to_owned(),
        (0, warnings) => format!("It works; {warnings} to look at."),
        (failures, _) => format!("{failures} of {} checks failed.", report.checks.len()),
    })
}
