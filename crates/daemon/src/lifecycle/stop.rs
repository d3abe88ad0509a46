//! Ending the daemon from another program.

use std::{
    fs,
    io::{Read, Write},
    os::unix::{fs::MetadataExt, net::UnixStream},
    thread::sleep,
    time::{Duration, Instant},
};

use kite_wire::{
    home::Home,
    request::{Envelope, Request, Shutdown},
};
use rustix::process::{Pid, Signal, kill_process};

use super::{Record, StartError, directory, singleton};

/// How long a daemon may take to finish and flush before it counts as stuck.
const STOP_PATIENCE: Duration = Duration::from_secs(15);
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// Whom the wish to end has reached.
enum Asked {
    /// A process known for certain.
    Process(Record),
    /// Whoever listened at this socket.
    Listener(SocketFile),
}

/// Device, inode, and when it was bound, since inodes are soon used again: seconds, nanoseconds.
type SocketFile = (u64, u64, i64, i64);

/// Has the daemon of `home` drain and end, and waits until it has. False where none ran. Another
/// daemon may have been started meanwhile by whoever needs one.
pub fn stop(home: &Home) -> Result<bool, StartError> {
    let deadline = Instant::now() + STOP_PATIENCE;
    let mut asked = None;
    loop {
        let is_held = singleton::is_held(home);
        let is_held = is_held.map_err(|e| directory::unusable(&home.daemon_lock(), &e))?;
        match &asked {
            Some(Asked::Process(record)) if !record.is_running() => return Ok(true),
            // The process is waited for: it outlives its lock by an instant.
            Some(Asked::Process(_)) => {}
            _ if !is_held => return Ok(asked.is_some()),
            // One that is just starting cannot be asked yet.
            None => asked = ask(home),
            // Only the next holder of the lock binds another one.
            Some(Asked::Listener(socket))
                if socket_file(home).is_some_and(|now| now != *socket) =>
            {
                return Ok(true);
            }
            Some(Asked::Listener(_)) => {}
        }
        if Instant::now() > deadline {
            return Err(StartError::new(
                "not_stopped",
                format!(
                    "the daemon has not ended within {} s",
                    STOP_PATIENCE.as_secs()
                ),
                "its state is safe; look at it with `kite doctor`, or end it with SIGKILL",
            ));
        }
        sleep(LOOK_EVERY);
    }
}

/// By a signal where its process is known for certain, else (another pid namespace, a record that
/// is not there yet) by a request.
fn ask(home: &Home) -> Option<Asked> {
    if let Some(record) = Record::read(home).filter(Record::is_running)
        && let Some(pid) = i32::try_from(record.pid).ok().and_then(Pid::from_raw)
        && kill_process(pid, Signal::TERM).is_ok()
    {
        return Some(Asked::Process(record));
    }
    let socket = socket_file(home)?;
    let mut stream = UnixStream::connect(home.socket()).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(2))).ok()?;
    let request = Request::Shutdown(Shutdown {
        reason: "stop".to_owned(),
    });
    stream
        .write_all(&request.to_line(&Envelope::default()))
        .ok()?;
    // The answer says no more than that it was heard.
    let heard = stream.read(&mut [0; 256]).ok()?;
    (heard > 0).then_some(Asked::Listener(socket))
}

fn socket_file(home: &Home) -> Option<SocketFile> {
    let metadata = fs::symlink_metadata(home.socket()).ok()?;
    Some((
        metadata.dev(),
        metadata.ino(),
        metadata.mtime(),
        metadata.mtime_nsec(),
    ))
}
