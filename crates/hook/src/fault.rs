//! What happens when there is no answer: the fault is counted, the daemon started where there is
//! none, and the agent goes on, unless the user wants it refused.

use std::{
    os::unix::process::CommandExt,
    process::{Command, Stdio},
    time::Duration,
};

use kite_wire::home::Home;
use rustix::{
    fs::{self, OFlags},
    io,
};

use crate::{
    BLOCKING_EVENT, WAITED_FOR,
    answer::Answer,
    stamp::{self, Stamp},
    stand_aside,
};

/// Largest size of the faults file, in bytes. The daemon empties it; until then more is not counted.
const FAULTS_BYTES_MAX: u64 = 64 << 10;

/// Longest event name that is written down, in bytes.
const EVENT_BYTES_MAX: usize = 48;

/// The daemon is started at most once in this time, however many hooks find it gone.
const START_PAUSE: Duration = Duration::from_secs(1);

/// The exit code with which an agent's tool call is refused.
const EXIT_REFUSED: u8 = 2;

/// Why a hook has no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Nobody listens.
    Unreachable,
    /// Somebody listens, but does not answer in time.
    Timeout,
    /// Anything else: a garbled answer, a lost connection, input that is too large.
    Other,
}

impl Fault {
    /// Does what the fault calls for, and returns what the agent gets instead of an answer.
    pub(crate) fn settle(self, home: &Home, event: &str) -> Answer {
        self.count(home, event);
        if self == Fault::Unreachable {
            start_daemon(home);
        }
        if home.strict().exists() {
            return if event == BLOCKING_EVENT {
                self.refusal()
            } else {
                Answer::default()
            };
        }
        let cost_time = self == Fault::Timeout && WAITED_FOR.contains(&event);
        if cost_time && stand_aside::after_timeout(home) {
            return Answer {
                stdout: stand_aside::MESSAGE.into(),
                ..Answer::default()
            };
        }
        Answer::default()
    }

    /// Appends one line to [`Home::hook_faults`].
    fn count(self, home: &Home, event: &str) {
        let flags = OFlags::WRONLY | OFlags::APPEND | OFlags::CREATE;
        let Some(file) = stamp::open(&home.hook_faults(), flags) else {
            return;
        };
        let has_room = fs::fstat(&file)
            .is_ok_and(|stat| u64::try_from(stat.st_size).is_ok_and(|n| n < FAULTS_BYTES_MAX));
        if has_room {
            let line = format!("{} {} {}\n", stamp::now_ms(), plain(event), self.word());
            let _ = io::write(&file, line.as_bytes());
        }
    }

    fn word(self) -> &'static str {
        match self {
            Fault::Unreachable => "unreachable",
            Fault::Timeout => "timeout",
            Fault::Other => "other",
        }
    }

    fn refusal(self) -> Answer {
        let why = match self {
            Fault::Unreachable => "its daemon was not running and is being started",
            Fault::Timeout => "its daemon did not answer in time",
            Fault::Other => "the question was too large, or its answer damaged",
        };
        let reason = format!(
            "Kite could not check this tool call ({why}), and `guard = \"strict\"` refuses what it cannot check. \
             Retry this same call; if it is refused again, ask your user to run `kite doctor`.\n"
        );
        Answer {
            exit: EXIT_REFUSED,
            stdout: Vec::new(),
            stderr: reason.into_bytes(),
            daemon: None,
        }
    }
}

/// The event's name as one word, whatever came in as an argument.
fn plain(event: &str) -> String {
    let word = |c: char| {
        if c.is_ascii_alphanumeric() || c == '-' || c == '_' {
            c
        } else {
            '?'
        }
    };
    event.chars().take(EVENT_BYTES_MAX).map(word).collect()
}

/// Starts the daemon without waiting for it, in its own process group so that what ends the
/// agent does not end it.
fn start_daemon(home: &Home) {
    let kite = home.bin().join("kite");
    if !kite.is_file() {
        return;
    }
    let Some(last_start) = Stamp::take(&home.hook_start()) else {
        return;
    };
    let now = stamp::now_ms();
    if last_start
        .read()
        .is_some_and(|last| stamp::is_recent(last, now, START_PAUSE))
        || !last_start.write(now)
    {
        return;
    }
    let _ = Command::new(kite)
        .args(["daemon", "start"])
        .env("KITE_HOME", home.path())
        .current_dir(home.path())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn();
}
