//! What changes in the daemon, as it is told: one connection of its own for a whole process, there
//! as long as somebody follows.
//!
//! It is opened again whenever it is gone, and each opening is told as a new [`Standing`]: what
//! changed in between is not known, so whoever follows looks at everything. It starts no daemon:
//! where nobody works, nothing changes.

use std::{
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use kite_wire::{
    home::Home,
    reply::{self, Done, Push},
    request::{Envelope, Subscribe},
};
use tokio::{
    sync::{broadcast, mpsc, watch},
    time::{sleep, timeout},
};

use super::link::Link;

/// Changes that a follower may be behind before it is told to look at everything.
const BEHIND_MAX: usize = 256;
/// Changes on their way from the connection.
const UNDER_WAY_MAX: usize = 256;
/// How long the daemon may take over `subscribe`.
const SUBSCRIBE_MAX: Duration = Duration::from_secs(3);
/// Between two attempts to connect, at first and at most.
const RETRY_PAUSE: Duration = Duration::from_millis(10);
const RETRY_PAUSE_MAX: Duration = Duration::from_millis(250);

/// Which changes are told. In the order of [`Topics::NAMES`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Topics(u8);

/// How things stand with the connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Standing {
    /// Which connection it is, counted from 1. 0: there is none now.
    pub(crate) connection: u64,
    /// Changes of these are told for certain.
    pub(crate) topics: Topics,
}

/// The feed of one process.
#[derive(Clone)]
pub(crate) struct Feed(Arc<Shared>);

struct Shared {
    socket: PathBuf,
    build: String,
    changes: broadcast::Sender<Arc<Push>>,
    standing: watch::Sender<Standing>,
    /// Connections so far.
    opened: AtomicU64,
    wanted: Mutex<Wanted>,
    /// Told whenever `wanted` has changed.
    rewanted: watch::Sender<()>,
}

#[derive(Default)]
struct Wanted {
    /// How many follow each topic.
    followers: [usize; Topics::NAMES.len()],
    /// A task holds the connection, or tries to.
    is_running: bool,
}

/// One who follows. Dropped, it no longer does.
pub(crate) struct Following {
    feed: Feed,
    topics: Topics,
    pub(crate) changes: broadcast::Receiver<Arc<Push>>,
    pub(crate) standing: watch::Receiver<Standing>,
}

impl Topics {
    const NAMES: [&'static str; 4] = ["sessions", "tasks", "locks", "log"];

    pub(crate) fn of(names: &[&str]) -> Topics {
        let bit = |(at, name): (usize, &&str)| u8::from(names.contains(name)) << at;
        Topics(Topics::NAMES.iter().enumerate().map(bit).sum())
    }

    pub(crate) fn and(self, other: Topics) -> Topics {
        Topics(self.0 | other.0)
    }

    pub(crate) fn contain(self, other: Topics) -> bool {
        self.0 & other.0 == other.0
    }

    fn names(self) -> Vec<String> {
        let named = Topics::NAMES
            .iter()
            .enumerate()
            .filter(|(at, _)| self.0 & (1 << at) != 0);
        named.map(|(_, name)| (*name).to_owned()).collect()
    }
}

impl Feed {
    /// Nothing is opened by this.
    pub(crate) fn new(home: &Home, build: &str) -> Feed {
        Feed(Arc::new(Shared {
            socket: home.socket(),
            build: build.to_owned(),
            changes: broadcast::channel(BEHIND_MAX).0,
            standing: watch::Sender::default(),
            opened: AtomicU64::default(),
            wanted: Mutex::default(),
            rewanted: watch::Sender::default(),
        }))
    }

    /// Follows changes of these topics. Call within a runtime.
    pub(crate) fn follow(&self, topics: Topics) -> Following {
        let mut following = Following {
            feed: self.clone(),
            topics: Topics::default(),
            changes: self.0.changes.subscribe(),
            standing: self.0.standing.subscribe(),
        };
        following.follow_also(topics);
        following
    }

    fn want(&self, topics: Topics, count: impl Fn(&mut usize)) {
        let has_to_run = self.0.with_wanted(|wanted| {
            for (at, followers) in wanted.followers.iter_mut().enumerate() {
                if topics.0 & (1 << at) != 0 {
                    count(followers);
                }
            }
            let has_to_run = !wanted.is_running && wanted.topics() != Topics::default();
            wanted.is_running |= has_to_run;
            has_to_run
        });
        self.0.rewanted.send_replace(());
        if has_to_run {
            tokio::spawn(run(Arc::clone(&self.0)));
        }
    }
}

impl Following {
    /// Follows these topics, too.
    pub(crate) fn follow_also(&mut self, topics: Topics) {
        let more = Topics(topics.0 & !self.topics.0);
        self.feed.want(more, |followers| *followers += 1);
        self.topics = self.topics.and(more);
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        self.feed.want(self.topics, |followers| *followers -= 1);
    }
}

impl Wanted {
    fn topics(&self) -> Topics {
        let bit = |(at, followers): (usize, &usize)| u8::from(*followers > 0) << at;
        Topics(self.followers.iter().enumerate().map(bit).sum())
    }
}

impl Shared {
    fn with_wanted<T>(&self, use_it: impl FnOnce(&mut Wanted) -> T) -> T {
        use_it(&mut self.wanted.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn wanted_topics(&self) -> Topics {
        self.with_wanted(|wanted| wanted.topics())
    }

    /// True where nobody follows any more; then this task has ended.
    fn is_over(&self) -> bool {
        self.with_wanted(|wanted| {
            let is_over = wanted.topics() == Topics::default();
            wanted.is_running = !is_over;
            is_over
        })
    }
}

/// Connects, again and again, until nobody follows.
async fn run(shared: Arc<Shared>) {
    let mut pause = RETRY_PAUSE;
    while !shared.is_over() {
        let (pushes, mut pushed) = mpsc::channel(UNDER_WAY_MAX);
        if let Ok(link) = Link::open(&shared.socket, &shared.build, None, Some(pushes)).await {
            if pass_on(&shared, &link, &mut pushed).await {
                pause = RETRY_PAUSE;
            }
            shared.standing.send_replace(Standing::default());
        }
        if !shared.is_over() {
            sleep(pause).await;
            pause = (pause * 2).min(RETRY_PAUSE_MAX);
        }
    }
}

/// Subscribes and passes changes on until the connection ends or nobody follows. False where it
/// was of no use.
async fn pass_on(shared: &Shared, link: &Link, pushed: &mut mpsc::Receiver<Push>) -> bool {
    let connection = shared.opened.fetch_add(1, Ordering::Relaxed) + 1;
    let mut rewanted = shared.rewanted.subscribe();
    let mut topics = Topics::default();
    loop {
        let wanted = shared.wanted_topics();
        if wanted == Topics::default() {
            return true;
        }
        if topics != wanted {
            topics = wanted;
            if !subscribe(link, topics).await {
                return false;
            }
            shared
                .standing
                .send_replace(Standing { connection, topics });
        }
        tokio::select! {
            push = pushed.recv() => match push {
                // Whether anybody listens is their affair.
                Some(push) => drop(shared.changes.send(Arc::new(push))),
                None => return true,
            },
            _ = rewanted.changed() => {}
        }
    }
}

async fn subscribe(link: &Link, topics: Topics) -> bool {
    let topics = topics.names();
    let place = watch::Sender::new(None);
    let asked = link.ask(&Subscribe { topics }.into(), &Envelope::default(), &place);
    let Some(mut asked) = asked else { return false };
    match timeout(SUBSCRIBE_MAX, &mut asked.reply).await {
        Ok(Ok(answer)) => reply::read::<Done>(answer).is_ok(),
        _ => false,
    }
}
