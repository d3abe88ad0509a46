//! `kite serve`: Kite's tools over HTTP, for any number of agents.

use std::{io, net::IpAddr, process::ExitCode};

use clap::Args;
use kite_mcp::{HttpError, HttpOptions};
use kite_wire::home::Home;
use serde_json::json;

use crate::{
    connect,
    error::{Error, Exit},
    render::{self, Terminal},
    wiring::BUILD,
};

/// Serve Kite's tools to agents over HTTP, until Ctrl-C.
///
/// Who knows the token is let in; it lies in the home, in a file that is yours alone to read.
/// `docs/http.md` tells how each agent is wired.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  kite serve                    on http://127.0.0.1:3001/mcp
  kite serve --port 3002        where that port is taken
  kite serve --show-token       what to put into an agent's settings
  kite init --http              wire Claude Code by URL")]
pub(crate) struct ServeArgs {
    /// The port to listen on; 0 for one that is free.
    #[arg(long, value_name = "PORT", default_value_t = kite_mcp::PORT)]
    port: u16,
    /// The address to listen on. Any but a loopback one lets other machines in, and the token
    /// crosses the network in the clear.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    address: IpAddr,
    /// A further name under which this machine may be called. Repeatable.
    #[arg(long = "host", value_name = "NAME")]
    hosts: Vec<String>,
    /// Print the token, made where there is none, and do not serve.
    #[arg(long)]
    show_token: bool,
    /// Print the headers for an agent that asks for them, and do not serve.
    #[arg(long, conflicts_with = "show_token")]
    headers: bool,
}

pub(crate) fn run(args: &ServeArgs, terminal: &mut Terminal) -> Result<ExitCode, Error> {
    let home = connect::home()?;
    // Makes the home, too.
    connect::start(&home)?;
    if args.show_token {
        terminal.line(kite_mcp::http_token(&home)?)?;
    } else if args.headers {
        terminal.line(headers(&home)?)?;
    } else {
        serve(args, home, terminal)?;
    }
    Ok(Exit::Success.into())
}

fn serve(args: &ServeArgs, home: Home, terminal: &mut Terminal) -> Result<(), Error> {
    let options = HttpOptions {
        address: args.address,
        port: args.port,
        hosts: args.hosts.clone(),
    };
    let of_home = home.clone();
    let mcp = kite_mcp::Options {
        home,
        build: BUILD.to_owned(),
        start_daemon: Box::new(move || match connect::start(&of_home) {
            Ok(_) => Ok(()),
            Err(error) => Err(io::Error::other(error.sentence())),
        }),
    };
    let mut printed = Ok(());
    kite_mcp::run_http(mcp, &options, |addresses| {
        printed = render::serve::print_ready(terminal, addresses);
    })?;
    Ok(printed?)
}

/// What Claude Code sends with each request: the token, and whose request it is. This program then
/// runs inside the agent, so the agent is found as for any command.
fn headers(home: &Home) -> Result<String, Error> {
    let caller = connect::caller();
    let mut headers = json!({"Authorization": format!("Bearer {}", kite_mcp::http_token(home)?)});
    if caller.client != "person" {
        let caller = serde_json::to_string(&caller)
            .map_err(|cause| Error::failed("cannot tell who calls").because(cause))?;
        headers["Kite-Caller"] = ascii(&caller).into();
    }
    Ok(headers.to_string())
}

/// The same JSON in ASCII alone: a header holds nothing else.
fn ascii(json: &str) -> String {
    let mut plain = String::with_capacity(json.len());
    for c in json.chars() {
        if c.is_ascii() {
            plain.push(c);
        } else {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                plain.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    plain
}

impl From<HttpError> for Error {
    fn from(error: HttpError) -> Error {
        Error::failed(error.what)
            .because(error.why.unwrap_or_default())
            .hinted(error.hint.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_directory_fits_into_a_header() {
        let caller = json!({"cwd": "/tmp/ä/日本/😀 \"x\""}).to_string();
        let plain = ascii(&caller);
        assert!(plain.is_ascii(), "{plain}");
        let back: serde_json::Value = serde_json::from_str(&plain).expect("JSON");
        assert_eq!(back.to_string(), caller);
    }
}
