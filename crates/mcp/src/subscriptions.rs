//! Who is told when a resource changes, in both eras of the protocol.
//!
//! A subscription is level-triggered. Its first update comes at once, so that no change is lost
//! between the answer and the first look; later ones say that the content differs from what the
//! latest update stood for. Nothing is queued: a subscriber that reads slowly finds one update for
//! each of its resources, however much has happened, and holds up nobody but itself.

mod follower;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

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

/// The subscriptions of a connection of the older era. Dropped, they end.
#[derive(Default)]
pub(crate) struct Subscriptions {
    wishes: Arc<Wishes>,
    /// Wakes the one who tells, where there is one.
    telling: Mutex<Option<mpsc::Sender<()>>>,
}

/// What the client wants to be told of, by the URI as it spelled it. It is not a queue: however
/// long the one who tells is busy, nothing that the client said is lost.
#[derive(Default)]
struct Wishes(Mutex<BTreeMap<String, Wanted>>);

/// A resource, and on whose behalf it is looked at.
struct Wanted {
    resource: Uri,
    caller: Caller,
    /// It was asked for since it was last looked through: an update is owed.
    is_new: bool,
}

impl Subscriptions {
    /// Subscribes. The error is what the client is told.
    pub(crate) fn subscribe(
        &self,
        (uri, resource): (String, Uri),
        caller: Caller,
        begin: impl FnOnce() -> Telling,
    ) -> Result<(), String> {
        self.wishes.add(uri, resource, caller)?;
        let mut telling = self.telling.lock().unwrap_or_else(PoisonError::into_inner);
        match telling.as_ref().filter(|waking| !waking.is_closed()) {
            // Where it is full, the one who tells is woken already.
            Some(waking) => drop(waking.try_send(())),
            None => {
                self.wishes.renew();
                *telling = Some(begin().start(Arc::clone(&self.wishes)));
            }
        }
        Ok(())
    }

    /// Ends a subscription, where there is one.
    pub(crate) fn unsubscribe(&self, uri: &str) {
        self.wishes.all().remove(uri);
        let telling = self.telling.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(waking) = telling.as_ref() {
            // As above.
            let _ = waking.try_send(());
        }
    }
}

impl Wishes {
    fn all(&self) -> MutexGuard<'_, BTreeMap<String, Wanted>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, uri: String, resource: Uri, caller: Caller) -> Result<(), String> {
        let mut all = self.all();
        if all.len() >= SUBSCRIPTIONS_MAX && !all.contains_key(&uri) {
            return Err(format!(
                "Nothing was subscribed to: a client may follow {SUBSCRIPTIONS_MAX} resources, and this one does. \
                 Unsubscribe from one of them first."
            ));
        }
        let wanted = Wanted {
            resource,
            caller,
            is_new: true,
        };
        all.insert(uri, wanted);
        Ok(())
    }

    /// For one who begins to tell, everything is new.
    fn renew(&self) {
        for wanted in self.all().values_mut() {
            wanted.is_new = true;
        }
    }

    /// Makes `follower` follow what is wanted, and nothing else.
    fn look_through(&self, follower: &mut Follower) {
        let mut all = self.all();
        follower.keep(|uri| all.contains_key(uri));
        for (uri, wanted) in all.iter_mut().filter(|(_, wanted)| wanted.is_new) {
            wanted.is_new = false;
            follower.add(uri.clone(), wanted.resource.clone(), wanted.caller.clone());
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
    fn start(self, wishes: Arc<Wishes>) -> mpsc::Sender<()> {
        let (waking, woken) = mpsc::channel(1);
        tokio::spawn(self.run(wishes, woken));
        waking
    }

    /// Ends with the process, with the client, or when nobody can subscribe any more.
    async fn run(self, wishes: Arc<Wishes>, mut woken: mpsc::Receiver<()>) {
        let mut follower = Follower::new(&self.feed, Arc::clone(&self.daemon));
        wishes.look_through(&mut follower);
        loop {
            let uri = tokio::select! {
                woken = woken.recv() => {
                    match woken {
                        Some(()) => wishes.look_through(&mut follower),
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
