//! Sessions of the older protocol era that are in memory: rmcp's own, with a limit.
//!
//! What is pushed out is not lost: the [store](super::store) has it, and the next request brings
//! it back.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use rmcp::{
    model::{ClientJsonRpcMessage, ServerJsonRpcMessage},
    transport::streamable_http_server::session::{
        RestoreOutcome, ServerSseMessage, SessionId, SessionManager,
        local::{LocalSessionManager, LocalSessionManagerError, SessionTransport},
    },
};
use tokio::{
    task::JoinSet,
    time::{Instant, timeout},
};

use super::store::Store;

/// Sessions in memory.
const SESSIONS_MAX: usize = 256;
/// How long a session is kept in memory without a word from either side.
const IDLE_MAX: Duration = Duration::from_secs(24 * 3_600);
/// After how long a client whose stream was ended should open it again.
const RETURN_AFTER: Duration = Duration::from_secs(1);
/// The least between two notes on disk that a session is in use.
const NOTE_PAUSE: Duration = Duration::from_secs(3_600);
/// How long all streams may take to end.
const GOODBYE_MAX: Duration = Duration::from_millis(300);

type Error = LocalSessionManagerError;

/// The sessions in memory, and when each was last used.
pub(super) struct Sessions {
    inner: LocalSessionManager,
    used: Mutex<HashMap<SessionId, Used>>,
    store: Arc<Store>,
}

struct Used {
    at: Instant,
    /// When the store was last told, or the session was written or read there.
    noted: Instant,
}

impl Sessions {
    pub(super) fn new(store: Arc<Store>) -> Sessions {
        let mut inner = LocalSessionManager::default();
        inner.session_config.keep_alive = Some(IDLE_MAX);
        Sessions {
            inner,
            used: Mutex::default(),
            store,
        }
    }

    /// Ends the streams on which clients wait for news, telling them to come back. Those whose
    /// client reads nothing are not waited for.
    pub(super) async fn say_goodbye(&self) {
        let handles: Vec<_> = self.inner.sessions.read().await.values().cloned().collect();
        let mut farewells = JoinSet::new();
        for handle in handles {
            // A session that has ended by itself has no stream.
            farewells.spawn(async move {
                let _ = handle.close_standalone_sse_stream(Some(RETURN_AFTER)).await;
            });
        }
        let _ = timeout(GOODBYE_MAX, farewells.join_all()).await;
    }

    fn begin(&self, id: &SessionId) {
        let now = Instant::now();
        self.with(|used| {
            used.insert(
                id.clone(),
                Used {
                    at: now,
                    noted: now,
                },
            )
        });
    }

    /// Notes on disk, too, that it is in use: a session that lasts is not to give way to newer ones.
    async fn use_now(&self, id: &SessionId) {
        let now = Instant::now();
        let is_due = self.with(|all| {
            let used = all.entry(id.clone()).or_insert(Used {
                at: now,
                noted: now,
            });
            used.at = now;
            let is_due = now.duration_since(used.noted) >= NOTE_PAUSE;
            if is_due {
                used.noted = now;
            }
            is_due
        });
        if is_due {
            self.store.note_use(id).await;
        }
    }

    fn with<T>(&self, use_it: impl FnOnce(&mut HashMap<SessionId, Used>) -> T) -> T {
        use_it(&mut self.used.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Pushes out those that were not used for longest, where there is no room for one more.
    async fn make_room(&self) -> Result<(), Error> {
        loop {
            let oldest = self.with(|used| {
                let full = used.len() >= SESSIONS_MAX;
                let oldest = used.iter().min_by_key(|(_, used)| used.at);
                oldest.filter(|_| full).map(|(id, _)| id.clone())
            });
            let Some(oldest) = oldest else { return Ok(()) };
            self.close_session(&oldest).await?;
        }
    }
}

impl SessionManager for Sessions {
    type Error = Error;
    type Transport = SessionTransport;

    async fn create_session(&self) -> Result<(SessionId, SessionTransport), Error> {
        self.make_room().await?;
        let (id, transport) = self.inner.create_session().await?;
        self.begin(&id);
        Ok((id, transport))
    }

    async fn initialize_session(
        &self,
        id: &SessionId,
        message: ClientJsonRpcMessage,
    ) -> Result<ServerJsonRpcMessage, Error> {
        self.inner.initialize_session(id, message).await
    }

    async fn has_session(&self, id: &SessionId) -> Result<bool, Error> {
        let is_there = self.inner.has_session(id).await?;
        if is_there {
            self.use_now(id).await;
        }
        Ok(is_there)
    }

    async fn close_session(&self, id: &SessionId) -> Result<(), Error> {
        self.with(|used| used.remove(id));
        self.inner.close_session(id).await
    }

    async fn create_stream(
        &self,
        id: &SessionId,
        message: ClientJsonRpcMessage,
    ) -> Result<impl futures_core::Stream<Item = ServerSseMessage> + Send + 'static, Error> {
        self.inner.create_stream(id, message).await
    }

    async fn accept_message(
        &self,
        id: &SessionId,
        message: ClientJsonRpcMessage,
    ) -> Result<(), Error> {
        self.inner.accept_message(id, message).await
    }

    async fn create_standalone_stream(
        &self,
        id: &SessionId,
    ) -> Result<impl futures_core::Stream<Item = ServerSseMessage> + Send + 'static, Error> {
        self.inner.create_standalone_stream(id).await
    }

    async fn resume(
        &self,
        id: &SessionId,
        last_event_id: String,
    ) -> Result<impl futures_core::Stream<Item = ServerSseMessage> + Send + 'static, Error> {
        self.inner.resume(id, last_event_id).await
    }

    async fn restore_session(
        &self,
        id: SessionId,
    ) -> Result<RestoreOutcome<SessionTransport>, Error> {
        self.make_room().await?;
        let outcome = self.inner.restore_session(id.clone()).await?;
        self.begin(&id);
        Ok(outcome)
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};

    use kite_wire::home::Home;
    use rmcp::{
        model::InitializeRequestParams,
        transport::streamable_http_server::session::{SessionState, SessionStore},
    };
    use serde_json::json;
    use tokio::time::advance;

    use super::*;

    fn sessions() -> (Arc<Sessions>, Arc<Store>, tempfile::TempDir) {
        let home = tempfile::tempdir().expect("a directory");
        let store = Arc::new(Store::of(&Home::at(home.path())));
        (Arc::new(Sessions::new(Arc::clone(&store))), store, home)
    }

    #[tokio::test(start_paused = true)]
    async fn a_session_in_use_notes_it_on_disk_once_an_hour() {
        let (sessions, store, home) = sessions();
        let (id, _transport) = sessions.create_session().await.expect("room");
        let state = SessionState::new(InitializeRequestParams::default());
        store.store(&id, &state).await.expect("room");
        let kept = fs::read_dir(home.path().join("http-sessions"))
            .expect("a directory")
            .next();
        let kept = kept.expect("a file").expect("an entry").path();
        let long_ago = std::time::UNIX_EPOCH + Duration::from_secs(1);
        let forget = || {
            let file = File::options().append(true).open(&kept).expect("a file");
            file.set_modified(long_ago).expect("a time");
        };
        let is_noted = || fs::metadata(&kept).expect("a file").modified().ok() != Some(long_ago);
        forget();
        for (after, noted) in [(NOTE_PAUSE / 2, false), (NOTE_PAUSE / 2, true)] {
            advance(after).await;
            assert!(sessions.has_session(&id).await.expect("it is there"));
            assert_eq!(is_noted(), noted);
        }
        forget();
        assert!(sessions.has_session(&id).await.expect("it is there"));
        assert!(!is_noted(), "at most once an hour");
        fs::remove_file(&kept).expect("it is there");
        advance(NOTE_PAUSE).await;
        assert!(sessions.has_session(&id).await.expect("it is there"));
        assert!(!kept.exists(), "what is gone does not come back half");
    }

    #[tokio::test(start_paused = true)]
    async fn a_session_that_is_stuck_does_not_hold_up_the_end() {
        let (sessions, _store, _home) = sessions();
        // Nobody is behind it, so its handshake never ends.
        let (id, _stuck) = sessions.create_session().await.expect("room");
        let handshake = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
            "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "", "version": ""}}});
        let handshake = serde_json::from_value(handshake).expect("a message");
        let its = Arc::clone(&sessions);
        let shaking = tokio::spawn(async move { its.initialize_session(&id, handshake).await });
        tokio::task::yield_now().await;
        let said = timeout(Duration::from_secs(5), sessions.say_goodbye()).await;
        assert!(said.is_ok(), "it waits for ever");
        shaking.abort();
    }
}
