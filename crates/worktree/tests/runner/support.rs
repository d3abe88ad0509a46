//! A repository to make worktrees of, and git as its user would run it.

use std::{
    ffi::OsStr,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::atomic::{AtomicU64, Ordering},
};

use kite_undo::snapshot::Why;
use kite_worktree::{
    Disposable, Error, Loss, Plan, Removal, Removed, Rescue, Wanted, make, remove,
};
use tempfile::TempDir;

/// A temporary directory with a repository `repo` and a Kite home `home`.
pub(crate) struct Desk {
    pub(crate) directory: TempDir,
}

impl Desk {
    /// A repository with one commit of `a.txt` and `dir/c.txt` on `main`.
    pub(crate) fn new() -> Desk {
        Desk::in_directory(&std::env::temp_dir())
    }

    pub(crate) fn in_directory(directory: &Path) -> Desk {
        let desk = Desk::unborn(directory);
        desk.write("a.txt", "one\n");
        desk.write("dir/c.txt", "c\n");
        desk.commit("first");
        desk
    }

    pub(crate) fn unborn(directory: &Path) -> Desk {
        let directory = tempfile::Builder::new()
            .prefix("kite-worktree-story-")
            .tempdir_in(directory)
            .expect("a temporary directory");
        let desk = Desk { directory };
        fs::create_dir(desk.repo()).expect("repo");
        desk.git(["init", "-q", "-b", "main"]);
        desk
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.directory.path().canonicalize().expect("a directory")
    }

    pub(crate) fn repo(&self) -> PathBuf {
        self.root().join("repo")
    }

    pub(crate) fn home(&self) -> PathBuf {
        self.root().join("home")
    }

    pub(crate) fn write(&self, path: impl AsRef<Path>, content: impl AsRef<[u8]>) {
        write(&self.repo().join(path), content);
    }

    pub(crate) fn script(&self, path: &str, content: &str) {
        self.write(path, content);
        let mode = fs::Permissions::from_mode(0o755);
        fs::set_permissions(self.repo().join(path), mode).expect("mode");
    }

    pub(crate) fn commit(&self, message: &str) {
        self.git(["add", "-A"]);
        self.git(["commit", "-q", "-m", message]);
    }

    pub(crate) fn git<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> String {
        git(&self.repo(), args)
    }

    /// A worktree that is planned, for `about`.
    pub(crate) fn plan(&self, about: &str) -> Plan {
        self.try_plan(&self.repo(), about, None).expect("a plan")
    }

    pub(crate) fn try_plan(
        &self,
        directory: &Path,
        about: &str,
        base: Option<&str>,
    ) -> Result<Plan, Error> {
        Plan::of(&Wanted {
            id: &fresh_id(),
            directory,
            worktrees: &self.home().join("worktrees"),
            about,
            base,
        })
    }

    /// A worktree that is there.
    pub(crate) fn make(&self, about: &str) -> Plan {
        let plan = self.plan(about);
        make(&plan).expect("a worktree");
        plan
    }

    /// A worktree that begins where a branch stands.
    pub(crate) fn make_from(&self, about: &str, base: &str) -> Plan {
        let plan = self.try_plan(&self.repo(), about, Some(base));
        let plan = plan.expect("a plan");
        make(&plan).expect("a worktree");
        plan
    }

    pub(crate) fn remove(&self, plan: &Plan, removal: Removal) -> Result<Removed, Error> {
        let home = self.home();
        let rescue = Rescue {
            home: &home,
            settings: kite_undo::Settings::default(),
            why: Why::default(),
        };
        remove(plan, removal, &disposable(), &rescue)
    }

    /// What removing it with nothing given up would lose. The worktree must be as before.
    pub(crate) fn losses(&self, plan: &Plan) -> Vec<Loss> {
        match self.remove(plan, Removal::default()) {
            Err(Error::WouldLose { losses, .. }) => losses,
            other => panic!("it should be kept: {other:?}"),
        }
    }

    pub(crate) fn branches(&self) -> Vec<String> {
        let said = self.git(["for-each-ref", "--format=%(refname:short)", "refs/heads"]);
        said.lines().map(str::to_owned).collect()
    }

    /// What there is beside the repository as it was made: branches, worktrees, directories.
    pub(crate) fn leftovers(&self) -> Vec<String> {
        let mut found = self.branches();
        found.retain(|branch| branch != "main");
        for directory in [
            self.repo().join(".git/worktrees"),
            self.home().join("worktrees"),
        ] {
            if let Ok(entries) = fs::read_dir(&directory) {
                found.extend(entries.map(|it| it.expect("an entry").path().display().to_string()));
            }
        }
        found
    }
}

pub(crate) fn disposable() -> Disposable {
    Disposable::named(&["target", "node_modules", "*.pyc"].map(str::to_owned))
}

pub(crate) fn write(path: &Path, content: impl AsRef<[u8]>) {
    fs::create_dir_all(path.parent().expect("a parent")).expect("directories");
    fs::write(path, content).expect("a file");
}

/// Plain git, as a person or agent runs it. Panics if it fails.
pub(crate) fn git<A: AsRef<OsStr>>(directory: &Path, args: impl IntoIterator<Item = A>) -> String {
    let output = try_git(directory, args);
    assert!(
        output.status.success(),
        "git failed: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Git with an identity and without anybody's settings.
pub(crate) fn try_git<A: AsRef<OsStr>>(
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

/// 32 hexadecimal digits that no other worktree of these tests has.
fn fresh_id() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    format!("{number:04x}{:028x}", std::process::id())
}
