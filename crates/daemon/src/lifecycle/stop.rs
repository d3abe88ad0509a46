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

use super::{Record, StartError, singleton};

/// How long a daemon may take to finish and flush before it counts as stuck.
const STOP_PATIENCE: Duration = Duration::from_secs(15);
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// Has the daemon of `home` drain and end, and waits until it has. False where none ran.
pub fn stop(home: &Home) -> Result<bool, StartError> {
    let is_held = || {
        singleton::is_held(home).map_err(|e| super::directory::unusable(&home.daemon_lock(), &e))
    };
    if !is_held()? {
        return Ok(false);
    }
    ask(home);
    let deadline = Instant::now() + STOP_PATIENCE;
    while is_held()? {
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
    Ok(true)
}

/// By a signal where its process is known for certain, else (another pid namespace, a record that
/// is not there yet) by a request.
fn ask(home: &Home) {
    let record = Record::read(home).filter(Record::is_running);
    let pid = record.and_then(|record| Pid::from_raw(i32::try_from(record.pid).ok()?));
    if let Some(pid) = pid
        && kill_process(pid, Signal::TERM).is_ok()
    {
        return;
    }
    if let Ok(mut stream) = UnixStream::connect(home.socket()) {
        let request = Request::Shutdown(Shutdown {
            reason: "stop".to_owned(),
        });
        let _ = stream.set_read_timeout(Some(Duration::from_secs(2)));
        let _ = stream.write_all(&request.to_line(&Envelope::default()));
        let _ = stream.read(&mut [0; 256]);
    }
}
