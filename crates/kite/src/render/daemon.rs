//! The daemon itself.

use std::io;

use kite_wire::reply::DaemonStats;

use super::{Line, Role, Terminal, moment};

pub(crate) fn print_started(terminal: &mut Terminal, pid: u32, started: bool) -> io::Result<()> {
    let words = if started {
        "Kite daemon started"
    } else {
        "Kite daemon is running already"
    };
    terminal.line(format!("{words}, pid {pid}"))
}

pub(crate) fn print_stopped(terminal: &mut Terminal, was_running: bool) -> io::Result<()> {
    terminal.line(if was_running {
        "Kite daemon stopped"
    } else {
        "Kite daemon was not running"
    })
}

pub(crate) fn print_status(terminal: &mut Terminal, daemon: &DaemonStats) -> io::Result<()> {
    let (role, state) = match daemon.state.as_str() {
        "ok" => (Role::Good, "running"),
        "storage_full" => (
            Role::Bad,
            "the disk is full: nothing new is accepted, releases still work",
        ),
        "draining" => (Role::Caution, "ending: it finishes what it is doing"),
        other => (Role::Caution, other),
    };
    let since = match terminal.since(&daemon.since) {
        Some(since) if terminal.columns().is_some() => {
            let seconds = i64::try_from(since.as_secs()).unwrap_or(i64::MAX);
            format!("up {}", moment::span(seconds))
        }
        _ => format!("since {}", daemon.since),
    };
    let mut line = Line::new()
        .with(Role::Heading, "Daemon    ")
        .with(role, state)
        .plain(format!(
            ", pid {}, build {}, {since}",
            daemon.pid, daemon.build
        ));
    if daemon.guard == "strict" {
        line = line.plain(", guard strict");
    }
    terminal.line_fitted(line)?;
    let mib = |bytes: u64| bytes.div_ceil(1 << 20);
    terminal.line_fitted(Line::new().with(Role::Heading, "Home      ").plain(format!(
        "{} (state {} MiB, log {} MiB)",
        daemon.home,
        mib(daemon.store_bytes),
        mib(daemon.log_bytes)
    )))
}
