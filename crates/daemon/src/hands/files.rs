//! Files and projects: one name for each, however it was written.
//!
//! Every question is answered off the loop and within [`PATIENCE`]: a path may lie on a file
//! system that hangs.

mod fingerprint;
mod key;
mod project;

use std::{path::PathBuf, time::Duration};

pub use fingerprint::{CONTENT_BYTES_MAX, Fingerprint};
pub use key::{File, Keys};
pub use project::Project;

/// How long the loop waits for a file system before it goes on without an answer.
pub const PATIENCE: Duration = Duration::from_millis(100);
/// How long it waits for the content of a file.
pub const CONTENT_PATIENCE: Duration = Duration::from_millis(500);

/// Resolves `paths` against the directory `base`, in one trip. `None` where the file system did
/// not answer in time.
pub async fn resolve(base: PathBuf, paths: Vec<PathBuf>) -> Option<Vec<File>> {
    let work = move || {
        paths
            .iter()
            .map(|path| Keys::default().resolve(&base, path))
            .collect()
    };
    off_the_loop(PATIENCE, work).await
}

/// The project and the worktree of a directory.
pub async fn project(directory: PathBuf) -> Option<Project> {
    off_the_loop(PATIENCE, move || Project::of(&directory)).await
}

/// What a file holds now.
pub async fn fingerprint(file: PathBuf) -> Option<Fingerprint> {
    off_the_loop(CONTENT_PATIENCE, move || Fingerprint::of(&file))
        .await?
        .ok()
}

/// The blocking thread cannot be cut off; it is left behind, and the runtime bounds their number.
async fn off_the_loop<T: Send + 'static>(
    patience: Duration,
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    let work = tokio::task::spawn_blocking(work);
    tokio::time::timeout(patience, work).await.ok()?.ok()
}
