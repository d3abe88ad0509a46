//! The MCP door: Kite's tools for coding agents, served on stdio and over HTTP.
//!
//! `kite mcp` is started by the agent's client for each session. It is a thin client of the
//! daemon's socket: it checks a call's arguments, sends one request, and renders one reply as
//! text. Starting it, shaking hands and listing the tools has no side effect; the first call opens
//! the connection, and starts the daemon where there is none.
//!
//! **Architecture Invariant:** this crate alone knows rmcp. It knows neither rules nor storage nor
//! the daemon's inside: what it says, it says in the words of `kite-wire`.
//!
//! **Architecture Invariant:** nothing but protocol is written to stdout.

mod arguments;
mod call_log;
mod caller;
mod catalogue;
mod daemon;
mod http;
mod manual;
mod parent;
mod project_tools;
mod prompts;
mod resources;
mod review;
mod schema;
mod server;
mod signals;
mod stdio;
mod streams;
mod subscriptions;
mod text;
mod tools;
mod transport;

use std::{io, process::ExitCode};

use kite_wire::home::Home;
use serde_json::Value;

pub use http::{HttpError, HttpOptions, PORT, http_token, run_http, run_http_as};
pub use server::Server;

/// What the server is given by the program it is part of.
pub struct Options {
    /// The home whose daemon is asked.
    pub home: Home,
    /// Version of this program, as the daemon and clients are told it.
    pub build: String,
    /// Starts the daemon of that home and returns when it can be reached. Called off the event
    /// loop, at most once for a call that finds no daemon.
    pub start_daemon: Box<dyn Fn() -> io::Result<()> + Send + Sync>,
}

/// Serves MCP on stdin and stdout until the input ends, SIGINT or SIGTERM comes, or the parent
/// process dies; then returns within 300 ms.
///
/// Speaks the `initialize` era (2024-11-05 to 2025-11-25) and the stateless one (2026-07-28). The
/// caller exits with the returned code at once: a thread may still be blocked in reading stdin.
/// Exit code 1 means that the event loop or the signal handlers could not be set up.
pub fn run_stdio(options: Options) -> ExitCode {
    stdio::run(options)
}

/// The fingerprint of the tool schemas of this build: 16 hexadecimal digits. Sessions whose
/// fingerprint differs from the daemon's run other code.
#[must_use]
pub fn fingerprint() -> String {
    catalogue::fingerprint()
}

/// The tool list, as `tools/list` gives it: `{"tools": [...]}`.
#[must_use]
pub fn tool_list() -> Value {
    catalogue::list()
}

/// What `docs/mcp.md` says of tools, resources and prompts.
#[must_use]
pub fn manual() -> String {
    manual::written()
}
