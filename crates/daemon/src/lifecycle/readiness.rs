//! One line over a pipe, from a starting daemon to whoever started it: ready, or why not.

use std::{
    fs::File,
    io::{self, Read, Write},
    os::fd::{AsFd, FromRawFd, OwnedFd},
    time::{Duration, Instant},
};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde::{Deserialize, Serialize};

use super::StartError;

/// Longest report that is read, in bytes.
const REPORT_BYTES_MAX: usize = 16 << 10;

/// What the starter is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Report {
    /// This process is the daemon and listens.
    Ready,
    /// Another process is the daemon and listens.
    Served,
    Failed {
        code: String,
        message: String,
        hint: String,
    },
}

impl From<StartError> for Report {
    fn from(
        StartError {
            code,
            message,
            hint,
        }: StartError,
    ) -> Self {
        Report::Failed {
            code,
            message,
            hint,
        }
    }
}

/// The end of the pipe that reports.
#[derive(Debug)]
pub(super) struct Reporter(Option<File>);

impl Reporter {
    /// Takes over the descriptor that the starter names, or none: then it reports to stderr.
    pub(super) fn take(descriptor: Option<i32>) -> Reporter {
        Reporter(descriptor.filter(|number| *number >= 0).and_then(take_over))
    }

    pub(super) fn as_file(&self) -> Option<&File> {
        self.0.as_ref()
    }

    /// True where a starter waits, so that this process is to run in the background.
    pub(super) fn is_awaited(&self) -> bool {
        self.0.is_some()
    }

    /// Reports and closes. A starter that has gone is no trouble.
    pub(super) fn report(&mut self, report: &Report) {
        match self.0.take() {
            Some(mut pipe) => {
                let mut line = serde_json::to_vec(report).unwrap_or_default();
                line.push(b'\n');
                let _ = pipe.write_all(&line);
            }
            None => {
                if let Report::Failed { message, hint, .. } = report {
                    let _ = writeln!(io::stderr(), "kite daemon: {message} ({hint})");
                }
            }
        }
    }
}

#[expect(unsafe_code, reason = "a descriptor that is given by its number")]
fn take_over(number: i32) -> Option<File> {
    // SAFETY: the starter opened this descriptor for this process and named it on the command
    // line; nobody else in this process knows or closes it. Where it names nothing, the
    // duplication fails and the number is given back unclosed.
    let given = unsafe { OwnedFd::from_raw_fd(number) };
    let duplicate = rustix::io::fcntl_dupfd_cloexec(given.as_fd(), 3).ok();
    // Standard descriptors stay open, so that nothing else gets their number.
    if number <= 2 || duplicate.is_none() {
        std::mem::forget(given);
    }
    duplicate.map(File::from)
}

/// Waits for a report, at most until `deadline`. `Ok(None)`: the other end closed without one.
pub(super) fn await_report(pipe: OwnedFd, deadline: Instant) -> io::Result<Option<Report>> {
    let mut pipe = File::from(pipe);
    let mut text = Vec::new();
    let mut chunk = [0; 1024];
    while !text.contains(&b'\n') && text.len() < REPORT_BYTES_MAX {
        let left = deadline.saturating_duration_since(Instant::now());
        if !is_readable(&pipe, left)? {
            return Err(io::ErrorKind::TimedOut.into());
        }
        match pipe.read(&mut chunk) {
            Ok(0) => break,
            Ok(read) => text.extend_from_slice(&chunk[..read]),
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(serde_json::from_slice(&text).ok())
}

fn is_readable(pipe: &File, patience: Duration) -> io::Result<bool> {
    let patience = Timespec {
        tv_sec: i64::try_from(patience.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: patience.subsec_nanos().into(),
    };
    let mut looked_at = [PollFd::new(pipe, PollFlags::IN)];
    match poll(&mut looked_at, Some(&patience)) {
        Ok(ready) => Ok(ready > 0),
        Err(rustix::io::Errno::INTR) => Ok(true),
        Err(e) => Err(e.into()),
    }
}
