//! A Kite home of its own, a stand-in daemon, and the real hook as an agent runs it.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    os::unix::net::{UnixListener, UnixStream},
    path::PathBuf,
    process::{Command, ExitStatus, Stdio},
    thread::{self, JoinHandle},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use kite_wire::{
    frame::{AnswerLine, Header},
    home::Home,
};
use tempfile::TempDir;

/// A throw-away Kite home.
pub(crate) struct Stage {
    directory: TempDir,
    pub(crate) home: Home,
}

impl Stage {
    pub(crate) fn new() -> Stage {
        let directory = TempDir::new().expect("a temporary directory");
        let home = Home::at(directory.path());
        Stage { directory, home }
    }

    /// Listens where the daemon would.
    pub(crate) fn listen(&self) -> UnixListener {
        UnixListener::bind(self.home.socket()).expect("a socket in the home")
    }

    /// A stand-in daemon that takes one hook frame and then does as `reply` says.
    pub(crate) fn daemon(
        &self,
        reply: impl FnOnce(&mut UnixStream) + Send + 'static,
    ) -> JoinHandle<Frame> {
        let listener = self.listen();
        thread::spawn(move || {
            let (mut hook, _) = listener.accept().expect("a hook connects");
            let frame = Frame::read(&mut hook);
            reply(&mut hook);
            frame
        })
    }

    pub(crate) fn hook(&self, event: &str) -> Hook {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kite-hook"));
        command
            .env_clear()
            .env("KITE_HOME", self.directory.path())
            .arg(event);
        Hook {
            command,
            input: b"{}".to_vec(),
            input_ends: true,
        }
    }

    /// Reasons of the faults that were counted, oldest first.
    pub(crate) fn faults(&self) -> Vec<String> {
        let text = fs::read_to_string(self.home.hook_faults()).unwrap_or_default();
        text.lines()
            .map(|line| line.rsplit(' ').next().unwrap_or_default().to_owned())
            .collect()
    }

    pub(crate) fn write(&self, path: PathBuf, text: impl AsRef<[u8]>) {
        fs::write(path, text).expect("the home can be written");
    }
}

/// One run of the hook, being prepared.
#[must_use]
pub(crate) struct Hook {
    command: Command,
    input: Vec<u8>,
    input_ends: bool,
}

impl Hook {
    pub(crate) fn env(mut self, name: &str, value: impl AsRef<std::ffi::OsStr>) -> Hook {
        self.command.env(name, value);
        self
    }

    pub(crate) fn arg(mut self, argument: &str) -> Hook {
        self.command.arg(argument);
        self
    }

    pub(crate) fn input(mut self, input: impl Into<Vec<u8>>) -> Hook {
        self.input = input.into();
        self
    }

    /// The agent writes its input and then keeps the pipe open until the hook has ended.
    pub(crate) fn endless_input(mut self) -> Hook {
        self.input_ends = false;
        self
    }

    /// Runs it to its end.
    pub(crate) fn run(mut self) -> Ended {
        self.command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let begun = Instant::now();
        let mut hook = self.command.spawn().expect("the hook starts");
        let mut stdin = hook.stdin.take().expect("a pipe");
        let (input, input_ends) = (self.input, self.input_ends);
        let writer = thread::spawn(move || {
            let was_taken = stdin.write_all(&input).is_ok();
            let kept_open = (!input_ends).then_some(stdin);
            (was_taken, kept_open)
        });
        let output = hook.wait_with_output().expect("the hook ends");
        Ended {
            status: output.status,
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            took: begun.elapsed(),
            input_was_taken: writer.join().expect("the writer ends").0,
        }
    }
}

/// How a run of the hook ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) took: Duration,
    /// False where the agent would have met a broken pipe.
    pub(crate) input_was_taken: bool,
}

impl Ended {
    #[track_caller]
    pub(crate) fn exits(&self, code: i32) -> &Ended {
        assert_eq!(self.status.code(), Some(code), "{self:?}");
        self
    }

    #[track_caller]
    pub(crate) fn says(&self, stdout: &str, stderr: &str) -> &Ended {
        assert_eq!(
            (self.stdout.as_str(), self.stderr.as_str()),
            (stdout, stderr),
            "{self:?}"
        );
        self
    }

    /// Lets the agent go on and says nothing.
    #[track_caller]
    pub(crate) fn lets_go(&self) -> &Ended {
        self.exits(0).says("", "")
    }

    /// Generous, for a machine that is busy with other tests.
    #[track_caller]
    pub(crate) fn within(&self, limit: Duration) -> &Ended {
        assert!(self.took < limit, "{self:?}");
        self
    }
}

/// What a hook sent.
pub(crate) struct Frame {
    pub(crate) header: Header,
    pub(crate) input: Vec<u8>,
}

impl Frame {
    fn read(hook: &mut UnixStream) -> Frame {
        let mut hook = BufReader::new(hook);
        let mut line = Vec::new();
        hook.read_until(b'\n', &mut line).expect("a header line");
        let header = Header::parse(&line).expect("a valid header");
        let mut input = vec![0; header.input_len];
        hook.read_exact(&mut input).expect("the announced input");
        Frame { header, input }
    }
}

/// Answers a hook as the daemon does.
pub(crate) fn answer(hook: &mut UnixStream, exit: u8, stdout: &str, stderr: &str) {
    let done = AnswerLine::Done {
        exit,
        stdout_len: stdout.len(),
        stderr_len: stderr.len(),
    };
    let text = format!("{}{stdout}{stderr}", done.to_line());
    hook.write_all(text.as_bytes())
        .expect("the hook reads its answer");
}

/// Keeps the connection open, silently, until the hook has gone.
pub(crate) fn stay_silent(hook: &mut UnixStream) {
    let _ = hook.read(&mut [0]);
}

pub(crate) fn now_ms() -> u64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("a clock after 1970");
    u64::try_from(since.as_millis()).expect("a clock before the year 500,000,000")
}
