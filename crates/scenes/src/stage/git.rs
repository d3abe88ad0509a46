//! A real git repository.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use super::{Fault, Scene};

/// A work tree with one commit.
pub struct Repository {
    path: PathBuf,
    home: PathBuf,
}

impl Repository {
    pub(super) fn create(path: &Path, home: &Path, files: &[(&str, &str)]) -> Result<Self, Fault> {
        fs::create_dir_all(path)?;
        let repository = Repository {
            path: path.to_owned(),
            home: home.to_owned(),
        };
        repository.git(&["init", "--quiet", "--initial-branch=main"])?;
        for (name, text) in files {
            repository.write(name, text)?;
        }
        repository.write("README", "A project.\n")?;
        repository.git(&["add", "."])?;
        repository.git(&["commit", "--quiet", "--message=start"])?;
        Ok(repository)
    }

    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Absolute path of a file in it, as a tool's input has it.
    #[must_use]
    pub fn file(&self, name: &str) -> String {
        self.path.join(name).to_string_lossy().into_owned()
    }

    pub fn read(&self, name: &str) -> Result<String, Fault> {
        let path = self.path.join(name);
        fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()).into())
    }

    pub fn write(&self, name: &str, text: &str) -> Scene {
        let path = self.path.join(name);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        Ok(fs::write(path, text)?)
    }

    /// `git status --porcelain`.
    pub fn status(&self) -> Result<String, Fault> {
        self.git(&["status", "--porcelain", "--untracked-files=all"])
    }

    /// A linked worktree beside this one.
    pub fn add_worktree(&self, path: &Path) -> Result<Repository, Fault> {
        self.git(&[
            "worktree",
            "add",
            "--quiet",
            "--detach",
            &path.to_string_lossy(),
        ])?;
        Ok(Repository {
            path: path.canonicalize()?,
            home: self.home.clone(),
        })
    }

    /// Runs git at the top and returns what it printed. Fails where git fails.
    pub fn git(&self, args: &[&str]) -> Result<String, Fault> {
        let mut command = self.surrounded("git");
        let output = command
            .args(["-c", "user.name=Scene", "-c", "user.email=scene@localhost"])
            .args(args)
            .output()?;
        if !output.status.success() {
            let stderr = String::from_utf8_lossy(&output.stderr);
            return Err(format!("git {args:?}: {stderr}").into());
        }
        Ok(String::from_utf8(output.stdout)?)
    }

    /// Runs shell text at the top, as a person at a terminal would, whatever comes of it.
    pub fn shell(&self, text: &str) -> io::Result<Output> {
        let mut command = self.surrounded("bash");
        command.args(["-c", text]).stdin(Stdio::null()).output()
    }

    fn surrounded(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .env("HOME", &self.home)
            .env("GIT_CONFIG_NOSYSTEM", "1")
            // The same files make the same commit, so that two stages can be compared.
            .env("GIT_AUTHOR_DATE", "2026-01-01T00:00:00Z")
            .env("GIT_COMMITTER_DATE", "2026-01-01T00:00:00Z")
            .env_remove("GIT_DIR")
            .env_remove("GIT_WORK_TREE")
            .env_remove("GIT_INDEX_FILE")
            .env("GIT_EDITOR", "true")
            .current_dir(&self.path);
        command
    }
}
