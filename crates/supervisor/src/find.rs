//! What became of a run, as its directory and the processes tell.

use std::{io, path::Path};

use rustix::process::Signal;
use serde::{Deserialize, Serialize};

use crate::{directory, exit::Exit, gate, process::Process};

/// Who runs it: `process.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Processes {
    pub(crate) supervisor: Process,
    pub(crate) child: Process,
}

impl Processes {
    pub(crate) fn read(directory: &Path) -> io::Result<Option<Self>> {
        directory::read(directory, directory::PROCESSES)
    }
}

/// What became of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// No child was ever made, as far as the directory knows.
    NeverStarted,
    /// It is supervised. The child may have ended just now, or may still wait at its gate.
    Alive {
        supervisor: Process,
        child: Process,
    },
    Ended(Exit),
    /// The supervisor died without a word. The child and what it started may run on: see
    /// [`crate::end_strays`].
    Gone {
        supervisor: Process,
        child: Process,
    },
}

/// Looks what became of the run in `directory`.
///
/// # Errors
///
/// What the file system says, and `InvalidData` for a file that is not as the supervisor writes it.
pub fn find(directory: &Path) -> io::Result<Found> {
    gate::reap();
    if let Some(exit) = Exit::read(directory)? {
        return Ok(Found::Ended(exit));
    }
    let Some(Processes { supervisor, child }) = Processes::read(directory)? else {
        return Ok(Found::NeverStarted);
    };
    if supervisor.runs() {
        return Ok(Found::Alive { supervisor, child });
    }
    // It may have ended between the two looks; then this one finds what it wrote.
    Ok(match Exit::read(directory)? {
        Some(exit) => Found::Ended(exit),
        None => Found::Gone { supervisor, child },
    })
}

/// Has the run ended: its supervisor asks the agent's group to end, waits for the run's grace, and
/// then ends what is left. Does not wait for that; [`find`] tells. Returns what became of the run
/// so far: anything but `Alive` means that nobody was asked.
///
/// # Errors
///
/// As [`find`], and `PermissionDenied` for a supervisor that cannot be signalled.
pub fn stop(directory: &Path) -> io::Result<Found> {
    let found = find(directory)?;
    let Found::Alive { supervisor, .. } = &found else {
        return Ok(found);
    };
    if !supervisor.signal(Signal::TERM) {
        return match find(directory)? {
            Found::Alive { .. } => Err(io::ErrorKind::PermissionDenied.into()),
            ended => Ok(ended),
        };
    }
    // In case that somebody stopped it.
    supervisor.signal(Signal::CONT);
    Ok(found)
}
