//! `kite dispatches`: what became of what was sent.

use clap::Args;
use kite_wire::{reply::dispatches::Dispatches, request::DispatchList};

use crate::{
    connect::Daemon,
    error::{Error, Exit},
    render::{self, Terminal},
};

/// List what sessions were sent, and what became of it, the newest first.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  kite dispatches
  kite dispatches e5f60718
  kite dispatches --json | jq -r '.dispatches[].state'")]
pub(crate) struct DispatchesArgs {
    /// Only this one, with what it says: id or unique prefix.
    #[arg(value_name = "DISPATCH")]
    dispatch: Option<String>,
    /// At most so many.
    #[arg(short = 'n', long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=200))]
    limit: u32,
    /// Print one JSON object: {"dispatches": [...]}.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: DispatchesArgs, terminal: &mut Terminal) -> Result<Exit, Error> {
    let is_one = args.dispatch.is_some();
    let request = DispatchList {
        dispatch: args.dispatch,
        limit: Some(args.limit),
    };
    let found: Dispatches = Daemon::connect()?.ask(request)?;
    if args.json {
        terminal.json(&found)?;
    } else {
        render::dispatches::print(terminal, &found)?;
        if is_one {
            render::dispatches::print_words(terminal, &found)?;
        }
    }
    Ok(Exit::Success)
}
