//! A directory for a run, and what the stories look at.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Child, Command},
    sync::atomic::{AtomicU32, Ordering},
    thread,
    time::{Duration, Instant},
};

use kite_supervisor::{COOKIE, Exit, Found, Gate, Process, Run, find, prepare, start};

/// The supervisor, and programs that are hard to keep.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_kite-supervisor-program");

/// How long anything here may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Waits until `look` finds something.
pub(crate) fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "{what}: not in time");
        thread::sleep(Duration::from_millis(5));
    }
}

/// A run and its directory. Ends what is left of it when dropped.
pub(crate) struct Stage {
    home: tempfile::TempDir,
    pub(crate) run: Run,
}

impl Stage {
    /// Will run `sh -c script`.
    pub(crate) fn shell(script: &str) -> Self {
        Self::argv(&["sh", "-c", script])
    }

    /// Will run `program.rs`, which knows several things to do.
    pub(crate) fn program(what: &str) -> Self {
        Self::argv(&[PROGRAM, what])
    }

    pub(crate) fn argv(argv: &[&str]) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let home = tempfile::tempdir().expect("a directory");
        let work = home.path().join("work");
        fs::create_dir(&work).expect("a directory");
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = env::var("PATH").unwrap_or_default();
        let run = Run {
            argv: argv.iter().map(ToString::to_string).collect(),
            directory: work,
            environment: vec![("PATH".to_owned(), path)],
            cookie: format!("{}-{number}", std::process::id()),
            input: String::new(),
            time_max_s: None,
            grace_s: 1,
            output_bytes_max: 1024 * 1024,
            umask: 0o022,
        };
        Self { home, run }
    }

    /// The run's directory.
    pub(crate) fn directory(&self) -> PathBuf {
        self.home.path().join("run")
    }

    /// A file in the directory where the program runs.
    pub(crate) fn work(&self, name: &str) -> PathBuf {
        self.run.directory.join(name)
    }

    pub(crate) fn prepare(&self) {
        prepare(&self.directory(), &self.run).expect("a run made ready");
    }

    /// Starts it, as far as the gate.
    pub(crate) fn at_gate(&self) -> Gate {
        self.prepare();
        start(PROGRAM.as_ref(), &self.directory()).expect("a supervisor")
    }

    /// Starts it and lets it go.
    pub(crate) fn start(&self) -> (Process, Process) {
        let gate = self.at_gate();
        let processes = (gate.supervisor.clone(), gate.child.clone());
        gate.open().expect("an open gate");
        processes
    }

    /// Starts it, lets it go, and waits until it has said so much.
    pub(crate) fn start_until(&self, said: &str) -> (Process, Process) {
        let processes = self.start();
        until(said, || self.output().contains(said).then_some(()));
        processes
    }

    /// Starts it and waits for its end.
    pub(crate) fn play(&self) -> Exit {
        self.start();
        self.end()
    }

    /// Waits for its end.
    pub(crate) fn end(&self) -> Exit {
        let exit = until("the end", || match self.find() {
            Found::Ended(exit) => Some(exit),
            Found::Gone { .. } => panic!("the supervisor died: {}", self.complaints()),
            _ => None,
        });
        until("nothing left of it", || {
            self.alive().is_empty().then_some(())
        });
        exit
    }

    pub(crate) fn find(&self) -> Found {
        find(&self.directory()).expect("a directory that can be read")
    }

    pub(crate) fn output(&self) -> String {
        kite_supervisor::tail(&self.directory(), 1000).expect("output")
    }

    fn complaints(&self) -> String {
        fs::read_to_string(self.directory().join("supervisor.log")).unwrap_or_default()
    }

    /// Processes that carry the run's cookie.
    pub(crate) fn alive(&self) -> Vec<u32> {
        let wanted = format!("{COOKIE}={}", self.run.cookie);
        let Ok(processes) = fs::read_dir("/proc") else {
            // Only Linux tells; elsewhere the stories look at what they know of.
            return Vec::new();
        };
        let pids = processes.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
        let marked = |pid: &u32| {
            let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
            let mut variables = environment.split(|byte| *byte == 0);
            variables.any(|variable| variable == wanted.as_bytes())
        };
        pids.filter(marked).collect()
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        let _ = kite_supervisor::stop(&self.directory());
        for pid in self.alive() {
            kill(pid, rustix::process::Signal::KILL);
        }
    }
}

pub(crate) fn kill(pid: u32, signal: rustix::process::Signal) {
    let pid = i32::try_from(pid)
        .ok()
        .and_then(rustix::process::Pid::from_raw);
    let _ = rustix::process::kill_process(pid.expect("a pid"), signal);
}

/// A process that is nobody's business, and must live.
pub(crate) struct Bystander(pub(crate) Child);

impl Bystander {
    pub(crate) fn new() -> Self {
        Self::with(&[])
    }

    pub(crate) fn with(environment: &[(&str, &str)]) -> Self {
        let mut sleep = Command::new("sleep");
        let sleep = sleep.arg("120").envs(environment.iter().copied());
        Self(sleep.spawn().expect("sleep"))
    }

    pub(crate) fn lives(&mut self) -> bool {
        self.0.try_wait().expect("a child").is_none()
    }
}

impl Drop for Bystander {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Bytes of the files in a directory.
pub(crate) fn bytes_in(directory: &Path) -> u64 {
    let files = fs::read_dir(directory).expect("files");
    files
        .map(|file| file.and_then(|file| file.metadata()).map_or(0, |m| m.len()))
        .sum()
}
