//! The supervisor itself: a small process with one loop, that nobody else needs to be alive.

mod child;
mod ending;
mod keeper;
mod pipes;
mod signals;

use std::{
    fs::{self, File},
    io::{self, Write as _},
    os::{
        fd::{AsFd as _, BorrowedFd, RawFd},
        unix::net::UnixStream,
    },
    path::Path,
};

use rustix::{
    fs::Mode,
    io::{FdFlags, fcntl_setfd},
    process::{chdir, setsid, umask},
};

use crate::{
    directory,
    exit::{self, Exit},
    find::Processes,
    gate::Report,
    process,
    run::Run,
    supervise::{keeper::Keeper, signals::Signals},
};

/// What `kite supervise DIRECTORY` does, started by [`crate::start`]: runs what the directory says,
/// and returns when nothing of it is left alive. How it ended stands in `exit.json`.
///
/// `birth` is called before the child is made: it may write files into the directory that the program
/// needs. Where it fails, the run ends as [`crate::Reason::NotStarted`] with its words.
///
/// # Errors
///
/// The directory was not made ready by [`crate::prepare`], is supervised already, or cannot be
/// written to. Then nothing runs.
pub fn supervise(directory: &Path, birth: impl FnOnce(&Path) -> io::Result<()>) -> io::Result<()> {
    let directory = directory.canonicalize()?;
    let link = link_to_starter()?;
    leave_starter(&directory);
    match run_of(&directory) {
        Ok((run, _lock)) => keep(&directory, run, link, birth).write(&directory),
        Err(error) => {
            tell(&link, &Report::Failed(error.to_string()));
            Err(error)
        }
    }
}

/// Runs it to its end.
fn keep(
    directory: &Path,
    run: Run,
    link: UnixStream,
    birth: impl FnOnce(&Path) -> io::Result<()>,
) -> Exit {
    // Without it the end can still be told, as long as the disk is not full.
    let _ = exit::reserve(directory);
    let ready = birth(directory)
        .and_then(|()| process::adopt_orphans())
        .and_then(|()| Signals::hear())
        .map_err(|error| error.to_string());
    forget_environment(directory, &run);
    let kept = ready.and_then(|signals| Keeper::start(directory, run, signals, &link));
    match kept {
        Ok(started) => {
            drop(link);
            started.map_or_else(Exit::abandoned, Keeper::keep)
        }
        Err(why) => {
            // Noted before it is told: whoever hears of it finds it.
            let exit = Exit::not_started(&why);
            let _ = exit.write(directory);
            tell(&link, &Report::Failed(why));
            exit
        }
    }
}

/// The environment may hold keys, and nobody but this process needs it any more.
fn forget_environment(directory: &Path, run: &Run) {
    let rest = Run {
        environment: Vec::new(),
        ..run.clone()
    };
    // On a full disk it stays, for its owner alone.
    let _ = directory::write(directory, directory::RUN, &rest);
}

/// The run, and the lock that makes this process its only supervisor.
fn run_of(directory: &Path) -> io::Result<(Run, File)> {
    let used = || io::Error::other("this run has been run before");
    if Exit::read(directory)?.is_some() {
        return Err(used());
    }
    let lock = directory::lock_file(directory)?;
    if lock.try_lock().is_err() {
        return Err(io::Error::other("another supervisor has this run"));
    }
    if Processes::read(directory)?.is_some() {
        return Err(used());
    }
    let run = directory::read(directory, directory::RUN)?;
    let run = run.ok_or_else(|| io::Error::other("there is no run.json in this directory"))?;
    Ok((run, lock))
}

/// The starter is at the other end of standard input.
fn link_to_starter() -> io::Result<UnixStream> {
    let stdin = rustix::stdio::stdin();
    rustix::net::sockopt::socket_type(stdin).map_err(|_| {
        let text = "the daemon runs this command, with a socket as its standard input";
        io::Error::new(io::ErrorKind::InvalidInput, text)
    })?;
    let link = UnixStream::from(stdin.try_clone_to_owned()?);
    let null = File::open("/dev/null")?;
    rustix::stdio::dup2_stdin(null.as_fd())?;
    Ok(link)
}

/// A session of its own, so that no terminal reaches it, a directory and a mask of its own, and
/// descriptors that end with this program.
fn leave_starter(directory: &Path) {
    keep_descriptors();
    // Fails only where this process leads a session already.
    let _ = setsid();
    let _ = chdir(directory);
    umask(Mode::from_raw_mode(0o077));
}

/// What was inherited by mistake is not handed on.
#[expect(unsafe_code, reason = "descriptors known by their numbers only")]
fn keep_descriptors() {
    let Ok(names) = fs::read_dir("/dev/fd") else {
        return;
    };
    let numbers = names.filter_map(|name| name.ok()?.file_name().to_str()?.parse().ok());
    for number in numbers.filter(|number: &RawFd| *number > 2) {
        // SAFETY: borrowed for this one call, which sets a flag that all descriptors of this program
        // have anyway, and fails on a number that is not open.
        let descriptor = unsafe { BorrowedFd::borrow_raw(number) };
        let _ = fcntl_setfd(descriptor, FdFlags::CLOEXEC);
    }
}

/// Nobody may be there to hear it.
fn tell(mut link: &UnixStream, report: &Report) {
    if let Ok(mut line) = serde_json::to_vec(report) {
        line.push(b'\n');
        let _ = link.write_all(&line);
    }
}
