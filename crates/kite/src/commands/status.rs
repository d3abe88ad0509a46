//! `kite status`: one screen about everything.

use clap::Args;
use kite_wire::{
    reply::{Locks, Sessions, Stats},
    request::Query,
};
use serde::Serialize;

use crate::{
    connect::Daemon,
    error::{Error, Exit},
    render::{self, Terminal},
};

/// Most sessions and locks that are asked for; the screen shows fewer.
const LIMIT: u32 = 200;

/// Show what is going on: the daemon, sessions, locks, tasks, what was prevented and what it cost.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  kite status
  kite status --json | jq .stats.prevented")]
pub(crate) struct StatusArgs {
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// What the screen shows, of all projects of this home.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Status {
    pub(crate) stats: Stats,
    pub(crate) sessions: Vec<kite_wire::reply::Session>,
    pub(crate) locks: Vec<kite_wire::reply::Lock>,
}

pub(crate) fn run(args: &StatusArgs, terminal: &mut Terminal) -> Result<Exit, Error> {
    let status = read(&mut Daemon::connect()?)?;
    if args.json {
        terminal.json(&status)?;
    } else {
        render::status::print(terminal, &status)?;
    }
    Ok(Exit::Success)
}

/// Asks for all that the screen shows.
pub(crate) fn read(daemon: &mut Daemon) -> Result<Status, Error> {
    let query = |target: &str| Query {
        target: target.to_owned(),
        limit: Some(LIMIT),
        ..Query::default()
    };
    let sessions: Sessions = daemon.ask(query("sessions"))?;
    let locks: Locks = daemon.ask(query("locks"))?;
    let stats: Stats = daemon.ask(Query {
        target: "stats".to_owned(),
        ..Query::default()
    })?;
    Ok(Status {
        stats,
        sessions: sessions.sessions,
        locks: locks.locks,
    })
}
