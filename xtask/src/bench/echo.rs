//! The baseline of the sockets: a server that sends each line back, on tokio's current_thread
//! runtime, in a process of its own.

use std::process::ExitCode;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::UnixListener,
};

/// The word that makes this program the echo server.
pub(crate) const COMMAND: &str = "echo-server";

/// Serves until it is killed. A connection is closed after one line where the path ends in
/// `.once`, as the daemon does for clients that do not say hello.
pub(crate) fn serve(path: &str) -> ExitCode {
    let once = path.ends_with(".once");
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
    else {
        return ExitCode::FAILURE;
    };
    runtime.block_on(async {
        let Ok(listener) = UnixListener::bind(path) else {
            return;
        };
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut buffer = vec![0; 4_096];
                while let Ok(read @ 1..) = stream.read(&mut buffer).await {
                    let whole_line = buffer[read - 1] == b'\n';
                    if stream.write_all(&buffer[..read]).await.is_err() || (once && whole_line) {
                        break;
                    }
                }
            });
        }
    });
    ExitCode::SUCCESS
}
