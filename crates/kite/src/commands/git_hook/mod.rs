//! `kite git-hook`: what the git hooks of `kite init --git-hooks` ask. People do not call it.
//!
//! **Architecture Invariant:** a fault never stops git. Only a commit that takes in another live
//! session's files ends with 1; everything else ends with 0, without a word.

mod committing;
mod message;
mod pre_commit;
mod reference_transaction;

pub(crate) use pre_commit::{Refusal, WayOn};

use std::{sync::mpsc, thread, time::Duration};

use clap::{Args, Subcommand};

use crate::{
    error::{Error, Exit},
    render::Terminal,
};

/// What git's hooks ask Kite.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  kite git-hook pre-commit
  kite git-hook reference-transaction prepared < updates")]
pub(crate) struct GitHookArgs {
    #[command(subcommand)]
    hook: GitHook,
}

#[derive(Debug, Subcommand)]
enum GitHook {
    /// Refuses an agent's commit that takes in what another live session changed.
    PreCommit,
    /// Keeps commits that are about to go out of reach; reads the updates from stdin.
    ReferenceTransaction {
        /// `prepared`; in every other state there is nothing to do.
        state: String,
    },
}

pub(crate) fn run(args: &GitHookArgs, terminal: &mut Terminal) -> Result<Exit, Error> {
    match &args.hook {
        GitHook::PreCommit => pre_commit::run(terminal),
        GitHook::ReferenceTransaction { state } => {
            if state == "prepared" {
                reference_transaction::run();
            }
            Ok(Exit::Success)
        }
    }
}

/// What `work` finds within `limit`. It is left behind where it takes longer.
fn within<T: Send + 'static>(
    limit: Duration,
    work: impl FnOnce() -> Option<T> + Send + 'static,
) -> Option<T> {
    let (tell, told) = mpsc::channel();
    thread::spawn(move || tell.send(work()));
    told.recv_timeout(limit).ok().flatten()
}
