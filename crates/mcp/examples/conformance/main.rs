//! Kite's HTTP server with the names that the official conformance suite asks for, for
//! `.ci/conformance`. It prints its address and its token's file.
//!
//! All that is served passes through the product's own stack and, where a name is not the suite's,
//! through the product's own handler. Only the fixtures are added here.

#![expect(
    deprecated,
    reason = "the suite asks for what the protocol has deprecated, too"
)]

mod asking;
mod fixtures;
mod prompts;
mod resources;
mod tools;

use std::{
    io::{self, Write},
    process::ExitCode,
};

use kite_mcp::{HttpOptions, Options, run_http_as};
use kite_wire::home::Home;

use fixtures::Fixtures;

fn main() -> ExitCode {
    let Some(home) = Home::find() else {
        return ExitCode::FAILURE;
    };
    let options = Options {
        home,
        build: "0.0.0-conformance".to_owned(),
        start_daemon: Box::new(|| Err(io::Error::other("the fixtures need no daemon"))),
    };
    let http = HttpOptions {
        port: 0,
        ..HttpOptions::default()
    };
    let served = run_http_as(
        options,
        &http,
        |addresses| {
            let _ = writeln!(io::stdout(), "{}", addresses[0]);
        },
        Fixtures::around,
    );
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "{error}");
            ExitCode::FAILURE
        }
    }
}
