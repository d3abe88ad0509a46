//! The demo, told live.

use std::{io, thread, time::Duration};

use kite_wire::reply::Stats;

use super::{Line, Role, Terminal, status};

/// Pause after each line for those who read along.
const PAUSE: Duration = Duration::from_millis(200);

pub(crate) fn opening(terminal: &mut Terminal) -> io::Result<()> {
    terminal
        .line("Scripted sessions in a throw-away home: real daemon, real hook, real processes.")?;
    pause(terminal)
}

pub(crate) fn act(terminal: &mut Terminal, title: &str) -> io::Result<()> {
    terminal.line("")?;
    terminal.line(Line::new().with(Role::Heading, title))?;
    pause(terminal)
}

/// What a session does.
pub(crate) fn step(terminal: &mut Terminal, who: &str, what: &str) -> io::Result<()> {
    terminal.line(
        Line::from("  ")
            .with(Role::Name, format!("{who:<5}"))
            .plain(" ")
            .plain(what),
    )?;
    pause(terminal)
}

/// What Kite says to it.
pub(crate) fn kite(terminal: &mut Terminal, what: &str) -> io::Result<()> {
    for line in what.lines() {
        terminal.line(Line::from("        ").with(Role::Caution, line))?;
    }
    pause(terminal)
}

pub(crate) fn outcome(terminal: &mut Terminal, what: &str) -> io::Result<()> {
    terminal.line(
        Line::from("  ")
            .with(Role::Good, "=>")
            .plain("    ")
            .plain(what),
    )?;
    pause(terminal)
}

pub(crate) fn ending(terminal: &mut Terminal, stats: &Stats, took: Duration) -> io::Result<()> {
    terminal.line("")?;
    terminal.line(Line::new().with(Role::Heading, "What Kite prevented"))?;
    for what in status::prevented(&stats.prevented) {
        terminal.line(Line::from("  ").plain(what))?;
    }
    let cost = &stats.cost;
    terminal.line(format!(
        "What it cost: {} hook calls, {:.2} ms each in the daemon (p50), {:.2} ms (p95).",
        cost.hooks, cost.hook_ms_p50, cost.hook_ms_p95
    ))?;
    terminal.line(format!(
        "Everything has been cleaned up. {:.1} s in all.",
        took.as_secs_f64()
    ))
}

/// In a pipe nobody reads along.
fn pause(terminal: &mut Terminal) -> io::Result<()> {
    terminal.flush()?;
    if terminal.columns().is_some() {
        thread::sleep(PAUSE);
    }
    Ok(())
}
