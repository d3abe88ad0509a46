//! A repository to try things in, and git as its user would run it.

use std::{
    collections::BTreeMap,
    ffi::OsStr,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use kite_undo::{
    Edit, History, Settings,
    journal::Change,
    restore::{Outcome, Report, Selection, UndoOptions},
    snapshot::Why,
};
use tempfile::TempDir;

pub(crate) const NOW_MS: u64 = 1_795_000_000_000;

/// A temporary directory with a repository `repo` and a Kite home `home`.
pub(crate) struct Desk {
    pub(crate) directory: TempDir,
}

impl Desk {
    /// A repository with one commit of `a.txt`, `b.txt` and `dir/c.txt`.
    pub(crate) fn new() -> Desk {
        let desk = Desk::unborn();
        desk.write("a.txt", "one\ntwo\nthree\n");
        desk.write("b.txt", "alpha\nbeta\ngamma\n");
        desk.write("dir/c.txt", "c\n");
        desk.git(["add", "-A"]);
        desk.git(["commit", "-q", "-m", "first"]);
        desk
    }

    /// A repository without a commit.
    pub(crate) fn unborn() -> Desk {
        let directory = tempfile::Builder::new()
            .prefix("kite-undo-story-")
            .tempdir()
            .expect("a temporary directory");
        let desk = Desk { directory };
        fs::create_dir(desk.repo()).expect("repo");
        desk.git(["init", "-q", "-b", "main"]);
        desk
    }

    /// Another desk with the same repository, and nothing kept of it yet.
    pub(crate) fn copy(&self) -> Desk {
        let directory = tempfile::Builder::new()
            .prefix("kite-undo-story-")
            .tempdir()
            .expect("a temporary directory");
        copy(&self.repo(), &directory.path().join("repo"));
        Desk { directory }
    }

    pub(crate) fn repo(&self) -> PathBuf {
        self.directory.path().join("repo")
    }

    pub(crate) fn path(&self, path: impl AsRef<Path>) -> PathBuf {
        self.repo().join(path)
    }

    pub(crate) fn write(&self, path: impl AsRef<Path>, content: impl AsRef<[u8]>) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("directories");
        fs::write(path, content).expect("a file");
    }

    pub(crate) fn script(&self, path: &str, content: &str) {
        self.write(path, content);
        fs::set_permissions(self.path(path), fs::Permissions::from_mode(0o755)).expect("mode");
    }

    pub(crate) fn read(&self, path: impl AsRef<Path>) -> Option<Vec<u8>> {
        fs::read(self.path(path)).ok()
    }

    pub(crate) fn text(&self, path: &str) -> String {
        let bytes = self.read(path).unwrap_or_else(|| panic!("{path} is there"));
        String::from_utf8(bytes).expect("text")
    }

    /// Plain git, as a person or agent runs it. Panics if it fails.
    pub(crate) fn git<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> String {
        let output = self.try_git(args);
        assert!(
            output.status.success(),
            "git failed: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    pub(crate) fn try_git<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Output {
        plain_git(&self.repo(), args)
    }
}

/// A session's tools, and the undo that stands behind them.
impl Desk {
    pub(crate) fn history(&self) -> History {
        self.history_at(&self.repo())
    }

    pub(crate) fn history_at(&self, directory: &Path) -> History {
        let home = self.directory.path().join("home");
        History::open(&home, directory, Settings::default()).expect("a history")
    }

    /// What an editing tool does, with its two hooks around it. `None` deletes.
    pub(crate) fn edit(&self, session: &str, path: &str, content: Option<&str>) -> u64 {
        self.try_edit(session, path, content).expect("a change")
    }

    pub(crate) fn try_edit(&self, session: &str, path: &str, content: Option<&str>) -> Option<u64> {
        let repo = self.repo().canonicalize().expect("a repository");
        let common_dir = repo.join(".git");
        let history = match common_dir.is_dir() {
            // As the daemon does: recording starts no git.
            true => {
                let home = self.directory.path().join("home");
                History::recorder(&home, &repo, &common_dir, Settings::default())
            }
            false => self.history(),
        };
        let before = history.keep(Path::new(path)).expect("kept");
        match content {
            Some(content) => self.write(path, content),
            None => fs::remove_file(self.path(path)).expect("removed"),
        }
        let after = history.keep(Path::new(path)).expect("kept");
        let change = Change {
            path: Path::new(path).into(),
            before,
            after,
        };
        let edit = Edit {
            changes: vec![change],
            command: None,
            session: Some(session.to_owned()),
            tool: Some("Write".to_owned()),
            tool_use_id: None,
            at_ms: NOW_MS,
        };
        history.record(&edit).expect("recorded")
    }

    /// What stands before a git command.
    pub(crate) fn rescue(&self, command: &str) -> u64 {
        let why = Why {
            session: Some("agent".to_owned()),
            command: Some(command.to_owned()),
            at_ms: NOW_MS,
        };
        let taken = self.history().rescue(&why).expect("git");
        taken.expect("dirty").number
    }

    /// A git command of an agent, with a snapshot before it.
    pub(crate) fn agent_git(&self, command: &str) -> u64 {
        let number = self.rescue(command);
        let output = self.try_git(command.split(' ').skip(1));
        assert!(output.status.success(), "{command}: {output:?}");
        number
    }

    pub(crate) fn undo(&self, number: u64) -> Report {
        self.undo_what(&Selection {
            number: Some(number),
            ..Selection::default()
        })
    }

    pub(crate) fn undo_what(&self, selection: &Selection) -> Report {
        let options = UndoOptions {
            at_ms: NOW_MS,
            ..UndoOptions::default()
        };
        self.history().undo(selection, &options).expect("undone")
    }

    /// Every file of the work tree, git's own left out, with what it holds.
    pub(crate) fn tree(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut found = BTreeMap::new();
        let mut directories = vec![self.repo()];
        while let Some(directory) = directories.pop() {
            for entry in fs::read_dir(&directory).expect("a directory") {
                let path = entry.expect("an entry").path();
                let relative = path.strip_prefix(self.repo()).expect("inside").to_owned();
                if relative == Path::new(".git") {
                    continue;
                }
                let metadata = path.symlink_metadata().expect("metadata");
                if metadata.is_symlink() {
                    let target = fs::read_link(&path).expect("a link");
                    found.insert(relative, target.into_os_string().into_encoded_bytes());
                } else if metadata.is_dir() {
                    directories.push(path);
                } else {
                    found.insert(relative, fs::read(&path).expect("a file"));
                }
            }
        }
        found
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).expect("a directory");
    for entry in fs::read_dir(from).expect("a directory") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        match entry.file_type().expect("a kind").is_dir() {
            true => copy(&entry.path(), &target),
            false => drop(fs::copy(entry.path(), target).expect("a copy")),
        }
    }
}

/// How each path came out.
pub(crate) fn outcomes(report: &Report) -> Vec<(&str, &Outcome)> {
    let paths = report.paths.iter();
    paths
        .map(|it| (it.path.to_str().expect("text"), &it.outcome))
        .collect()
}

/// Git with an identity and without anybody's settings.
pub(crate) fn plain_git<A: AsRef<OsStr>>(
    directory: &Path,
    args: impl IntoIterator<Item = A>,
) -> Output {
    let mut command = Command::new("git");
    for (name, _) in std::env::vars_os() {
        if name.as_encoded_bytes().starts_with(b"GIT_") {
            command.env_remove(name);
        }
    }
    command
        .current_dir(directory)
        .args(args)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_SYSTEM", "/dev/null")
        .env("GIT_AUTHOR_NAME", "A")
        .env("GIT_AUTHOR_EMAIL", "a@example.org")
        .env("GIT_COMMITTER_NAME", "A")
        .env("GIT_COMMITTER_EMAIL", "a@example.org")
        .output()
        .expect("git")
}
