//! From what somebody wrote to what a lock or a task is on.

use std::path::{Path, PathBuf};

use kite_rules::pattern::Target;
use kite_wire::reply::Fault;

use super::{callers::text, places::Place};
use crate::{
    hands::files,
    translate::{self, words},
};

/// Resolves paths, directories (`dir/`, or an existing directory) and globs against a directory.
/// Answers each target with the text it was given as.
pub(super) async fn resolve(
    base: &str,
    written: &[String],
) -> Result<Vec<(Target, String)>, Fault> {
    let mut parts = Vec::new();
    for item in written {
        if item.is_empty() || item.contains('\0') {
            return Err(Fault::new(
                "invalid_field",
                "a path is empty or contains a zero byte",
            ));
        }
        parts.push(Part::of(item, base));
    }
    let literal: Vec<PathBuf> = parts
        .iter()
        .map(|part| PathBuf::from(&part.literal))
        .collect();
    let files = files::resolve(PathBuf::from(base), literal)
        .await
        .ok_or_else(|| {
            Fault::new("storage_error", "the file system did not answer in time")
                .hint("ask again; nothing was changed")
        })?;
    let targets = parts
        .into_iter()
        .zip(files)
        .zip(written)
        .map(|((part, file), written)| {
            let key = text(&file.key);
            let target = match part.glob {
                Some(glob) => Target::Glob(format!("{}/{glob}", escape(key.trim_end_matches('/')))),
                None if part.directory || file.shown.is_dir() => Target::Tree(key),
                None => Target::Path(key),
            };
            (target, written.clone())
        });
    Ok(targets.collect())
}

/// Refuses what covers more than the project that the asker stands in: a slip of the keys (`/`,
/// `../..`) would otherwise keep everybody out of everything.
pub(super) fn not_above(targets: &[(Target, String)], place: &Place) -> Result<(), Fault> {
    let above = targets.iter().find(|(target, _)| {
        let covers = match target {
            Target::Tree(directory) => directory.as_str(),
            Target::Glob(glob) => glob.split(['*', '?', '[', '{']).next().unwrap_or(glob),
            Target::Path(_) | Target::Name { .. } => return false,
        };
        let covers = covers.trim_end_matches('/');
        let project = translate::project(&place.project);
        project.len() > covers.len()
            && project.starts_with(covers)
            && project[covers.len()..].starts_with('/')
    });
    match above {
        None => Ok(()),
        Some((_, written)) => Err(Fault::new(
            "invalid_field",
            format!("{} lies above your project", words::quoted(written, 200)),
        )
        .hint("lock files or directories inside the project, or the project itself")),
    }
}

/// A written target, split into its literal leading directories and its glob.
struct Part {
    literal: String,
    glob: Option<String>,
    directory: bool,
}

impl Part {
    fn of(written: &str, base: &str) -> Part {
        let is_meta = |c: char| matches!(c, '*' | '?' | '[' | '{');
        // A file that exists by that very name is meant literally.
        let exists = || Path::new(base).join(written).symlink_metadata().is_ok();
        if !written.contains(is_meta) || exists() {
            return Part {
                literal: written.to_owned(),
                glob: None,
                directory: written.ends_with('/'),
            };
        }
        let first = written.find(is_meta).unwrap_or(written.len());
        let (literal, glob) = match written[..first].rfind('/') {
            Some(0) => ("/", &written[1..]),
            Some(at) => (&written[..at], &written[at + 1..]),
            None => (".", written),
        };
        Part {
            literal: literal.to_owned(),
            glob: Some(glob.to_owned()),
            directory: false,
        }
    }
}

/// Makes a literal path safe as the beginning of a glob.
fn escape(path: &str) -> String {
    let mut escaped = String::with_capacity(path.len());
    for c in path.chars() {
        if matches!(c, '*' | '?' | '[' | ']' | '{' | '}' | '\\' | ',' | '!') {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}
