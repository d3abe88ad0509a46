//! The project's own tools and their runs.

use std::io;

use kite_wire::reply::project_tools::{ProjectTool, ProjectTools, ToolRunShown};
use serde_json::Value;

use super::{Line, Role, Terminal, line::Piece, table::Table, text::short_id};

pub(crate) fn print(terminal: &mut Terminal, tools: &ProjectTools) -> io::Result<()> {
    if tools.tools.is_empty() {
        terminal.note("This project declares no tools. docs/project-tools.md says how.")?;
    }
    for tool in &tools.tools {
        print_tool(terminal, tool)?;
    }
    for problem in &tools.problems {
        terminal.note(Line::from("not a tool: ").plain(problem))?;
    }
    if tools.runs.is_empty() {
        return Ok(());
    }
    terminal.line(Line::new())?;
    let mut table = Table::new(&["RUN", "TOOL", "STATE", "LOCK", "SESSION", "SINCE"]);
    for run in &tools.runs {
        let role = match run.state.as_str() {
            "uncertain" => Role::Caution,
            _ => Role::Plain,
        };
        table.row([
            Piece::new(Role::Name, short_id(&run.id)),
            Piece::from(&run.tool),
            Piece::new(role, state(run)),
            Piece::from(run.lock.as_deref().unwrap_or_default()),
            Piece::new(Role::Name, short_id(&run.session)),
            Piece::new(Role::Faint, terminal.ago(&run.started)),
        ]);
    }
    table.print(terminal)
}

fn print_tool(terminal: &mut Terminal, tool: &ProjectTool) -> io::Result<()> {
    let mut line = Line::new().with(Role::Name, &tool.name);
    if tool.state != "trusted" {
        let word = match tool.state.as_str() {
            "changed" => " (changed since it was trusted)",
            _ => " (not trusted)",
        };
        line = line.with(Role::Caution, word);
    }
    terminal.line(line.plain("  ").plain(&tool.description))?;
    let properties = tool
        .input_schema
        .get("properties")
        .and_then(Value::as_object);
    let required = tool.input_schema.get("required").and_then(Value::as_array);
    for (name, property) in properties.into_iter().flatten() {
        let is_required = required.is_some_and(|names| names.iter().any(|it| it == name.as_str()));
        let line = Line::from("  --")
            .plain(name)
            .plain("=")
            .plain(values(property));
        let line = if is_required {
            line
        } else {
            line.with(Role::Faint, "  (optional)")
        };
        let about = property.get("description").and_then(Value::as_str);
        terminal.line(line.with(
            Role::Faint,
            about.map(|it| format!("  {it}")).unwrap_or_default(),
        ))?;
    }
    if let Some(lock) = &tool.lock {
        terminal.line(Line::from("  one at a time for ").plain(lock))?;
    }
    Ok(())
}

/// What may be given: the choices, or the type.
fn values(property: &Value) -> String {
    match property.get("enum").and_then(Value::as_array) {
        Some(of) => {
            let of: Vec<&str> = of.iter().filter_map(Value::as_str).collect();
            of.join("|")
        }
        None => property
            .get("type")
            .and_then(Value::as_str)
            .unwrap_or("value")
            .to_uppercase(),
    }
}

fn state(run: &ToolRunShown) -> String {
    match (run.state.as_str(), run.exit_code, run.signal) {
        ("exited", Some(code), _) => format!("exit code {code}"),
        ("signalled", _, Some(signal)) => format!("ended by signal {signal}"),
        ("timed_out", ..) => "timed out".to_owned(),
        ("not_started", ..) => "not started".to_owned(),
        (other, ..) => other.to_owned(),
    }
}

pub(crate) fn note_running(terminal: &mut Terminal, run: &ToolRunShown) -> io::Result<()> {
    terminal.note(
        Line::from("run ")
            .with(Role::Name, short_id(&run.id))
            .plain(" goes on"),
    )
}

/// What a run wrote, to stdout; how it ended, to stderr.
pub(crate) fn print_ended(terminal: &mut Terminal, run: &ToolRunShown) -> io::Result<()> {
    terminal.paragraph("", &run.output)?;
    let line = Line::from(&run.tool).plain(": ");
    let line = match (run.state.as_str(), run.exit_code) {
        ("exited", Some(0)) => line.with(Role::Good, "done"),
        ("uncertain" | "lost", _) => line
            .with(Role::Bad, "nobody saw how it ended")
            .plain("; look at what it did"),
        _ => line.with(Role::Bad, state(run)),
    };
    let line = line.with(Role::Faint, format!(" (run {})", short_id(&run.id)));
    terminal.note(match &run.reason {
        Some(reason) => line.plain(": ").plain(reason),
        None => line,
    })?;
    if run.state == "uncertain" {
        let settle = format!(
            "`kite run --settle {}` frees its lock when you have looked",
            short_id(&run.id)
        );
        terminal.note(Line::from(settle))?;
    }
    Ok(())
}

pub(crate) fn print_settled(terminal: &mut Terminal, run: &ToolRunShown) -> io::Result<()> {
    let line = Line::from("Settled: run ").with(Role::Name, short_id(&run.id));
    terminal.line(line.plain(" of ").plain(&run.tool))
}
