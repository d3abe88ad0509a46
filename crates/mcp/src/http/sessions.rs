//! Sessions of the older protocol era that are in memory: rmcp's own, with a limit.
//!
//! What is pushed out is not lost: the [store](super::store) has it, and the next request brings
//! it back.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use rmcp::{
    model::{ClientJsonRpcMessage, ServerJsonRpcMessage},
    transport::streamable_http_server::session::{
        RestoreOutcome, ServerSseMessage, SessionId, SessionManager,
        local::{LocalSessionManager, LocalSessionManagerError, SessionTransport},
    },
};
use tokio::{task::JoinSet, time::timeout};

/// Sessions in memory.
const SESSIONS_MAX: usize = 256;
/// How long a session is kept in memory without a word from either side.
const IDLE_MAX: Duration = Duration::from_secs(24 * 3_600);
/// After how long a client whose stream was ended should open it again.
const RETURN_AFTER: Duration = Duration::from_secs(1);
/// How long all streams may take to end.
const GOODBYE_MAX: Duration = Duration::from_millis(300);

type Error = LocalSessionManagerError;

/// The sessions in memory, and when each was last used.
pub(super) struct Sessions {
    inner: LocalSessionManager,
    used: Mutex<HashMap<SessionId, Instant>>,
}

impl Sessions {
    pub(super) fn new() -> Sessions {
        let mut inner = LocalSessionManager::default();
        inner.session_config.keep_alive = Some(IDLE_MAX);
        Sessions {
            inner,
            used: Mutex::default(),
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

    fn use_now(&self, id: &SessionId) {
        self.with(|used| used.insert(id.clone(), Instant::now()));
    }

    fn with<T>(&self, use_it: impl FnOnce(&mut HashMap<SessionId, Instant>) -> T) -> T {
        use_it(&mut self.used.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Pushes out those that were not used for longest, where there is no room for one more.
    async fn make_room(&self) -> Result<(), Error> {
        loop {
            let oldest = self.with(|used| {
                let full = used.len() >= SESSIONS_MAX;
                let oldest = used.iter().min_by_key(|(_, at)| **at);
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
        self.use_now(&id);
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
            self.use_now(id);
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
        self.use_now(&id);
        Ok(outcome)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_session_that_is_stuck_does_not_hold_up_the_end() {
        let sessions = Arc::new(Sessions::new());
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
