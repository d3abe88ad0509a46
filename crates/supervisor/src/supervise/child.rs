//! The child: made, held at the gate, let go.

use std::{
    io::{self, PipeWriter, Read as _, Write as _},
    os::{
        fd::{AsFd as _, AsRawFd as _, BorrowedFd, RawFd},
        unix::process::CommandExt as _,
    },
    path::Path,
    process::{Child, Command, Stdio},
    thread::{self, JoinHandle},
};

use rustix::{
    fs::Mode,
    io::Errno,
    process::{getpid, umask},
};

use crate::run::{COOKIE, Run};

/// Of the thread that waits until the program is loaded: it does little.
const STACK_BYTES: usize = 128 * 1024;

/// A process that runs nothing of its program yet. Dropped, it never will.
pub(super) struct Gated {
    pub(super) pid: u32,
    gate: PipeWriter,
    /// Ends when the program is loaded or could not be.
    loading: JoinHandle<io::Result<Child>>,
}

impl Gated {
    /// Makes the process, leader of a group of its own.
    pub(super) fn make(run: &Run) -> Result<Self, String> {
        if !run.directory.is_dir() {
            let directory = run.directory.display();
            return Err(format!("there is no directory {directory} to run in"));
        }
        Self::try_make(run).map_err(|error| format!("no process could be made: {error}"))
    }

    fn try_make(run: &Run) -> io::Result<Self> {
        let (waits_at, gate) = io::pipe()?;
        let (mut reports, says) = io::pipe()?;
        let mut command = Command::new(&run.argv[0]);
        command
            .args(&run.argv[1..])
            .current_dir(&run.directory)
            .env_clear()
            .envs(run.environment.iter().map(|(name, value)| (name, value)))
            .env(COOKIE, &run.cookie)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0);
        let mask = Mode::from_bits_truncate(run.umask);
        let gate_number = gate.as_raw_fd();
        hold(&mut command, move || {
            wait_at_gate(mask, gate_number, says.as_fd(), waits_at.as_fd())
        });
        let loading = thread::Builder::new()
            .stack_size(STACK_BYTES)
            .spawn(move || command.spawn())?;
        let mut pid = [0; 4];
        if let Err(error) = reports.read_exact(&mut pid) {
            // It could not be made at all, and the thread knows why.
            return Err(join(loading).err().unwrap_or(error));
        }
        let pid = u32::from_ne_bytes(pid);
        Ok(Self { pid, gate, loading })
    }

    /// Lets it run the program.
    pub(super) fn open(mut self, run: &Run) -> Result<Child, String> {
        // Where it was killed while it waited, this fails, and its end tells.
        let _ = self.gate.write_all(&[1]);
        join(self.loading).map_err(|error| cause(run, &error))
    }

    /// Has it end without having run anything.
    pub(super) fn close(self) {
        drop(self.gate);
        let _ = join(self.loading);
    }
}

fn join(loading: JoinHandle<io::Result<Child>>) -> io::Result<Child> {
    let failed = |_| Err(io::Error::other("the thread that starts it failed"));
    loading.join().unwrap_or_else(failed)
}

#[expect(unsafe_code, reason = "runs between fork and exec")]
fn hold(command: &mut Command, wait: impl FnMut() -> io::Result<()> + Send + Sync + 'static) {
    // SAFETY: the only caller gives `wait_at_gate`, which does nothing that a copy of a process with
    // several threads must not do.
    unsafe { command.pre_exec(wait) };
}

/// Runs in the child, between fork and exec. System calls only: umask, close, write, read; nothing
/// is allocated, freed or locked, since another thread may have held a lock when the copy was made.
#[expect(unsafe_code, reason = "closes a descriptor known by its number only")]
fn wait_at_gate(
    mask: Mode,
    gate: RawFd,
    says: BorrowedFd<'_>,
    waits_at: BorrowedFd<'_>,
) -> io::Result<()> {
    // SAFETY: this is the child's copy of the gate's other end. What owns it lies in memory of the
    // supervisor that the child has a copy of but never drops: it goes on to exec or to _exit. It
    // must be closed, or the child would never see that the supervisor's end is.
    unsafe { rustix::io::close(gate) };
    umask(mask);
    rustix::io::write(says, &getpid().as_raw_nonzero().get().to_ne_bytes())?;
    let mut go = [0];
    loop {
        match rustix::io::read(waits_at, &mut go) {
            Ok(1..) => return Ok(()),
            Ok(0) => return Err(Errno::CANCELED.into()),
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Why a program could not be loaded, and what to do about it.
fn cause(run: &Run, error: &io::Error) -> String {
    let program = &run.argv[0];
    let is_path = program.contains('/');
    match error.kind() {
        io::ErrorKind::NotFound if is_path && run.directory.join(Path::new(program)).exists() => {
            format!("{program} names an interpreter that is not there: see its first line")
        }
        io::ErrorKind::NotFound if is_path => format!("there is no program {program}"),
        io::ErrorKind::NotFound => {
            let path = run.environment.iter().find(|(name, _)| name == "PATH");
            let path = path.map_or("", |(_, path)| path);
            format!(
                "there is no program `{program}` on the PATH ({path}): install it, or give its full path"
            )
        }
        io::ErrorKind::PermissionDenied => {
            format!("{program} may not be executed: see its permissions")
        }
        io::ErrorKind::ArgumentListTooLong => {
            format!("{program} cannot be given so many bytes of arguments: use its input")
        }
        _ => format!("{program} could not be started: {error}"),
    }
}
