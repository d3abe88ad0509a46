//! One question to the daemon, within a bounded time.

use std::{
    io::IoSlice,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use rustix::{
    event::PollFlags,
    fd::{AsFd, OwnedFd},
    io::{self, Errno},
    net::{self, AddressFamily, SocketAddrUnix, SocketType},
};

use crate::{
    answer::{Answer, Progress, Reader},
    fault::Fault,
    load, readiness,
};

/// How long the daemon may take for a first word. Hooks are answered from memory in well under a
/// millisecond; past this the agent has waited enough.
const ANSWER_TIME_MAX: Duration = Duration::from_millis(150);

/// The same where nobody waits for the hook, or the machine is so busy that a late answer says
/// nothing about the daemon: an unguarded edit would cost more than the wait.
const PATIENT_ANSWER_TIME_MAX: Duration = Duration::from_millis(1_000);

/// Added to [`ANSWER_TIME_MAX`] for each mebibyte of input, which has to be copied and parsed.
const ANSWER_TIME_PER_MEBIBYTE: Duration = Duration::from_millis(10);

/// The most that one `wait` line of the daemon can ask for.
const WAIT_TIME_MAX: Duration = Duration::from_secs(5);

/// The end of all waiting, whatever the daemon asks for.
pub(crate) const TOTAL_TIME_MAX: Duration = Duration::from_secs(10);

/// Pause before the next attempt while the daemon's queue of new connections is full.
const BACKLOG_PAUSE: Duration = Duration::from_millis(5);

/// Sends header and input, and reads the answer. `is_waited_for`: the agent goes on only after
/// this.
pub(crate) fn ask(
    socket: &Path,
    header: &[u8],
    input: &[u8],
    is_waited_for: bool,
) -> Result<Answer, Fault> {
    let mut deadline = Deadline::of(input.len(), is_waited_for);
    let daemon = connect(socket, &mut deadline)?;
    let mut unsent = Unsent { header, input };
    let mut reader = Reader::default();
    loop {
        if !unsent.is_empty() {
            unsent.send(&daemon)?;
        }
        let wanted = if unsent.is_empty() {
            PollFlags::IN
        } else {
            PollFlags::IN | PollFlags::OUT
        };
        match readiness::wait_for(daemon.as_fd(), wanted, deadline.at) {
            Ok(PollFlags::OUT) => continue,
            Ok(_) => {}
            Err(Fault::Timeout) if deadline.is_put_off() => continue,
            Err(fault) => return Err(fault),
        }
        receive(&daemon, &mut reader)?;
        loop {
            match reader.progress()? {
                Progress::Unfinished => break,
                Progress::Wait { ms } => deadline.grant(Duration::from_millis(ms)),
                Progress::Done(mut answer) => {
                    answer.daemon = Some(daemon);
                    return Ok(answer);
                }
            }
        }
    }
}

/// When there has been enough waiting.
struct Deadline {
    begun: Instant,
    of_input: Duration,
    at: Instant,
    /// It has been put off, or cannot be.
    is_final: bool,
}

impl Deadline {
    fn of(input_bytes: usize, is_waited_for: bool) -> Deadline {
        let mebibytes = u32::try_from(input_bytes >> 20).unwrap_or(u32::MAX);
        let of_input = ANSWER_TIME_PER_MEBIBYTE.saturating_mul(mebibytes);
        let patience = match is_waited_for {
            true => ANSWER_TIME_MAX,
            false => PATIENT_ANSWER_TIME_MAX,
        };
        let begun = Instant::now();
        Deadline {
            begun,
            of_input,
            at: begun + patience + of_input,
            is_final: !is_waited_for,
        }
    }

    /// The daemon asked for more time.
    fn grant(&mut self, wait: Duration) {
        let until = Instant::now() + wait.min(WAIT_TIME_MAX);
        self.at = self.at.max(until).min(self.begun + TOTAL_TIME_MAX);
        self.is_final = true;
    }

    /// It has passed: on a busy machine it is put off, once.
    fn is_put_off(&mut self) -> bool {
        if self.is_final || !load::is_high() {
            return false;
        }
        self.is_final = true;
        self.at = self.begun + PATIENT_ANSWER_TIME_MAX + self.of_input;
        true
    }
}

/// Connects without blocking: Linux would otherwise wait for room in the backlog without limit.
fn connect(socket: &Path, deadline: &mut Deadline) -> Result<OwnedFd, Fault> {
    // A home too long for a socket path names the real one in a file that the daemon writes.
    // The long path is asked for only where that file is missing, so no daemon has been there.
    let address = SocketAddrUnix::new(socket).map_err(|_| Fault::Unreachable)?;
    let daemon = non_blocking_socket().map_err(|_| Fault::Other)?;
    loop {
        match net::connect(&daemon, &address) {
            Ok(()) => return Ok(daemon),
            Err(Errno::NOENT | Errno::CONNREFUSED) => return Err(Fault::Unreachable),
            Err(Errno::AGAIN) if Instant::now() < deadline.at || deadline.is_put_off() => {
                thread::sleep(BACKLOG_PAUSE);
            }
            Err(Errno::AGAIN) => return Err(Fault::Timeout),
            Err(Errno::INTR) => {}
            Err(_) => return Err(Fault::Other),
        }
    }
}

#[cfg(not(target_vendor = "apple"))]
fn non_blocking_socket() -> io::Result<OwnedFd> {
    let flags = net::SocketFlags::NONBLOCK | net::SocketFlags::CLOEXEC;
    net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)
}

#[cfg(target_vendor = "apple")]
fn non_blocking_socket() -> io::Result<OwnedFd> {
    let socket = net::socket(AddressFamily::UNIX, SocketType::STREAM, None)?;
    io::ioctl_fioclex(&socket)?;
    io::ioctl_fionbio(&socket, true)?;
    Ok(socket)
}

/// What the daemon has yet to be sent.
struct Unsent<'a> {
    header: &'a [u8],
    input: &'a [u8],
}

impl Unsent<'_> {
    fn is_empty(&self) -> bool {
        self.header.is_empty() && self.input.is_empty()
    }

    /// Sends as much as the socket takes now. A daemon that stops reading may still have
    /// answered, so a broken pipe ends only the sending.
    fn send(&mut self, daemon: &OwnedFd) -> Result<(), Fault> {
        match io::writev(
            daemon,
            &[IoSlice::new(self.header), IoSlice::new(self.input)],
        ) {
            Ok(sent) => {
                let of_header = sent.min(self.header.len());
                self.header = &self.header[of_header..];
                self.input = &self.input[sent - of_header..];
                Ok(())
            }
            Err(Errno::PIPE | Errno::CONNRESET) => {
                (self.header, self.input) = (&[], &[]);
                Ok(())
            }
            Err(Errno::AGAIN | Errno::INTR) => Ok(()),
            Err(_) => Err(Fault::Other),
        }
    }
}

fn receive(daemon: &OwnedFd, reader: &mut Reader) -> Result<(), Fault> {
    let mut chunk = [0; 16 << 10];
    match io::read(daemon, &mut chunk) {
        Ok(0) => Err(Fault::Other),
        Ok(count) => {
            reader.feed(&chunk[..count]);
            Ok(())
        }
        Err(Errno::AGAIN | Errno::INTR) => Ok(()),
        Err(_) => Err(Fault::Other),
    }
}
