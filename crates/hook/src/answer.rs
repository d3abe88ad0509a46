//! What the agent gets: an exit code and the bytes of two streams.

use std::process::ExitCode;

use kite_wire::frame::{AnswerLine, OUTPUT_BYTES_MAX, TOLD};
use rustix::{
    fd::{BorrowedFd, OwnedFd},
    io::{self, Errno},
    stdio,
};

use crate::fault::Fault;

/// Longest `wait` or `done` line, in bytes. Three numbers fit with room to spare.
const LINE_BYTES_MAX: usize = 80;

/// The default lets the agent go on and says nothing.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    pub(crate) exit: u8,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
    /// The connection to the daemon, which is told when stdout has been written.
    pub(crate) daemon: Option<OwnedFd>,
}

impl Answer {
    /// Writes both streams and returns the exit code. A reader that has gone away is no fault.
    pub(crate) fn give(self) -> ExitCode {
        let is_told = write_all(stdio::stdout(), &self.stdout) && !self.stdout.is_empty();
        if let Some(daemon) = self.daemon.filter(|_| is_told) {
            // A few bytes into an empty buffer. A daemon that does not wait for them is gone.
            let _ = io::write(daemon, TOLD);
        }
        write_all(stdio::stderr(), &self.stderr);
        ExitCode::from(self.exit)
    }
}

/// True where everything has been written.
fn write_all(stream: BorrowedFd<'_>, mut bytes: &[u8]) -> bool {
    while !bytes.is_empty() {
        match io::write(stream, bytes) {
            Ok(0) => return false,
            Ok(written) => bytes = &bytes[written..],
            Err(Errno::INTR) => {}
            Err(_) => return false,
        }
    }
    true
}

/// What the daemon has said so far, fed in pieces of any size.
#[derive(Default)]
pub(crate) struct Reader {
    buffer: Vec<u8>,
    announced: Option<(u8, usize, usize)>,
}

/// One step of a [`Reader`].
#[derive(Debug)]
pub(crate) enum Progress {
    /// More bytes are needed.
    Unfinished,
    /// The daemon asks for so many milliseconds from now.
    Wait {
        ms: u64,
    },
    Done(Answer),
}

impl Reader {
    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next step in what has been fed. After [`Progress::Wait`], ask again.
    pub(crate) fn progress(&mut self) -> Result<Progress, Fault> {
        let Some((exit, stdout_len, stderr_len)) = self.announced else {
            return self.line();
        };
        if self.buffer.len() < stdout_len + stderr_len {
            return Ok(Progress::Unfinished);
        }
        let mut stdout = std::mem::take(&mut self.buffer);
        stdout.truncate(stdout_len + stderr_len);
        let stderr = stdout.split_off(stdout_len);
        Ok(Progress::Done(Answer {
            exit,
            stdout,
            stderr,
            daemon: None,
        }))
    }

    fn line(&mut self) -> Result<Progress, Fault> {
        let Some(end) = self
            .buffer
            .iter()
            .take(LINE_BYTES_MAX)
            .position(|b| *b == b'\n')
        else {
            let garbled = self.buffer.len() >= LINE_BYTES_MAX;
            return if garbled {
                Err(Fault::Other)
            } else {
                Ok(Progress::Unfinished)
            };
        };
        let line = AnswerLine::parse(&self.buffer[..end]).ok_or(Fault::Other)?;
        self.buffer.drain(..=end);
        match line {
            AnswerLine::Wait { ms } => Ok(Progress::Wait { ms }),
            AnswerLine::Done {
                exit,
                stdout_len,
                stderr_len,
            } => {
                let output_len = stdout_len.checked_add(stderr_len).ok_or(Fault::Other)?;
                if output_len > OUTPUT_BYTES_MAX {
                    return Err(Fault::Other);
                }
                self.announced = Some((exit, stdout_len, stderr_len));
                self.progress()
            }
        }
    }
}
