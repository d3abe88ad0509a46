//! `kite demo`: see it work, without any agent.

use clap::Args;

use crate::{
    demo,
    error::{Error, Exit},
    render::Terminal,
};

/// Watch scripted sessions race, refuse, wait and die, in a throw-away home. Takes no agent.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  kite demo")]
pub(crate) struct DemoArgs {}

pub(crate) fn run(_: &DemoArgs, terminal: &mut Terminal) -> Result<Exit, Error> {
    demo::play(terminal)?;
    Ok(Exit::Success)
}
