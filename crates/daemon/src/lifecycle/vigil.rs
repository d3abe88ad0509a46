//! A daemon whose home has gone serves nobody: it notices, and ends.

use std::{io, path::PathBuf, time::Duration};

use super::{address::Address, singleton::Singleton};

/// How long a daemon may outlive its home. Looking takes two `lstat` calls.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// What must stay at its place for the daemon to be found, and to be the only one.
pub(super) struct Vigil {
    kept: Vec<(PathBuf, Identity)>,
}

/// Device and inode.
type Identity = (u64, u64);

impl Vigil {
    /// Watches over the lock file that `singleton` holds, and over the socket.
    pub(super) fn over(singleton: &Singleton, address: &Address) -> io::Result<Vigil> {
        Ok(Vigil {
            kept: vec![
                (singleton.path().to_owned(), singleton.identity()?),
                (address.path.clone(), address.identity),
            ],
        })
    }

    /// Returns when one of them is gone or is another file. What cannot be looked at is taken to
    /// be there still.
    pub(super) async fn until_gone(&self) {
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            if self.kept.iter().any(|(path, known)| is_gone(path, *known)) {
                return;
            }
        }
    }
}

fn is_gone(path: &std::path::Path, known: Identity) -> bool {
    use std::os::unix::fs::MetadataExt;
    match std::fs::symlink_metadata(path) {
        Ok(metadata) => (metadata.dev(), metadata.ino()) != known,
        Err(e) => matches!(
            e.kind(),
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
        ),
    }
}
