//! Signs of life for clients that have no process which the daemon could watch.
//!
//! To the daemon, such a session is gone 60 s after its last word, with all that it holds. An agent
//! thinks for longer than that between two calls; so this server speaks for it, for a while.

use std::{
    collections::HashMap,
    io,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use kite_wire::{
    home::Home,
    request::{Caller, Envelope, Heartbeat, Request, SessionEnd},
};
use tokio::{
    sync::watch,
    time::{Instant, interval},
};
use tokio_util::sync::CancellationToken;

use crate::daemon::{Daemon, Question};

/// How long after its last call a client still counts as there.
const QUIET_MAX: Duration = Duration::from_secs(600);
/// Between two signs of life. The daemon forgets after 60 s.
const BEAT: Duration = Duration::from_secs(20);
/// Clients that are spoken for. With one more, the one that was quiet for longest is not.
const CLIENTS_MAX: usize = 256;

/// Those who have acted lately, by the name that the daemon knows them by.
#[derive(Default)]
pub(crate) struct Presence(Mutex<HashMap<String, Seen>>);

struct Seen {
    caller: Caller,
    at: Instant,
}

impl Presence {
    /// A client has called. Only one that `acts` has anything to lose; a client that has not acted
    /// yet is not made known to the daemon by this.
    pub(crate) fn note(&self, caller: &Caller, acts: bool) {
        let (None, Some(name)) = (caller.pid, &caller.client_session_id) else {
            return;
        };
        let seen = Seen {
            caller: caller.clone(),
            at: Instant::now(),
        };
        self.with(|known| {
            if !acts && !known.contains_key(name) {
                return;
            }
            known.insert(name.clone(), seen);
            if known.len() > CLIENTS_MAX {
                let quietest = known.iter().min_by_key(|(_, seen)| seen.at);
                let quietest = quietest.map(|(name, _)| name.clone());
                quietest.map(|name| known.remove(&name));
            }
        });
    }

    /// Speaks for all of them, until it is dropped.
    pub(super) async fn keep(&self, home: Home, build: String) {
        let mut beats = interval(BEAT);
        loop {
            beats.tick().await;
            for caller in self.present() {
                tell(&home, &build, &caller, Heartbeat {}).await;
            }
        }
    }

    /// The client has said goodbye: what it held is free.
    pub(super) async fn end(&self, name: &str, home: &Home, build: &str) {
        if let Some(seen) = self.with(|known| known.remove(name)) {
            tell(home, build, &seen.caller, SessionEnd {}).await;
        }
    }

    /// Those who were not quiet for too long. The others are forgotten.
    fn present(&self) -> Vec<Caller> {
        self.with(|known| {
            known.retain(|_, seen| seen.at.elapsed() < QUIET_MAX);
            known.values().map(|seen| seen.caller.clone()).collect()
        })
    }

    fn with<T>(&self, use_it: impl FnOnce(&mut HashMap<String, Seen>) -> T) -> T {
        use_it(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Where no daemon runs, nobody is told, and none is started for it.
async fn tell(home: &Home, build: &str, caller: &Caller, request: impl Into<Request>) {
    let start = Arc::new(|| Err(io::Error::from(io::ErrorKind::NotFound)));
    let daemon = Daemon::new(home.clone(), build.to_owned(), start);
    let question = Question {
        request: request.into(),
        envelope: Envelope::default(),
        patience: Duration::ZERO,
        place: watch::Sender::new(None),
        withdrawn: CancellationToken::new(),
    };
    // A session that the daemon has ended meanwhile is opened anew by its next call.
    let _ = daemon.ask(caller, &question).await;
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    fn caller(name: &str, pid: Option<u32>) -> Caller {
        Caller {
            client: "client".to_owned(),
            pid,
            client_session_id: Some(name.to_owned()),
            ..Caller::default()
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_has_acted_is_spoken_for_until_it_is_quiet_for_too_long() {
        let presence = Presence::default();
        presence.note(&caller("reads", None), false);
        presence.note(&caller("has a process", Some(7)), true);
        presence.note(&caller("acts", None), true);
        assert_eq!(presence.present(), [caller("acts", None)]);
        advance(QUIET_MAX / 2).await;
        presence.note(&caller("acts", None), false);
        advance(QUIET_MAX / 2).await;
        assert_eq!(presence.present(), [caller("acts", None)]);
        advance(QUIET_MAX / 2).await;
        assert!(presence.present().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn there_is_an_end_to_those_who_are_spoken_for() {
        let presence = Presence::default();
        for number in 0..=CLIENTS_MAX {
            presence.note(&caller(&number.to_string(), None), true);
            advance(Duration::from_millis(1)).await;
        }
        let present = presence.present();
        assert_eq!(present.len(), CLIENTS_MAX);
        assert!(!present.contains(&caller("0", None)));
    }
}
