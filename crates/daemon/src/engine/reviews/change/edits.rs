//! Edits that were recorded of the session that did the task: before the first of them, and now.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use kite_undo::{
    Error,
    images::Images,
    journal::{Entry, EntryKind, Filter, Journal, Version},
};

use super::{Budget, Content, Found, Origin, disk};

/// Records looked at; the newest.
const RECORDS_MAX: usize = 5_000;

/// A file before the first edit and after the last.
struct Edited {
    before: Version,
    after: Version,
}

/// Finds what the session changed in its time: how many files.
pub(super) fn gather(
    origin: &Origin,
    found: &mut Found,
    budget: &mut Budget,
) -> Result<usize, Error> {
    let Some(session) = &origin.session else {
        return Ok(0);
    };
    let undo = origin.home.join("undo");
    let filter = Filter {
        session: Some(session.clone()),
        count_max: Some(RECORDS_MAX),
        ..Filter::default()
    };
    let records = Journal::at(&undo, Path::new(&origin.project)).query(&filter)?;
    let mut edited: BTreeMap<(PathBuf, PathBuf), Edited> = BTreeMap::new();
    for record in records.into_iter().rev() {
        if origin.was_under_way(record.entry.at_ms) {
            collect(record.entry, &mut edited);
        }
    }
    let images = Images::at(&undo, origin.undo.images);
    let count = edited.len();
    for ((top, path), edit) in edited {
        let before = content(&images, &edit.before, budget);
        // Of a task that has ended, what came later is not its change.
        let after = match (origin.until_ms, &edit.after) {
            (Some(_), Version::File { .. } | Version::Absent) => {
                match content(&images, &edit.after, budget) {
                    Content::LeftOut(_) => disk::read(&top, &path, budget),
                    kept => kept,
                }
            }
            _ => disk::read(&top, &path, budget),
        };
        found.put(&path, None, before, after);
    }
    Ok(count)
}

impl Origin {
    fn was_under_way(&self, at_ms: u64) -> bool {
        at_ms >= self.since_ms && self.until_ms.is_none_or(|until| at_ms <= until)
    }
}

fn collect(entry: Entry, edited: &mut BTreeMap<(PathBuf, PathBuf), Edited>) {
    let EntryKind::Edit { changes, .. } = entry.kind else {
        return;
    };
    let top = PathBuf::from(entry.worktree);
    for change in changes {
        let key = (top.clone(), PathBuf::from(change.path));
        let after = change.after;
        edited
            .entry(key)
            .and_modify(|edit| edit.after = after.clone())
            .or_insert(Edited {
                before: change.before,
                after,
            });
    }
}

fn content(images: &Images, version: &Version, budget: &mut Budget) -> Content {
    match version {
        Version::Absent => Content::Absent,
        Version::Unknown => Content::LeftOut("what it held before is not known"),
        Version::File { hash, shape } => match images.get(hash) {
            Err(_) => Content::LeftOut("what it held is not kept"),
            Ok(bytes) => match (budget.refuses(bytes.len() as u64), shape) {
                (Some(why), _) => Content::LeftOut(why),
                (None, kite_undo::Shape::Symlink) => {
                    Content::Link(String::from_utf8_lossy(&bytes).into_owned())
                }
                (None, _) => Content::of(bytes),
            },
        },
    }
}
