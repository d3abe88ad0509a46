//! A repository to try things in, and git as its user would run it.

use std::{
    ffi::OsStr,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use tempfile::TempDir;

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
