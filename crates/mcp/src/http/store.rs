//! Sessions of the older protocol era, kept on disk: they outlive idle hours and a restart of this
//! server, because several clients never begin anew when theirs is not known any more.
//!
//! One file each in `$KITE_HOME/http-sessions`, for the owner alone to read. Its name tells nobody
//! the session's id, by which a client is known.

use std::{
    collections::BTreeSet,
    fs::{self, DirBuilder, File, FileTimes, OpenOptions},
    io::{
        self,
        ErrorKind::{InvalidData, NotFound},
        Write,
    },
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    time::SystemTime,
};

use kite_wire::home::Home;
use rmcp::transport::streamable_http_server::session::{
    SessionState, SessionStore, SessionStoreError,
};
use serde::{Deserialize, Serialize};
use tokio::task::spawn_blocking;

use super::handles::session_id;

/// Sessions that are kept. With one more, the one that was not used for longest is forgotten.
const KEPT_MAX: usize = 512;
/// Bytes of what is kept of a session; it is what the client said of itself.
const STATE_BYTES_MAX: usize = 64 << 10;

const DIRECTORY_MODE: u32 = 0o700;
const FILE_MODE: u32 = 0o600;
const EXTENSION: &str = "json";

/// Resources that a kept session follows.
const FOLLOWED_MAX: usize = 100;

/// A session as it is kept.
#[derive(Serialize, Deserialize)]
struct Kept {
    state: SessionState,
    /// What the client was subscribed to.
    #[serde(default)]
    followed: BTreeSet<String>,
}

/// The sessions of a home.
pub(crate) struct Store {
    directory: PathBuf,
}

impl Store {
    pub(super) fn of(home: &Home) -> Store {
        Store {
            directory: home.path().join("http-sessions"),
        }
    }

    /// Notes that a session follows a resource, or does so no longer. One that is not kept is not
    /// followed up either.
    pub(crate) fn follow(&self, id: &str, uri: &str, follows: bool) {
        let path = self.file(id);
        let Ok(mut kept) = read(&path) else { return };
        let changed = if follows {
            kept.followed.len() < FOLLOWED_MAX && kept.followed.insert(uri.to_owned())
        } else {
            kept.followed.remove(uri)
        };
        if changed {
            // Where it cannot be noted, the client is told less after a restart.
            let _ = write(&self.directory, &path, &kept);
        }
    }

    /// What a session follows.
    pub(crate) fn followed(&self, id: &str) -> BTreeSet<String> {
        read(&self.file(id)).map_or_else(|_| BTreeSet::new(), |kept| kept.followed)
    }

    /// Notes that a session is in use. One that is not kept stays so.
    pub(super) async fn note_use(&self, id: &str) {
        let file = self.file(id);
        // It fails only where this process ends.
        let _ = spawn_blocking(move || note_use(&file)).await;
    }

    fn file(&self, id: &str) -> PathBuf {
        self.directory
            .join(session_id(id))
            .with_extension(EXTENSION)
    }
}

#[async_trait::async_trait]
impl SessionStore for Store {
    async fn load(&self, id: &str) -> Result<Option<SessionState>, SessionStoreError> {
        let file = self.file(id);
        match spawn_blocking(move || read(&file)).await? {
            Ok(kept) => Ok(Some(kept.state)),
            // What cannot be understood is as good as not there: the client begins anew.
            Err(error) if matches!(error.kind(), NotFound | InvalidData) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    async fn store(&self, id: &str, state: &SessionState) -> Result<(), SessionStoreError> {
        if serde_json::to_vec(state)?.len() > STATE_BYTES_MAX {
            return Err("the client says too much of itself".into());
        }
        let kept = Kept {
            state: state.clone(),
            followed: BTreeSet::new(),
        };
        let (directory, file) = (self.directory.clone(), self.file(id));
        spawn_blocking(move || write(&directory, &file, &kept)).await??;
        Ok(())
    }

    async fn delete(&self, id: &str) -> Result<(), SessionStoreError> {
        let file = self.file(id);
        match spawn_blocking(move || fs::remove_file(file)).await? {
            Err(error) if error.kind() != NotFound => Err(error.into()),
            _ => Ok(()),
        }
    }
}

fn read(path: &Path) -> io::Result<Kept> {
    let kept = serde_json::from_slice(&fs::read(path)?)?;
    note_use(path);
    Ok(kept)
}

/// For [`forget_oldest`]. Where it cannot be noted, the session counts as used when it last was.
fn note_use(path: &Path) {
    let used = FileTimes::new().set_modified(SystemTime::now());
    let _ = File::options()
        .append(true)
        .open(path)
        .and_then(|file| file.set_times(used));
}

fn write(directory: &Path, path: &Path, kept: &Kept) -> io::Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(DIRECTORY_MODE)
        .create(directory)?;
    forget_oldest(directory)?;
    let draft = path.with_extension("draft");
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(FILE_MODE)
        .open(&draft)?;
    file.write_all(&serde_json::to_vec(kept)?)?;
    fs::rename(&draft, path)
}

/// Makes room for one more.
fn forget_oldest(directory: &Path) -> io::Result<()> {
    let mut kept: Vec<(SystemTime, PathBuf)> = fs::read_dir(directory)?
        .flatten()
        .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
        .collect();
    kept.sort();
    let surplus = (kept.len() + 1).saturating_sub(KEPT_MAX);
    for (_, path) in kept.into_iter().take(surplus) {
        fs::remove_file(path)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use rmcp::model::InitializeRequestParams;

    use super::*;

    fn state(client: &str) -> SessionState {
        let mut params = InitializeRequestParams::default();
        params.client_info.name = client.to_owned();
        SessionState::new(params)
    }

    #[tokio::test]
    async fn a_session_is_found_again_and_its_file_tells_nobody_its_id() {
        let home = tempfile::tempdir().expect("a directory");
        let store = Store::of(&Home::at(home.path()));
        assert!(store.load("one").await.expect("no error").is_none());
        store.store("one", &state("agent")).await.expect("room");
        let again = Store::of(&Home::at(home.path()));
        let found = again.load("one").await.expect("no error").expect("kept");
        assert_eq!(found.initialize_params.client_info.name, "agent");
        assert!(again.load("../one").await.expect("no error").is_none());
        let files: Vec<_> = fs::read_dir(&store.directory)
            .expect("a directory")
            .flatten()
            .collect();
        assert_eq!(files.len(), 1);
        assert!(!files[0].file_name().to_string_lossy().contains("one"));
        let mode = |path: &Path| fs::metadata(path).expect("it is there").mode() & 0o777;
        assert_eq!(mode(&files[0].path()), FILE_MODE);
        assert_eq!(mode(&store.directory), DIRECTORY_MODE);
        again.follow("one", "kite://tasks", true);
        again.follow("one", "kite://locks", true);
        again.follow("one", "kite://tasks", false);
        let followed: Vec<String> = store.followed("one").into_iter().collect();
        assert_eq!(followed, ["kite://locks"]);
        again.follow("two", "kite://tasks", true);
        assert!(store.followed("two").is_empty(), "it is not kept");
        again.delete("one").await.expect("removed");
        again.delete("one").await.expect("not there is no error");
        assert!(store.load("one").await.expect("no error").is_none());
    }

    #[tokio::test]
    async fn there_is_an_end_to_what_is_kept() {
        let home = tempfile::tempdir().expect("a directory");
        let store = Store::of(&Home::at(home.path()));
        for number in 0..KEPT_MAX + 3 {
            let id = format!("session {number}");
            store.store(&id, &state("agent")).await.expect("room");
        }
        let files = fs::read_dir(&store.directory).expect("a directory");
        assert_eq!(files.count(), KEPT_MAX);
        let much = state(&"x".repeat(STATE_BYTES_MAX));
        assert!(store.store("much", &much).await.is_err());
    }
}
