//! How a daemon begins, is found, and ends.
//!
//! One daemon serves a home. Who holds the lock on `daemon.lock` is that daemon, and nobody else
//! touches the socket. Whoever needs the daemon calls [`ensure`]; whoever loses the race for the
//! lock is glad that another has won it.
//!
//! **Architecture Invariant:** a daemon is dead only where the system says so (nobody listens, the
//! lock is free). A slow answer proves nothing.

use std::{
    fmt,
    future::Future,
    path::{Path, PathBuf},
    process::ExitCode,
    rc::Rc,
    time::Duration,
};

use kite_wire::home::Home;
use tokio::sync::Notify;

use crate::doors::Answers;

/// Longest time that [`ensure`] and [`stop`] take.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// A daemon that serves the home.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Running {
    pub socket: PathBuf,
    /// True where this call started it.
    pub started: bool,
}

/// Why there is no daemon.
#[derive(Debug)]
pub struct StartError {
    /// A stable word: `unsuitable_home`, `not_executable`, `failed`, `died`, `timeout`.
    pub code: String,
    pub message: String,
    /// What to do now.
    pub hint: String,
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.message, self.hint)
    }
}

impl std::error::Error for StartError {}

/// What `kite daemon run` is told.
#[derive(Clone, Debug, Default)]
pub struct RunOptions {
    /// The build of this program.
    pub build: String,
    /// The fingerprint of the tool schemas of this build.
    pub fingerprint: String,
    /// The pipe on which to report readiness, or why there is none. Without it the daemon runs in
    /// the foreground and reports to stderr.
    pub ready_fd: Option<i32>,
}

/// What the life cycle gives to the service it runs.
pub struct Surroundings {
    pub home: Home,
    pub options: RunOptions,
    pub stop: Stop,
}

/// Asks the daemon to drain and end, as SIGTERM does.
#[derive(Clone, Debug, Default)]
pub struct Stop(Rc<Notify>);

impl Stop {
    /// Returns at once; the requests under way are still answered.
    pub fn request(&self) {
        self.0.notify_one();
    }
}

/// What the daemon runs: it answers, and at the end it is asked to write everything down.
pub trait Service: Answers {
    /// The last requests are answered: flush the store and the logs.
    fn drained(self: Rc<Self>) -> impl Future<Output = ()>;
}

/// Connects to the daemon of `home`, starting `executable daemon run` where there is none.
pub fn ensure(_home: &Home, _executable: &Path) -> Result<Running, StartError> {
    Err(StartError {
        code: "failed".to_owned(),
        message: String::new(),
        hint: String::new(),
    })
}

/// Runs the daemon of `home` until it is told to stop. `open` makes the service; its error is
/// reported to whoever starts the daemon.
pub fn run<S, F>(
    _home: &Home,
    _options: RunOptions,
    _open: impl FnOnce(Surroundings) -> F,
) -> ExitCode
where
    S: Service,
    F: Future<Output = Result<Rc<S>, StartError>>,
{
    ExitCode::FAILURE
}
