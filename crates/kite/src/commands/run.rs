//! `kite run`: the project's own tools.

use std::time::Duration;

use clap::Args;
use kite_wire::{
    reply::project_tools::{OneToolRun, ProjectTool, ProjectTools},
    request::{ToolList, ToolRun, ToolSettle},
};
use serde_json::{Map, Value};

use crate::{
    connect::{self, Daemon},
    error::{Error, Exit, Kind},
    render::{self, Terminal, moment::parse_span},
};

/// Run one of the project's own tools, or list them.
///
/// A project declares its tools in .kite/config.toml. They run where the project is trusted, under
/// the named lock that they declare: one at a time, whoever asks. Options before NAME are Kite's, those
/// after it are the tool's.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  kite run
  kite run deploy_branch --branch=main --env=staging
  kite run --wait 45s deploy_branch --branch=main --env=prod
  kite run --settle 3f2a91bc --reason \"it was deployed\"")]
pub(crate) struct RunArgs {
    /// How long to wait in the queue of its lock: at most 45s.
    #[arg(long, value_name = "SPAN", value_parser = wait_span)]
    wait: Option<Duration>,
    /// Say that you have looked at a run whose end nobody saw; its lock is free then.
    #[arg(long, value_name = "RUN", conflicts_with_all = ["wait", "tool"])]
    settle: Option<String>,
    /// What you found, with --settle.
    #[arg(long, value_name = "TEXT", requires = "settle")]
    reason: Option<String>,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
    /// The tool, and its parameters as --name=value.
    #[arg(
        value_name = "NAME",
        trailing_var_arg = true,
        allow_hyphen_values = true
    )]
    tool: Vec<String>,
}

fn wait_span(text: &str) -> Result<Duration, String> {
    let span = parse_span(text)?;
    if span.as_secs() <= 45 {
        Ok(span)
    } else {
        Err("at most 45s; ask again to wait longer".to_owned())
    }
}

pub(crate) fn run(args: RunArgs, terminal: &mut Terminal) -> Result<Exit, Error> {
    let mut daemon = Daemon::connect()?;
    if let Some(run) = args.settle {
        let request = ToolSettle {
            run,
            reason: args.reason,
        };
        let settled: OneToolRun = daemon.ask(request)?;
        if args.json {
            terminal.json(&settled)?;
        } else {
            render::tools::print_settled(terminal, &settled.run)?;
        }
        return Ok(Exit::Success);
    }
    let tools: ProjectTools = daemon.ask(ToolList::default())?;
    let Some((name, words)) = args.tool.split_first() else {
        if args.json {
            terminal.json(&tools)?;
        } else {
            render::tools::print(terminal, &tools)?;
        }
        return Ok(Exit::Success);
    };
    let tool = tools.tools.iter().find(|tool| tool.name == *name);
    let request = ToolRun {
        name: name.clone(),
        arguments: arguments(tool, words)?,
        wait_s: args.wait.map(|wait| wait.as_secs()),
        ..ToolRun::default()
    };
    let ended = follow(&mut daemon, request, terminal)?;
    if args.json {
        terminal.json(&ended)?;
    } else {
        render::tools::print_ended(terminal, &ended.run)?;
    }
    let is_good = ended.run.state == "exited" && ended.run.exit_code == Some(0);
    Ok(if is_good { Exit::Success } else { Exit::Error })
}

/// Asks until the run is over. Where this program ends before, the run goes on.
fn follow(
    daemon: &mut Daemon,
    request: ToolRun,
    terminal: &mut Terminal,
) -> Result<OneToolRun, Error> {
    let mut shown = None;
    let reply = daemon.ask_watching(request, |push| {
        if push.place != shown
            && let Some(place) = push.place
        {
            shown = Some(place);
            // The wait goes on whether or not anybody can be told of it.
            let _ = render::locks::note_place(terminal, place);
        }
    })?;
    let mut run: OneToolRun = connect::read(reply)?;
    while run.run.state == "running" {
        render::tools::note_running(terminal, &run.run)?;
        let again = ToolRun {
            run: Some(run.run.id),
            ..ToolRun::default()
        };
        run = daemon.ask(again)?;
    }
    Ok(run)
}

/// `--name=value`, `--name value` and `--flag`, as the tool's schema has them.
fn arguments(tool: Option<&ProjectTool>, words: &[String]) -> Result<Map<String, Value>, Error> {
    let kind = |name: &str| {
        let property = tool?.input_schema.get("properties")?.get(name)?;
        property.get("type")?.as_str().map(str::to_owned)
    };
    let mut given = Map::new();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let Some(word) = word.strip_prefix("--").filter(|word| !word.is_empty()) else {
            return Err(Error::new(Kind::Usage, format!("`{word}` is no parameter"))
                .hinted("write --name=value; `kite run` lists the tools and their parameters"));
        };
        let (name, value) = match word.split_once('=') {
            Some((name, value)) => (name, value.to_owned()),
            None if kind(word).as_deref() == Some("boolean") => (word, "true".to_owned()),
            None => match words.next() {
                Some(value) => (word, value.clone()),
                None => {
                    return Err(Error::new(Kind::Usage, format!("--{word} has no value"))
                        .hinted("write --name=value"));
                }
            },
        };
        if given.contains_key(name) {
            return Err(Error::new(Kind::Usage, format!("--{name} is given twice")));
        }
        given.insert(name.to_owned(), typed(kind(name).as_deref(), value));
    }
    Ok(given)
}

/// The value as that type; one that does not fit is left for the daemon to refuse.
fn typed(kind: Option<&str>, text: String) -> Value {
    let read = match kind {
        Some("integer" | "number") => serde_json::from_str(&text).ok().filter(Value::is_number),
        Some("boolean") => text.parse().ok().map(Value::Bool),
        _ => None,
    };
    read.unwrap_or(Value::String(text))
}
