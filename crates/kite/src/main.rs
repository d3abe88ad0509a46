//! `kite`: what people type, and what starts everything else.
//!
//! **Architecture Invariant:** this program knows neither rules nor storage. It is a client of the
//! daemon like any other; only `connect` and `kite daemon` know how one is started.

mod ancestry;
mod checks;
mod cli;
mod commands;
mod connect;
mod demo;
mod error;
mod hook;
mod machine;
mod proof;
mod render;
#[expect(
    unused_imports,
    reason = "its stories, in tests/wiring, use what the program does not"
)]
mod wiring;

use std::{ffi::OsString, process::ExitCode};

use clap::{
    CommandFactory as _, FromArgMatches as _,
    error::{ContextKind, ContextValue},
};

use crate::{
    cli::{Cli, ColorChoice},
    error::{Error, Exit},
    render::Terminal,
};

fn main() -> ExitCode {
    let cli = match parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version go to stdout with code 0, everything else to stderr with code 2.
            let _ = error.print();
            return if error.use_stderr() {
                Exit::Usage.into()
            } else {
                Exit::Success.into()
            };
        }
    };
    let mut terminal = Terminal::new(cli.color);
    let outcome = commands::run(cli.command, &mut terminal);
    let outcome = outcome.and_then(|exit| terminal.flush().map(|()| exit).map_err(Error::from));
    outcome.unwrap_or_else(|error| {
        render::error::print(&mut terminal, &error);
        error.kind.exit().into()
    })
}

/// Reads the command line. `--color` counts for help and complaints too, so it is looked for first.
fn parse() -> Result<Cli, clap::Error> {
    let args: Vec<OsString> = std::env::args_os().collect();
    let color = match color_of(&args) {
        ColorChoice::Auto => clap::ColorChoice::Auto,
        ColorChoice::Always => clap::ColorChoice::Always,
        ColorChoice::Never => clap::ColorChoice::Never,
    };
    let matches = Cli::command()
        .color(color)
        .try_get_matches_from(args)
        .map_err(without_secrets)?;
    Cli::from_arg_matches(&matches)
}

/// A suggestion must not tell an agent of what only a person may do.
fn without_secrets(mut error: clap::Error) -> clap::Error {
    let suggests_force = |value: &ContextValue| value.to_string().contains("force");
    if error
        .get(ContextKind::SuggestedArg)
        .is_some_and(suggests_force)
        && !commands::lock::person_at_terminal()
    {
        error.remove(ContextKind::SuggestedArg);
    }
    error
}

fn color_of(args: &[OsString]) -> ColorChoice {
    let words = |at: usize| args.get(at).and_then(|arg| arg.to_str());
    let value = (1..args.len()).find_map(|at| match words(at)?.strip_prefix("--color")? {
        "" => words(at + 1),
        joined => joined.strip_prefix('='),
    });
    match value {
        Some("always") => ColorChoice::Always,
        Some("never") => ColorChoice::Never,
        _ => ColorChoice::Auto,
    }
}
