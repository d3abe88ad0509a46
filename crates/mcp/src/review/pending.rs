//! Calls of the newer era that wait to be made again with an answer.
//!
//! The state that a client carries is a random number and nothing else: what it stands for stays
//! here. So there is nothing in it to change, one that was used is gone, and one that was guessed
//! was never there.

use std::{
    collections::VecDeque,
    fmt::Write,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use kite_wire::{reply::reviews::Brief, request::Caller};
use serde_json::{Map, Value};
use tokio::time::Instant;

use super::Question;
use crate::http::handles::Handle;

/// How long a client may take to have the brief read and to call again.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(15 * 60);
/// Calls that wait at one time; the oldest make room.
const PENDING_MAX: usize = 64;

/// Who called, and with what.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Key {
    /// Client, process and session. `None`: nobody that could be told from others.
    caller: Option<(String, Option<u32>, Option<String>)>,
    arguments: Map<String, Value>,
}

impl Key {
    pub(crate) fn of(caller: &Caller, arguments: &Map<String, Value>) -> Key {
        let is_known = caller.pid.is_some() || caller.client_session_id.is_some();
        Key {
            caller: is_known.then(|| {
                let session = caller.client_session_id.clone();
                (caller.client.clone(), caller.pid, session)
            }),
            arguments: arguments.clone(),
        }
    }
}

/// What a call goes on with when it comes again.
#[derive(Debug)]
pub(crate) struct Given {
    pub(crate) brief: Brief,
    pub(crate) question: Question,
    /// Whoever asked, under the handle that was made for them where one was.
    pub(crate) caller: Caller,
    pub(crate) minted: Option<Handle>,
}

struct Waiting {
    state: String,
    key: Key,
    until: Instant,
    given: Given,
}

/// The calls that wait, of all clients of this process.
#[derive(Default)]
pub(crate) struct Pending(Mutex<VecDeque<Waiting>>);

impl Pending {
    /// Keeps a call: the state for the client to bring back. The error is the text for the model.
    pub(crate) fn keep(&self, key: Key, given: Given) -> Result<String, String> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes)
            .map_err(|error| format!("This system gives no random numbers ({error})."))?;
        let state = bytes
            .iter()
            .fold(String::with_capacity(32), |mut hex, byte| {
                // Writing to a String cannot fail.
                let _ = write!(hex, "{byte:02x}");
                hex
            });
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        waiting.retain(|it| it.until > now);
        if waiting.len() >= PENDING_MAX {
            waiting.pop_front();
        }
        waiting.push_back(Waiting {
            state: state.clone(),
            key,
            until: now + ANSWER_TIME_MAX,
            given,
        });
        Ok(state)
    }

    /// Takes the call out that this state was given for. `None` where it was given for no such call
    /// of this caller, is used up, or too old.
    pub(crate) fn take(&self, state: &str, key: &Key) -> Option<Given> {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let at = waiting
            .iter()
            .position(|it| it.state == state && it.until > now && it.key == *key)?;
        waiting.remove(at).map(|it| it.given)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn caller(session: Option<&str>) -> Caller {
        Caller {
            client: "codex".to_owned(),
            client_session_id: session.map(str::to_owned),
            ..Caller::default()
        }
    }

    fn arguments(task: &str) -> Map<String, Value> {
        let given = json!({ "task_id": task });
        given.as_object().cloned().unwrap_or_default()
    }

    fn given() -> Given {
        Given {
            brief: Brief::default(),
            question: Question::of(&Brief::default()),
            caller: Caller::default(),
            minted: None,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_state_is_good_once_for_its_caller_and_its_call() {
        let pending = Pending::default();
        let key = Key::of(&caller(Some("a")), &arguments("t"));
        let state = pending.keep(key.clone(), given()).expect("a state");
        assert_eq!(state.len(), 32);
        for other in [
            Key::of(&caller(Some("b")), &arguments("t")),
            Key::of(&caller(None), &arguments("t")),
            Key::of(&caller(Some("a")), &arguments("u")),
        ] {
            assert!(pending.take(&state, &other).is_none(), "{other:?}");
        }
        assert!(pending.take(&format!("{state}0"), &key).is_none());
        assert!(pending.take(&state, &key).is_some());
        assert!(pending.take(&state, &key).is_none(), "it is used up");

        let late = pending.keep(key.clone(), given()).expect("a state");
        tokio::time::advance(ANSWER_TIME_MAX).await;
        assert!(pending.take(&late, &key).is_none(), "it is too old");
    }

    #[tokio::test]
    async fn the_oldest_make_room() {
        let pending = Pending::default();
        let key = Key::of(&caller(None), &arguments("t"));
        let first = pending.keep(key.clone(), given()).expect("a state");
        for _ in 0..PENDING_MAX {
            pending.keep(key.clone(), given()).expect("a state");
        }
        assert!(pending.take(&first, &key).is_none());
        assert_eq!(pending.0.lock().expect("unbroken").len(), PENDING_MAX);
    }
}
