//! What the stories run: a supervisor, and programs that are hard to keep. Each does one thing that
//! is written here, so that no mistake can have it start itself over and over.

use std::{
    env,
    error::Error,
    io::{self, Write as _},
    path::Path,
    process::{Command, ExitCode, Stdio},
    thread,
    time::Duration,
};

/// How long a program lives that is to be ended by others.
const LIFE: Duration = Duration::from_secs(120);

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["supervise", directory] => kite_supervisor::supervise(Path::new(directory), birth)?,
        // What `kite daemon` does, started again from within an agent: it stays.
        ["daemon"] => thread::sleep(LIFE),
        // Leaves a process behind that is in another group and session, and whose parent has ended.
        ["escapes"] => run("leaves")?,
        ["escapes-and-stays"] => {
            run("leaves")?;
            writeln!(io::stdout(), "ready")?;
            thread::sleep(LIFE);
        }
        // The process in between.
        ["leaves"] => {
            rustix::process::setsid()?;
            let mut stays = Command::new("sleep");
            start(stays.arg(LIFE.as_secs().to_string()))?;
        }
        ["starts-daemon", home] => {
            let mut daemon = Command::new(env::current_exe()?);
            let pid = start(daemon.arg("daemon").env("KITE_HOME", home))?;
            writeln!(io::stdout(), "daemon {pid}")?;
        }
        _ => return Ok(ExitCode::from(2)),
    }
    Ok(ExitCode::SUCCESS)
}

/// Fails where the directory holds `no-birth`.
fn birth(directory: &Path) -> io::Result<()> {
    match directory.join("no-birth").exists() {
        true => Err(io::Error::other("its settings could not be written")),
        false => Ok(()),
    }
}

/// Runs another of these programs to its end.
fn run(name: &str) -> io::Result<()> {
    let status = Command::new(env::current_exe()?).arg(name).status()?;
    match status.success() {
        true => Ok(()),
        false => Err(io::Error::other(format!("{name}: {status}"))),
    }
}

/// Starts a program that holds none of this one's descriptors.
fn start(command: &mut Command) -> io::Result<u32> {
    command.stdin(Stdio::null());
    command.stdout(Stdio::null()).stderr(Stdio::null());
    Ok(command.spawn()?.id())
}
