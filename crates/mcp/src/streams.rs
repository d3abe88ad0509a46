//! Stdin and stdout, driven by the event loop where that can be.
//!
//! Clients on Node and Bun start a server with sockets as its standard streams, others with pipes.
//! Left to tokio's own stdin and stdout, each read and write would pass through a second thread.

use std::{
    io,
    os::{
        fd::{AsFd, OwnedFd},
        unix::net::UnixStream as StdUnixStream,
    },
};

use rmcp::transport::stdio_pipes;
use rustix::fs::{FileType, fstat};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::UnixStream,
};

pub(crate) type Input = Box<dyn AsyncRead + Send + Unpin>;
pub(crate) type Output = Box<dyn AsyncWrite + Send + Unpin>;

/// The standard streams: sockets, pipes (on Linux), or else whatever they are through threads.
pub(crate) fn standard() -> (Input, Output) {
    if let (Ok(input), Ok(output)) = (socket(&io::stdin()), socket(&io::stdout())) {
        return (Box::new(input), Box::new(output));
    }
    let (input, output) = stdio_pipes();
    (Box::new(input), Box::new(output))
}

/// A copy of a descriptor that is a connected socket, as a stream of this process's own.
///
/// It becomes non-blocking. Only what shares this end of the connection could notice: programs
/// that this one starts, and they get other streams.
fn socket(descriptor: &impl AsFd) -> io::Result<UnixStream> {
    let copy: OwnedFd = descriptor.as_fd().try_clone_to_owned()?;
    if FileType::from_raw_mode(fstat(&copy)?.st_mode) != FileType::Socket {
        return Err(io::ErrorKind::Unsupported.into());
    }
    let stream = StdUnixStream::from(copy);
    stream.set_nonblocking(true)?;
    UnixStream::from_std(stream)
}
