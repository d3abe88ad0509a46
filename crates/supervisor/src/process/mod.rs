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

use crate::run::{COOKIE, Run};

/// Commands of this very program that outlive the run they were started from.
const OWN_COMMANDS: &[&str] = &["daemon", "supervise"];
/// The variable that names the home they serve.
const HOME: &str = "KITE_HOME";

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

/// By what the processes of a run are told from others.
#[derive(Clone, Debug)]
pub(crate) struct Mark {
    cookie: String,
    /// The home of the Kite that the run belongs to, where the run says.
    home: Option<String>,
}

impl Mark {
    pub(crate) fn of(run: &Run) -> Self {
        let home = run.environment.iter().find(|(name, _)| name == HOME);
        Self {
            cookie: run.cookie.clone(),
            home: home.map(|(_, home)| home.clone()),
        }
    }

    /// Everything below the processes that `is_root` picks, they themselves not among it, and nothing
    /// that is Kite's own or below it.
    pub(crate) fn below(&self, table: &[Entry], is_root: impl Fn(&Entry) -> bool) -> Vec<Entry> {
        let mut roots: Vec<u32> = table.iter().filter(|e| is_root(e)).map(|e| e.pid).collect();
        let mut found: Vec<Entry> = Vec::new();
        while let Some(root) = roots.pop() {
            for entry in table.iter().filter(|entry| entry.parent == root) {
                let known = found.iter().any(|known| known.pid == entry.pid);
                if !known && !self.is_kites_own(entry.pid) {
                    found.push(*entry);
                    roots.push(entry.pid);
                }
            }
        }
        found
    }

    /// Processes with the cookie in their environment, but for Kite's own and what is below those.
    pub(crate) fn with_cookie(&self, table: &[Entry]) -> Vec<Entry> {
        let marked = |entry: &&Entry| {
            system::variable(entry.pid, COOKIE).is_some_and(|value| value == self.cookie)
                && !self.is_under_kites_own(table, entry)
        };
        table.iter().filter(marked).copied().collect()
    }

    fn is_under_kites_own(&self, table: &[Entry], entry: &Entry) -> bool {
        let me = std::process::id();
        let mut next = *entry;
        for _ in 0..table.len() {
            if next.pid == me || self.is_kites_own(next.pid) {
                return true;
            }
            let Some(parent) = table.iter().find(|above| above.pid == next.parent) else {
                return false;
            };
            next = *parent;
        }
        false
    }

    /// Whether this is the daemon or a supervisor of the same home. They may have been started from
    /// within a run, by a hook that found no daemon, and serve everybody since.
    fn is_kites_own(&self, pid: u32) -> bool {
        let command = system::command_of_same_name(pid);
        if !command.is_some_and(|command| OWN_COMMANDS.contains(&command.as_str())) {
            return false;
        }
        match (&self.home, system::variable(pid, HOME)) {
            // A Kite of its own, that the agent tries out.
            (Some(home), Some(other)) => *home == other,
            _ => true,
        }
    }
}

fn boot_id() -> String {
    system::boot_id().unwrap_or_default()
}

/// The number as the system takes it.
fn known(pid: u32) -> Option<Pid> {
    i32::try_from(pid).ok().and_then(Pid::from_raw)
}
