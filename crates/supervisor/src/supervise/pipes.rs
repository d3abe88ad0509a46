//! The child's standard input and outputs, none of which is ever waited for alone.

use std::{
    io::{self, Write as _},
    os::fd::AsFd,
    process::{Child, ChildStderr, ChildStdin, ChildStdout},
};

use rustix::event::{PollFd, PollFlags};

use crate::output::Output;

/// Most bytes that are read or written at once.
const CHUNK_BYTES: usize = 64 * 1024;

pub(super) struct Pipes {
    stdin: Option<ChildStdin>,
    stdout: Option<ChildStdout>,
    stderr: Option<ChildStderr>,
    input: Vec<u8>,
    written: usize,
    chunk: Box<[u8]>,
}

impl Pipes {
    pub(super) fn of(child: &mut Child, input: String) -> Self {
        let mut pipes = Self {
            stdin: take(&mut child.stdin),
            stdout: take(&mut child.stdout),
            stderr: take(&mut child.stderr),
            input: input.into_bytes(),
            written: 0,
            chunk: vec![0; CHUNK_BYTES].into_boxed_slice(),
        };
        pipes.close_if_written();
        pipes
    }

    /// Whether all outputs are at their end.
    pub(super) fn at_end(&self) -> bool {
        self.stdout.is_none() && self.stderr.is_none()
    }

    /// What to wait for.
    pub(super) fn interests(&self) -> impl Iterator<Item = PollFd<'_>> {
        let reads = |fd| PollFd::from_borrowed_fd(fd, PollFlags::IN);
        let writes = |fd| PollFd::from_borrowed_fd(fd, PollFlags::OUT);
        let stdout = self.stdout.iter().map(AsFd::as_fd).map(reads);
        let stderr = self.stderr.iter().map(AsFd::as_fd).map(reads);
        let stdin = self.stdin.iter().map(AsFd::as_fd).map(writes);
        stdout.chain(stderr).chain(stdin)
    }

    /// Reads and writes what can be had without waiting, at most a chunk of each.
    pub(super) fn turn(&mut self, output: &mut Output) {
        read(&mut self.stdout, &mut self.chunk, |bytes| {
            output.keep(bytes, true);
        });
        read(&mut self.stderr, &mut self.chunk, |bytes| {
            output.keep(bytes, false);
        });
        self.write();
    }

    fn write(&mut self) {
        let Some(stdin) = &mut self.stdin else {
            return;
        };
        let rest = &self.input[self.written..];
        match stdin.write(&rest[..rest.len().min(CHUNK_BYTES)]) {
            Ok(written) => self.written += written,
            Err(error) if is_for_later(&error) => {}
            // Nobody reads it any more.
            Err(_) => self.written = self.input.len(),
        }
        self.close_if_written();
    }

    fn close_if_written(&mut self) {
        if self.written == self.input.len() {
            self.stdin = None;
            self.input = Vec::new();
            self.written = 0;
        }
    }
}

/// Takes a pipe's end, and has it never block. One that cannot be made so is closed: the supervisor
/// must not hang on its child.
fn take<P: AsFd>(end: &mut Option<P>) -> Option<P> {
    let end = end.take()?;
    rustix::io::ioctl_fionbio(&end, true).ok()?;
    Some(end)
}

fn read(from: &mut Option<impl io::Read>, chunk: &mut [u8], keep: impl FnOnce(&[u8])) {
    let Some(pipe) = from else {
        return;
    };
    match pipe.read(chunk) {
        Ok(0) => *from = None,
        Ok(read) => keep(&chunk[..read]),
        Err(error) if is_for_later(&error) => {}
        Err(_) => *from = None,
    }
}

fn is_for_later(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
    )
}
