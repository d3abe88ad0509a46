//! Ending the daemon from another program.

use std::{
    io::{Read, Write},
    os::unix::net::UnixStream,
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
    /// Whoever listened.
    Listener,
}

/// Has the daemon of `home` drain and end, and waits until it has. False where none ran. Another
/// daemon may have been started meanwhile by whoever needs one.
pub fn stop(home: &Home) -> Result<bool, StartError> {
    let deadline = Instant::now() + STOP_PATIENCE;
    let mut asked = None;
    loop {
        let is_held = singleton::is_held(home);
        if !is_held.map_err(|e| directory::unusable(&home.daemon_lock(), &e))? {
            return Ok(asked.is_some());
        }
        match &asked {
            // One that is just starting cannot be asked yet.
            None => asked = ask(home),
            Some(Asked::Process(record)) if !record.is_running() => return Ok(true),
            Some(_) => {}
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
    (heard > 0).then_some(Asked::Listener)
}
