//! The HTTP server.

use std::{io, net::SocketAddr};

use super::{Line, Role, Terminal};

pub(crate) fn print_ready(terminal: &mut Terminal, addresses: &[SocketAddr]) -> io::Result<()> {
    let Some(address) = addresses.first() else {
        return Ok(());
    };
    terminal.line_fitted(
        Line::new()
            .with(Role::Heading, "Kite serves MCP on ")
            .plain(format!("http://{address}/mcp")),
    )?;
    if !address.ip().is_loopback() {
        terminal.line_fitted(Line::new().with(
            Role::Caution,
            "Other machines can reach it, and the token crosses the network in the clear",
        ))?;
    }
    terminal
        .line("`kite serve --show-token` prints the token; `kite init --http` wires Claude Code")?;
    terminal.line("Ctrl-C ends it")?;
    terminal.flush()
}
