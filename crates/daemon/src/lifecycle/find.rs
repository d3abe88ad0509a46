//! Whether a daemon serves a home.

use std::path::Path;

use kite_wire::home::Home;
use rustix::{
    io::Errno,
    net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, connect, socket_with},
};

/// What the system says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Probe {
    /// Somebody listens, however slowly they answer.
    Listening,
    /// Nobody listens.
    Absent,
}

/// Asks the system whether anybody listens at the socket of `home`. Never waits: a stopped daemon
/// whose queue is full listens too.
#[must_use]
pub fn probe(home: &Home) -> Probe {
    if listens(&home.socket()) {
        Probe::Listening
    } else {
        Probe::Absent
    }
}

/// Only a refusal and a missing file say that nobody is there.
pub(super) fn listens(path: &Path) -> bool {
    let Ok(address) = SocketAddrUnix::new(path) else {
        return false;
    };
    match try_connect(&address) {
        Ok(()) => true,
        Err(e) => !matches!(
            e,
            Errno::CONNREFUSED | Errno::NOENT | Errno::NOTDIR | Errno::NOTSOCK | Errno::PROTOTYPE
        ),
    }
}

fn try_connect(address: &SocketAddrUnix) -> Result<(), Errno> {
    #[cfg(target_os = "linux")]
    let socket = {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?
    };
    #[cfg(not(target_os = "linux"))]
    let socket = {
        let socket = socket_with(
            AddressFamily::UNIX,
            SocketType::STREAM,
            SocketFlags::empty(),
            None,
        )?;
        rustix::io::fcntl_setfd(&socket, rustix::io::FdFlags::CLOEXEC)?;
        rustix::io::ioctl_fionbio(&socket, true)?;
        socket
    };
    connect(&socket, address)
}
