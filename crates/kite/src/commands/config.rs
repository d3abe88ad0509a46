//! `kite config`: what can be set.

use clap::Args;

use crate::{
    error::{Error, Exit},
    render::Terminal,
};

/// Print every setting with its meaning, default and environment variable.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  kite config
  echo 'guard = \"strict\"' >> ~/.kite/config.toml    then: kite daemon restart")]
pub(crate) struct ConfigArgs {}

pub(crate) fn run(_: &ConfigArgs, terminal: &mut Terminal) -> Result<Exit, Error> {
    terminal.verbatim(kite_daemon::config::reference().as_bytes())?;
    Ok(Exit::Success)
}
