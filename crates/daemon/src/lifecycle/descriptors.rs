//! What a process inherits from its starter and a daemon must not keep: open descriptors, a
//! terminal, a working directory, a mask, a low limit.

use std::{
    fs, io,
    os::fd::{AsRawFd, BorrowedFd, RawFd},
};

use rustix::{
    io::{FdFlags, fcntl_getfd},
    process::{Resource, Rlimit, chdir, getrlimit, setrlimit, setsid, umask},
};

/// Descriptors that the daemon asks for: connections, files, pidfds.
const DESCRIPTORS_WANTED: u64 = 16_384;
/// Descriptors that are kept for other uses than connections.
const DESCRIPTORS_RESERVED: u64 = 256;

/// Leaves behind what was inherited. `keep` is the pipe to the starter. With `in_background` the
/// process also leaves its terminal.
pub(super) fn leave_starter(keep: Option<&fs::File>, in_background: bool) {
    umask(rustix::fs::Mode::from_raw_mode(0o077));
    close_inherited(keep.map(AsRawFd::as_raw_fd));
    // A directory that stays, so that the starter's can be removed or unmounted.
    let _ = chdir("/");
    if in_background {
        // Fails only where this process leads a session already.
        let _ = setsid();
        if let Ok(null) = fs::OpenOptions::new().read(true).open("/dev/null") {
            let _ = rustix::stdio::dup2_stdin(&null);
        }
    }
}

/// Closes the descriptors above 2 that came from the starter: those that a program started by
/// this process would inherit in turn. What Rust opens is never among them.
fn close_inherited(keep: Option<RawFd>) {
    for number in open_numbers().unwrap_or_default() {
        if number > 2 && Some(number) != keep && is_inheritable(number) {
            close(number);
        }
    }
}

fn open_numbers() -> io::Result<Vec<RawFd>> {
    let names = fs::read_dir("/dev/fd")?;
    Ok(names
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .collect())
}

#[expect(
    unsafe_code,
    reason = "asks about a descriptor known by its number only"
)]
fn is_inheritable(number: RawFd) -> bool {
    // SAFETY: borrowed for this one call, which reads a flag and fails on a number that is not
    // open. No other thread runs yet that could close it meanwhile.
    let borrowed = unsafe { BorrowedFd::borrow_raw(number) };
    fcntl_getfd(borrowed).is_ok_and(|flags| !flags.contains(FdFlags::CLOEXEC))
}

#[expect(unsafe_code, reason = "closes a descriptor known by its number only")]
fn close(number: RawFd) {
    // SAFETY: whatever this process opened itself is close-on-exec, this one is not, so nobody
    // here owns it.
    unsafe { rustix::io::close(number) };
}

/// Raises the limit on descriptors as far as it may go. Returns how many connections it allows.
pub(super) fn connections_allowed() -> usize {
    let limit = getrlimit(Resource::Nofile);
    let wanted = DESCRIPTORS_WANTED.min(limit.maximum.unwrap_or(u64::MAX));
    let current = limit.current.unwrap_or(u64::MAX);
    let granted = if current < wanted {
        let raised = Rlimit {
            current: Some(wanted),
            maximum: limit.maximum,
        };
        if setrlimit(Resource::Nofile, raised).is_ok() {
            wanted
        } else {
            current
        }
    } else {
        current
    };
    usize::try_from(granted.saturating_sub(DESCRIPTORS_RESERVED).max(16)).unwrap_or(usize::MAX)
}
