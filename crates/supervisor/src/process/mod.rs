//! Processes: which one is meant, whether it still runs, and who else belongs to it.
//!
//! A pid alone names nobody, since it is used again. A pid with its start time names one process
//! until the machine is booted again, and the boot id tells boots apart.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(not(target_os = "linux"))]
mod other;

#[cfg(target_os = "linux")]
use linux as system;
#[cfg(not(target_os = "linux"))]
use other as system;

use rustix::process::{Pid, Signal};
use serde::{Deserialize, Serialize};

pub(crate) use system::{ORPHANS_ARE_ADOPTED, adopt_orphans, table};

/// Commands of this very program that outlive the run they were started from: a daemon that was
/// started again from within an agent, and the supervisors it starts.
const OWN_COMMANDS: &[&str] = &["daemon", "supervise"];

/// One process, and no other that may get its number later.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    pub pid: u32,
    /// When it started, in a unit of the system's own (Linux: clock ticks since boot; elsewhere:
    /// seconds since 1970). Only good for comparing.
    pub started: u64,
    /// The boot of the machine that it runs in. Empty where the system does not say.
    pub boot: String,
}

impl Process {
    /// The process that runs under this number now.
    #[must_use]
    pub fn of(pid: u32) -> Option<Self> {
        let started = system::entry(pid)?.started;
        let boot = boot_id();
        Some(Self { pid, started, boot })
    }

    /// Whether it still runs. One that has ended but was not yet reaped does not.
    #[must_use]
    pub fn runs(&self) -> bool {
        self.boot == boot_id()
            && system::entry(self.pid).is_some_and(|entry| entry.started == self.started)
    }

    /// Sends it a signal; false where it no longer runs or may not be signalled.
    pub(crate) fn signal(&self, signal: Signal) -> bool {
        self.boot == boot_id() && system::signal(self.pid, self.started, signal)
    }
}

/// A line of the system's table of processes. Ended ones have none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) pid: u32,
    pub(crate) parent: u32,
    pub(crate) group: u32,
    pub(crate) started: u64,
}

impl Entry {
    /// Sends it a signal if it is still the same process.
    pub(crate) fn signal(&self, signal: Signal) -> bool {
        system::signal(self.pid, self.started, signal)
    }
}

/// Everything below the processes that `is_root` picks, they themselves not among it, and nothing
/// that is Kite's own or below it.
pub(crate) fn below(table: &[Entry], is_root: impl Fn(&Entry) -> bool) -> Vec<Entry> {
    let mut roots: Vec<u32> = table.iter().filter(|e| is_root(e)).map(|e| e.pid).collect();
    let mut found = Vec::new();
    while let Some(root) = roots.pop() {
        for entry in table.iter().filter(|entry| entry.parent == root) {
            let known = found.iter().any(|known: &Entry| known.pid == entry.pid);
            if !known && !is_kites_own(entry.pid) {
                found.push(*entry);
                roots.push(entry.pid);
            }
        }
    }
    found
}

/// Processes with the cookie in their environment, but for Kite's own and what is below those.
pub(crate) fn with_cookie(table: &[Entry], cookie: &str) -> Vec<Entry> {
    let me = std::process::id();
    let marked = |entry: &&Entry| {
        entry.pid != me && system::has_cookie(entry.pid, cookie) && !under_kites_own(table, entry)
    };
    table.iter().filter(marked).copied().collect()
}

fn under_kites_own(table: &[Entry], entry: &Entry) -> bool {
    let me = std::process::id();
    let mut next = *entry;
    for _ in 0..table.len() {
        if next.pid == me || is_kites_own(next.pid) {
            return true;
        }
        let Some(parent) = table.iter().find(|above| above.pid == next.parent) else {
            return false;
        };
        next = *parent;
    }
    false
}

/// Whether this is a daemon or a supervisor: this very program, with one of those commands.
fn is_kites_own(pid: u32) -> bool {
    system::command_of_same_program(pid)
        .is_some_and(|command| OWN_COMMANDS.contains(&command.as_str()))
}

fn boot_id() -> String {
    system::boot_id().unwrap_or_default()
}

/// The number as the system takes it.
fn known(pid: u32) -> Option<Pid> {
    i32::try_from(pid).ok().and_then(Pid::from_raw)
}
