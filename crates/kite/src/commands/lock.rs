//! `kite lock`: exclusive locks on files and names.

use std::{io::IsTerminal as _, time::Duration};

use clap::{Args, Subcommand};
use kite_wire::{
    reply::Locks,
    request::{Lock, Query, Unlock},
};

use crate::{
    ancestry,
    connect::{self, Daemon},
    error::{Error, Exit, Kind},
    render::{self, Terminal, moment::parse_span},
};

/// Most locks that one call lists.
const LIMIT: u32 = 1_000;

/// Take, give back and list exclusive locks.
///
/// A lock refuses the edits of other sessions. It ends when it is released, when its time is up,
/// and when its holder ends: for a lock taken here, that is the shell this command runs in.
#[derive(Debug, Args)]
#[command(
    disable_help_subcommand = true,
    after_help = "\
Examples:
  kite lock acquire src/auth.rs --reason \"moving it to its own crate\"
  kite lock list
  kite lock release src/auth.rs"
)]
pub(crate) struct LockArgs {
    #[command(subcommand)]
    command: LockCommand,
}

#[derive(Debug, Subcommand)]
enum LockCommand {
    Acquire(AcquireArgs),
    Release(ReleaseArgs),
    List(ListArgs),
}

/// Take a lock on all of these, or on none.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  kite lock acquire src/auth.rs src/login.rs
  kite lock acquire 'migrations/**' --wait 30s
  kite lock acquire --name deploy:prod --ttl 2h")]
struct AcquireArgs {
    /// Files, directories (`dir/`: everything below) or globs.
    #[arg(value_name = "PATH", required_unless_present = "name")]
    paths: Vec<String>,
    /// A name of your own, such as `deploy:prod`.
    #[arg(long)]
    name: Option<String>,
    /// How long it lasts without a sign of life: 30s, 10m, 2h.
    #[arg(long, value_name = "SPAN", value_parser = ttl_span)]
    ttl: Option<Duration>,
    /// How long to wait in the queue where it is not free: at most 45s.
    #[arg(long, value_name = "SPAN", value_parser = wait_span)]
    wait: Option<Duration>,
    /// Keep it past the end of an agent's turn.
    #[arg(long)]
    keep: bool,
    /// Why, shown to whoever is refused.
    #[arg(short, long, value_name = "TEXT")]
    reason: Option<String>,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// The daemon's own limits, told in the words of the command line.
fn ttl_span(text: &str) -> Result<Duration, String> {
    let span = parse_span(text)?;
    if (1..=86_400).contains(&span.as_secs()) {
        Ok(span)
    } else {
        Err("1s to 24h".to_owned())
    }
}

fn wait_span(text: &str) -> Result<Duration, String> {
    let span = parse_span(text)?;
    if span.as_secs() <= 45 {
        Ok(span)
    } else {
        Err("at most 45s; ask again to wait longer".to_owned())
    }
}

/// Give locks back. Releasing what is free is no error.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  kite lock release src/auth.rs
  kite lock release --name deploy:prod
  kite lock release --all")]
struct ReleaseArgs {
    /// What was locked.
    #[arg(value_name = "PATH", required_unless_present_any = ["name", "all"])]
    paths: Vec<String>,
    /// A named lock.
    #[arg(long)]
    name: Option<String>,
    /// Everything you hold.
    #[arg(long, conflicts_with_all = ["paths", "name", "epoch"])]
    all: bool,
    /// Only the lock of this grant, as `lock acquire --json` told it.
    #[arg(long, value_name = "EPOCH")]
    epoch: Option<String>,
    /// Break the lock of another session.
    #[arg(long, hide = !person_at_terminal())]
    force: bool,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// List locks, and edits under way.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  kite lock list
  kite lock list --json | jq -r '.locks[].target'")]
struct ListArgs {
    /// Print one JSON object: {"locks": [...]}.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: LockArgs, terminal: &mut Terminal) -> Result<Exit, Error> {
    match args.command {
        LockCommand::Acquire(args) => acquire(args, terminal),
        LockCommand::Release(args) => release(args, terminal),
        LockCommand::List(args) => list(&args, terminal),
    }
}

fn acquire(args: AcquireArgs, terminal: &mut Terminal) -> Result<Exit, Error> {
    let request = Lock {
        paths: args.paths,
        name: args.name,
        ttl_s: args.ttl.map(|ttl| ttl.as_secs()),
        wait_s: args.wait.map(|wait| wait.as_secs()),
        keep: args.keep,
        reason: args.reason,
    };
    let mut shown = None;
    let reply = Daemon::connect()?.ask_watching(request, |push| {
        if push.place != shown
            && let Some(place) = push.place
        {
            shown = Some(place);
            // The wait goes on whether or not anybody can be told of it.
            let _ = render::locks::note_place(terminal, place);
        }
    })?;
    let locks: Locks = connect::read(reply)?;
    if args.json {
        terminal.json(&locks)?;
    } else {
        render::locks::print_acquired(terminal, &locks)?;
    }
    Ok(Exit::Success)
}

fn release(args: ReleaseArgs, terminal: &mut Terminal) -> Result<Exit, Error> {
    if args.force && !person_at_terminal() {
        return Err(Error::new(
            Kind::Refused,
            "only a person at a terminal may break another session's lock",
        )
        .hinted("ask the holder to release it, or wait: it ends with its session"));
    }
    let asked: Vec<String> = args.paths.iter().chain(&args.name).cloned().collect();
    let request = Unlock {
        paths: args.paths,
        name: args.name,
        epoch: args.epoch,
        all: args.all,
        force: args.force,
    };
    let locks: Locks = Daemon::connect()?.ask(request)?;
    if args.json {
        terminal.json(&locks)?;
    } else {
        render::locks::print_released(terminal, &locks, &asked)?;
    }
    Ok(Exit::Success)
}

fn list(args: &ListArgs, terminal: &mut Terminal) -> Result<Exit, Error> {
    let query = Query {
        target: "locks".to_owned(),
        limit: Some(LIMIT),
        ..Query::default()
    };
    let locks: Locks = Daemon::connect()?.ask(query)?;
    if args.json {
        terminal.json(&locks)?;
    } else {
        render::locks::print(terminal, &locks.locks)?;
    }
    Ok(Exit::Success)
}

/// True where a person sits in front of this call: both streams are a terminal, and no agent is
/// among the parents.
pub(crate) fn person_at_terminal() -> bool {
    std::io::stdin().is_terminal() && std::io::stdout().is_terminal() && ancestry::agent().is_none()
}
