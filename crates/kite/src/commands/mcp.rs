//! `kite mcp`: the MCP server that an agent starts. Its stdout belongs to the protocol.

use std::{io, process::ExitCode};

use clap::Args;

use crate::{connect, error::Error, wiring::BUILD};

/// Serve Kite's tools to an agent over stdio. Agents run this; `kite init` registers it.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  kite mcp                      as an agent's MCP server
  claude mcp add kite -- kite mcp")]
pub(crate) struct McpArgs {}

pub(crate) fn run(_: &McpArgs) -> Result<ExitCode, Error> {
    let home = connect::home()?;
    let options = kite_mcp::Options {
        home: home.clone(),
        build: BUILD.to_owned(),
        start_daemon: Box::new(move || match connect::start(&home) {
            Ok(_) => Ok(()),
            Err(error) => Err(io::Error::other(error.sentence())),
        }),
    };
    Ok(kite_mcp::run_stdio(options))
}
