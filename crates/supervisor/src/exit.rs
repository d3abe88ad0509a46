//! How a run ended.

use std::{
    fs::{self, File},
    io::{self, Seek as _, SeekFrom, Write as _},
    path::Path,
    thread,
    time::{Duration, SystemTime},
};

use serde::{Deserialize, Serialize};

use crate::{directory, output};

/// How often writing is tried on a file system that is full.
const TRIES: u32 = 20;
const TRY_EVERY: Duration = Duration::from_millis(250);
/// Space that is claimed when the run starts, so that a full disk does not hide how it ended.
const RESERVED_BYTES: usize = 4096;
/// Most bytes of [`Exit::error`].
const ERROR_BYTES_MAX: usize = 1024;

/// Why a run is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// It ended by itself: see `code`.
    Exited,
    /// Something else than its supervisor ended it: see `signal`.
    Signalled,
    /// It took longer than it was given.
    TimedOut,
    /// It was asked to end.
    Stopped,
    /// It could not be started: see `error`.
    NotStarted,
    /// Whoever started it was gone before it let the program run. Nothing is wrong with the run.
    Abandoned,
    /// Its supervisor was killed, so nobody saw its end.
    Lost,
}

/// How a run ended: `exit.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exit {
    pub reason: Reason,
    /// What the program returned; also where it was asked to end and did.
    #[serde(default)]
    pub code: Option<i32>,
    /// The signal that ended it.
    #[serde(default)]
    pub signal: Option<i32>,
    /// What went wrong and what to do about it, where the program never ran.
    #[serde(default)]
    pub error: Option<String>,
    /// Milliseconds since 1970; 0 where it never ran or nobody saw it.
    #[serde(default)]
    pub started_ms: u64,
    /// Milliseconds since 1970.
    pub ended_ms: u64,
    /// Other processes of the run that were alive when the program had ended, and were ended.
    #[serde(default)]
    pub survivors_killed: u32,
    /// Processes that could not be ended (the system holds them in a call); 0 in all other cases.
    #[serde(default)]
    pub left_alive: u32,
    /// What the program wrote to its outputs, most of which may be gone.
    #[serde(default)]
    pub output_bytes: u64,
    /// What of it could not be kept because the disk was full or broken.
    #[serde(default)]
    pub output_bytes_lost: u64,
}

impl Exit {
    /// A run that is over now, of which nothing more is known.
    pub(crate) fn now(reason: Reason) -> Self {
        Self {
            reason,
            code: None,
            signal: None,
            error: None,
            started_ms: 0,
            ended_ms: now_ms(),
            survivors_killed: 0,
            left_alive: 0,
            output_bytes: 0,
            output_bytes_lost: 0,
        }
    }

    /// A run that never was.
    pub(crate) fn not_started(error: &str) -> Self {
        let end = error.floor_char_boundary(ERROR_BYTES_MAX);
        Self {
            error: Some(error[..end].to_owned()),
            ..Self::now(Reason::NotStarted)
        }
    }

    /// A run that nobody let go.
    pub(crate) fn abandoned() -> Self {
        Self::now(Reason::Abandoned)
    }

    pub(crate) fn read(directory: &Path) -> io::Result<Option<Self>> {
        directory::read(directory, directory::EXIT)
    }

    /// Writes it. Where there is no space, the older part of the log makes way.
    pub(crate) fn write(&self, directory: &Path) -> io::Result<()> {
        let mut outcome = self.try_write(directory);
        for _ in 1..TRIES {
            match &outcome {
                Ok(()) => break,
                // The directory was removed: nobody asks any more.
                Err(error) if error.kind() == io::ErrorKind::NotFound => break,
                Err(_) => {}
            }
            let _ = fs::remove_file(directory.join(output::OLDER_FILE));
            thread::sleep(TRY_EVERY);
            outcome = self.try_write(directory);
        }
        outcome
    }

    fn try_write(&self, directory: &Path) -> io::Result<()> {
        let mut part = part(directory)?;
        let text = serde_json::to_vec(self)?;
        part.seek(SeekFrom::Start(0))?;
        part.write_all(&text)?;
        part.set_len(text.len() as u64)?;
        directory::place(&part, directory, directory::EXIT)
    }
}

/// Claims the space that [`Exit::write`] needs.
pub(crate) fn reserve(directory: &Path) -> io::Result<()> {
    let mut part = part(directory)?;
    part.write_all(&[b' '; RESERVED_BYTES])
}

fn part(directory: &Path) -> io::Result<File> {
    let path = directory.join(format!("{}.part", directory::EXIT));
    let mut options = directory::options();
    options.create(true).truncate(false).write(true).open(path)
}

/// Milliseconds since 1970.
pub(crate) fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| {
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    })
}
