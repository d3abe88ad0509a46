//! The daemon, as this face reaches it: one connection, opened by the first call, opened again
//! whenever it is gone.
//!
//! A request that got no reply is sent again with the same `op_id`, so it acts once.

mod feed;
mod link;

use std::{io, sync::Arc, time::Duration};

use kite_wire::{
    home::Home,
    reply::Fault,
    request::{Caller, Envelope, Request},
};
use serde_json::Value;
use tokio::{
    sync::{Mutex, watch},
    task::spawn_blocking,
    time::{Instant, sleep, timeout, timeout_at},
};
use tokio_util::sync::CancellationToken;

pub(crate) use feed::{Feed, Following, Topics};
use link::{Link, OpenError};

/// How long a call looks for a daemon before it says that there is none.
const REACH_MAX: Duration = Duration::from_secs(5);
/// How long the daemon may take over a request that does not wait for anybody.
const REPLY_MAX: Duration = Duration::from_secs(10);
/// How much later than asked for the reply to a request that waits may come.
const WAIT_SLACK: Duration = Duration::from_secs(4);
/// How long a daemon is still looked for when it could not be started: another may be starting it.
const AFTER_FAILED_START: Duration = Duration::from_millis(500);
/// How long a withdrawn request is given to say how it ended.
const WITHDRAW_MAX: Duration = Duration::from_millis(500);
/// Between two attempts to connect.
const RETRY_PAUSE: Duration = Duration::from_millis(25);
/// Times one request is sent again because the connection broke under it.
const RESENDS_MAX: u32 = 8;
/// Fault codes of a daemon that is about to end: the next one will answer.
const LEAVING: &[&str] = &["draining", "shutting_down"];

/// Starts a daemon and returns when it can be reached.
pub(crate) type Starter = Arc<dyn Fn() -> io::Result<()> + Send + Sync>;

/// What is asked, and on which terms.
pub(crate) struct Question {
    pub(crate) request: Request,
    pub(crate) envelope: Envelope,
    /// How long the request itself may wait (in a lock's queue).
    pub(crate) patience: Duration,
    /// Told each place in the queue.
    pub(crate) place: watch::Sender<Option<u64>>,
    /// Cancelled when the asker has lost interest.
    pub(crate) withdrawn: CancellationToken,
}

/// Why there is no reply.
#[derive(Debug)]
pub(crate) enum Unanswered {
    /// No daemon, and none could be started. `sent`: an earlier daemon may have got the request.
    Unreachable { why: String, sent: bool },
    /// There is a daemon, and it does not want this program.
    Refused(Fault),
    /// There is a daemon, and it did not answer in time.
    Silent { after: Duration },
    /// The asker took it back.
    Withdrawn,
}

/// How one sending of a request ended.
enum Sent {
    Replied(Value),
    /// The connection broke before a reply.
    Broken,
    Unanswered(Unanswered),
}

/// The daemon of one home.
pub(crate) struct Daemon {
    home: Home,
    build: String,
    start: Starter,
    /// Held while the daemon is being started.
    starting: Mutex<()>,
    link: Mutex<Option<Arc<Link>>>,
}

impl Daemon {
    /// Nothing is opened or started by this.
    pub(crate) fn new(home: Home, build: String, start: Starter) -> Daemon {
        Daemon {
            home,
            build,
            start,
            starting: Mutex::new(()),
            link: Mutex::new(None),
        }
    }

    /// Asks for `caller` and waits for the reply, starting the daemon where there is none.
    pub(crate) async fn ask(
        &self,
        caller: &Caller,
        question: &Question,
    ) -> Result<Value, Unanswered> {
        let limit = if question.patience.is_zero() {
            REPLY_MAX
        } else {
            question.patience + WAIT_SLACK
        };
        let reply_until = Instant::now() + limit;
        let mut sent = false;
        for _ in 0..=RESENDS_MAX {
            let reach_until = reply_until.min(Instant::now() + REACH_MAX);
            let link = match self.reach(caller, reach_until).await {
                Ok(link) => link,
                Err(OpenError::Refused(fault)) => return Err(Unanswered::Refused(fault)),
                Err(OpenError::Io(error)) => {
                    return Err(Unanswered::Unreachable {
                        why: error.to_string(),
                        sent,
                    });
                }
            };
            sent = true;
            match send(&link, question, reply_until).await {
                Sent::Replied(reply) if !is_leaving(&reply) => return Ok(reply),
                Sent::Unanswered(Unanswered::Silent { .. }) => {
                    return Err(Unanswered::Silent { after: limit });
                }
                Sent::Unanswered(unanswered) => return Err(unanswered),
                Sent::Replied(_) | Sent::Broken => {}
            }
            self.forget(&link).await;
            sleep(RETRY_PAUSE).await;
        }
        let why = "the connection breaks again and again".to_owned();
        Err(Unanswered::Unreachable { why, sent })
    }

    /// Sees to it that there is a daemon, on behalf of somebody who waits for what it will say.
    pub(crate) async fn rouse(&self, caller: &Caller) {
        // Where there is none and none can be started, whoever asks next is told why.
        let _ = self.reach(caller, Instant::now() + REACH_MAX).await;
    }

    /// A connection, looked for until `until`. The daemon is started once where there is none.
    async fn reach(&self, caller: &Caller, mut until: Instant) -> Result<Arc<Link>, OpenError> {
        let mut start_error = None;
        let mut started = false;
        loop {
            let error = match timeout_at(until, self.link(caller)).await {
                Ok(Ok(link)) => return Ok(link),
                Ok(Err(OpenError::Refused(fault))) if !LEAVING.contains(&fault.code.as_str()) => {
                    return Err(OpenError::Refused(fault));
                }
                Ok(Err(OpenError::Refused(fault))) => io::Error::other(fault),
                Ok(Err(OpenError::Io(error))) => error,
                Err(_) => io::Error::new(io::ErrorKind::TimedOut, "the daemon does not answer"),
            };
            if is_absent(&error) && !started {
                started = true;
                if let Err(error) = self.start(until).await {
                    until = until.min(Instant::now() + AFTER_FAILED_START);
                    start_error = Some(error);
                }
                continue;
            }
            if Instant::now() + RETRY_PAUSE >= until {
                return Err(OpenError::Io(start_error.unwrap_or(error)));
            }
            sleep(RETRY_PAUSE).await;
        }
    }

    /// Starts the daemon. Calls that find none at the same time share one start.
    async fn start(&self, until: Instant) -> io::Result<()> {
        let slow = |_| io::Error::new(io::ErrorKind::TimedOut, "the daemon is slow to start");
        let Ok(_starting) = self.starting.try_lock() else {
            return timeout_at(until, self.starting.lock())
                .await
                .map(drop)
                .map_err(slow);
        };
        let start = Arc::clone(&self.start);
        timeout_at(until, spawn_blocking(move || start()))
            .await
            .map_err(slow)?
            .map_err(io::Error::other)?
    }

    /// The open connection for this caller, or a new one.
    async fn link(&self, caller: &Caller) -> Result<Arc<Link>, OpenError> {
        let mut kept = self.link.lock().await;
        if let Some(link) = kept
            .as_ref()
            .filter(|link| link.is_open() && link.is_for(caller))
        {
            return Ok(Arc::clone(link));
        }
        *kept = None;
        let link = Link::open(&self.home.socket(), &self.build, Some(caller), None).await?;
        Ok(Arc::clone(kept.insert(Arc::new(link))))
    }

    async fn forget(&self, link: &Arc<Link>) {
        let mut kept = self.link.lock().await;
        if kept
            .as_ref()
            .is_some_and(|current| Arc::ptr_eq(current, link))
        {
            *kept = None;
        }
    }
}

async fn send(link: &Link, question: &Question, until: Instant) -> Sent {
    if question.withdrawn.is_cancelled() {
        return Sent::Unanswered(Unanswered::Withdrawn);
    }
    let Some(mut asked) = link.ask(&question.request, &question.envelope, &question.place) else {
        return Sent::Broken;
    };
    let why = tokio::select! {
        reply = &mut asked.reply => return reply.map_or(Sent::Broken, Sent::Replied),
        () = question.withdrawn.cancelled() => Unanswered::Withdrawn,
        () = tokio::time::sleep_until(until) => Unanswered::Silent { after: REPLY_MAX },
    };
    // Only what waits in a queue can be withdrawn; anything else acts at once.
    if question.patience > Duration::ZERO {
        link.cancel(asked.id);
        if let Ok(Ok(reply)) = timeout(WITHDRAW_MAX, &mut asked.reply).await {
            return Sent::Replied(reply);
        }
    }
    Sent::Unanswered(why)
}

fn is_absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused
    )
}

fn is_leaving(reply: &Value) -> bool {
    let code = reply
        .get("error")
        .and_then(|error| error.get("code"))
        .and_then(Value::as_str);
    code.is_some_and(|code| LEAVING.contains(&code))
}
