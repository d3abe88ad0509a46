//! `kite init`: from nothing to guarded.

use std::path::PathBuf;

use clap::Args;
use kite_wire::home::Home;

use super::status;
use crate::{
    connect::{self, Daemon},
    error::{Error, Exit},
    proof::prove_enforcement,
    render::{self, Terminal},
    wiring::{self, BUILD, Machine, Scope},
};

/// Install Kite, wire a project's agents to it, start the daemon, and prove that it works.
///
/// By default the wiring is yours alone and `git status` does not change. `kite uninit` undoes it.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  kite init                     this directory's project, for you alone
  kite init --dry-run           show what would change, and change nothing
  kite init --team              in files that the team shares
  kite init --user              all your projects
  kite init --http              by URL: the tools come from `kite serve`
  kite init --git-hooks         also a net in git itself, for every agent and every script")]
pub(crate) struct InitArgs {
    /// A directory of the project.
    #[arg(default_value = ".", hide_default_value = true)]
    dir: PathBuf,
    /// Write files to be committed, which do no harm where Kite is missing.
    #[arg(long, conflicts_with = "user")]
    team: bool,
    /// Wire all your projects.
    #[arg(long)]
    user: bool,
    /// Also install git hooks: pre-commit and reference-transaction. Existing ones are kept, and
    /// run first.
    #[arg(long)]
    git_hooks: bool,
    /// Wire Claude Code by URL, for `kite serve` on this port (3001 where none is given).
    #[arg(
        long,
        value_name = "PORT",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "3001",
        conflicts_with = "team"
    )]
    http: Option<u16>,
    /// Show the changes and make none.
    #[arg(long)]
    dry_run: bool,
    /// Replace a newer installed build by this older one without asking.
    #[arg(long)]
    allow_downgrade: bool,
}

pub(crate) fn run(args: &InitArgs, terminal: &mut Terminal) -> Result<Exit, Error> {
    let machine = Machine::this()?;
    let scope = match (args.team, args.user) {
        (true, _) => Scope::Team,
        (_, true) => Scope::User,
        _ => Scope::Personal,
    };
    let asked = wiring::InitArgs {
        dir: args.dir.clone(),
        scope,
        git_hooks: args.git_hooks,
        dry_run: args.dry_run,
        allow_downgrade: args.allow_downgrade,
    };
    let outcome = wiring::init(&asked, &machine, terminal)?;
    if args.dry_run {
        return Ok(Exit::Success);
    }
    if let Some(port) = args.http {
        wiring::wire_by_url(&args.dir, scope, port, &machine, terminal)?;
    }
    let mut daemon = daemon_of_this_build(&machine.home)?;
    let proof = prove_enforcement(&machine.home)?;
    let status = status::read(&mut daemon)?;
    render::wiring::print_gap(terminal)?;
    render::status::print(terminal, &status)?;
    render::wiring::print_proof(terminal, &proof)?;
    render::wiring::print_next(terminal, &outcome.next)?;
    Ok(Exit::Success)
}

/// The daemon, handed over where another build is still running.
fn daemon_of_this_build(home: &Home) -> Result<Daemon, Error> {
    connect::start(home)?;
    let daemon = Daemon::connect_running(home.clone())?;
    if daemon.welcome().build == BUILD {
        return Ok(daemon);
    }
    drop(daemon);
    connect::stop(home)?;
    connect::start(home)?;
    Daemon::connect_running(home.clone())
}
