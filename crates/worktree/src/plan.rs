//! All that is going to be made, said before anything is.

use std::{fs, path::Path};

use kite_undo::{Git, Oid, PathText};
use serde::{Deserialize, Serialize};

use crate::{entry, error::Error, names, refs};

/// What a worktree is wanted for, and where.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// 32 hexadecimal digits, random: no other worktree has it.
    pub id: &'a str,
    /// In the working copy that it comes from.
    pub directory: &'a Path,
    /// Where worktrees are kept: each stands at `<project>-<hash>/<first 8 of id>` below it.
    pub worktrees: &'a Path,
    /// A few words that become part of the branch's name.
    pub about: &'a str,
    /// The branch, tag or commit to begin with; otherwise what is checked out.
    pub base: Option<&'a str>,
}

/// A worktree that is going to be made, or was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    pub id: String,
    common_dir: PathText,
    from: PathText,
    path: PathText,
    /// `kite/<words>-<first 8 of id>`.
    pub branch: String,
    /// The commit to begin with.
    pub base: Oid,
    /// The full name of the branch that it comes from, where it is one.
    pub base_ref: Option<String>,
}

impl Plan {
    /// Plans a worktree; makes nothing but the directory that all worktrees of Kite are in.
    ///
    /// # Errors
    /// Where there is no repository or no commit, or the base is none.
    pub fn of(wanted: &Wanted<'_>) -> Result<Plan, Error> {
        let Wanted {
            id,
            directory,
            worktrees,
            ..
        } = *wanted;
        let git = Git::open(directory).map_err(|error| Error::of_git(error, directory))?;
        let (base, base_ref) = match wanted.base {
            None => head(&git)?,
            Some(name) => named(&git, name)?,
        };
        entry::private_directory(worktrees)?;
        // As git will name it: sessions in it are found by this path.
        let worktrees = worktrees
            .canonicalize()
            .map_err(Error::io("find", worktrees))?;
        let short: String = id.chars().take(8).collect();
        let path = worktrees
            .join(names::project(git.common_dir()))
            .join(&short);
        Ok(Plan {
            id: id.to_owned(),
            common_dir: git.common_dir().into(),
            from: git.top().into(),
            path: path.as_path().into(),
            branch: format!("kite/{}-{short}", names::slug(wanted.about)),
            base,
            base_ref,
        })
    }

    /// The directory that all worktrees of the repository share.
    #[must_use]
    pub fn common_dir(&self) -> &Path {
        self.common_dir.as_path()
    }

    /// The top of the working copy that it comes from.
    #[must_use]
    pub fn from(&self) -> &Path {
        self.from.as_path()
    }

    /// Where it stands, absolute and canonical.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.path.as_path()
    }

    /// The branch that it comes from, as people call it.
    #[must_use]
    pub fn base_branch(&self) -> Option<&str> {
        let full = self.base_ref.as_deref()?;
        let short = full.strip_prefix("refs/heads/");
        short.or_else(|| full.strip_prefix("refs/remotes/"))
    }

    /// The full name of its branch.
    pub(crate) fn branch_ref(&self) -> String {
        format!("refs/heads/{}", self.branch)
    }

    /// Why git must leave it alone, in the words that git repeats to whoever tries to remove it. It
    /// names the worktree, so that what was half made is found again.
    pub(crate) fn reason(&self) -> String {
        format!(
            "made by Kite, id {}: `kite worktree remove` looks after it",
            self.id
        )
    }

    /// The directory of this repository's worktrees, where nothing else is in it.
    pub(crate) fn tidy(&self) {
        if let Some(project) = self.path().parent() {
            // One that is not empty refuses to go.
            let _ = fs::remove_dir(project);
        }
    }
}

/// What is checked out: the commit, and its branch.
fn head(git: &Git) -> Result<(Oid, Option<String>), Error> {
    let commit = refs::commit(git, "HEAD")?.ok_or_else(|| Error::NoCommit {
        directory: git.top().to_owned(),
    })?;
    let name = refs::full_name(git, "HEAD")?;
    Ok((commit, name.filter(|name| name.starts_with("refs/heads/"))))
}

fn named(git: &Git, name: &str) -> Result<(Oid, Option<String>), Error> {
    let refused = |why| Error::Base {
        name: name.to_owned(),
        why,
    };
    if let Some(why) = names::refuse_base(name) {
        return Err(refused(why));
    }
    let commit = refs::commit(git, name)?.ok_or_else(|| refused("there is no such commit"))?;
    let full = refs::full_name(git, name)?;
    let is_branch =
        |full: &String| full.starts_with("refs/heads/") || full.starts_with("refs/remotes/");
    Ok((commit, full.filter(is_branch)))
}
