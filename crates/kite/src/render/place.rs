//! Where things are, as short as is still clear.

use std::{env, path::Path};

/// A path or glob relative to the current directory where it is below it, else as it is.
#[must_use]
pub(crate) fn path(target: &str) -> String {
    let relative = || {
        let here = env::current_dir().ok()?;
        let below = target.strip_prefix(here.to_str()?)?.strip_prefix('/')?;
        (!below.is_empty()).then(|| below.to_owned())
    };
    relative().unwrap_or_else(|| target.to_owned())
}

/// A project's directory: that of its git directory, where it has one.
#[must_use]
pub(crate) fn project(project: &str) -> &str {
    project.strip_suffix("/.git").unwrap_or(project)
}

/// The last part of a directory's path.
#[must_use]
pub(crate) fn name(dir: &str) -> String {
    Path::new(dir).file_name().map_or_else(
        || dir.to_owned(),
        |name| name.to_string_lossy().into_owned(),
    )
}
