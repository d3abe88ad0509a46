//! `kite spawn`: an agent is started.

use std::{env, time::Duration};

use clap::Args;
use kite_wire::{reply::agents::OneAgent, request::AgentSpawn};

use crate::{
    connect::Daemon,
    error::{Error, Exit, Kind},
    render::{self, Terminal, moment::parse_span},
};

/// Start a coding agent for a task, or for what you say.
///
/// It is born into Kite: its session is known before its first call, and it works in a git worktree of
/// its own where nothing else is said. It runs on when this command, your shell or the daemon ends.
/// The project must be trusted first: `kite trust`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  kite spawn --task 1a2b3c4d
  kite spawn Write a test for the login of expired accounts
  kite spawn --agent codex --worktree none --timeout 20m Tidy up the changelog
  kite agent follow $(kite spawn --task 1a2b3c4d --json | jq -r .agent.id)")]
pub(crate) struct SpawnArgs {
    /// What it is to do, in your words.
    #[arg(value_name = "PROMPT", required_unless_present = "task")]
    prompt: Vec<String>,
    /// The task that it claims: id or unique prefix.
    #[arg(short, long, value_name = "TASK")]
    task: Option<String>,
    /// How it is started: claude, codex, gemini, opencode, or one of your own in config.toml.
    #[arg(short, long, value_name = "NAME")]
    agent: Option<String>,
    /// `none` (here), `new`, or the directory of a worktree of this project.
    #[arg(short, long, value_name = "none|new|PATH")]
    worktree: Option<String>,
    /// The model, by its client's name for it.
    #[arg(short, long)]
    model: Option<String>,
    /// Most turns that it may take.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    max_turns: Option<u32>,
    /// Most US dollars that it may spend.
    #[arg(long, value_name = "USD", value_parser = dollars)]
    budget_usd: Option<f64>,
    /// How long it may take: 90s, 20m, 2h.
    #[arg(long, value_name = "SPAN", value_parser = parse_span)]
    timeout: Option<Duration>,
    /// What it may do without being asked: plan, default, acceptEdits, auto, bypassPermissions.
    #[arg(long, value_name = "MODE")]
    permission_mode: Option<String>,
    /// Print one JSON object: {"agent": {...}, "outcome": "..."}.
    #[arg(long)]
    json: bool,
}

fn dollars(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(dollars) if dollars.is_finite() && dollars > 0.0 => Ok(dollars),
        _ => Err("a number of US dollars, such as 2.50".to_owned()),
    }
}

pub(crate) fn run(args: SpawnArgs, terminal: &mut Terminal) -> Result<Exit, Error> {
    let prompt = args.prompt.join(" ");
    let request = AgentSpawn {
        task: args.task,
        prompt: Some(prompt).filter(|prompt| !prompt.trim().is_empty()),
        agent: args.agent,
        worktree: args.worktree.map(worktree).transpose()?,
        model: args.model,
        max_turns: args.max_turns,
        budget_usd: args.budget_usd,
        timeout_s: args.timeout.map(|timeout| timeout.as_secs().max(1)),
        permission_mode: args.permission_mode,
        project: None,
    };
    let spawned: OneAgent = Daemon::connect()?.ask(request)?;
    if args.json {
        terminal.json(&spawned)?;
    } else {
        render::agents::print_spawned(terminal, &spawned)?;
    }
    Ok(match spawned.outcome.as_str() {
        "failed" | "lost" | "parked" | "waiting" => Exit::Error,
        _ => Exit::Success,
    })
}

/// The daemon stands elsewhere: a directory is named in full.
fn worktree(given: String) -> Result<String, Error> {
    if matches!(given.as_str(), "none" | "new") || given.starts_with('/') {
        return Ok(given);
    }
    let here = env::current_dir()
        .map_err(|error| Error::failed("this directory is gone").because(error))?;
    let full = here.join(&given).canonicalize().map_err(|error| {
        Error::new(Kind::Usage, format!("there is no directory {given}"))
            .because(error)
            .hinted("give `none`, `new`, or the directory of a worktree of this project")
    })?;
    full.into_os_string()
        .into_string()
        .map_err(|_| Error::new(Kind::Usage, "the directory's name is not UTF-8"))
}
