//! `kite agents`: what Kite runs.

use clap::Args;
use kite_wire::{reply::agents::Agents, request::AgentList};

use crate::{
    connect::Daemon,
    error::{Error, Exit},
    render::{self, Terminal},
};

/// Most agents that one call lists.
const LIMIT: u32 = 200;

/// List the agents that Kite runs or has in its queue.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  kite agents
  kite agents --all
  kite agents --all-projects --json | jq -r '.agents[].id'")]
pub(crate) struct AgentsArgs {
    /// Also those that have ended.
    #[arg(long)]
    all: bool,
    /// Of every project.
    #[arg(long)]
    all_projects: bool,
    /// Print one JSON object: {"agents": [...]}.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &AgentsArgs, terminal: &mut Terminal) -> Result<Exit, Error> {
    let request = AgentList {
        project: args.all_projects.then(|| "*".to_owned()),
        ended: args.all,
        limit: Some(LIMIT),
        ..AgentList::default()
    };
    let agents: Agents = Daemon::connect()?.ask(request)?;
    if args.json {
        terminal.json(&agents)?;
    } else {
        render::agents::print(terminal, &agents)?;
    }
    Ok(Exit::Success)
}
