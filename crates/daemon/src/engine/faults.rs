//! Hook calls that found no answer: the hooks write them down, the daemon counts them.

use std::{fs, io, path::Path};

use kite_store::Store;
use kite_wire::reply::Faults;

use super::Engine;

/// Names of the durable counters.
const UNREACHABLE: &str = "fault_unreachable";
const TIMEOUT: &str = "fault_timeout";
const OTHER: &str = "fault_other";

impl<S: Store> Engine<S> {
    /// A daemon that answers again is not stood aside from.
    pub(super) fn answers_again(&self) {
        let home = &self.identity.home;
        for file in [home.stand_aside(), home.hook_timeout()] {
            let _ = fs::remove_file(file);
        }
    }

    /// Moves what the hooks wrote down into the durable counters. The file is renamed first:
    /// whoever writes meanwhile begins a new one.
    pub(super) fn absorb_faults(&self) {
        let written = self.identity.home.hook_faults();
        let counted = written.with_extension("counted");
        if fs::rename(&written, &counted).is_ok() {
            let faults = read(&counted).unwrap_or_default();
            self.count(UNREACHABLE, faults.unreachable);
            self.count(TIMEOUT, faults.timeouts);
            self.count(OTHER, faults.other);
            let _ = fs::remove_file(&counted);
        }
    }

    /// All of them since the home was made.
    pub(super) fn faults(&self) -> Faults {
        let fresh = read(&self.identity.home.hook_faults()).unwrap_or_default();
        Faults {
            unreachable: self.counted(UNREACHABLE) + fresh.unreachable,
            timeouts: self.counted(TIMEOUT) + fresh.timeouts,
            other: self.counted(OTHER) + fresh.other,
        }
    }
}

fn read(file: &Path) -> io::Result<Faults> {
    let mut faults = Faults::default();
    for line in fs::read_to_string(file)?.lines() {
        match line.split(' ').nth(2) {
            Some("unreachable") => faults.unreachable += 1,
            Some("timeout") => faults.timeouts += 1,
            _ => faults.other += 1,
        }
    }
    Ok(faults)
}
