//! What a repository would run by itself.

use std::io;

use kite_wire::reply::trust::{Part, Trust};

use super::{Line, Role, Terminal};

/// Lines shown of one part.
const LINES_MAX: usize = 6;

/// What each kind is called, in the order in which they are shown.
const KINDS: &[(&str, &str)] = &[
    ("git_hook", "Hooks that git runs"),
    (
        "git_config",
        "Commands in git's settings of this repository",
    ),
    ("settings", "Settings of agents' clients"),
    ("mcp_server", "Servers that agents' clients start"),
    ("extension", "Plug-ins, skills, commands and subagents"),
    ("tool", "Tools that Kite runs when an agent asks for them"),
    ("vault", "Notes of the repository"),
];

pub(crate) fn print(terminal: &mut Terminal, trust: &Trust) -> io::Result<()> {
    terminal.line(Line::from(&trust.directory))?;
    if trust.parts.is_empty() {
        terminal.line("Nothing of it would run by itself.")?;
    }
    for (kind, title) in KINDS {
        let parts: Vec<&Part> = trust
            .parts
            .iter()
            .filter(|part| part.kind == *kind)
            .collect();
        if parts.is_empty() {
            continue;
        }
        terminal.line(Line::new())?;
        terminal.line(Line::new().with(Role::Heading, title))?;
        for part in parts {
            print_part(terminal, part)?;
        }
    }
    for problem in &trust.problems {
        terminal.note(Line::from("not a tool: ").plain(problem))?;
    }
    terminal.line(Line::new())
}

fn print_part(terminal: &mut Terminal, part: &Part) -> io::Result<()> {
    let mark = match part.state.as_str() {
        "trusted" => Line::from("  trusted  "),
        "changed" => Line::from("  ").with(Role::Caution, "changed").plain("  "),
        _ => Line::from("  ").with(Role::Caution, "new").plain("      "),
    };
    terminal.line(mark.with(Role::Name, &part.what))?;
    if part.state == "trusted" {
        return Ok(());
    }
    let lines: Vec<&str> = part.text.lines().collect();
    for line in lines.iter().take(LINES_MAX) {
        terminal.line(Line::from("             ").with(Role::Faint, line))?;
    }
    if lines.len() > LINES_MAX {
        terminal.line("             ...")?;
    }
    Ok(())
}

/// One line: how it stands.
pub(crate) fn print_state(terminal: &mut Terminal, trust: &Trust) -> io::Result<()> {
    let line = match trust.state.as_str() {
        "trusted" => Line::new()
            .with(Role::Good, "Trusted")
            .plain(match &trust.since {
                Some(since) => format!(" since {}.", terminal.ago(since)),
                None => ".".to_owned(),
            }),
        "changed" => Line::new()
            .with(Role::Caution, "Changed")
            .plain(" since it was trusted: agents and what is new do not run."),
        _ => Line::from("Not trusted: no agents are started here, and none of its tools run."),
    };
    terminal.line(line)
}
