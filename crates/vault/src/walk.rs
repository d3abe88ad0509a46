//! Which files of a vault are its notes.
//!
//! Hidden files and folders (`.obsidian`, `.git`, `.trash`) and what the vault's own ignore files
//! name are left alone. No link is followed. What cannot be a note is listed with the reason.

use std::{
    fs,
    path::{Path, PathBuf},
};

use ignore::{DirEntry, WalkBuilder};

use crate::limits::{DEPTH_MAX, ENTRIES_MAX, IGNORE_BYTES_MAX, NOTES_MAX};

/// The notes of a folder, as paths relative to it.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    pub(crate) notes: Vec<PathBuf>,
    /// What was left out, and why. A path in here may not be text.
    pub(crate) left_out: Vec<(PathBuf, String)>,
}

/// Lists a folder, in the order of its paths.
pub(crate) fn list(top: &Path) -> Listing {
    let mut listing = Listing::default();
    for (looked_at, entry) in walker(top).build().enumerate() {
        if looked_at >= ENTRIES_MAX {
            let why =
                format!("the vault has more than {ENTRIES_MAX} files; the rest is not looked at");
            listing.left_out.push((PathBuf::new(), why));
            break;
        }
        match entry {
            Ok(entry) => listing.take(top, &entry),
            Err(fault) => listing.left_out.push((PathBuf::new(), fault.to_string())),
        }
    }
    listing
}

/// Whether a path is a note by its place and name: not hidden, not ignored. Looks only at the
/// directories above it.
pub(crate) fn is_note(top: &Path, path: &Path) -> bool {
    if !has_note_name(path) {
        return false;
    }
    let wanted = top.join(path);
    // Down the one branch that leads to it, with the rules that stand on the way.
    let branch = wanted.clone();
    let mut builder = walker(top);
    builder.filter_entry(move |entry| branch.starts_with(entry.path()) && rules_fit(entry));
    builder
        .build()
        .flatten()
        .any(|entry| entry.path() == wanted)
}

fn walker(top: &Path) -> WalkBuilder {
    let mut builder = WalkBuilder::new(top);
    builder
        .follow_links(false)
        .hidden(true)
        // The vault's own rules only: a project that ignores `.kite` still has its vault.
        .parents(false)
        .git_global(false)
        .git_exclude(false)
        .require_git(false)
        .max_depth(Some(DEPTH_MAX))
        .sort_by_file_name(std::ffi::OsStr::cmp)
        .filter_entry(rules_fit);
    builder
}

/// Rules are read whole: a directory with too many of them is left out.
fn rules_fit(entry: &DirEntry) -> bool {
    let directory = entry.file_type().is_some_and(|kind| kind.is_dir());
    !directory
        || [".gitignore", ".ignore"].iter().all(|name| {
            fs::symlink_metadata(entry.path().join(name))
                .map_or(true, |it| it.is_file() && it.len() <= IGNORE_BYTES_MAX)
        })
}

impl Listing {
    fn take(&mut self, top: &Path, entry: &DirEntry) {
        let Ok(path) = entry.path().strip_prefix(top) else {
            return;
        };
        if path.as_os_str().is_empty() || !has_note_name(path) {
            return;
        }
        let why = match entry.file_type() {
            Some(kind) if kind.is_symlink() => "a symbolic link is not followed",
            Some(kind) if !kind.is_file() => return,
            _ if path.to_str().is_none() => "its name is not UTF-8",
            _ if self.notes.len() >= NOTES_MAX => "the vault has too many notes",
            _ => {
                self.notes.push(path.to_owned());
                return;
            }
        };
        self.left_out.push((path.to_owned(), why.to_owned()));
    }
}

fn has_note_name(path: &Path) -> bool {
    path.extension().is_some_and(|extension| {
        extension.eq_ignore_ascii_case("md") || extension.eq_ignore_ascii_case("markdown")
    })
}
