//! The change in a worktree that was made for the task: all that differs from where it began,
//! committed or not.

use std::path::{Path, PathBuf};

use kite_undo::{Error, Git};

use super::{
    Budget, Checkout, Content, FILES_MAX, Found,
    blobs::Blobs,
    disk,
    raw::{self, Object, Pair},
};

/// Of the files that are gone and new, git compares at most so many for renames.
const RENAMES: &str = "-l200";
/// Bytes that git may say of the paths that differ.
pub(super) const RAW_BYTES_MAX: usize = 4 << 20;

/// Finds what differs; false where neither the worktree nor its branch is there any more.
pub(super) fn gather(
    checkout: &Checkout,
    repository: Option<&Git>,
    found: &mut Found,
    budget: &mut Budget,
) -> Result<bool, Error> {
    match Git::open(&checkout.top) {
        Ok(git) if git.top() == canonical(&checkout.top) => {
            in_worktree(&git, &checkout.base, found, budget)?;
            Ok(true)
        }
        _ => match (repository, &checkout.branch) {
            (Some(git), Some(branch)) => {
                let branch = format!("refs/heads/{branch}");
                let said = git
                    .call("diff-tree")
                    .args(["-r", "--raw", "-z", "--no-abbrev", "-M", RENAMES])
                    .args(["--end-of-options", &checkout.base, &branch])
                    .output_max(RAW_BYTES_MAX)
                    .run()?;
                between(git, &raw::parse(&said), found, budget)?;
                Ok(true)
            }
            _ => Ok(false),
        },
    }
}

fn canonical(top: &Path) -> PathBuf {
    top.canonicalize().unwrap_or_else(|_| top.to_owned())
}

fn in_worktree(git: &Git, base: &str, found: &mut Found, budget: &mut Budget) -> Result<(), Error> {
    let said = git
        .call("diff-index")
        .args(["--raw", "-z", "--no-abbrev", "-M", RENAMES])
        // What runs within a submodule is not ours to ask.
        .args(["--ignore-submodules=dirty", "--end-of-options", base])
        .output_max(RAW_BYTES_MAX)
        .run()?;
    between(git, &raw::parse(&said), found, budget)?;
    let untracked = git
        .call("ls-files")
        .args(["-z", "--others", "--exclude-standard"])
        .output_max(RAW_BYTES_MAX)
        .run()?;
    let paths = untracked
        .split(|byte| *byte == 0)
        .filter(|path| !path.is_empty());
    for path in paths.take(FILES_MAX) {
        let path = Path::new(std::os::unix::ffi::OsStrExt::from_bytes(path) as &std::ffi::OsStr);
        found.put(
            path,
            None,
            Content::Absent,
            disk::read(git.top(), path, budget),
        );
    }
    Ok(())
}

/// Reads both sides of each pair.
pub(super) fn between(
    git: &Git,
    pairs: &[Pair],
    found: &mut Found,
    budget: &mut Budget,
) -> Result<(), Error> {
    let pairs = &pairs[..pairs.len().min(2 * FILES_MAX)];
    let objects = pairs.iter().flat_map(|pair| [&pair.before, &pair.after]);
    let blobs = Blobs::read(git, objects, budget)?;
    for pair in pairs {
        let after = match &pair.after {
            Object::OnDisk => disk::read(git.top(), &pair.path, budget),
            other => blobs.content(other),
        };
        let before = blobs.content(&pair.before);
        found.put(&pair.path, pair.was.as_deref(), before, after);
    }
    Ok(())
}
