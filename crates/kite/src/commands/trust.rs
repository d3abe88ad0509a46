//! `kite trust`: what a repository would run by itself, and a person's word for it.

use clap::Args;
use kite_wire::{
    reply::trust::Trust,
    request::{TrustSet, TrustShow},
};

use super::lock::person_at_terminal;
use crate::{
    connect::Daemon,
    error::{Error, Exit, Kind},
    render::{self, Terminal},
};

/// Show what this repository would run by itself, and say yes to it.
///
/// Git runs hooks and commands of a repository's settings; agents' clients run its hooks, servers
/// and plug-ins; Kite runs its tools. Kite starts agents and tools only where a person has looked at
/// all of that. What they saw stays trusted; what is new or different asks again.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  kite trust
  kite trust --show
  kite trust --revoke")]
pub(crate) struct TrustArgs {
    /// Only show it.
    #[arg(long, conflicts_with_all = ["revoke", "yes"])]
    show: bool,
    /// End the trust.
    #[arg(long, conflicts_with = "yes")]
    revoke: bool,
    /// Do not ask.
    #[arg(short, long, hide = !person_at_terminal())]
    yes: bool,
    /// Print one JSON object. Without --yes or --revoke, only show it.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &TrustArgs, terminal: &mut Terminal) -> Result<Exit, Error> {
    let shows = args.show || (args.json && !args.yes && !args.revoke);
    if !shows && !person_at_terminal() {
        return Err(Error::new(
            Kind::Refused,
            "only a person at a terminal may say what is trusted",
        )
        .hinted("`kite trust --show` shows it; ask the person to run `kite trust`"));
    }
    let mut daemon = Daemon::connect()?;
    if args.revoke {
        let trust: Trust = daemon.ask(TrustSet::default())?;
        return print(args, terminal, &trust);
    }
    let trust: Trust = daemon.ask(TrustShow::default())?;
    if shows || (trust.state == "trusted" && !args.json) {
        return print(args, terminal, &trust);
    }
    if !args.json {
        render::trust::print(terminal, &trust)?;
    }
    if !args.yes && !terminal.confirm("Trust all of this?")? {
        terminal.note("Nothing is trusted.")?;
        return Ok(Exit::Refused);
    }
    let set = TrustSet {
        fingerprint: trust.fingerprint,
        ..TrustSet::default()
    };
    let trust: Trust = daemon.ask(set)?;
    if args.json {
        terminal.json(&trust)?;
    } else {
        render::trust::print_state(terminal, &trust)?;
    }
    Ok(Exit::Success)
}

fn print(args: &TrustArgs, terminal: &mut Terminal, trust: &Trust) -> Result<Exit, Error> {
    match (args.json, args.revoke) {
        (true, _) => terminal.json(trust)?,
        (false, true) => render::trust::print_state(terminal, trust)?,
        (false, false) => {
            render::trust::print(terminal, trust)?;
            render::trust::print_state(terminal, trust)?;
        }
    }
    Ok(Exit::Success)
}
