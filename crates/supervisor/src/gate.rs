//! Starting a supervisor, whose child waits until it is let go.

use std::{
    fmt, fs,
    io::{self, BufRead as _, BufReader, Write as _},
    os::{fd::OwnedFd, unix::net::UnixStream},
    path::Path,
    process::{Child, Command, Stdio},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use serde::{Deserialize, Serialize};

use crate::{directory, exit::Exit, find::Processes, process::Process};

/// How long a supervisor may take until its child exists.
pub const START_PATIENCE: Duration = Duration::from_secs(20);
/// Most bytes of a supervisor's complaints that are told.
const COMPLAINT_BYTES_MAX: usize = 1024;
/// What a supervisor is given of its starter's environment. The agent gets none of it.
const ENVIRONMENT: &[&str] = &["HOME", "KITE_HOME", "PATH", "RUST_BACKTRACE"];

/// Supervisors that this process has started and that have not been reaped.
static STARTED: Mutex<Vec<Child>> = Mutex::new(Vec::new());

/// What a supervisor says to its starter, as one line of JSON.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Report {
    Ready(Processes),
    Failed(String),
}

/// Says that the child may run.
pub(crate) const GO: u8 = b'g';

/// A child that exists but has run nothing of its program yet. Dropped, it never will.
#[derive(Debug)]
pub struct Gate {
    pub supervisor: Process,
    pub child: Process,
    link: UnixStream,
}

impl Gate {
    /// Lets the child run. Whether the program could be started stands in `exit.json`, where not.
    ///
    /// # Errors
    ///
    /// The supervisor has died; then the child never runs.
    pub fn open(mut self) -> io::Result<()> {
        self.link.write_all(&[GO])
    }
}

/// Why a run could not be started.
#[derive(Debug)]
pub enum Error {
    /// The supervisor could not be started or asked.
    Io(io::Error),
    /// What the supervisor says; it also stands in `exit.json`.
    Refused(String),
    /// It ended or said nothing for [`START_PATIENCE`]; with what it wrote to its log.
    Silent(String),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => write!(f, "the supervisor could not be started: {error}"),
            Self::Refused(why) => f.write_str(why),
            Self::Silent(log) if log.is_empty() => f.write_str("the supervisor ended unasked"),
            Self::Silent(log) => write!(f, "the supervisor ended unasked and wrote: {log}"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io(error) => Some(error),
            Self::Refused(_) | Self::Silent(_) => None,
        }
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Starts `program supervise DIRECTORY`, which must end up in [`crate::supervise`], for a directory
/// that [`crate::prepare`] has made ready. Returns when the child exists. Blocks, for
/// [`START_PATIENCE`] at most.
///
/// # Errors
///
/// See [`Error`]. Then nothing runs.
pub fn start(program: &Path, directory: &Path) -> Result<Gate, Error> {
    reap();
    let (link, theirs) = UnixStream::pair()?;
    link.set_read_timeout(Some(START_PATIENCE))?;
    let mut options = directory::options();
    let complaints = options.create(true).truncate(true).write(true);
    let complaints = complaints.open(directory.join(directory::COMPLAINTS))?;
    let mut command = Command::new(program);
    command
        .arg("supervise")
        .arg(directory)
        .current_dir(directory)
        .env_clear()
        .envs(
            ENVIRONMENT
                .iter()
                .filter_map(|name| Some((name, std::env::var_os(name)?))),
        )
        .stdin(Stdio::from(OwnedFd::from(theirs)))
        .stdout(Stdio::null())
        .stderr(Stdio::from(complaints));
    let supervisor = command.spawn()?;
    // It holds the other end of the link, and would keep it open.
    drop(command);
    let pid = supervisor.id();
    started().push(supervisor);
    hear(link, directory).inspect_err(|_| give_up(pid))
}

fn hear(link: UnixStream, directory: &Path) -> Result<Gate, Error> {
    let mut line = String::new();
    let heard = BufReader::new(&link).read_line(&mut line);
    match serde_json::from_str(&line) {
        Ok(Report::Ready(Processes { supervisor, child })) => Ok(Gate {
            supervisor,
            child,
            link,
        }),
        Ok(Report::Failed(why)) => Err(Error::Refused(why)),
        Err(_) => Err(match (heard, Exit::read(directory)) {
            (
                _,
                Ok(Some(Exit {
                    error: Some(why), ..
                })),
            ) => Error::Refused(why),
            (Err(error), _) if error.kind() != io::ErrorKind::WouldBlock => Error::Io(error),
            _ => Error::Silent(complaint(directory)),
        }),
    }
}

fn complaint(directory: &Path) -> String {
    let text = fs::read(directory.join(directory::COMPLAINTS)).unwrap_or_default();
    let start = text.len().saturating_sub(COMPLAINT_BYTES_MAX);
    String::from_utf8_lossy(&text[start..]).trim().to_owned()
}

/// Ends a supervisor that did not become one; its child waits at the gate and ends with it.
fn give_up(pid: u32) {
    for supervisor in started().iter_mut().filter(|child| child.id() == pid) {
        // Of the child that is not reaped yet, so nobody else has its number.
        let _ = supervisor.kill();
        let _ = supervisor.wait();
    }
}

/// Takes note of supervisors that this process has started and that have ended, so that nothing of
/// them stays in the system's table. [`start`] and [`crate::find`] do so too.
pub fn reap() {
    started().retain_mut(|child| matches!(child.try_wait(), Ok(None)));
}

fn started() -> std::sync::MutexGuard<'static, Vec<Child>> {
    STARTED.lock().unwrap_or_else(PoisonError::into_inner)
}
