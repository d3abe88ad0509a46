//! The address: taken, or who has it.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};

use tokio::net::{TcpListener, TcpSocket};

use super::{error::HttpError, holder};

/// Connections that wait to be accepted.
const BACKLOG: u32 = 128;
/// How often a free port is looked for that is free in both address families.
const ATTEMPTS: usize = 16;

/// Listens on `address` and `port`. For the IPv4 loopback the IPv6 one is taken too: some clients
/// try that first for `localhost`, and nobody else should answer there.
///
/// # Errors
/// Where the port is taken: by whom, if that can be seen.
pub(super) fn bind(address: IpAddr, port: u16) -> Result<Vec<TcpListener>, HttpError> {
    let mut attempts = 0;
    loop {
        attempts += 1;
        let first = open(SocketAddr::new(address, port)).map_err(|cause| failed(port, &cause))?;
        if address != Ipv4Addr::LOCALHOST {
            return Ok(vec![first]);
        }
        let given = first.local_addr().map_err(|cause| failed(port, &cause))?;
        match open(SocketAddr::new(Ipv6Addr::LOCALHOST.into(), given.port())) {
            Ok(second) => return Ok(vec![first, second]),
            Err(cause) if cause.kind() == io::ErrorKind::AddrInUse => {
                // A port that the system chose may be another's in the other family.
                if port != 0 || attempts == ATTEMPTS {
                    return Err(failed(given.port(), &cause));
                }
            }
            // A machine without IPv6.
            Err(_) => return Ok(vec![first]),
        }
    }
}

fn open(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    // What still ends after a restart does not keep the port.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

fn failed(port: u16, cause: &io::Error) -> HttpError {
    let error = HttpError::new(format!("cannot listen on port {port}"));
    match cause.kind() {
        io::ErrorKind::AddrInUse => match holder::of(port) {
            Some(holder) if holder.is_kite() => error
                .because(format!("{holder} serves there already"))
                .hinted(format!(
                    "use that one, end it (kill {}), or choose another port: `kite serve --port {}`",
                    holder.pid,
                    port.wrapping_add(1).max(1_024)
                )),
            Some(holder) => error.because(format!("{holder} has it")).hinted(format!(
                "choose another port: `kite serve --port {}`",
                port.wrapping_add(1).max(1_024)
            )),
            None => error
                .because("another program has it")
                .hinted(format!(
                    "see which: `ss -ltnp 'sport = :{port}'` (as root for other users' programs), or choose another \
                     port: `kite serve --port {}`",
                    port.wrapping_add(1).max(1_024)
                )),
        },
        io::ErrorKind::PermissionDenied => error
            .because(cause)
            .hinted("ports below 1024 are for root; `kite serve --port 3001`"),
        _ => error.because(cause),
    }
}
