//! The one way this room runs git on a repository it does not trust.
//!
//! A repository can carry commands: hooks, file system monitors, filters, aliases, text
//! converters. None of them runs from here. Arguments are arrays, never shell text; names from
//! outside stand behind `--end-of-options` or `--`, or go in through standard input.
//!
//! **Architecture Invariant:** git is started nowhere else in this crate, and no operation here
//! takes git's optional locks or writes the user's index, but [`Git::stage`].

mod config;
mod objects;
mod run;
mod scratch;
mod status;
mod version;

use std::{
    ffi::{OsStr, OsString},
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

pub use objects::{Mode, Oid, TreeChange};
pub use run::Call;
pub(crate) use scratch::Scratch;
pub use status::{DirtyFile, DirtyState, Side, Status, Unmerged};
pub use version::Version;

use crate::error::Error;

const NOTHING: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// A working copy, and how to run git on it.
#[derive(Clone, Debug)]
pub struct Git {
    top: PathBuf,
    git_dir: PathBuf,
    common_dir: PathBuf,
    nothing: &'static str,
    overrides: Vec<(OsString, OsString)>,
    /// Variables of every call beside the overrides.
    environment: Vec<(OsString, OsString)>,
    /// Nobody waits for its calls: they run with low priority.
    background: bool,
}

impl Git {
    /// The working copy that `directory` is in. Runs none of its code.
    ///
    /// # Errors
    /// [`Error::NotAWorktree`] where there is none, [`Error::Bare`] in a bare repository.
    pub fn open(directory: &Path) -> Result<Git, Error> {
        let overrides = config::overrides(directory, &[])?;
        let Places {
            top,
            git_dir,
            common_dir,
            nothing,
        } = Places::find(directory, &overrides)?;
        // `core.worktree` may point anywhere; where it does not point at a checkout of its own,
        // a snapshot would sweep up a stranger's files.
        if top.join(".git").symlink_metadata().is_err() {
            return Err(Error::NotAWorktree {
                directory: directory.to_owned(),
                said: format!("its configuration says {top:?}, which has no .git"),
            });
        }
        Ok(Git {
            top,
            git_dir,
            common_dir,
            nothing,
            overrides,
            environment: Vec::new(),
            background: false,
        })
    }

    /// A repository without any of its working copies: for what concerns refs, and worktrees that
    /// may be gone. `common_dir` is what [`Git::common_dir`] said before. Runs none of its code.
    ///
    /// # Errors
    /// Where the repository is not there any more.
    pub fn of_repository(common_dir: &Path) -> Result<Git, Error> {
        let environment = vec![("GIT_DIR".into(), common_dir.into())];
        let overrides = config::overrides(common_dir, &environment)?;
        let format = Call::new(common_dir, &overrides, "rev-parse")
            .with_env(&environment)
            .args(["--show-object-format"])
            .run()?;
        Ok(Git {
            top: common_dir.to_owned(),
            git_dir: common_dir.to_owned(),
            common_dir: common_dir.to_owned(),
            nothing: nothing(format.trim_ascii_end()),
            overrides,
            environment,
            background: false,
        })
    }

    /// The same working copy, for work that nobody waits for: its calls run with low priority.
    #[must_use]
    pub fn in_background(self) -> Git {
        Git {
            background: true,
            ..self
        }
    }

    /// The same, for a command that goes on in `other`: there it may meet settings that are not to be
    /// seen from here (`includeIf`), and runs none of their code either.
    #[must_use]
    pub fn going_on_in(mut self, other: &Git) -> Git {
        self.overrides.extend_from_slice(&other.overrides);
        self
    }

    /// The working copy's top directory.
    #[must_use]
    pub fn top(&self) -> &Path {
        &self.top
    }

    /// The git directory of this working copy. Linked worktrees have one each.
    #[must_use]
    pub fn git_dir(&self) -> &Path {
        &self.git_dir
    }

    /// The directory that all worktrees of the repository share: the project's identity.
    #[must_use]
    pub fn common_dir(&self) -> &Path {
        &self.common_dir
    }

    /// A call of a git command in the top directory.
    pub fn call(&self, command: &'static str) -> Call {
        let call = Call::new(&self.top, &self.overrides, command).with_env(&self.environment);
        if self.background {
            call.in_background()
        } else {
            call
        }
    }
}

/// A path as git writes it.
fn path(bytes: &[u8]) -> PathBuf {
    PathBuf::from(OsStr::from_bytes(bytes))
}

/// Merges the files `now`, `base` and `theirs` of a private directory with git's three-way merge
/// of texts: the result, and whether it is without conflicts.
pub(crate) fn merge_file(directory: &Path, label: &str) -> Result<(Vec<u8>, bool), Error> {
    let ended = Call::new(directory, &config::always(), "merge-file")
        .args(["-p", "-q", "-L", "now", "-L", "base", "-L", label])
        .args(["now", "base", "theirs"])
        // The number of conflicts, up to 127; a fault is 128 or more.
        .codes(|code| (0..=127).contains(&code))
        .end()?;
    Ok((ended.output, ended.code == 0))
}

/// Where a working copy's parts are.
struct Places {
    top: PathBuf,
    git_dir: PathBuf,
    common_dir: PathBuf,
    /// The name of no object, as long as names are in this repository.
    nothing: &'static str,
}

impl Places {
    fn find(directory: &Path, overrides: &[(OsString, OsString)]) -> Result<Places, Error> {
        let ask = |what: &[&str]| {
            Call::new(directory, overrides, "rev-parse")
                .args(["--path-format=absolute"])
                .args(what)
                .run()
        };
        let all = [
            "--show-object-format",
            "--git-dir",
            "--git-common-dir",
            "--show-toplevel",
        ];
        let said = match ask(&all) {
            Ok(said) => said,
            Err(Error::Git { said, .. }) => {
                // `safe.bareRepository` refuses those that a directory merely looks like.
                let bare = said.contains("bare repository")
                    || ask(&["--is-bare-repository"]).is_ok_and(|it| it == b"true\n");
                let directory = directory.to_owned();
                return Err(if bare {
                    Error::Bare { directory }
                } else {
                    Error::NotAWorktree { directory, said }
                });
            }
            Err(other) => return Err(other),
        };
        let lines: Vec<&[u8]> = said.split(|byte| *byte == b'\n').collect();
        let (format, git_dir, common_dir, top) = match lines.as_slice() {
            [format, git_dir, common_dir, top, _] => {
                (format.to_vec(), path(git_dir), path(common_dir), path(top))
            }
            // A directory's name holds a newline: one question at a time.
            _ => {
                let one = |what: &str| {
                    ask(&[what]).map(|mut said| {
                        said.pop();
                        said
                    })
                };
                (
                    one(all[0])?,
                    path(&one(all[1])?),
                    path(&one(all[2])?),
                    path(&one(all[3])?),
                )
            }
        };
        Ok(Places {
            top,
            git_dir,
            common_dir,
            nothing: nothing(&format),
        })
    }
}

/// The name of no object in a repository whose objects are named like that.
fn nothing(format: &[u8]) -> &'static str {
    match format {
        b"sha256" => NOTHING,
        _ => &NOTHING[..40],
    }
}
