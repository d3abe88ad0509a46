//! What is to run.

use std::{
    io,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};

use crate::{directory, exit::Exit, output};

/// The variable by which the processes of a run are known, whoever their parent is by now.
pub const COOKIE: &str = "KITE_AGENT";
/// Most bytes of [`Run::input`].
pub const INPUT_BYTES_MAX: usize = 16 * 1024 * 1024;
/// A supervisor that has told the end of its run is gone so soon.
const LEAVES_WITHIN: Duration = Duration::from_secs(5);
const LOOK_EVERY: Duration = Duration::from_millis(5);
/// Fewest bytes that are kept of the output, whatever a run asks for.
const OUTPUT_BYTES_MIN: u64 = 64 * 1024;

/// A program, and all that it is given. Nothing is inherited from whoever starts the run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// The program (looked for on the `PATH` of `environment`) and its arguments.
    pub argv: Vec<String>,
    /// Where it runs. Absolute.
    pub directory: PathBuf,
    /// Its whole environment, but for the cookie.
    pub environment: Vec<(String, String)>,
    /// The value of [`COOKIE`]: names this run and no other.
    pub cookie: String,
    /// What it finds on its standard input, then end of file. At most [`INPUT_BYTES_MAX`].
    #[serde(default)]
    pub input: String,
    /// Seconds after which it is ended.
    #[serde(default)]
    pub time_max_s: Option<u64>,
    /// Seconds between being asked to end (SIGTERM) and being ended (SIGKILL).
    pub grace_s: u64,
    /// Most bytes that are kept of the output, the newest: `output.log` and `output.log.1` together.
    pub output_bytes_max: u64,
    /// The mask of the files it makes.
    #[serde(default = "umask_of_most")]
    pub umask: u32,
}

fn umask_of_most() -> u32 {
    0o022
}

impl Run {
    /// Bytes of output that are kept.
    pub(crate) fn output_bytes(&self) -> u64 {
        self.output_bytes_max.max(OUTPUT_BYTES_MIN)
    }

    fn check(&self) -> Result<(), &'static str> {
        let holds_nul = |text: &str| text.contains('\0');
        if self.argv.first().is_none_or(String::is_empty) {
            return Err("a run needs a program: the first of `argv` is missing or empty");
        }
        if self.argv.iter().any(|argument| holds_nul(argument)) {
            return Err("an argument holds a NUL character, which no program can be given");
        }
        let is_name = |name: &str| !name.is_empty() && !name.contains('=') && !holds_nul(name);
        if !(self.environment.iter()).all(|(name, value)| is_name(name) && !holds_nul(value)) {
            return Err("a variable has no name, or holds `=` in its name or a NUL character");
        }
        if self.cookie.is_empty() || holds_nul(&self.cookie) {
            return Err("a run needs a cookie, by which its processes are known");
        }
        if !self.directory.is_absolute() {
            return Err("the directory of a run must be absolute");
        }
        if self.input.len() > INPUT_BYTES_MAX {
            return Err("the input of a run is longer than 16 MiB: give it a file to read");
        }
        Ok(())
    }
}

/// Makes `directory` ready for [`crate::start`]. What an earlier run in it left is replaced, but for
/// its output, which is continued.
///
/// # Errors
///
/// `InvalidInput` for a run that cannot be started as it stands, `ResourceBusy` while the directory's
/// last run is still supervised, or what the file system says.
pub fn prepare(directory: &Path, run: &Run) -> io::Result<()> {
    run.check()
        .map_err(|why| io::Error::new(io::ErrorKind::InvalidInput, why))?;
    directory::make(directory)?;
    let lock = directory::lock_file(directory)?;
    let patience = Instant::now() + LEAVES_WITHIN;
    while lock.try_lock().is_err() {
        if Exit::read(directory)?.is_none() || Instant::now() > patience {
            let text = format!("a supervisor still runs in {}", directory.display());
            return Err(io::Error::new(io::ErrorKind::ResourceBusy, text));
        }
        thread::sleep(LOOK_EVERY);
    }
    for name in [directory::PROCESSES, directory::EXIT] {
        directory::remove(directory, name)?;
    }
    output::forget_stdout(directory)?;
    directory::write(directory, directory::RUN, run)?;
    // Said, not left to its being closed: a process that is being started elsewhere in this program
    // has a copy of it until it runs its own program.
    lock.unlock()
}
