//! A home, a project and processes of its own for each test.

use std::{
    env, fmt, fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::client::{Line, once};

/// Longest time that any condition is waited for.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct World {
    pub(crate) home: PathBuf,
    pub(crate) project: PathBuf,
    agents: Vec<Child>,
    _dir: TempDir,
}

impl World {
    pub(crate) fn new() -> World {
        let dir = tempfile::Builder::new().prefix("kite-").tempdir().unwrap();
        let home = fs::canonicalize(dir.path()).unwrap().join("home");
        World::below(dir, home)
    }

    /// With its home at a place of the test's choice.
    pub(crate) fn at(home: PathBuf) -> World {
        let dir = tempfile::Builder::new().prefix("kite-").tempdir().unwrap();
        World::below(dir, home)
    }

    fn below(dir: TempDir, home: PathBuf) -> World {
        let project = fs::canonicalize(dir.path()).unwrap().join("shop");
        fs::create_dir(&project).unwrap();
        World {
            home,
            project,
            agents: Vec::new(),
            _dir: dir,
        }
    }

    /// With its daemon running.
    pub(crate) fn started() -> World {
        let world = World::new();
        world.start();
        world
    }

    /// With `kite` and `kite-hook` installed as a user has them, and the daemon running.
    pub(crate) fn installed() -> World {
        let world = World::new();
        let output = world.kite(&["init"]).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        world
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.home.join("kite.sock")
    }

    /// `kite` with these words, called by nobody in particular.
    pub(crate) fn kite(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kite"));
        command.args(words);
        self.surround(&mut command);
        command
    }

    /// The surroundings of every process: this home, and nothing of whoever runs the tests.
    pub(crate) fn surround(&self, command: &mut Command) {
        command
            .current_dir(&self.project)
            .env_clear()
            .env("PATH", env::var_os("PATH").unwrap_or_default())
            .env("HOME", &self.project)
            .env("KITE_HOME", &self.home)
            .stdin(Stdio::null());
    }

    #[track_caller]
    pub(crate) fn run(&self, words: &[&str]) -> Output {
        let output = self.kite(words).output().unwrap();
        assert!(output.status.success(), "kite {words:?}: {output:?}");
        output
    }

    #[track_caller]
    pub(crate) fn start(&self) {
        self.run(&["daemon", "start"]);
    }

    #[track_caller]
    pub(crate) fn status(&self) -> Value {
        serde_json::from_slice(&self.run(&["status", "--json"]).stdout).unwrap()
    }

    /// One question on a connection of its own.
    #[track_caller]
    pub(crate) fn ask(&self, request: &Value) -> Value {
        once(&self.socket(), request).unwrap_or_else(|error| panic!("{request}: {error}"))
    }

    /// A connection of a client that names no session.
    #[track_caller]
    pub(crate) fn connect(&self) -> Line {
        Line::connect(&self.socket()).unwrap()
    }

    #[track_caller]
    pub(crate) fn daemon(&self) -> Process {
        let stats = self.ask(&json!({"type": "query", "target": "stats"}));
        Process::of(stats["daemon"]["pid"].as_u64().unwrap())
    }

    /// A session with a process of its own, which lives until it is killed or the test ends.
    #[track_caller]
    pub(crate) fn session(&mut self) -> Session {
        let session = self.process();
        let reply = self.ask(&session.registration(&self.project));
        assert_eq!(reply["ok"], true, "{reply}");
        session
    }

    /// A process that may become a session.
    pub(crate) fn process(&mut self) -> Session {
        let child = Command::new("sleep")
            .arg("3600")
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let process = Process::of(child.id());
        self.agents.push(child);
        let id = format!("00000000-0000-4000-8000-{:012}", process.0);
        Session { process, id }
    }

    /// Kills a session's process as a crash would.
    pub(crate) fn kill(&mut self, session: &Session) {
        let of_session = |child: &&mut Child| Process::of(child.id()) == session.process;
        let child = self.agents.iter_mut().find(of_session).unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }
}

impl Drop for World {
    fn drop(&mut self) {
        for agent in &mut self.agents {
            let _ = agent.kill();
            let _ = agent.wait();
        }
        let _ = self.kite(&["daemon", "stop"]).output();
    }
}

/// A process by its id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Process(pub(crate) u32);

impl Process {
    #[track_caller]
    pub(crate) fn of<N: TryInto<u32>>(pid: N) -> Process
    where
        N::Error: fmt::Debug,
    {
        Process(pid.try_into().unwrap())
    }

    #[track_caller]
    pub(crate) fn signal(self, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.0).unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
    }

    /// Memory that is its own or shared, in bytes. Linux only.
    pub(crate) fn resident_bytes(self) -> Option<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.0)).ok()?;
        let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
        let kibibytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
        Some(kibibytes << 10)
    }
}

/// A session: a process, and the id that its client gives it.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    pub(crate) process: Process,
    pub(crate) id: String,
}

impl Session {
    pub(crate) fn registration(&self, project: &Path) -> Value {
        json!({
            "type": "register", "session_id": self.id, "client": "claude-code",
            "pid": self.process.0, "cwd": project,
        })
    }
}

impl World {
    /// The installed hook, as the agent of that session runs it.
    pub(crate) fn hook_command(&self, session: &Session, event: &str) -> Command {
        let mut command = Command::new(self.home.join("bin/kite-hook"));
        self.surround(&mut command);
        command
            .arg(event)
            .env("CLAUDE_PID", session.process.0.to_string())
            .env("CLAUDE_CODE_SESSION_ID", &session.id)
            .env("CLAUDE_PROJECT_DIR", &self.project)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs the hook with these bytes as its input.
    #[track_caller]
    pub(crate) fn hook_with(&self, session: &Session, event: &str, input: &[u8]) -> Hooked {
        let began = Instant::now();
        let mut child = self.hook_command(session, event).spawn().unwrap();
        // A hook that does not want all of its input has its reasons.
        let _ = child.stdin.take().unwrap().write_all(input);
        let output = child.wait_with_output().unwrap();
        Hooked {
            took: began.elapsed(),
            output,
        }
    }

    /// Runs the hook for an event with these fields.
    #[track_caller]
    pub(crate) fn hook(&self, session: &Session, event: &str, fields: &Value) -> Hooked {
        let mut input = json!({
            "session_id": session.id, "cwd": self.project, "hook_event_name": event,
            "transcript_path": "/tmp/none.jsonl", "permission_mode": "default",
        });
        let fields = fields.as_object().unwrap().clone();
        input.as_object_mut().unwrap().extend(fields);
        self.hook_with(session, event, input.to_string().as_bytes())
    }

    /// The session is about to edit `file`.
    #[track_caller]
    pub(crate) fn before_edit(&self, session: &Session, file: &str) -> Hooked {
        let call = json!({
            "tool_name": "Edit", "tool_use_id": format!("toolu_{}_{file}", session.process.0),
            "tool_input": {"file_path": self.project.join(file), "old_string": "a", "new_string": "b"},
        });
        self.hook(session, "PreToolUse", &call)
    }
}

/// What the hook did, and how long it took as a whole.
#[derive(Debug)]
pub(crate) struct Hooked {
    pub(crate) output: Output,
    pub(crate) took: Duration,
}

impl Hooked {
    /// True where the agent may go on. Whatever it says, a hook of Claude Code ends with 0.
    #[track_caller]
    pub(crate) fn lets_go_on(&self) -> bool {
        assert_eq!(self.output.status.code(), Some(0), "{self:?}");
        let said: Value = serde_json::from_slice(&self.output.stdout).unwrap_or_default();
        said["hookSpecificOutput"]["permissionDecision"] != "deny"
    }
}

/// Waits until `condition` holds, and says how long that took.
#[track_caller]
pub(crate) fn eventually(what: &str, mut condition: impl FnMut() -> bool) -> Duration {
    let began = Instant::now();
    while !condition() {
        let waited = began.elapsed();
        assert!(waited < PATIENCE, "not within {PATIENCE:?}: {what}");
        thread::sleep(Duration::from_millis(5));
    }
    began.elapsed()
}

/// A number from the environment.
pub(crate) fn number(name: &str, default: u64) -> u64 {
    let set = env::var(name).ok().and_then(|text| text.parse().ok());
    set.unwrap_or(default)
}

/// A line for whoever runs the tests, shown also where they pass.
pub(crate) fn figure(line: fmt::Arguments<'_>) {
    let _ = writeln!(io::stderr(), "endurance: {line}");
}

/// Raises a flag when dropped, also by a test that fails: then those who work stop.
pub(crate) struct Raise<'a>(pub(crate) &'a AtomicBool);

impl Drop for Raise<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
