//! Which project a directory belongs to, read from git's own files: starting git would be slow,
//! and a repository's configuration can make git run programs.

use std::{
    fs,
    io::Read,
    path::{Path, PathBuf},
};

/// Longest `.git` or `commondir` file that is read, in bytes.
const POINTER_BYTES_MAX: u64 = 8 << 10;

/// A project, and the working copy of it that a directory lies in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Project {
    /// Its key: the canonical git common directory, which all worktrees share; without git the
    /// nearest directory with a `.kite`, else the directory itself.
    pub key: PathBuf,
    /// The top of the working copy.
    pub worktree: PathBuf,
    pub git: bool,
}

impl Project {
    /// Looks from `directory` upwards.
    #[must_use]
    pub fn of(directory: &Path) -> Project {
        let start = fs::canonicalize(directory).unwrap_or_else(|_| directory.to_owned());
        for worktree in start.ancestors() {
            if let Some(key) = common_directory(&worktree.join(".git")) {
                return Project {
                    key,
                    worktree: worktree.to_owned(),
                    git: true,
                };
            }
            if is_bare_or_git_directory(worktree)
                && let Some(key) = common_directory(worktree)
            {
                return Project {
                    key,
                    worktree: worktree.to_owned(),
                    git: true,
                };
            }
        }
        let marked = start
            .ancestors()
            .find(|above| is_project_marker(&above.join(".kite")));
        let key = marked.unwrap_or(&start).to_owned();
        Project {
            worktree: key.clone(),
            key,
            git: false,
        }
    }
}

/// The common directory behind a `.git` directory, or a `.git` file of a worktree or submodule.
fn common_directory(dot_git: &Path) -> Option<PathBuf> {
    let git_directory = if dot_git.is_dir() {
        dot_git.to_owned()
    } else {
        let text = pointer(dot_git)?;
        dot_git
            .parent()?
            .join(text.strip_prefix("gitdir:")?.trim_start())
    };
    if !git_directory.join("HEAD").exists() {
        return None;
    }
    let common = match pointer(&git_directory.join("commondir")) {
        Some(text) => git_directory.join(text),
        None => git_directory,
    };
    fs::canonicalize(common).ok()
}

fn is_bare_or_git_directory(directory: &Path) -> bool {
    directory.join("HEAD").is_file()
        && directory.join("objects").is_dir()
        && directory.join("refs").is_dir()
}

/// A `.kite` with a project's configuration, as against the home of Kite itself.
fn is_project_marker(dot_kite: &Path) -> bool {
    dot_kite.is_dir()
        && !dot_kite.join("kite-home").exists()
        && !dot_kite.join("daemon.lock").exists()
}

fn pointer(file: &Path) -> Option<String> {
    if !file.is_file() {
        return None;
    }
    let mut text = String::new();
    fs::File::open(file)
        .ok()?
        .take(POINTER_BYTES_MAX)
        .read_to_string(&mut text)
        .ok()?;
    Some(text.trim_end_matches(['\n', '\r']).to_owned())
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    fn git(directory: &Path, arguments: &[&str]) {
        let output = Command::new("git")
            .args(["-c", "user.name=k", "-c", "user.email=k@example.org"])
            .args(arguments)
            .current_dir(directory)
            .output()
            .expect("git");
        assert!(output.status.success(), "git {arguments:?}: {output:?}");
    }

    #[test]
    fn all_worktrees_and_folders_are_one_project() {
        let directory = tempfile::tempdir().expect("a directory");
        let top = directory.path().canonicalize().expect("canonical");
        let main = top.join("main");
        fs::create_dir_all(main.join("src/deep")).expect("folders");
        git(&main, &["init", "-q"]);
        git(&main, &["commit", "-q", "--allow-empty", "-m", "first"]);
        git(&main, &["worktree", "add", "-q", "../linked"]);

        let here = Project::of(&main.join("src/deep"));
        assert_eq!(
            here,
            Project {
                key: main.join(".git"),
                worktree: main.clone(),
                git: true
            }
        );
        let linked = Project::of(&top.join("linked"));
        assert_eq!(
            linked,
            Project {
                worktree: top.join("linked"),
                ..here.clone()
            }
        );
        let absent = Project::of(&main.join(".git"));
        assert_eq!(
            absent.key, here.key,
            "inside the git directory it is still that project"
        );
    }

    #[test]
    fn a_bare_repository_with_worktrees_is_one_project() {
        let directory = tempfile::tempdir().expect("a directory");
        let top = directory.path().canonicalize().expect("canonical");
        git(&top, &["init", "-q", "seed"]);
        git(
            &top.join("seed"),
            &["commit", "-q", "--allow-empty", "-m", "first"],
        );
        git(&top, &["clone", "-q", "--bare", "seed", "bare.git"]);
        git(
            &top.join("bare.git"),
            &["worktree", "add", "-q", "../one", "-b", "one"],
        );
        git(
            &top.join("bare.git"),
            &["worktree", "add", "-q", "../two", "-b", "two"],
        );
        assert_eq!(Project::of(&top.join("one")).key, top.join("bare.git"));
        assert_eq!(
            Project::of(&top.join("two")).key,
            Project::of(&top.join("bare.git")).key
        );
    }

    #[test]
    fn without_git_the_nearest_dot_kite_counts() {
        let directory = tempfile::tempdir().expect("a directory");
        let top = directory.path().canonicalize().expect("canonical");
        fs::create_dir_all(top.join("a/b/c")).expect("folders");
        assert_eq!(Project::of(&top.join("a/b")).key, top.join("a/b"));
        fs::create_dir_all(top.join("a/.kite")).expect("folders");
        assert_eq!(Project::of(&top.join("a/b/c")).key, top.join("a"));
        fs::write(top.join("a/.kite/kite-home"), "").expect("write");
        assert_eq!(
            Project::of(&top.join("a/b/c")).key,
            top.join("a/b/c"),
            "Kite's own home"
        );
    }

    #[test]
    fn a_hostile_dot_git_file_is_no_project() {
        let directory = tempfile::tempdir().expect("a directory");
        let top = directory.path().canonicalize().expect("canonical");
        for text in [
            "",
            "gitdir:",
            "gitdir: /dev/zero",
            "gitdir: .git",
            "\0\0",
            "gitdir: ../..",
        ] {
            fs::write(top.join(".git"), text).expect("write");
            assert!(!Project::of(&top).git, "{text:?}");
        }
    }
}
