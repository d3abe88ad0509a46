//! Calls that wait for something to happen.

use std::time::Duration;

use kite_wire::request::Caller;
use rmcp::{RoleServer, service::RequestContext};
use serde_json::Value;
use tokio::time::{Instant, sleep_until};

use super::{Server, call};
use crate::{
    arguments::Arguments,
    daemon::{Question, Topics},
    tools::{Sift, Sifted},
};

/// How often it is looked for where nothing is told: the daemon may be away.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// The least between two looks.
const LOOK_PAUSE: Duration = Duration::from_millis(50);

impl Server {
    /// Asks until there is an answer, or the caller's time is over. The error is the text for the
    /// model.
    pub(super) async fn follow(
        &self,
        caller: &Caller,
        mut question: Question,
        (sift, arguments): (Sift, &Arguments),
        context: &RequestContext<RoleServer>,
    ) -> Result<Value, String> {
        let begun = Instant::now();
        let patience = Duration::from_secs(arguments.integer("wait_seconds").unwrap_or(0));
        // Before the first look, so that nothing happens unseen between that and the waiting.
        let mut following = self.common.feed.follow(match patience.is_zero() {
            true => Topics::default(),
            false => Topics::of(&["log"]),
        });
        let mut next_progress = begun + call::PROGRESS_PAUSE;
        loop {
            let reply = self.wait(caller, &question, begun, context).await;
            let reply = reply.map_err(|unanswered| call::no_reply(&unanswered))?;
            let sifted = sift(arguments, &question.request, reply);
            let (empty, has_more) = match sifted.map_err(|fault| call::refusal(&fault))? {
                Sifted::Answer(reply) => return Ok(reply),
                Sifted::Nothing {
                    reply,
                    next,
                    has_more,
                } => {
                    question.request = *next;
                    // The call is in the log already.
                    question.envelope.tool = None;
                    (reply, has_more)
                }
            };
            let now = Instant::now();
            let until = begun + patience;
            if question.withdrawn.is_cancelled() || (now >= until && !has_more) {
                return Ok(empty);
            }
            if has_more {
                continue;
            }
            let look_at = until.min(now + LOOK_EVERY);
            let soonest = now + LOOK_PAUSE;
            loop {
                let mut changed = false;
                tokio::select! {
                    // Whoever has missed some looks, too.
                    told = following.changes.recv() => changed = told.map_or(true, |push| push.push == "log"),
                    _ = following.standing.changed() => changed = true,
                    () = sleep_until(look_at) => changed = true,
                    () = sleep_until(next_progress) => {
                        next_progress = Instant::now() + call::PROGRESS_PAUSE;
                        call::notify(context, begun.elapsed(), patience, "waiting for something to happen").await;
                    }
                    () = context.ct.cancelled() => return Ok(empty),
                    () = question.withdrawn.cancelled() => return Ok(empty),
                }
                if changed {
                    break;
                }
            }
            sleep_until(soonest).await;
        }
    }
}
