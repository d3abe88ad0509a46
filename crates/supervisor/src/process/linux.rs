//! Linux: `/proc`, pidfds, and the subreaper.

use std::{
    fs::{self, File},
    io::{self, Read as _},
};

use rustix::{
    io::Errno,
    process::{PidfdFlags, Signal, getpid, kill_process, pidfd_open, pidfd_send_signal},
};

use super::{Entry, known};

/// Most bytes that are read of an environment; the system allows about 2 MiB for arguments and
/// environment together.
const ENVIRONMENT_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// Whether [`adopt_orphans`] does anything.
pub(crate) const ORPHANS_ARE_ADOPTED: bool = true;

/// From now on every descendant whose parent ends becomes a child of this process.
pub(crate) fn adopt_orphans() -> io::Result<()> {
    Ok(rustix::process::set_child_subreaper(Some(getpid()))?)
}

pub(crate) fn table() -> Vec<Entry> {
    let Ok(names) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    let pids = names.filter_map(|name| name.ok()?.file_name().to_str()?.parse().ok());
    pids.filter_map(entry).collect()
}

pub(super) fn entry(pid: u32) -> Option<Entry> {
    parse(pid, &fs::read(format!("/proc/{pid}/stat")).ok()?)
}

/// Reads `pid (name) state ppid pgrp ...`: the name may hold anything, so count from its end.
fn parse(pid: u32, line: &[u8]) -> Option<Entry> {
    let name_end = line.iter().rposition(|byte| *byte == b')')?;
    let text = core::str::from_utf8(&line[name_end + 1..]).ok()?;
    let mut fields = text.split_ascii_whitespace();
    if matches!(fields.next()?, "Z" | "X" | "x") {
        return None;
    }
    Some(Entry {
        pid,
        parent: fields.next()?.parse().ok()?,
        group: fields.next()?.parse().ok()?,
        started: fields.nth(16)?.parse().ok()?,
    })
}

pub(super) fn boot_id() -> Option<String> {
    let text = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    Some(text.trim().to_owned())
}

/// The descriptor keeps the number from being given to another process between the look and the
/// signal.
pub(super) fn signal(pid: u32, started: u64, signal: Signal) -> bool {
    let Some(number) = known(pid) else {
        return false;
    };
    let same = || entry(pid).is_some_and(|entry| entry.started == started);
    match pidfd_open(number, PidfdFlags::empty()) {
        Ok(descriptor) => same() && pidfd_send_signal(&descriptor, signal).is_ok(),
        // A kernel before 5.3, or a sandbox without the call.
        Err(Errno::NOSYS | Errno::PERM) => same() && kill_process(number, signal).is_ok(),
        Err(_) => false,
    }
}

/// A variable that the process was started with. Not to be seen of other users' processes.
pub(super) fn variable(pid: u32, name: &str) -> Option<String> {
    let file = File::open(format!("/proc/{pid}/environ")).ok()?;
    let mut environment = Vec::new();
    file.take(ENVIRONMENT_BYTES_MAX)
        .read_to_end(&mut environment)
        .ok()?;
    let mut variables = environment.split(|byte| *byte == 0);
    let value = variables.find_map(|variable| {
        let value = variable.strip_prefix(name.as_bytes())?;
        value.strip_prefix(b"=")
    })?;
    core::str::from_utf8(value).ok().map(str::to_owned)
}

/// The first argument of a process whose program is called as this one's.
pub(super) fn command_of_same_name(pid: u32) -> Option<String> {
    if program("self")? != program(&pid.to_string())? {
        return None;
    }
    let line = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
    let command = line.split(|byte| *byte == 0).nth(1)?;
    core::str::from_utf8(command).ok().map(str::to_owned)
}

/// The name of its file; after an upgrade the system adds that the old file is gone.
fn program(pid: &str) -> Option<String> {
    let path = fs::read_link(format!("/proc/{pid}/exe")).ok()?;
    let name = path.file_name()?.to_str()?;
    Some(name.strip_suffix(" (deleted)").unwrap_or(name).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_may_be_called_anything() {
        let line = b"42 (a) b (\xFF) S 7 41 42 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 987654 5";
        let entry = parse(42, line).expect("a stat line");
        assert_eq!((entry.parent, entry.group), (7, 41));
        assert_eq!((entry.pid, entry.started), (42, 987_654));
        assert!(
            parse(42, b"42 (sh) Z 7 42 42 0").is_none(),
            "ended, not yet reaped"
        );
        assert!(parse(42, b"").is_none());
    }

    #[test]
    fn a_signal_goes_to_the_process_that_is_meant_or_to_none() {
        let me = std::process::id();
        let started = entry(me).expect("this process").started;
        assert!(signal(me, started, Signal::CONT));
        assert!(!signal(me, started + 1, Signal::CONT), "another process");
        assert!(!signal(u32::MAX, started, Signal::CONT));
    }
}
