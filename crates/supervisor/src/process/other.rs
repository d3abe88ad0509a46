//! Systems without `/proc`, pidfds and a subreaper (macOS): `ps` and `sysctl` know.
//!
//! What falls short here: a process that leaves its group *and* loses its parent (a double fork with
//! `setsid`) belongs to nobody and is not found; between the look at a process and the signal to it
//! its number could be given to another. Groups and what is below the agent are ended as on Linux.

use std::{
    io,
    process::{Command, Stdio},
};

use rustix::process::{Signal, kill_process};

use super::{Entry, known};

/// Whether [`adopt_orphans`] does anything.
pub(crate) const ORPHANS_ARE_ADOPTED: bool = false;

/// There is no subreaper: orphans go to the first process of the system.
#[expect(clippy::unnecessary_wraps, reason = "fails elsewhere")]
pub(crate) fn adopt_orphans() -> io::Result<()> {
    Ok(())
}

pub(crate) fn table() -> Vec<Entry> {
    let text = output("ps", &["-A", "-o", FIELDS]).unwrap_or_default();
    text.lines().filter_map(parse).collect()
}

const FIELDS: &str = "pid=,ppid=,pgid=,state=,lstart=";

pub(super) fn entry(pid: u32) -> Option<Entry> {
    parse(&output("ps", &["-o", FIELDS, "-p", &pid.to_string()])?)
}

fn parse(line: &str) -> Option<Entry> {
    let mut words = line.split_ascii_whitespace();
    let mut number = || words.next()?.parse().ok();
    let (pid, parent, group) = (number()?, number()?, number()?);
    if words.next()?.starts_with('Z') {
        return None;
    }
    let started = words.collect::<Vec<_>>().join(" ");
    let started = jiff::civil::DateTime::strptime("%a %b %d %H:%M:%S %Y", started).ok()?;
    let started = started.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
    Some(Entry {
        pid,
        parent,
        group,
        started: u64::try_from(started.timestamp().as_second()).ok()?,
    })
}

pub(super) fn boot_id() -> Option<String> {
    output("sysctl", &["-n", "kern.bootsessionuuid"])
        .or_else(|| output("sysctl", &["-n", "kern.boottime"]))
}

pub(super) fn signal(pid: u32, started: u64, signal: Signal) -> bool {
    let same = entry(pid).is_some_and(|entry| entry.started == started);
    same && known(pid).is_some_and(|pid| kill_process(pid, signal).is_ok())
}

/// The environment of others is not told here.
pub(super) fn variable(_pid: u32, _name: &str) -> Option<String> {
    None
}

/// The first argument of a process whose program is called as this one's. What follows a space in a
/// path is taken for arguments, so that a program in such a place is not recognised.
pub(super) fn command_of_same_name(pid: u32) -> Option<String> {
    let line = output("ps", &["-o", "args=", "-p", &pid.to_string()])?;
    let mut words = line.split(' ');
    let program = std::env::current_exe().ok()?;
    let same = words.next()?.rsplit('/').next() == program.file_name()?.to_str();
    same.then(|| words.next().map(str::to_owned)).flatten()
}

fn output(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program)
        .args(arguments)
        .env("LC_ALL", "C")
        .env("TZ", "UTC")
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let text = text.trim();
    (output.status.success() && !text.is_empty()).then(|| text.to_owned())
}
