//! Starting the daemon from any program of Kite's.

use std::{
    env, fs, io,
    os::unix::fs::OpenOptionsExt,
    path::Path,
    process::{Command, Stdio},
    time::Instant,
};

use kite_wire::home::Home;
use rustix::pipe::{PipeFlags, pipe_with};

use super::{
    PATIENCE, Running, StartError, directory,
    find::{Probe, probe},
    readiness::{Report, await_report},
};
use crate::presets;

/// Environment variables that the daemon gets, beside all that begin with [`OWN_PREFIXES`].
const ALLOWED: &[&str] = &["HOME", "PATH", "TZ", "LANG", "TMPDIR", "USER", "LOGNAME"];
const OWN_PREFIXES: &[&str] = &["KITE_", "XDG_", "LC_"];
/// A log of the daemon's own words longer than this is put aside at the next start, in bytes.
const OWN_LOG_BYTES_MAX: u64 = 1 << 20;

/// Connects to the daemon of `home`, starting `executable daemon run` where there is none. Blocks,
/// at most for [`PATIENCE`].
pub fn ensure(home: &Home, executable: &Path) -> Result<Running, StartError> {
    let deadline = Instant::now() + PATIENCE;
    if probe(home) == Probe::Listening {
        return Ok(Running {
            socket: home.socket(),
            started: false,
        });
    }
    directory::prepare(home)?;
    match spawn(home, executable, deadline)? {
        Report::Ready => Ok(Running {
            socket: home.socket(),
            started: true,
        }),
        Report::Served => Ok(Running {
            socket: home.socket(),
            started: false,
        }),
        Report::Failed {
            code,
            message,
            hint,
        } => Err(StartError {
            code,
            message,
            hint,
        }),
    }
}

fn spawn(home: &Home, executable: &Path, deadline: Instant) -> Result<Report, StartError> {
    let not_started = |e: io::Error| {
        StartError::new(
            "not_executable",
            format!("cannot start {}: {e}", executable.display()),
            "run `kite init` to install it again",
        )
    };
    let log = own_log(home).map_err(|e| directory::unusable(&home.path().join("log"), &e))?;
    let (read, write) = pipe().map_err(not_started)?;
    // The pipe is the daemon's stdin: like that it is inherited by nobody else, although other
    // threads of this process may be starting programs too.
    let declared = presets::variables(home.path());
    let mut child = Command::new(executable)
        .args(["daemon", "run", "--ready-fd", "0"])
        .env_clear()
        .envs(env::vars_os().filter(|(name, _)| is_allowed(name, &declared)))
        .env("KITE_HOME", home.path())
        .current_dir("/")
        .stdin(Stdio::from(write))
        .stdout(Stdio::from(log.try_clone().map_err(not_started)?))
        .stderr(Stdio::from(log))
        .spawn()
        .map_err(not_started)?;
    let report = await_report(read, deadline);
    // The daemon is not this process's to wait for, but one that has ended already leaves no
    // zombie behind.
    let ended = match report {
        Ok(Some(Report::Ready)) => None,
        Ok(_) => child.wait().ok(),
        Err(_) => child.try_wait().ok().flatten(),
    };
    let log_hint = format!(
        "{} may say why",
        home.path().join("log/daemon.log").display()
    );
    match report {
        Ok(Some(report)) => Ok(report),
        Ok(None) => {
            let how = ended.map_or_else(|| "it ended".to_owned(), |status| status.to_string());
            let message = format!("the daemon died while starting ({how})");
            Err(StartError::new("died", message, log_hint))
        }
        Err(e) => {
            let message = format!(
                "the daemon was not ready within {} s: {e}",
                PATIENCE.as_secs()
            );
            Err(StartError::new("timeout", message, log_hint))
        }
    }
}

fn pipe() -> io::Result<(std::os::fd::OwnedFd, std::os::fd::OwnedFd)> {
    #[cfg(target_os = "linux")]
    return Ok(pipe_with(PipeFlags::CLOEXEC)?);
    #[cfg(not(target_os = "linux"))]
    {
        let (read, write) = std::io::pipe()?;
        Ok((read.into(), write.into()))
    }
}

fn is_allowed(name: &std::ffi::OsStr, declared: &[String]) -> bool {
    let Some(name) = name.to_str() else {
        return false;
    };
    // An agent's hook may start the daemon, which then must not pass for the agent's own process.
    name != "KITE_AGENT"
        && (ALLOWED.contains(&name)
            || OWN_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
            || presets::passes(name, declared))
}

/// Where the daemon's stdout and stderr go: a panic, a word from a library.
fn own_log(home: &Home) -> io::Result<fs::File> {
    let path = home.path().join("log/daemon.log");
    if fs::metadata(&path).is_ok_and(|metadata| metadata.len() > OWN_LOG_BYTES_MAX) {
        fs::rename(&path, path.with_extension("log.old"))?;
    }
    fs::OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(path)
}
