//! One call of git: what goes in, how long it may take, how much it may say.

use std::{
    env,
    ffi::{OsStr, OsString},
    fs::File,
    io::{self, Read, Write},
    os::unix::{fs::PermissionsExt, process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{OnceLock, mpsc},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process_group};

use crate::error::Error;

/// How long a call may take, if it does not say otherwise.
const CALL_TIME_MAX: Duration = Duration::from_secs(10);

/// How much a call may say, if it does not say otherwise.
const OUTPUT_BYTES_MAX: usize = 64 << 20;

/// How far work that nobody waits for stands back, in the words of nice(1).
const NICENESS: &str = "10";

/// How much of a fault's text is kept.
const SAID_BYTES_MAX: usize = 2000;

/// A call of git that was not made yet.
#[derive(Debug)]
#[must_use]
pub struct Call {
    directory: PathBuf,
    command: &'static str,
    args: Vec<OsString>,
    overrides: Vec<(OsString, OsString)>,
    environment: Vec<(OsString, OsString)>,
    background: bool,
    input: Vec<u8>,
    /// What git has as its standard input instead.
    input_file: Option<File>,
    output_bytes_max: usize,
    time_max: Duration,
    codes: fn(i32) -> bool,
}

/// How a call ended that could end in more than one good way.
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) output: Vec<u8>,
}

impl Call {
    pub(super) fn new(
        directory: &Path,
        overrides: &[(OsString, OsString)],
        command: &'static str,
    ) -> Call {
        Call {
            directory: directory.to_owned(),
            command,
            args: Vec::new(),
            overrides: overrides.to_vec(),
            environment: Vec::new(),
            background: false,
            input: Vec::new(),
            input_file: None,
            output_bytes_max: OUTPUT_BYTES_MAX,
            time_max: CALL_TIME_MAX,
            codes: |code| code == 0,
        }
    }

    pub fn args<A: Into<OsString>>(mut self, args: impl IntoIterator<Item = A>) -> Call {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// What git reads from standard input.
    pub fn input(mut self, input: Vec<u8>) -> Call {
        self.input = input;
        self
    }

    /// What git has open as its standard input. A lock of this file lasts until git and all that it
    /// started have ended, although this process is killed.
    pub fn input_file(mut self, file: File) -> Call {
        self.input_file = Some(file);
        self
    }

    /// A setting for this call alone. It counts before the repository's, and before what is the same
    /// for every call.
    pub fn setting(mut self, name: &str, value: &str) -> Call {
        self.overrides.push((name.into(), value.into()));
        self
    }

    /// The most git may say, in bytes.
    pub fn output_max(mut self, bytes: usize) -> Call {
        self.output_bytes_max = bytes;
        self
    }

    /// The longest git may take.
    pub fn time_max(mut self, time: Duration) -> Call {
        self.time_max = time;
        self
    }

    /// Variables that git is to see beside the overrides of its settings.
    pub(super) fn with_env(mut self, variables: &[(OsString, OsString)]) -> Call {
        self.environment.extend_from_slice(variables);
        self
    }

    /// Nobody waits for it: it runs with low priority, where the machine has a `nice`.
    pub(super) fn in_background(mut self) -> Call {
        self.background = true;
        self
    }

    /// Which exit codes are answers rather than faults; usually only 0.
    pub(crate) fn codes(mut self, good: fn(i32) -> bool) -> Call {
        self.codes = good;
        self
    }

    /// What git said on standard output.
    ///
    /// # Errors
    /// [`Error::Git`] with what it said on standard error, [`Error::TimedOut`], [`Error::TooMuch`].
    pub fn run(self) -> Result<Vec<u8>, Error> {
        self.end().map(|ended| ended.output)
    }

    pub(crate) fn end(mut self) -> Result<Ended, Error> {
        let git = binary().ok_or(Error::NoGit)?;
        let deadline = Instant::now() + self.time_max;
        let mut command = self.prepare(git);
        if let Some(file) = self.input_file.take() {
            command.stdin(file);
        }
        let mut child = command.spawn().map_err(Error::io("start", git))?;
        // With it goes this process's own copy of the file.
        drop(command);
        let input = std::mem::take(&mut self.input);
        let stdin = child.stdin.take();
        let stdout = child.stdout.take();
        let stderr = child.stderr.take();
        let output_bytes_max = self.output_bytes_max;
        thread::scope(|scope| {
            scope.spawn(move || {
                // A git that ends early closes the pipe; its exit code says why.
                stdin.map(|mut stdin| stdin.write_all(&input))
            });
            let (tell, told) = mpsc::channel();
            let tell_said = tell.clone();
            scope.spawn(move || tell.send((true, bounded(stdout, output_bytes_max))));
            scope.spawn(move || tell_said.send((false, bounded(stderr, SAID_BYTES_MAX))));
            let ended = self.gather(&mut child, &told, deadline);
            if ended.is_err() {
                end_group(&mut child);
            }
            ended
        })
    }

    fn prepare(&self, git: &Path) -> Command {
        let nice = self.background.then(|| program("nice")).flatten();
        let mut command = match nice {
            Some(nice) => {
                let mut command = Command::new(nice);
                command.args(["-n", NICENESS]).arg(git);
                command
            }
            None => Command::new(git),
        };
        for (name, _) in env::vars_os() {
            if name.as_encoded_bytes().starts_with(b"GIT_") {
                command.env_remove(name);
            }
        }
        command
            .arg("-C")
            .arg(&self.directory)
            .args(["--no-optional-locks", "--no-pager", "--literal-pathspecs"])
            .arg(self.command)
            .args(&self.args)
            .env("LC_ALL", "C")
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_NO_LAZY_FETCH", "1")
            .env("GIT_CONFIG_COUNT", self.overrides.len().to_string())
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0);
        for (at, (key, value)) in self.overrides.iter().enumerate() {
            command
                .env(format!("GIT_CONFIG_KEY_{at}"), key)
                .env(format!("GIT_CONFIG_VALUE_{at}"), value);
        }
        command
    }

    fn gather(
        &self,
        child: &mut Child,
        told: &mpsc::Receiver<(bool, io::Result<Bounded>)>,
        deadline: Instant,
    ) -> Result<Ended, Error> {
        let timed_out = || Error::TimedOut {
            command: self.command.to_owned(),
            limit: self.time_max,
        };
        let (mut output, mut said) = (Vec::new(), Vec::new());
        for _ in 0..2 {
            let left = deadline.saturating_duration_since(Instant::now());
            let (is_output, read) = told.recv_timeout(left).map_err(|_| timed_out())?;
            let read = read.map_err(Error::io("read what git says in", &self.directory))?;
            if !is_output {
                said = read.bytes;
            } else if read.more {
                return Err(Error::TooMuch {
                    command: self.command.to_owned(),
                    limit_bytes: self.output_bytes_max,
                });
            } else {
                output = read.bytes;
            }
        }
        let code = wait(child, deadline)
            .map_err(Error::io("wait for git in", &self.directory))?
            .ok_or_else(timed_out)?;
        if !(self.codes)(code) {
            return Err(Error::Git {
                command: self.command.to_owned(),
                said: String::from_utf8_lossy(&said).trim().to_owned(),
            });
        }
        Ok(Ended { code, output })
    }
}

struct Bounded {
    bytes: Vec<u8>,
    more: bool,
}

/// Reads up to `limit` bytes. Of a longer text the rest is read and dropped for standard error
/// (git must not block on it), and the call is ended for standard output.
fn bounded(pipe: Option<impl Read>, limit: usize) -> io::Result<Bounded> {
    let mut bytes = Vec::new();
    let Some(mut pipe) = pipe else {
        return Ok(Bounded { bytes, more: false });
    };
    pipe.by_ref()
        .take(limit as u64 + 1)
        .read_to_end(&mut bytes)?;
    let more = bytes.len() > limit;
    bytes.truncate(limit);
    if more && limit == SAID_BYTES_MAX {
        io::copy(&mut pipe, &mut io::sink())?;
    }
    Ok(Bounded { bytes, more })
}

/// The exit code once git has closed its pipes, or `None` at the deadline. -1 for a signal.
fn wait(child: &mut Child, deadline: Instant) -> io::Result<Option<i32>> {
    let mut pause = Duration::from_micros(30);
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status.code().unwrap_or(-1)));
        }
        if Instant::now() >= deadline {
            return Ok(None);
        }
        thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(5));
    }
}

/// Ends git and what it started: a grandchild would keep the pipes open.
fn end_group(child: &mut Child) {
    if let Some(pid) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
        // It may have ended by itself in the meantime; then there is nothing to do.
        let _ = kill_process_group(pid, Signal::KILL);
    }
    let _ = child.wait();
}

/// Git's own path.
fn binary() -> Option<&'static Path> {
    static BINARY: OnceLock<Option<PathBuf>> = OnceLock::new();
    BINARY.get_or_init(|| program("git")).as_deref()
}

/// A program, from an absolute entry of `PATH`: a relative one could lead into the repository.
fn program(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path)
        .filter(|directory| directory.is_absolute())
        .map(|directory| directory.join(OsStr::new(name)))
        .find(|file| {
            file.metadata().is_ok_and(|metadata| {
                metadata.is_file() && metadata.permissions().mode() & 0o111 != 0
            })
        })
}
