//! `kite mcp`: the MCP server that an agent starts. Its stdout belongs to the protocol.

use std::process::ExitCode;

use clap::Args;

use crate::error::Error;

/// Serve Kite's tools to an agent over stdio. Agents run this; `kite init` registers it.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  kite mcp                      as an agent's MCP server
  claude mcp add kite -- kite mcp")]
pub(crate) struct McpArgs {}

pub(crate) fn run(_: &McpArgs) -> Result<ExitCode, Error> {
    Ok(kite_mcp::run_stdio())
}
