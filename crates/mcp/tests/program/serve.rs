//! The server as a program, for `tests/stdio` and `tests/http`.
//!
//! With `SERVE_PORT` set it serves HTTP on that port and prints its address, else stdio. Its starter stands in for the real one: it adds a line to `starts` in the home and waits until
//! the test listens on the socket. With `START_FAILS` set it fails.

use std::{
    fs,
    io::{self, Write},
    os::unix::net::UnixStream,
    process::ExitCode,
    thread::sleep,
    time::{Duration, Instant},
};

use kite_wire::home::Home;

fn main() -> ExitCode {
    let Some(home) = Home::find() else {
        return ExitCode::FAILURE;
    };
    let start_home = home.clone();
    let options = kite_mcp::Options {
        home,
        build: "0.0.0-test".to_owned(),
        start_daemon: Box::new(move || start(&start_home)),
    };
    match std::env::var("SERVE_PORT") {
        Err(_) => kite_mcp::run_stdio(options),
        Ok(port) => serve_http(options, &port),
    }
}

fn serve_http(options: kite_mcp::Options, port: &str) -> ExitCode {
    let http = kite_mcp::HttpOptions {
        port: port.parse().unwrap_or_default(),
        ..kite_mcp::HttpOptions::default()
    };
    let served = kite_mcp::run_http(options, &http, |addresses| {
        // Whoever started this waits for the line, or has gone.
        let _ = writeln!(io::stdout(), "{}", addresses[0]);
    });
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let hint = error.hint.as_deref().unwrap_or_default();
            let _ = writeln!(io::stderr(), "{error}\n{hint}");
            ExitCode::FAILURE
        }
    }
}

fn start(home: &Home) -> io::Result<()> {
    if std::env::var_os("START_FAILS").is_some() {
        return Err(io::Error::other("the disk is full"));
    }
    let starts = home.path().join("starts");
    let before = fs::read_to_string(&starts).unwrap_or_default();
    fs::write(&starts, before + "start\n")?;
    let deadline = Instant::now() + Duration::from_secs(4);
    while Instant::now() < deadline {
        if UnixStream::connect(home.socket()).is_ok() {
            return Ok(());
        }
        sleep(Duration::from_millis(5));
    }
    Err(io::Error::new(io::ErrorKind::TimedOut, "nobody listens"))
}
