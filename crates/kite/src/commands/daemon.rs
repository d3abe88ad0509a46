//! `kite daemon`: the process behind it all. It is started by whoever needs it first.

use std::{os::fd::RawFd, process::ExitCode};

use clap::{Args, Subcommand};
use kite_daemon::lifecycle;
use kite_wire::{home::Home, reply::Stats, request::Query};

use crate::{
    connect::{self, Daemon},
    error::{Error, Exit},
    render::{self, Terminal},
    wiring::BUILD,
};

/// Start, stop and look at the daemon.
#[derive(Debug, Args)]
#[command(
    disable_help_subcommand = true,
    after_help = "\
Examples:
  kite daemon status
  kite daemon restart
  kite daemon run               in the foreground, until Ctrl-C"
)]
pub(crate) struct DaemonArgs {
    #[command(subcommand)]
    command: DaemonCommand,
}

#[derive(Debug, Subcommand)]
enum DaemonCommand {
    /// Start it where it is not running.
    #[command(after_help = "Examples:\n  kite daemon start")]
    Start,
    /// Let it finish what it is doing and end. The next call of any session starts it again.
    #[command(after_help = "Examples:\n  kite daemon stop")]
    Stop,
    /// Stop it and start it anew. State is kept; sessions reconnect.
    #[command(after_help = "Examples:\n  kite daemon restart")]
    Restart,
    /// Run it here, in the foreground.
    #[command(after_help = "Examples:\n  kite daemon run\n  KITE_HOME=/tmp/kite kite daemon run")]
    Run(RunArgs),
    /// Say whether it is running. Exit code 4 where it is not.
    #[command(
        after_help = "Examples:\n  kite daemon status\n  kite daemon status --json | jq .daemon.pid"
    )]
    Status(StatusArgs),
}

#[derive(Debug, Args)]
struct RunArgs {
    /// Open descriptor on which to report readiness, or the reason of failure.
    #[arg(long, value_name = "N", hide = true)]
    ready_fd: Option<RawFd>,
}

#[derive(Debug, Args)]
struct StatusArgs {
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: DaemonArgs, terminal: &mut Terminal) -> Result<ExitCode, Error> {
    let home = connect::home()?;
    match args.command {
        DaemonCommand::Run(args) => return Ok(run_here(&home, &args)),
        DaemonCommand::Start => {
            start(home, terminal)?;
        }
        DaemonCommand::Stop => {
            let was_running = connect::stop(&home)?;
            render::daemon::print_stopped(terminal, was_running)?;
        }
        DaemonCommand::Restart => {
            connect::stop(&home)?;
            start(home, terminal)?;
        }
        DaemonCommand::Status(args) => {
            let mut daemon = Daemon::connect_running(home)?;
            let stats: Stats = daemon.ask(Query {
                target: "stats".to_owned(),
                ..Query::default()
            })?;
            if args.json {
                terminal.json(&stats)?;
            } else {
                render::daemon::print_status(terminal, &stats.daemon)?;
            }
        }
    }
    Ok(Exit::Success.into())
}

fn start(home: Home, terminal: &mut Terminal) -> Result<(), Error> {
    let (daemon, started) = Daemon::connect_starting(home)?;
    render::daemon::print_started(terminal, daemon.welcome().pid, started)?;
    Ok(())
}

/// Becomes the daemon. It reports its own failures: to its starter, or to stderr.
fn run_here(home: &Home, args: &RunArgs) -> ExitCode {
    let options = lifecycle::RunOptions {
        build: BUILD.to_owned(),
        fingerprint: kite_mcp::fingerprint(),
        ready_fd: args.ready_fd,
    };
    kite_daemon::run(home, options)
}
