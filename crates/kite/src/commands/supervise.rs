//! `kite supervise DIRECTORY`: one agent's keeper. The daemon starts it; people do not.

use std::path::PathBuf;

use clap::Args;

use crate::{
    error::{Error, Exit},
    wiring::write_birth_files,
};

/// Runs what a directory describes, keeps its output, and leaves nothing of it alive.
#[derive(Debug, Args)]
#[command(after_help = "\
The daemon starts this command for each agent, with a socket as its standard input.

Examples:
  kite supervise ~/.kite/agents/3f2a91bc...")]
pub(crate) struct SuperviseArgs {
    /// The run's directory, which holds run.json.
    directory: PathBuf,
}

pub(crate) fn run(args: &SuperviseArgs) -> Result<Exit, Error> {
    kite_supervisor::supervise(&args.directory, write_birth_files)?;
    Ok(Exit::Success)
}
