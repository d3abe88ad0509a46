//! `kite dispatch`: a task or a message for a running session.

use std::time::Duration;

use clap::Args;
use kite_wire::{reply::dispatches::OneDispatch, request::Dispatch};

use crate::{
    connect::Daemon,
    error::{Error, Exit},
    render::{self, Terminal, moment::parse_span},
};

/// Give a running session a task, a message, or both.
///
/// Its model hears it at its next step or prompt, as data that names who sent it. A task that a person
/// assigns also keeps a turn going that is about to end, once. The task is reserved at once; where the
/// session does not claim it in time, it is ready again.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  kite dispatch 3f2a91bc --task 1a2b3c4d
  kite dispatch idle --task 1a2b3c4d --deadline 5m Begin with the failing test
  kite dispatch 3f2a91bc The schema has changed, read docs/schema.md again")]
pub(crate) struct DispatchArgs {
    /// A session's or an agent's id, or `idle`: whoever has nothing to do.
    #[arg(value_name = "TO")]
    to: String,
    /// What it is to know, at most 4,000 characters.
    #[arg(value_name = "MESSAGE", required_unless_present = "task")]
    message: Vec<String>,
    /// The ready task that it is to work on: id or unique prefix.
    #[arg(short, long, value_name = "TASK")]
    task: Option<String>,
    /// How soon it must claim the task: 30s, 15m (as a rule), 24h at most.
    #[arg(long, value_name = "SPAN", value_parser = deadline, requires = "task")]
    deadline: Option<Duration>,
    /// Print one JSON object: {"dispatch": {...}, "outcome": "...", "heard": "..."}.
    #[arg(long)]
    json: bool,
}

/// The daemon's own limits, told in the words of the command line.
fn deadline(text: &str) -> Result<Duration, String> {
    let span = parse_span(text)?;
    if (1..=86_400).contains(&span.as_secs()) {
        Ok(span)
    } else {
        Err("1s to 24h".to_owned())
    }
}

pub(crate) fn run(args: DispatchArgs, terminal: &mut Terminal) -> Result<Exit, Error> {
    let message = args.message.join(" ");
    let request = Dispatch {
        to: args.to,
        task: args.task,
        message: Some(message).filter(|message| !message.trim().is_empty()),
        deadline_s: args.deadline.map(|deadline| deadline.as_secs()),
        project: None,
    };
    let sent: OneDispatch = Daemon::connect()?.ask(request)?;
    if args.json {
        terminal.json(&sent)?;
    } else {
        render::dispatches::print_sent(terminal, &sent)?;
    }
    Ok(Exit::Success)
}
