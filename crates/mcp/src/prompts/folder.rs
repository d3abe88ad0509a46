//! Folders of prompt files, the user's and a repository's.

use std::{
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
};

use rustix::fs::{Mode, OFlags, open};

use super::{
    Known, NAME_CHARS_MAX, Source,
    front::{self, FILE_BYTES_MAX},
    template::is_name,
};
use crate::text;

/// Where prompts are, below the home and below `.kite` in a repository.
const FOLDER: &str = "prompts";
/// Files of one folder that are read, and entries that are looked at.
const FILES_MAX: usize = 64;
const ENTRIES_MAX: usize = 1_000;
/// Directories looked at, upwards, for the top of a repository.
const ANCESTORS_MAX: usize = 64;
/// Characters shown of a file's name.
const PLACE_CHARS_MAX: usize = 200;

/// The prompts in `$KITE_HOME/prompts`.
pub(super) fn users(home: &Path) -> Vec<Known> {
    let folder = home.join(FOLDER);
    read(&folder, Source::User, |file| file.display().to_string())
}

/// The prompts in `.kite/prompts` of the repository that holds this directory. Nothing outside of
/// the repository is read, whatever its links say; nor is the user's own folder once more, where
/// the user's directory itself is worked in.
pub(super) fn repositorys(here: &Path, home: &Path) -> Vec<Known> {
    let Some(top) = top(here) else {
        return Vec::new();
    };
    let folder = top.join(".kite").join(FOLDER);
    let Ok(real) = folder.canonicalize() else {
        return Vec::new();
    };
    let is_users = home
        .join(FOLDER)
        .canonicalize()
        .is_ok_and(|users| users == real);
    if is_users || !real.starts_with(&top) {
        return Vec::new();
    }
    read(&folder, Source::Repository, |file| {
        file.strip_prefix(&top)
            .unwrap_or(file)
            .display()
            .to_string()
    })
}

/// The top of the repository that holds a directory; without one, the directory itself.
fn top(here: &Path) -> Option<PathBuf> {
    let here = here.canonicalize().ok()?;
    let top = here
        .ancestors()
        .take(ANCESTORS_MAX)
        .find(|directory| directory.join(".git").exists());
    Some(top.unwrap_or(&here).to_owned())
}

/// All prompts of a folder, by name.
fn read(folder: &Path, source: Source, place: impl Fn(&Path) -> String) -> Vec<Known> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut files: Vec<PathBuf> = entries
        .take(ENTRIES_MAX)
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .collect();
    files.sort();
    files.truncate(FILES_MAX);
    let known = files.iter().map(|file| {
        let place = text::one_line(&place(file), PLACE_CHARS_MAX);
        let stem = file.file_stem().unwrap_or_default().to_string_lossy();
        let written = match is_name(&stem) {
            true => content(file, source)
                .map_err(|error| format!("{place}:1: it cannot be read: {error}"))
                .and_then(|content| front::read(&content, &place)),
            false => Err(format!(
                "{place}:1: a prompt is named as its file: letters, digits, - and _, at most {NAME_CHARS_MAX}"
            )),
        };
        Known {
            name: name(&stem),
            source,
            written,
        }
    });
    known.collect()
}

/// A file's name as a name, with what cannot stand in one replaced.
fn name(stem: &str) -> String {
    let name: String = stem
        .chars()
        .take(NAME_CHARS_MAX)
        .map(|c| {
            if c.is_ascii_alphanumeric() || c == '_' {
                c
            } else {
                '-'
            }
        })
        .collect();
    if name.is_empty() {
        "unnamed".to_owned()
    } else {
        name
    }
}

/// The text of a regular file. A link is followed for the user only.
fn content(file: &Path, source: Source) -> io::Result<String> {
    let mut flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
    if source == Source::Repository {
        flags |= OFlags::NOFOLLOW;
    }
    let file = File::from(open(file, flags, Mode::empty())?);
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("it is no regular file"));
    }
    let mut bytes = Vec::new();
    file.take(FILE_BYTES_MAX as u64 + 1)
        .read_to_end(&mut bytes)?;
    if bytes.len() > FILE_BYTES_MAX {
        return Err(io::Error::other(format!(
            "it is longer than {FILE_BYTES_MAX} bytes"
        )));
    }
    String::from_utf8(bytes).map_err(|_| io::Error::other("it is no UTF-8"))
}
