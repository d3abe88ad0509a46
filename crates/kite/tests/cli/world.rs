//! A home and a project of its own for each test, and what `kite` says in them.

use std::{
    fs,
    io::{Read as _, Write as _},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use rustix::{
    fs::{Mode, OFlags},
    pty::OpenptFlags,
};
use serde_json::{Value, json};
use tempfile::TempDir;

/// Longest time that any condition is waited for.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) struct World {
    pub(crate) home: PathBuf,
    pub(crate) project: PathBuf,
    agents: Vec<Child>,
    /// Where set, a real daemon may run and is stopped at the end.
    real: bool,
    _dir: TempDir,
}

impl World {
    pub(crate) fn new() -> World {
        let dir = tempfile::Builder::new()
            .prefix("kite-cli-")
            .tempdir()
            .unwrap();
        let place = fs::canonicalize(dir.path()).unwrap();
        let (home, project) = (place.join("home"), place.join("shop"));
        fs::create_dir(&project).unwrap();
        World {
            home,
            project,
            agents: Vec::new(),
            real: false,
            _dir: dir,
        }
    }

    /// A world in which a real daemon is started when it is needed.
    pub(crate) fn with_daemon() -> World {
        let mut world = World::new();
        world.real = true;
        world
    }

    /// `kite` with these words, called by nobody in particular.
    #[must_use]
    pub(crate) fn kite(&self, words: &[&str]) -> Call {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kite"));
        command
            .args(words)
            .current_dir(&self.project)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", &self.project)
            .env("KITE_HOME", &self.home)
            .stdin(Stdio::null());
        Call {
            command,
            line: format!("kite {}", words.join(" ")),
        }
    }

    /// Both calls, one after the other, by a shell in a PID namespace of its own whose terminal
    /// session began outside of it, as by `docker exec`. `None` where the system grants no
    /// such namespace.
    #[must_use]
    pub(crate) fn contained(&self, first: &[&str], then: &[&str]) -> Option<Call> {
        const NAMESPACE: [&str; 5] = [
            "--user",
            "--map-root-user",
            "--pid",
            "--fork",
            "--mount-proc",
        ];
        let granted = Command::new("unshare")
            .args(NAMESPACE)
            .arg("true")
            .output()
            .is_ok_and(|it| it.status.success());
        let outside = self.kite(&[]).command;
        let mut command = Command::new("unshare");
        command
            .args(NAMESPACE)
            .args(["sh", "-c", r#""$0" $1 && "$0" $2"#])
            .arg(outside.get_program())
            .args([first.join(" "), then.join(" ")])
            .current_dir(&self.project)
            .env_clear()
            .envs(
                outside
                    .get_envs()
                    .filter_map(|(name, value)| Some((name, value?))),
            )
            .stdin(Stdio::null());
        granted.then(|| Call {
            command,
            line: format!("kite {}; kite {}", first.join(" "), then.join(" ")),
        })
    }

    /// A session: a process that lives until it is killed or the test ends.
    pub(crate) fn agent(&mut self) -> Agent {
        let process = Command::new("sleep")
            .arg("60")
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let pid = process.id();
        self.agents.push(process);
        Agent {
            pid,
            session_id: format!("00000000-0000-4000-8000-{pid:012}"),
        }
    }

    pub(crate) fn kill(&mut self, agent: &Agent) {
        let process = self
            .agents
            .iter_mut()
            .find(|process| process.id() == agent.pid)
            .unwrap();
        process.kill().unwrap();
        process.wait().unwrap();
    }

    /// The installed hook's answer to an event of an agent that works at `top`.
    pub(crate) fn hook(&self, top: &Path, agent: &Agent, event: &str, more: Value) -> Value {
        let mut input = json!({
            "session_id": agent.session_id, "cwd": top, "hook_event_name": event,
            "transcript_path": "/nowhere", "permission_mode": "default",
        });
        if let (Value::Object(input), Value::Object(more)) = (&mut input, more) {
            input.extend(more);
        }
        let mut hook = Command::new(self.home.join("bin/kite-hook"))
            .arg(event)
            .current_dir(top)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", &self.project)
            .env("KITE_HOME", &self.home)
            .env("CLAUDE_PID", agent.pid.to_string())
            .env("CLAUDE_CODE_SESSION_ID", &agent.session_id)
            .env("CLAUDE_PROJECT_DIR", top)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = hook.stdin.take().unwrap();
        stdin.write_all(input.to_string().as_bytes()).unwrap();
        drop(stdin);
        let output = hook.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        serde_json::from_slice(&output.stdout).unwrap_or_default()
    }

    pub(crate) fn file(&self, name: &str, content: &str) -> PathBuf {
        let path = self.project.join(name);
        fs::write(&path, content).unwrap();
        path
    }
}

impl Drop for World {
    fn drop(&mut self) {
        for agent in &mut self.agents {
            let _ = agent.kill();
            let _ = agent.wait();
        }
        if self.real {
            let _ = self.kite(&["daemon", "stop"]).command.output();
        }
    }
}

/// A made-up agent.
pub(crate) struct Agent {
    pub(crate) pid: u32,
    pub(crate) session_id: String,
}

/// A call of `kite` that is still to be made.
pub(crate) struct Call {
    command: Command,
    line: String,
}

impl Call {
    #[must_use]
    pub(crate) fn env(mut self, name: &str, value: impl AsRef<std::ffi::OsStr>) -> Call {
        self.command.env(name, value);
        self
    }

    /// Called in this directory.
    #[must_use]
    pub(crate) fn at(mut self, directory: &std::path::Path) -> Call {
        self.command.current_dir(directory);
        self
    }

    #[must_use]
    pub(crate) fn inside(self, agent: &Agent) -> Call {
        self.env("CLAUDE_PID", agent.pid.to_string())
            .env("CLAUDE_CODE_SESSION_ID", &agent.session_id)
    }

    /// Called by a process of its own, which is its session, with a pipe to write to.
    #[must_use]
    pub(crate) fn by_an_agent(self) -> Call {
        let mut command = Command::new("sh");
        command
            .args(["-c", r#""$0" "$@"; :"#])
            .arg(self.command.get_program())
            .args(self.command.get_args())
            .env_clear()
            .envs(
                self.command
                    .get_envs()
                    .filter_map(|(name, value)| Some((name, value?))),
            )
            .current_dir(self.command.get_current_dir().unwrap())
            .stdin(Stdio::piped());
        Call {
            command,
            line: self.line,
        }
    }

    /// Starts it, to be read while it runs.
    pub(crate) fn spawn(mut self) -> Child {
        self.command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    /// Runs at a terminal at which a person types these keys; what stands on it then.
    #[track_caller]
    pub(crate) fn typed(self, keys: &str) -> String {
        self.typed_ends(keys, 0)
    }

    /// The same, where it ends with this exit code.
    #[track_caller]
    pub(crate) fn typed_ends(mut self, keys: &str, code: i32) -> String {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY;
        let controller = rustix::pty::openpt(flags).unwrap();
        rustix::pty::grantpt(&controller).unwrap();
        rustix::pty::unlockpt(&controller).unwrap();
        let name = rustix::pty::ptsname(&controller, Vec::new()).unwrap();
        let flags = OFlags::RDWR | OFlags::NOCTTY;
        let terminal = rustix::fs::open(name, flags, Mode::empty()).unwrap();
        let end = || Stdio::from(terminal.try_clone().unwrap());
        self.command.stdin(end()).stdout(end()).stderr(end());
        let mut child = self.command.spawn().unwrap();
        let mut controller = fs::File::from(controller);
        controller.write_all(keys.as_bytes()).unwrap();
        drop((self.command, terminal));
        let mut said = Vec::new();
        // Linux ends a terminal that nobody holds any more with an error.
        let _ = controller.read_to_end(&mut said);
        let said = String::from_utf8_lossy(&said).into_owned();
        assert_eq!(child.wait().unwrap().code(), Some(code), "{said}");
        said
    }

    pub(crate) fn run(mut self) -> Said {
        let output = self.command.output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Said {
            line: self.line,
            stdout: text(output.stdout),
            stderr: text(output.stderr),
            code: output.status.code().unwrap(),
        }
    }
}

/// What `kite` said, and how it ended.
#[derive(Debug)]
#[expect(dead_code, reason = "shown where a test fails")]
pub(crate) struct Said {
    line: String,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) code: i32,
}

impl Said {
    /// It ended with this exit code.
    #[track_caller]
    pub(crate) fn ends(self, code: i32) -> Said {
        assert_eq!(self.code, code, "{self:#?}");
        self
    }

    /// Exactly this on stdout.
    #[track_caller]
    pub(crate) fn prints(self, expected: &str) -> Said {
        assert_eq!(self.stdout, expected, "{self:#?}");
        self
    }

    /// Exactly this on stderr.
    #[track_caller]
    pub(crate) fn remarks(self, expected: &str) -> Said {
        assert_eq!(self.stderr, expected, "{self:#?}");
        self
    }

    /// This somewhere on stdout.
    #[track_caller]
    pub(crate) fn mentions(self, part: &str) -> Said {
        assert!(self.stdout.contains(part), "no {part:?} in {self:#?}");
        self
    }

    /// This somewhere on stderr.
    #[track_caller]
    pub(crate) fn complains(self, part: &str) -> Said {
        assert!(self.stderr.contains(part), "no {part:?} in {self:#?}");
        self
    }

    /// The JSON document on stdout.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:#?}"))
    }
}

/// Waits until `condition` holds, and says how long that took.
#[track_caller]
pub(crate) fn eventually(what: &str, mut condition: impl FnMut() -> bool) -> Duration {
    let began = Instant::now();
    while !condition() {
        assert!(
            began.elapsed() < PATIENCE,
            "not within {PATIENCE:?}: {what}"
        );
        std::thread::sleep(Duration::from_millis(10));
    }
    began.elapsed()
}
