//! `kite worktree`: the worktrees that Kite made.

use std::env;

use clap::{Args, Subcommand};
use kite_wire::{
    reply::checkouts::{CheckoutRemoved, Checkouts},
    request::{WorktreeList, WorktreeRemove},
};

use crate::{
    connect::Daemon,
    error::{Error, Exit},
    render::{self, Terminal},
};

/// List and remove the git worktrees that Kite made for agents.
///
/// One is removed only where nothing is lost: all is committed, and its branch is merged into the one
/// it came from or into an upstream.
#[derive(Debug, Args)]
#[command(
    disable_help_subcommand = true,
    after_help = "\
Examples:
  kite worktree list
  kite worktree remove 5b1c09d2"
)]
pub(crate) struct WorktreeArgs {
    #[command(subcommand)]
    command: WorktreeCommand,
}

#[derive(Debug, Subcommand)]
enum WorktreeCommand {
    List(ListArgs),
    Remove(RemoveArgs),
}

/// List them, and what would be lost with each.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  kite worktree list
  kite worktree list --all-projects --json | jq -r '.worktrees[].path'")]
struct ListArgs {
    /// Of every project.
    #[arg(long)]
    all_projects: bool,
    /// Print one JSON object: {"worktrees": [...]}.
    #[arg(long)]
    json: bool,
}

/// Remove one of them, and its branch where that is merged.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  kite worktree remove 5b1c09d2
  kite worktree remove kite/add-oauth-login-5b1c09d2 --unmerged
  kite worktree remove 5b1c09d2 --unmerged --uncommitted

Exit codes:
  0 it is gone   3 it is kept: work would be lost, or somebody works in it   5 there is none such")]
struct RemoveArgs {
    /// Its id or a unique prefix, its branch, or its directory.
    worktree: String,
    /// Also where its branch is not merged. The branch stays.
    #[arg(long)]
    unmerged: bool,
    /// Also where files are not committed. They are first kept under refs/kite/rescue.
    #[arg(long)]
    uncommitted: bool,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: WorktreeArgs, terminal: &mut Terminal) -> Result<Exit, Error> {
    match args.command {
        WorktreeCommand::List(args) => list(&args, terminal),
        WorktreeCommand::Remove(args) => remove(args, terminal),
    }
}

fn list(args: &ListArgs, terminal: &mut Terminal) -> Result<Exit, Error> {
    let here = env::current_dir()
        .ok()
        .and_then(|it| it.into_os_string().into_string().ok());
    let request = WorktreeList {
        project: here.filter(|_| !args.all_projects),
    };
    let found: Checkouts = Daemon::connect()?.ask(request)?;
    if args.json {
        terminal.json(&found)?;
    } else {
        render::checkouts::print(terminal, &found)?;
    }
    Ok(Exit::Success)
}

fn remove(args: RemoveArgs, terminal: &mut Terminal) -> Result<Exit, Error> {
    let worktree = match args.worktree.trim_end_matches('/') {
        // A directory, as a shell completes it.
        path if path.starts_with(['.', '/', '~']) => std::path::absolute(path)
            .ok()
            .and_then(|full| {
                full.canonicalize()
                    .unwrap_or(full)
                    .into_os_string()
                    .into_string()
                    .ok()
            })
            .unwrap_or_else(|| path.to_owned()),
        other => other.to_owned(),
    };
    let request = WorktreeRemove {
        worktree,
        unmerged: args.unmerged,
        uncommitted: args.uncommitted,
    };
    let removed: CheckoutRemoved = Daemon::connect()?.ask(request)?;
    if args.json {
        terminal.json(&removed)?;
    } else {
        render::checkouts::print_removed(terminal, &removed)?;
    }
    Ok(Exit::Success)
}
