//! How a daemon begins, is found, and ends.
//!
//! One daemon serves a home. Who holds the lock on `daemon.lock` is that daemon, and nobody else
//! touches the socket. Whoever needs the daemon calls [`ensure`]; whoever loses the race for the
//! lock is glad that another has won it.
//!
//! **Architecture Invariant:** a daemon is dead only where the system says so (nobody listens, the
//! lock is free). A slow answer proves nothing.

mod address;
mod descriptors;
mod directory;
mod file_system;
mod find;
mod readiness;
mod record;
mod run;
mod singleton;
mod start;
mod stop;
mod vigil;

use std::{fmt, future::Future, path::PathBuf, rc::Rc, time::Duration};

use kite_wire::home::Home;
use tokio::sync::Notify;

use crate::doors::{Answers, Connections};

pub use directory::holds_something_else;
pub use file_system::{FileSystem, file_system};
pub use find::{Probe, probe};
pub use record::Record;
pub use run::{DRAIN_PATIENCE, run};
pub use start::ensure;
pub use stop::stop;

/// Longest time that [`ensure`] takes, and that a starting daemon waits for its predecessor.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// A daemon that serves the home.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Running {
    pub socket: PathBuf,
    /// True where this call started it.
    pub started: bool,
}

/// Why there is no daemon, or why it does not stop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StartError {
    /// A stable word: `unsuitable_home`, `foreign_socket`, `not_executable`, `failed`, `died`,
    /// `timeout`, `not_stopped`, or one of the service's own.
    pub code: String,
    pub message: String,
    /// What to do now.
    pub hint: String,
}

impl StartError {
    fn new(code: &str, message: impl Into<String>, hint: impl Into<String>) -> Self {
        StartError {
            code: code.to_owned(),
            message: message.into(),
            hint: hint.into(),
        }
    }
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.hint.is_empty() {
            write!(f, "{}", self.message)
        } else {
            write!(f, "{} ({})", self.message, self.hint)
        }
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
    /// The descriptor of the pipe on which to report readiness, or why there is none. Without it
    /// the daemon runs in the foreground and reports to stderr.
    pub ready_fd: Option<i32>,
}

/// What the life cycle gives to the service it runs.
pub struct Surroundings {
    pub home: Home,
    pub options: RunOptions,
    pub stop: Stop,
    pub connections: Connections,
}

/// Asks the daemon to drain and end, as SIGTERM does.
#[derive(Clone, Debug, Default)]
pub struct Stop(Rc<Notify>);

impl Stop {
    /// Returns at once; the requests under way are still answered.
    pub fn request(&self) {
        self.0.notify_one();
    }

    async fn requested(&self) {
        self.0.notified().await;
    }
}

/// What the daemon runs: it answers, and at the end it is asked to write everything down.
pub trait Service: Answers {
    /// The last requests are answered: flush the store and the logs.
    fn drained(self: Rc<Self>) -> impl Future<Output = ()>;
}
