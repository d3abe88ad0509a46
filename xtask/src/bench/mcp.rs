//! What a tool call costs through Kite, by stdio and over HTTP, next to a bare echo tool of the
//! same protocol library; and how soon subscribers hear of a change.
//!
//! The echo server is an example of `crates/mcp`, the one room that knows the library.

mod client;
mod latency;

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::{Value, json};

use self::client::{Client, Pipe, Server};
use super::{Kite, median, processes::rounds, row};
use crate::say;

/// Tasks in the list that is read.
const LISTED: usize = 10;

pub(crate) fn run(kite: &Kite) {
    if calls(kite).is_none() {
        say("  tool calls: not measured (a server did not start, or refused a call)");
    }
    latency::run(kite);
}

fn calls(kite: &Kite) -> Option<()> {
    let echo = echo_program(kite)?;
    let project = project(kite, "calls")?;
    let mut ours = Pipe::start(kite.command().arg("mcp").current_dir(&project))?;
    for number in 0..LISTED {
        create(&mut ours, &project, &format!("listed {number}"))?;
    }
    let mut bare = Pipe::start(Command::new(&echo).arg("stdio"))?;
    compare("stdio", kite, &mut ours, &mut bare)?;

    let ours = serve(kite, &project)?;
    let bare = Server::start(Command::new(&echo).arg("http"))?;
    compare("HTTP", kite, &mut ours.client()?, &mut bare.client()?)
}

/// `kite serve` on a free port, for clients that work in this project.
fn serve(kite: &Kite, project: &Path) -> Option<Server> {
    let server = Server::start(kite.command().args(["serve", "--port", "0"]))?;
    let token = std::fs::read_to_string(kite.home().join("http-token")).ok()?;
    let server = server.with_header("Authorization", &format!("Bearer {}", token.trim()));
    Some(server.with_header("Kite-Directory", project.to_str()?))
}

fn project(kite: &Kite, name: &str) -> Option<PathBuf> {
    let project = kite.scratch().join(name);
    std::fs::create_dir_all(&project).ok()?;
    Some(project)
}

/// The echo server, built as the program under test is: it lies beside that.
fn echo_program(kite: &Kite) -> Option<PathBuf> {
    if std::env::var_os("KITE_BIN").is_none() {
        let build = ["build", "--release", "--quiet", "--package", "kite-mcp"];
        let mut cargo = Command::new("cargo");
        cargo.args(build).args(["--example", "echo"]);
        cargo.status().ok()?.success().then_some(())?;
    }
    let echo = kite.program.parent()?.join("examples/echo");
    if !echo.exists() {
        say(
            "  no echo server beside KITE_BIN: `cargo build -p kite-mcp --example echo` in its profile",
        );
        return None;
    }
    Some(echo)
}

/// A call that reads and one that writes, through this transport.
fn compare(
    transport: &str,
    kite: &Kite,
    ours: &mut impl Client,
    bare: &mut impl Client,
) -> Option<()> {
    let read = |ours: &mut _| call(ours, "kite_task_list", json!({"limit": LISTED}));
    compare_call(
        &format!("kite_task_list of {LISTED} tasks by {transport}, p50"),
        ours,
        bare,
        read,
    )?;
    let written = project(kite, &format!("written-{transport}"))?;
    let mut number = 0;
    let write = |ours: &mut _| {
        number += 1;
        create(ours, &written, &format!("written {number}"))
    };
    compare_call(
        &format!("kite_task_create, durable, by {transport}, p50"),
        ours,
        bare,
        write,
    )
}

fn compare_call<Ours: Client, Bare: Client>(
    what: &str,
    ours: &mut Ours,
    bare: &mut Bare,
    mut measured: impl FnMut(&mut Ours) -> Option<f64>,
) -> Option<()> {
    let text = "x".repeat(40);
    let (mut of_ours, mut of_bare) = (Vec::new(), Vec::new());
    let mut kite = || noted(&mut of_ours, measured(ours));
    let mut echo = || noted(&mut of_bare, call(bare, "echo", json!({"text": text})));
    let mut ratios = rounds(&mut kite, &mut echo);
    if of_ours.iter().chain(&of_bare).any(|took| took.is_nan()) {
        return None;
    }
    row(
        &format!("{what} ({:.0} us)", median(&mut of_ours) * 1e6),
        &mut ratios,
        &format!("a bare echo tool ({:.0} us)", median(&mut of_bare) * 1e6),
        "none",
    );
    Some(())
}

fn noted(times: &mut Vec<f64>, took: Option<f64>) -> f64 {
    let took = took.unwrap_or(f64::NAN);
    times.push(took);
    took
}

fn call(client: &mut impl Client, tool: &str, arguments: Value) -> Option<f64> {
    client.call(tool, arguments)
}

fn create(client: &mut impl Client, project: &Path, title: &str) -> Option<f64> {
    call(
        client,
        "kite_task_create",
        json!({"title": title, "project": project}),
    )
}
