//! What becomes of one path: comes back, is merged, or stays. No files are touched here but
//! those that git's merge is given.

use std::{fs, path::Path};

use super::{
    LeftAlone, Outcome,
    content::{Content, Loaded},
};
use crate::{error::Error, git, lock::private_directory, place::Shape};

/// Where git looks for a zero byte to tell binary content from text.
const BINARY_LOOK_BYTES: usize = 8000;

/// A path's new state, and how it came about.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Result3 {
    pub(super) content: Option<Content>,
    pub(super) outcome: Outcome,
    /// A content to be put beside the path, for it cannot be merged.
    pub(super) beside: Option<Content>,
}

/// Brings `theirs` back where `now` is, given that one of `bases` was there right after the change
/// that is undone; the first is the likeliest. `number` labels conflicts; `scratch` is a private
/// directory for git's merge.
pub(super) fn merge(
    now: Option<&Content>,
    bases: &[Loaded],
    theirs: &Loaded,
    number: u64,
    scratch: &Path,
) -> Result<Result3, Error> {
    if theirs.is(now) {
        return Ok(Result3::stays(now, Outcome::Unchanged));
    }
    let theirs = match theirs {
        Loaded::Absent => None,
        Loaded::Content(content) => Some(content),
        Loaded::Hash(..) | Loaded::Unknown | Loaded::Present => {
            let why = LeftAlone::NotKept;
            return Ok(Result3::stays(now, Outcome::LeftAlone(why)));
        }
    };
    match (now, theirs) {
        // Nothing is there that could be lost.
        (None, theirs) => Ok(Result3::back(theirs)),
        (Some(_), theirs) if bases.iter().any(|base| base.is(now)) => Ok(Result3::back(theirs)),
        (Some(_), None) => {
            let why = LeftAlone::ChangedSince;
            Ok(Result3::stays(now, Outcome::LeftAlone(why)))
        }
        (Some(now), Some(theirs)) => {
            let base = match bases.first() {
                Some(Loaded::Content(content)) => Some(content),
                // As git does when both sides add a file: whatever differs is a conflict.
                _ => None,
            };
            three_ways(now, base, theirs, number, scratch)
        }
    }
}

/// Merges two contents that both differ from what stood between them.
fn three_ways(
    now: &Content,
    base: Option<&Content>,
    theirs: &Content,
    number: u64,
    scratch: &Path,
) -> Result<Result3, Error> {
    let shape = match base {
        Some(base) if base.shape == now.shape => theirs.shape,
        _ => now.shape,
    };
    if now.bytes == theirs.bytes {
        let bytes = now.bytes.clone();
        return Ok(Result3::merged(now, Content { bytes, shape }, true));
    }
    let sides = [Some(now), base, Some(theirs)];
    if sides.into_iter().flatten().any(|side| !is_text(side)) {
        return Ok(Result3 {
            beside: Some(theirs.clone()),
            ..Result3::stays(Some(now), Outcome::Conflict)
        });
    }
    let base = base.map_or(&[][..], |base| base.bytes.as_slice());
    let (bytes, clean) = merge_text(&now.bytes, base, &theirs.bytes, number, scratch)?;
    Ok(Result3::merged(now, Content { bytes, shape }, clean))
}

impl Result3 {
    fn stays(now: Option<&Content>, outcome: Outcome) -> Result3 {
        Result3 {
            content: now.cloned(),
            outcome,
            beside: None,
        }
    }

    fn back(content: Option<&Content>) -> Result3 {
        Result3 {
            content: content.cloned(),
            outcome: match content {
                Some(_) => Outcome::Restored,
                None => Outcome::Removed,
            },
            beside: None,
        }
    }

    fn merged(now: &Content, content: Content, clean: bool) -> Result3 {
        let outcome = match (clean, content == *now) {
            (true, true) => Outcome::Unchanged,
            (true, false) => Outcome::Merged,
            (false, _) => Outcome::Conflict,
        };
        Result3 {
            content: Some(content),
            outcome,
            beside: None,
        }
    }
}

fn is_text(content: &Content) -> bool {
    let look = &content.bytes[..content.bytes.len().min(BINARY_LOOK_BYTES)];
    content.shape != Shape::Symlink && !look.contains(&0)
}

/// Git's three-way merge of texts, and whether it is without conflicts.
fn merge_text(
    now: &[u8],
    base: &[u8],
    theirs: &[u8],
    number: u64,
    scratch: &Path,
) -> Result<(Vec<u8>, bool), Error> {
    private_directory(scratch)?;
    let directory = tempfile::Builder::new()
        .prefix("merge-")
        .tempdir_in(scratch)
        .map_err(Error::io("make a directory in", scratch))?;
    for (name, bytes) in [("now", now), ("base", base), ("theirs", theirs)] {
        let file = directory.path().join(name);
        fs::write(&file, bytes).map_err(Error::io("write", &file))?;
    }
    git::merge_file(directory.path(), &format!("kite undo {number}"))
}

#[cfg(test)]
mod tests;
