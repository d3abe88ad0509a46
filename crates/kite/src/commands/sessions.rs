//! `kite sessions`: who is at work.

use clap::Args;
use kite_wire::{reply::Sessions, request::Query};

use crate::{
    connect::Daemon,
    error::{Error, Exit},
    render::{self, Terminal},
};

/// Most sessions that one call lists.
const LIMIT: u32 = 1_000;

/// List sessions, what each is about and what it holds.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  kite sessions
  kite sessions --all
  kite sessions --json | jq -r '.sessions[].id'")]
pub(crate) struct SessionsArgs {
    /// Also sessions that have ended.
    #[arg(long)]
    all: bool,
    /// Print one JSON object: {"sessions": [...]}.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &SessionsArgs, terminal: &mut Terminal) -> Result<Exit, Error> {
    let query = Query {
        target: "sessions".to_owned(),
        ended: args.all,
        limit: Some(LIMIT),
        ..Query::default()
    };
    let sessions: Sessions = Daemon::connect()?.ask(query)?;
    if args.json {
        terminal.json(&sessions)?;
    } else {
        render::sessions::print(terminal, &sessions)?;
    }
    Ok(Exit::Success)
}
