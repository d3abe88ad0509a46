//! What a daemon writes about itself, for `stop`, `doctor` and people.

use std::{fs, io, path::Path};

use kite_wire::home::Home;
use serde::{Deserialize, Serialize};

use crate::hands::processes;

/// The content of `daemon.json`. It may be old: only together with the lock, the start time and
/// the boot id does it name a running process.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    pub pid: u32,
    /// See [`processes::start_time`].
    pub started: u64,
    pub boot_id: String,
    pub build: String,
    /// Lowest and highest protocol version.
    pub protocol: (u32, u32),
    pub socket: String,
    /// RFC 3339.
    pub since: String,
}

impl Record {
    pub(super) fn of_this_process(build: &str, socket: &Path) -> Record {
        let pid = std::process::id();
        Record {
            pid,
            started: processes::start_time(pid).unwrap_or_default(),
            boot_id: processes::boot_id(),
            build: build.to_owned(),
            protocol: kite_wire::PROTOCOL,
            socket: socket.display().to_string(),
            since: jiff::Timestamp::now().to_string(),
        }
    }

    /// The latest record of a home, if there is one.
    #[must_use]
    pub fn read(home: &Home) -> Option<Record> {
        serde_json::from_slice(&fs::read(path(home)).ok()?).ok()
    }

    /// True where the process it names runs now.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.boot_id == processes::boot_id()
            && processes::start_time(self.pid) == Some(self.started)
    }

    /// By way of a temporary file: readers see the old one or the new one.
    pub(super) fn write(&self, home: &Home) -> io::Result<()> {
        let new = home.path().join("daemon.json.new");
        fs::write(&new, serde_json::to_vec_pretty(self)?)?;
        fs::rename(new, path(home))
    }
}

fn path(home: &Home) -> std::path::PathBuf {
    home.path().join("daemon.json")
}
