//! Who is told when a resource changes, in both eras of the protocol.
//!
//! A subscription is level-triggered. Its first update comes at once, so that no change is lost
//! between the answer and the first look; later ones say that the content differs from what the
//! latest update stood for. Nothing is queued: a subscriber that reads slowly finds one update for
//! each of its resources, however much has happened, and holds up nobody but itself.

mod follower;

use std::sync::{Arc, Mutex, PoisonError};

use kite_wire::request::Caller;
use rmcp::{Peer, RoleServer, model::ResourceUpdatedNotificationParam};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

pub(crate) use follower::Follower;

use crate::{
    daemon::{Daemon, Feed},
    resources::Uri,
};

/// Resources that one client may be subscribed to.
pub(crate) const SUBSCRIPTIONS_MAX: usize = 100;
/// Subscribing and unsubscribing that waits to be done: a session that comes back subscribes to all
/// that it followed at once.
const WORDS_MAX: usize = SUBSCRIPTIONS_MAX;

/// The subscriptions of a connection of the older era. Dropped, they end.
#[derive(Default)]
pub(crate) struct Subscriptions {
    telling: Mutex<Option<mpsc::Sender<Word>>>,
}

/// A resource, as the client spelled it, and on whose behalf it is looked at.
struct Wanted {
    uri: String,
    resource: Uri,
    caller: Caller,
}

/// What the client asks of its subscriptions.
enum Word {
    Subscribe(Box<Wanted>),
    Unsubscribe(String),
}

impl Subscriptions {
    /// Subscribes. The error is what the client is told.
    pub(crate) fn subscribe(
        &self,
        uri: (String, Uri),
        caller: Caller,
        begin: impl FnOnce() -> Telling,
    ) -> Result<(), String> {
        let mut telling = self.telling.lock().unwrap_or_else(PoisonError::into_inner);
        let words = match telling.as_ref().filter(|words| !words.is_closed()) {
            Some(words) => words,
            None => telling.insert(begin().start()),
        };
        let (uri, resource) = uri;
        let wanted = Wanted {
            uri,
            resource,
            caller,
        };
        words
            .try_send(Word::Subscribe(Box::new(wanted)))
            .map_err(|_| {
                "Too much subscribing at once; nothing was subscribed to. Try again.".to_owned()
            })
    }

    /// Ends a subscription, where there is one.
    pub(crate) fn unsubscribe(&self, uri: &str) {
        let telling = self.telling.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(words) = telling.as_ref() {
            // A full mailbox is one of a client that does not read; it is told nothing anyhow.
            let _ = words.try_send(Word::Unsubscribe(uri.to_owned()));
        }
    }
}

/// Tells one client of the older era.
pub(crate) struct Telling {
    pub(crate) feed: Feed,
    pub(crate) daemon: Arc<Daemon>,
    pub(crate) peer: Peer<RoleServer>,
    pub(crate) stopping: CancellationToken,
}

impl Telling {
    fn start(self) -> mpsc::Sender<Word> {
        let (sender, words) = mpsc::channel(WORDS_MAX);
        tokio::spawn(self.run(words));
        sender
    }

    /// Ends with the process, with the client, or when nobody can subscribe any more.
    async fn run(self, mut words: mpsc::Receiver<Word>) {
        let mut follower = Follower::new(&self.feed, Arc::clone(&self.daemon));
        loop {
            let uri = tokio::select! {
                word = words.recv() => {
                    match word {
                        Some(Word::Subscribe(wanted)) => {
                            follower.add(wanted.uri, wanted.resource, wanted.caller);
                        }
                        Some(Word::Unsubscribe(uri)) => follower.remove(&uri),
                        None => return,
                    }
                    continue;
                }
                uri = follower.next() => uri,
                () = self.stopping.cancelled() => return,
            };
            let update = ResourceUpdatedNotificationParam::new(uri);
            if self.peer.notify_resource_updated(update).await.is_err() {
                return;
            }
        }
    }
}
