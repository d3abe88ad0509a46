//! An imaginary machine: a user's home, a Kite home, and a project in a git repository.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    process::Command,
};

use kite_wire::home::Home;
use serde_json::Value;
use tempfile::TempDir;

use super::wiring::{
    self, Error, InitArgs, Machine, Outcome, Programs, Project, Report, Restored, Scope, UninitArgs,
};

pub(crate) const LOCAL_SETTINGS: &str = ".claude/settings.local.json";

pub(crate) struct World {
    _dir: TempDir,
    pub(crate) machine: Machine,
    pub(crate) project: PathBuf,
    pub(crate) heard: Heard,
}

/// Everything that was said, and the answer to questions.
#[derive(Default)]
pub(crate) struct Heard {
    pub(crate) lines: Vec<String>,
    pub(crate) diffs: Vec<String>,
    pub(crate) questions: Vec<String>,
    pub(crate) answer: Option<bool>,
}

impl Report for Heard {
    fn say(&mut self, line: &str) {
        self.lines.push(line.to_owned());
    }

    fn diff(&mut self, diff: &str) {
        self.diffs.push(diff.to_owned());
    }

    fn ask(&mut self, question: &str) -> Option<bool> {
        self.questions.push(question.to_owned());
        self.answer
    }
}

impl World {
    /// A project under git, without any agent's file.
    pub(crate) fn new() -> World {
        let dir = tempfile::tempdir().expect("temporary directory");
        let top = fs::canonicalize(dir.path()).expect("canonical");
        let kite = top.join("built-kite");
        fs::write(&kite, "the program").expect("write");
        for name in ["user", "project"] {
            fs::create_dir(top.join(name)).expect("mkdir");
        }
        let world = World {
            machine: Machine {
                home: Home::at(top.join("user/.kite")),
                user_home: top.join("user"),
                claude_config: None,
                codex_config: None,
                gemini_home: None,
                xdg_config: None,
                path: "/nowhere".into(),
                programs: Programs {
                    kite,
                    hook: b"the hook",
                    build: build("0.1.0+100"),
                },
            },
            project: top.join("project"),
            heard: Heard::default(),
            _dir: dir,
        };
        world.git(&["init", "--quiet"]);
        world
    }

    pub(crate) fn init(&mut self) -> Result<Outcome, Error> {
        self.init_as(Scope::Personal)
    }

    pub(crate) fn init_as(&mut self, scope: Scope) -> Result<Outcome, Error> {
        let dir = self.project.clone();
        self.init_with(InitArgs {
            dir,
            scope,
            git_hooks: false,
            dry_run: false,
            allow_downgrade: false,
        })
    }

    pub(crate) fn init_with(&mut self, args: InitArgs) -> Result<Outcome, Error> {
        wiring::init(&args, &self.machine, &mut self.heard)
    }

    pub(crate) fn uninit(&mut self) -> Result<Restored, Error> {
        self.uninit_as(None)
    }

    pub(crate) fn uninit_as(&mut self, scope: Option<Scope>) -> Result<Restored, Error> {
        let args = UninitArgs {
            dir: self.project.clone(),
            scope,
            dry_run: false,
        };
        wiring::uninit(&args, &self.machine, &mut self.heard)
    }

    pub(crate) fn inspect(&self) -> wiring::Inspection {
        let project = Project::holding(&self.project, &self.machine).expect("a project");
        wiring::inspect(&project, &self.machine)
    }

    pub(crate) fn settings(&self) -> PathBuf {
        self.project.join(LOCAL_SETTINGS)
    }

    pub(crate) fn state(&self) -> PathBuf {
        self.machine.user_home.join(".claude.json")
    }

    pub(crate) fn write(&self, path: &Path, text: &str) {
        fs::create_dir_all(path.parent().expect("a parent")).expect("mkdir");
        fs::write(path, text).expect("write");
    }

    pub(crate) fn read(&self, path: &Path) -> String {
        fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    pub(crate) fn json(&self, path: &Path) -> Value {
        serde_json::from_str(self.read(path).trim_start_matches('\u{feff}')).expect("valid JSON")
    }

    /// Everything below a directory with its content, mode and time of change. Directories count
    /// by name alone: a file that comes and goes changes their time.
    pub(crate) fn everything(&self, below: &Path) -> BTreeMap<PathBuf, String> {
        let mut found = BTreeMap::new();
        let mut open = vec![below.to_owned()];
        while let Some(path) = open.pop() {
            let meta = fs::symlink_metadata(&path).expect("metadata");
            let text = if meta.is_symlink() {
                format!("link to {}", fs::read_link(&path).expect("link").display())
            } else if meta.is_dir() {
                open.extend(
                    fs::read_dir(&path)
                        .expect("list")
                        .map(|e| e.expect("entry").path()),
                );
                "directory".to_owned()
            } else {
                let time = (meta.mtime(), meta.mtime_nsec(), meta.ino());
                let bytes = fs::read(&path).expect("read");
                format!(
                    "{:o} {time:?} {:x}",
                    meta.mode(),
                    xxhash_rust::xxh3::xxh3_64(&bytes)
                )
            };
            found.insert(path, text);
        }
        found
    }

    /// As [`World::everything`], without times and without Kite's home.
    pub(crate) fn contents(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let top = self.project.parent().expect("a parent");
        let home = self.machine.home.path().to_owned();
        self.everything(top)
            .into_keys()
            .filter(|path| !path.starts_with(&home))
            .map(|path| {
                let bytes = fs::read(&path).unwrap_or_default();
                (path, bytes)
            })
            .collect()
    }

    pub(crate) fn git(&self, args: &[&str]) -> String {
        self.git_in(&self.project, args)
    }

    pub(crate) fn git_in(&self, dir: &Path, args: &[&str]) -> String {
        let output = Command::new("git")
            .current_dir(dir)
            .args([
                "-c",
                "user.name=t",
                "-c",
                "user.email=t@t",
                "-c",
                "init.defaultBranch=main",
            ])
            .args(args)
            .env("HOME", &self.machine.user_home)
            .env_remove("XDG_CONFIG_HOME")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .output()
            .expect("git runs");
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).expect("text")
    }

    pub(crate) fn git_status(&self) -> String {
        self.git(&["status", "--porcelain", "--untracked-files=all"])
    }
}

pub(crate) fn build(text: &str) -> wiring::BuildId {
    text.parse().expect("a build")
}
