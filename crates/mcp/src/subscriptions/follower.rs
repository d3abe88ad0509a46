//! Waits for the next resource that is worth an update.

use std::{sync::Arc, time::Duration};

use kite_wire::request::Caller;
use tokio::{
    sync::broadcast::error::RecvError,
    time::{Instant, sleep_until},
};
use tokio_util::sync::CancellationToken;

use super::SUBSCRIPTIONS_MAX;
use crate::{
    daemon::{Daemon, Feed, Following, Topics},
    resources::{Concern, ReadError, Reader, Uri},
};

/// The least between two updates of one resource: at most ten a second.
const UPDATE_PAUSE: Duration = Duration::from_millis(100);
/// The least between two looks at a resource that turn out to be for nothing. A change is told
/// this much later at worst.
const LOOK_PAUSE: Duration = Duration::from_millis(20);
/// The least between two looks that fail.
const FAILED_PAUSE: Duration = Duration::from_millis(250);

/// Follows some resources for one subscriber.
pub(crate) struct Follower {
    following: Following,
    daemon: Arc<Daemon>,
    followed: Vec<Followed>,
    /// The connection on which everything has been looked at.
    connection: u64,
}

/// One resource.
struct Followed {
    /// As the client spelled it, and wants it named.
    uri: String,
    resource: Uri,
    caller: Caller,
    topics: Topics,
    due: Due,
    not_before: Instant,
    /// The content that the latest update stood for, where that is known.
    digest: Option<u64>,
    /// The project that it shows, where that is known.
    project: Option<String>,
}

/// Whether a resource has to be looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    No,
    /// It may have changed.
    Look,
    /// It has changed: there is no need to look.
    Certain,
    /// An update is owed, whatever the content; which one that is has to be known.
    Update,
}

impl Follower {
    pub(crate) fn new(feed: &Feed, daemon: Arc<Daemon>) -> Follower {
        Follower {
            following: feed.follow(Topics::default()),
            daemon,
            followed: Vec::new(),
            connection: 0,
        }
    }

    /// Follows this one, too; it is owed an update at once. More than [`SUBSCRIPTIONS_MAX`] are
    /// not followed.
    pub(crate) fn add(&mut self, uri: String, resource: Uri, caller: Caller) {
        self.keep(|followed| followed != uri);
        if self.followed.len() >= SUBSCRIPTIONS_MAX {
            return;
        }
        let topics = resource.topics();
        self.following.follow_also(topics);
        self.followed.push(Followed {
            uri,
            resource,
            caller,
            topics,
            due: Due::Update,
            not_before: Instant::now(),
            digest: None,
            project: None,
        });
    }

    /// True where there is nothing to follow.
    pub(crate) fn is_idle(&self) -> bool {
        self.followed.is_empty()
    }

    /// Goes on with those alone.
    pub(super) fn keep(&mut self, wanted: impl Fn(&str) -> bool) {
        self.followed.retain(|followed| wanted(&followed.uri));
    }

    /// The URI of the next resource that is worth an update. May be dropped and called again:
    /// nothing is lost.
    pub(crate) async fn next(&mut self) -> String {
        loop {
            self.take_note();
            match self.due_now() {
                Some(at) => {
                    if let Some(uri) = self.look(at).await {
                        return uri;
                    }
                }
                None => self.wait().await,
            }
        }
    }

    /// Takes in all that is known to have changed.
    fn take_note(&mut self) {
        let standing = *self.following.standing.borrow_and_update();
        if standing.connection != 0 && standing.connection != self.connection {
            self.connection = standing.connection;
            // Nobody knows what changed while there was no connection.
            self.all_are(Due::Update);
        }
        loop {
            use tokio::sync::broadcast::error::TryRecvError;
            match self.following.changes.try_recv() {
                Ok(push) => self.note(&push),
                Err(TryRecvError::Lagged(_)) => self.all_are(Due::Look),
                Err(TryRecvError::Empty | TryRecvError::Closed) => return,
            }
        }
    }

    fn note(&mut self, push: &kite_wire::reply::Push) {
        for followed in &mut self.followed {
            let due = match followed.resource.concern(push, followed.project.as_deref()) {
                Concern::None => Due::No,
                Concern::Perhaps => Due::Look,
                Concern::Certain => Due::Certain,
            };
            followed.due = followed.due.max(due);
        }
    }

    fn all_are(&mut self, due: Due) {
        for followed in &mut self.followed {
            followed.due = followed.due.max(due);
        }
    }

    /// One that can be looked at now: changes of it are told for certain, and it is its time.
    fn due_now(&self) -> Option<usize> {
        let now = Instant::now();
        self.followed
            .iter()
            .position(|followed| self.can_be_looked_at(followed) && followed.not_before <= now)
    }

    fn can_be_looked_at(&self, followed: &Followed) -> bool {
        let standing = self.following.standing.borrow();
        followed.due != Due::No
            && standing.connection != 0
            && standing.topics.contain(followed.topics)
    }

    /// Looks at a resource; its URI where that is worth an update.
    async fn look(&mut self, at: usize) -> Option<String> {
        let followed = &self.followed[at];
        let reader = Reader {
            daemon: &self.daemon,
            caller: &followed.caller,
            withdrawn: CancellationToken::new(),
        };
        let digest = match (followed.due, &followed.resource) {
            // Nothing is ever compared with these: each change of them is known to be one.
            (Due::Certain, _) | (Due::Update, Uri::Task(_) | Uri::Events(_)) => None,
            _ => Some(followed.resource.digest(&reader).await),
        };
        let followed = &mut self.followed[at];
        let now = Instant::now();
        let digest = match digest {
            Some(Ok((digest, project))) => {
                followed.project = project.or(followed.project.take());
                Some(digest)
            }
            // The daemon refuses to show it; a look that is owed an update is told that way.
            Some(Err(ReadError::Refused(_))) => None,
            Some(Err(_)) => {
                followed.not_before = now + FAILED_PAUSE;
                return None;
            }
            None => None,
        };
        // What is not known cannot be compared: better told once too often.
        let is_new = followed.due > Due::Look || digest != followed.digest;
        followed.due = Due::No;
        followed.digest = digest;
        followed.not_before = now + if is_new { UPDATE_PAUSE } else { LOOK_PAUSE };
        is_new.then(|| followed.uri.clone())
    }

    /// Until something has changed, or it is the time of what has.
    async fn wait(&mut self) {
        let next = self
            .followed
            .iter()
            .filter(|followed| self.can_be_looked_at(followed))
            .map(|followed| followed.not_before)
            .min();
        let Following {
            changes, standing, ..
        } = &mut self.following;
        let push = tokio::select! {
            push = changes.recv() => push,
            _ = standing.changed() => return,
            () = sleep_until(next.unwrap_or_else(Instant::now)), if next.is_some() => return,
        };
        match push {
            Ok(push) => self.note(&push),
            Err(RecvError::Lagged(_)) => self.all_are(Due::Look),
            // The feed outlives its followers.
            Err(RecvError::Closed) => std::future::pending().await,
        }
    }
}
