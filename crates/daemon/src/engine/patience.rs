//! How long a hook waits for its answer, and how it is asked for more.
//!
//! A hook hears a first word soon or lets its agent go on unguarded. Each part of a judgement has a
//! limit, but on a slow disk their sum is longer than that.

use std::{cell::Cell, future::Future, pin::pin, time::Duration};

use tokio::time::{Instant, timeout};

use crate::doors::WaitSender;

/// A judgement that takes longer asks for more time: well before a hook gives up, and far above
/// what is usual.
const ASK_AFTER: Duration = Duration::from_millis(50);
/// What is asked for, in milliseconds: more than all parts of judging one file may take together.
const ASK_MS: u64 = 2_000;

/// How long a hook can be kept waiting, and was.
pub(super) struct Patience<'a> {
    pub(super) extend: &'a WaitSender,
    pub(super) waited: Cell<Duration>,
    began: Instant,
}

impl<'a> Patience<'a> {
    /// Of a hook whose step begins now.
    pub(super) fn new(extend: &'a WaitSender) -> Self {
        Patience {
            extend,
            waited: Cell::default(),
            began: Instant::now(),
        }
    }

    /// Does `work`, and has the hook wait for it where it takes long.
    pub(super) async fn through<T>(&self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        if let Ok(done) = timeout(ASK_AFTER, &mut work).await {
            return done;
        }
        self.extend.send(ASK_MS);
        work.await
    }

    /// A part that took long may be over: the next one has its full time again.
    pub(super) fn renew(&self) {
        if self.began.elapsed() >= ASK_AFTER {
            self.extend.send(ASK_MS);
        }
    }
}
