//! A home, a trusted repository, and agents that are shell scripts.

use std::{
    env, fs,
    io::{BufRead as _, BufReader, Write as _},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use serde_json::{Value, json};
use tempfile::TempDir;

/// Longest time that any condition is waited for.
const PATIENCE: Duration = Duration::from_secs(60);
/// Does what stands between the marks in its prompt.
const SCRIPT: &str = r#"
kite="$1"
wait_for() { until [ -e "$1" ]; do sleep 0.05; done; }
prompt="$(cat)"
eval "$(printf '%s\n' "$prompt" | sed -n '/^<<<$/,/^>>>$/p' | sed '1d;$d')"
"#;

pub(crate) struct World {
    pub(crate) home: PathBuf,
    pub(crate) project: PathBuf,
    shell: Child,
    _dir: TempDir,
}

impl World {
    /// With its daemon running, `max_agents` at once.
    pub(crate) fn with(max_agents: u32) -> World {
        let dir = tempfile::Builder::new().prefix("kite-").tempdir().unwrap();
        let root = fs::canonicalize(dir.path()).unwrap();
        let (home, project) = (root.join("home"), root.join("shop"));
        fs::create_dir(&project).unwrap();
        fs::create_dir(&home).unwrap();
        fs::write(home.join("kite-home"), "").unwrap();
        let script = home.join("agent.sh");
        fs::write(&script, SCRIPT).unwrap();
        let config = format!(
            "max_agents = {max_agents}\nagent_worktree = \"none\"\n\
             [agents.script]\nargv = [\"sh\", \"{}\", \"{{kite}}\"]\n\
             [agents.missing]\nargv = [\"/no/such/agent\"]\n",
            script.display()
        );
        fs::write(home.join("config.toml"), config).unwrap();
        // The person's shell.
        let shell = Command::new("sleep")
            .arg("3600")
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let world = World {
            home,
            project,
            shell,
            _dir: dir,
        };
        world.git(&["init", "-q"]);
        world.git(&["commit", "-q", "--allow-empty", "-m", "begin"]);
        world.start();
        let shown = world.ask(&json!({"type": "trust_show"}));
        let trusted = world.ask(&json!({"type": "trust_set", "fingerprint": shown["fingerprint"]}));
        assert_eq!(trusted["state"], "trusted", "{trusted}");
        world
    }

    pub(crate) fn new() -> World {
        World::with(2)
    }

    #[track_caller]
    pub(crate) fn git(&self, words: &[&str]) {
        let mut git = Command::new("git");
        git.args(["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]);
        let status = git.args(words).current_dir(&self.project).status().unwrap();
        assert!(status.success(), "git {words:?}");
    }

    #[track_caller]
    pub(crate) fn start(&self) {
        let output = Command::new(env!("CARGO_BIN_EXE_kite"))
            .args(["daemon", "start"])
            .current_dir(&self.project)
            .env_clear()
            .env("PATH", env::var_os("PATH").unwrap_or_default())
            .env("HOME", &self.project)
            .env("KITE_HOME", &self.home)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
    }

    /// One question of the person's.
    #[track_caller]
    pub(crate) fn ask(&self, request: &Value) -> Value {
        self.ask_as(
            request,
            &json!({"client": "person", "pid": self.shell.id(), "cwd": self.project}),
        )
    }

    #[track_caller]
    pub(crate) fn ask_as(&self, request: &Value, caller: &Value) -> Value {
        let stream = UnixStream::connect(self.home.join("kite.sock")).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut stream = BufReader::new(stream);
        let hello = json!({"type": "hello", "id": 1, "protocol": [1, 1], "caller": caller});
        let mut request = request.clone();
        request["id"] = json!(2);
        let mut line = String::new();
        for question in [hello, request] {
            stream
                .get_mut()
                .write_all(format!("{question}\n").as_bytes())
                .unwrap();
            line.clear();
            stream.read_line(&mut line).unwrap();
        }
        serde_json::from_str(&line).unwrap()
    }

    /// A prompt that has the agent run these commands.
    pub(crate) fn prompt(commands: &str) -> String {
        format!("Do this.\n<<<\n{commands}\n>>>")
    }

    /// Starts an agent that runs these commands; what the answer says of it.
    #[track_caller]
    pub(crate) fn spawn(&self, commands: &str) -> Value {
        self.spawn_with(&json!({"prompt": World::prompt(commands)}))
    }

    #[track_caller]
    pub(crate) fn spawn_with(&self, fields: &Value) -> Value {
        let mut request = json!({"type": "agent_spawn", "agent": "script"});
        request
            .as_object_mut()
            .unwrap()
            .extend(fields.as_object().unwrap().clone());
        let answer = self.ask(&request);
        assert_eq!(answer["ok"], true, "{answer}");
        answer["agent"].clone()
    }

    /// A task whose agent is to run these commands; its id.
    #[track_caller]
    pub(crate) fn task(&self, title: &str, commands: &str, depends_on: &[&str]) -> String {
        let answer = self.ask(&json!({
            "type": "task_create", "title": title, "description": World::prompt(commands),
            "depends_on": depends_on,
        }));
        assert_eq!(answer["ok"], true, "{answer}");
        answer["task"]["id"].as_str().unwrap().to_owned()
    }

    #[track_caller]
    pub(crate) fn task_now(&self, id: &str) -> Value {
        self.ask(&json!({"type": "task_show", "task": id}))["task"].clone()
    }

    #[track_caller]
    pub(crate) fn agent(&self, id: &Value) -> Value {
        let answer = self.ask(&json!({"type": "agent_list", "agent": id}));
        assert_eq!(answer["ok"], true, "{answer}");
        answer["agents"][0].clone()
    }

    /// Waits until the agent is in this state.
    #[track_caller]
    pub(crate) fn until(&self, id: &Value, state: &str) -> Value {
        let began = Instant::now();
        loop {
            let agent = self.agent(id);
            if agent["state"] == state {
                return agent;
            }
            assert!(began.elapsed() < PATIENCE, "not {state}: {agent:#}");
            thread::sleep(Duration::from_millis(20));
        }
    }

    #[track_caller]
    pub(crate) fn stop(&self, id: &Value) -> Value {
        let answer = self.ask(&json!({"type": "agent_stop", "agent": id}));
        assert_eq!(answer["ok"], true, "{answer}");
        answer
    }

    /// Kills the daemon as a crash would.
    #[track_caller]
    pub(crate) fn kill_daemon(&self) {
        let stats = self.ask(&json!({"type": "query", "target": "stats"}));
        let pid = stats["daemon"]["pid"].as_u64().unwrap();
        kill(pid);
        eventually("the daemon is gone", || !runs(pid));
    }

    /// The supervisor of a run.
    #[track_caller]
    pub(crate) fn supervisor(&self, id: &Value) -> u64 {
        let path = self
            .home
            .join("agents")
            .join(id.as_str().unwrap())
            .join("process.json");
        let text = fs::read(path).unwrap();
        let processes: Value = serde_json::from_slice(&text).unwrap();
        processes["supervisor"]["pid"].as_u64().unwrap()
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.project.join(name)
    }

    /// Waits for a file that an agent writes; its content.
    #[track_caller]
    pub(crate) fn written(&self, name: &str) -> String {
        let path = self.file(name);
        eventually(name, || {
            fs::read_to_string(&path).is_ok_and(|text| text.ends_with('\n'))
        });
        fs::read_to_string(&path).unwrap()
    }

    /// Lets an agent go on that waits for this file.
    pub(crate) fn open(&self, name: &str) {
        fs::write(self.file(name), "").unwrap();
    }

    pub(crate) fn lines(path: &Path) -> usize {
        fs::read_to_string(path).map_or(0, |text| text.lines().count())
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if UnixStream::connect(self.home.join("kite.sock")).is_ok() {
            let all = self.ask(&json!({"type": "agent_list", "limit": 200}));
            for agent in all["agents"].as_array().into_iter().flatten() {
                let _ = self.ask(&json!({"type": "agent_stop", "agent": agent["id"]}));
            }
            let began = Instant::now();
            while self.ask(&json!({"type": "agent_list"}))["running"] != 0
                && began.elapsed() < PATIENCE
            {
                thread::sleep(Duration::from_millis(20));
            }
            self.ask(&json!({"type": "shutdown", "reason": "the test is over"}));
        }
        let _ = self.shell.kill();
        let _ = self.shell.wait();
    }
}

fn pid(number: u64) -> Pid {
    Pid::from_raw(i32::try_from(number).unwrap()).unwrap()
}

pub(crate) fn kill(number: u64) {
    kill_process(pid(number), Signal::KILL).unwrap();
}

pub(crate) fn runs(number: u64) -> bool {
    let stat = fs::read_to_string(format!("/proc/{number}/stat"));
    let is_zombie = stat.is_ok_and(|stat| stat.contains(") Z "));
    test_kill_process(pid(number)).is_ok() && !is_zombie
}

/// Waits until `condition` holds.
#[track_caller]
pub(crate) fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let began = Instant::now();
    while !condition() {
        assert!(
            began.elapsed() < PATIENCE,
            "not within {PATIENCE:?}: {what}"
        );
        thread::sleep(Duration::from_millis(10));
    }
}
