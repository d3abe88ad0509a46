//! `kite agent`: what one agent says, and its end.

mod output;

use std::{
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use clap::{Args, Subcommand};
use kite_wire::{
    reply::agents::{Agent, Agents, OneAgent},
    request::{AgentList, AgentStop},
};

use self::output::Output;
use crate::{
    connect::Daemon,
    error::{Error, Exit, Kind},
    render::{self, Terminal},
};

/// How often the output is looked at while it is followed.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// How often the daemon is asked whether the agent still runs.
const ASK_EVERY: Duration = Duration::from_secs(1);

/// Read what an agent says, or stop it.
#[derive(Debug, Args)]
#[command(
    disable_help_subcommand = true,
    after_help = "\
Examples:
  kite agent logs c3d4e5f6
  kite agent follow c3d4e5f6
  kite agent stop c3d4e5f6"
)]
pub(crate) struct AgentArgs {
    #[command(subcommand)]
    command: AgentCommand,
}

#[derive(Debug, Subcommand)]
enum AgentCommand {
    Logs(LogsArgs),
    Follow(FollowArgs),
    Stop(StopArgs),
}

/// Show the last lines of an agent's output.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  kite agent logs c3d4e5f6
  kite agent logs c3d4e5f6 --lines 1000 | grep error")]
struct LogsArgs {
    /// The agent: id or unique prefix.
    agent: String,
    /// How many lines, from the end.
    #[arg(short = 'n', long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    lines: u32,
}

/// Show an agent's output as it comes, until it has ended.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  kite agent follow c3d4e5f6

Exit codes:
  0 it was done   1 it ended otherwise   5 there is no such agent")]
struct FollowArgs {
    /// The agent: id or unique prefix.
    agent: String,
}

/// End an agent with all of its processes. Its task is ready again, its worktree stays.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  kite agent stop c3d4e5f6
  kite agent stop c3d4e5f6 --reason \"not needed any more\"")]
struct StopArgs {
    /// The agent: id or unique prefix.
    agent: String,
    /// Why, for its record.
    #[arg(short, long, value_name = "TEXT")]
    reason: Option<String>,
    /// Print one JSON object: {"agent": {...}, "outcome": "..."}.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: AgentArgs, terminal: &mut Terminal) -> Result<Exit, Error> {
    match args.command {
        AgentCommand::Logs(args) => logs(&args, terminal),
        AgentCommand::Follow(args) => follow(&args, terminal),
        AgentCommand::Stop(args) => stop(args, terminal),
    }
}

fn logs(args: &LogsArgs, terminal: &mut Terminal) -> Result<Exit, Error> {
    let agent = find(&mut Daemon::connect()?, &args.agent)?;
    let directory = directory(&agent)?;
    let lines = usize::try_from(args.lines).unwrap_or(usize::MAX);
    let text = kite_supervisor::tail(&directory, lines).map_err(unreadable)?;
    if text.is_empty() {
        terminal.note("It has said nothing yet.")?;
    }
    for line in text.lines() {
        render::agents::output(terminal, line)?;
    }
    Ok(Exit::Success)
}

fn follow(args: &FollowArgs, terminal: &mut Terminal) -> Result<Exit, Error> {
    let mut daemon = Daemon::connect()?;
    let mut agent = find(&mut daemon, &args.agent)?;
    let id = agent.id.clone();
    let mut output: Option<Output> = None;
    let mut asked = Instant::now();
    loop {
        // Asked before it is read: what it said last is not missed.
        let ended = agent.ended_at.is_some();
        if output.is_none() && agent.log.is_some() {
            output = Some(Output::of(&directory(&agent)?));
        }
        if let Some(output) = &mut output {
            let lines = output.read().map_err(unreadable)?;
            let rest = ended.then(|| output.rest()).flatten();
            for line in lines.iter().chain(&rest) {
                render::agents::output(terminal, line)?;
            }
            terminal.flush()?;
        }
        if ended {
            render::agents::note_end(terminal, &agent)?;
            return Ok(match agent.state.as_str() {
                "done" => Exit::Success,
                _ => Exit::Error,
            });
        }
        thread::sleep(LOOK_EVERY);
        if asked.elapsed() >= ASK_EVERY {
            // A daemon that is replaced in the meantime does not end the agent.
            agent = match find(&mut daemon, &id) {
                Err(error) if error.kind == Kind::Unreachable => {
                    daemon = Daemon::connect()?;
                    find(&mut daemon, &id)?
                }
                other => other?,
            };
            asked = Instant::now();
        }
    }
}

fn stop(args: StopArgs, terminal: &mut Terminal) -> Result<Exit, Error> {
    let request = AgentStop {
        agent: args.agent,
        reason: args.reason,
    };
    let stopped: OneAgent = Daemon::connect()?.ask(request)?;
    if args.json {
        terminal.json(&stopped)?;
    } else {
        render::agents::print_stopped(terminal, &stopped)?;
    }
    Ok(Exit::Success)
}

fn find(daemon: &mut Daemon, given: &str) -> Result<Agent, Error> {
    let request = AgentList {
        project: Some("*".to_owned()),
        agent: Some(given.to_owned()),
        ended: true,
        ..AgentList::default()
    };
    let mut found: Agents = daemon.ask(request)?;
    match found.agents.len() {
        1 => Ok(found.agents.remove(0)),
        0 => Err(
            Error::new(Kind::NotFound, format!("there is no agent {given}"))
                .hinted("`kite agents --all` shows them"),
        ),
        _ => Err(
            Error::new(Kind::NotFound, format!("several agents begin with {given}"))
                .hinted("give more of the id"),
        ),
    }
}

/// Where its output is kept.
fn directory(agent: &Agent) -> Result<PathBuf, Error> {
    let log = agent.log.as_deref().map(Path::new);
    let directory = log.and_then(Path::parent).map(Path::to_owned);
    directory.ok_or_else(|| {
        Error::failed("it has no output yet").hinted("it waits for its turn: `kite agents`")
    })
}

fn unreadable(error: std::io::Error) -> Error {
    Error::failed("its output cannot be read").because(error)
}
