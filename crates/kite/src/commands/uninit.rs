//! `kite uninit`: as it was before `kite init`.

use std::path::PathBuf;

use clap::Args;

use crate::{
    error::{Error, Exit},
    render::Terminal,
    wiring::{self, Machine, Scope},
};

/// Take Kite's wiring out of a project's files again. Nothing else in them is touched.
///
/// The installed programs and Kite's state stay: `rm -r ~/.kite` removes them.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  kite uninit
  kite uninit --dry-run         show what would change, and change nothing
  kite uninit --user            out of your user-wide settings")]
pub(crate) struct UninitArgs {
    /// A directory of the project.
    #[arg(default_value = ".", hide_default_value = true)]
    dir: PathBuf,
    /// Take it out of the files that the team shares.
    #[arg(long, conflicts_with = "user")]
    team: bool,
    /// Take it out of your user-wide settings.
    #[arg(long)]
    user: bool,
    /// Show the changes and make none.
    #[arg(long)]
    dry_run: bool,
}

pub(crate) fn run(args: &UninitArgs, terminal: &mut Terminal) -> Result<Exit, Error> {
    let scope = match (args.team, args.user) {
        (true, _) => Some(Scope::Team),
        (_, true) => Some(Scope::User),
        _ => None,
    };
    let asked = wiring::UninitArgs {
        dir: args.dir.clone(),
        scope,
        dry_run: args.dry_run,
    };
    wiring::uninit(&asked, &Machine::this()?, terminal)?;
    Ok(Exit::Success)
}
