//! One call of a tool: its request, the waiting, the words where no reply comes.

use std::{fmt::Write, time::Duration};

use kite_wire::{
    reply::Fault,
    request::{Caller, Envelope, Request, Unlock},
};
use rmcp::{RoleServer, model::ProgressNotificationParam, service::RequestContext};
use serde_json::{Map, Value};
use tokio::{
    sync::watch,
    time::{Instant, interval_at},
};
use tokio_util::sync::CancellationToken;

use super::Server;
use crate::{
    arguments::Arguments,
    daemon::{Question, Unanswered},
    text,
    tools::{self, Tool},
};

/// Between two progress notifications of a call that waits.
pub(super) const PROGRESS_PAUSE: Duration = Duration::from_secs(5);
/// The daemon says after so long that a tool of the project still runs.
const RUN_SLICE: Duration = Duration::from_secs(10);
/// Characters shown of why the daemon cannot be reached.
const WHY_CHARS_MAX: usize = 300;
/// Characters of a tool call's id.
const TOOL_USE_ID_CHARS_MAX: usize = 128;

impl Server {
    /// The text of the answer, or of the refusal.
    pub(super) async fn answer(
        &self,
        tool: &Tool,
        given: Map<String, Value>,
        caller: &Caller,
        context: &RequestContext<RoleServer>,
    ) -> Result<String, String> {
        let name = tool.declaration.name;
        let arguments = Arguments::check(&tool.declaration, given)?;
        let request = (tool.request)(&arguments, caller.cwd.as_deref())?;
        let question = self.question(name, request, context)?;
        if let Some(sift) = tool.sift {
            let asked = question.request.clone();
            let reply = self
                .follow(caller, question, (sift, &arguments), context)
                .await?;
            return (tool.render)(&asked, reply).map_err(|fault| refusal(&fault));
        }
        let reply = self
            .wait(caller, &question, Instant::now(), context)
            .await
            .map_err(|unanswered| no_reply(&unanswered))?;
        if question.withdrawn.is_cancelled() {
            self.give_back(caller, &question, &reply).await;
        }
        (tool.render)(&question.request, reply).map_err(|fault| refusal(&fault))
    }

    /// A request of a tool, with all that the daemon is told of its call.
    pub(super) fn question(
        &self,
        tool: &str,
        request: Request,
        context: &RequestContext<RoleServer>,
    ) -> Result<Question, String> {
        Ok(Question {
            patience: patience(&request),
            envelope: Envelope {
                op_id: mutates(&request).then(op_id).transpose()?,
                tool: Some(tool.to_owned()),
                tool_use_id: meta_text(context, "claudecode/toolUseId", TOOL_USE_ID_CHARS_MAX),
                ..Envelope::default()
            },
            request,
            place: watch::Sender::new(None),
            withdrawn: self.common.stopping.child_token(),
        })
    }

    /// Asks, and while that waits tells the client so, counting from when its call `begun`: progress
    /// must not go back. Ends early where the client cancels.
    pub(super) async fn wait(
        &self,
        caller: &Caller,
        question: &Question,
        begun: Instant,
        context: &RequestContext<RoleServer>,
    ) -> Result<Value, Unanswered> {
        let asking = self.daemon.ask(caller, question);
        let mut asking = std::pin::pin!(asking);
        let mut place = question.place.subscribe();
        let mut pause = interval_at(Instant::now() + PROGRESS_PAUSE, PROGRESS_PAUSE);
        loop {
            tokio::select! {
                reply = &mut asking => return reply,
                () = context.ct.cancelled(), if !question.withdrawn.is_cancelled() => {
                    question.withdrawn.cancel();
                    continue;
                }
                Ok(()) = place.changed() => {}
                _ = pause.tick() => {}
            }
            let message = match *place.borrow_and_update() {
                Some(place) => format!("waiting in the queue, place {place}"),
                None => match &question.request {
                    Request::ToolRun(run) => format!("running {}", text::one_line(&run.name, 64)),
                    _ => "waiting for the Kite daemon".to_owned(),
                },
            };
            notify(context, begun.elapsed(), question.patience, &message).await;
        }
    }

    /// Releases a lock that was granted while its asker was withdrawing: nobody knows that it is there.
    async fn give_back(&self, caller: &Caller, question: &Question, reply: &Value) {
        let (Request::Lock(lock), Some("granted")) = (
            &question.request,
            reply.get("outcome").and_then(Value::as_str),
        ) else {
            return;
        };
        let unlock = Unlock {
            paths: lock.paths.clone(),
            name: lock.name.clone(),
            ..Unlock::default()
        };
        let release = Question {
            request: unlock.into(),
            envelope: Envelope {
                op_id: None,
                ..question.envelope.clone()
            },
            patience: Duration::ZERO,
            place: watch::Sender::new(None),
            withdrawn: CancellationToken::new(),
        };
        // Where it fails, the lock ends with the turn or its time.
        let _ = self.daemon.ask(caller, &release).await;
    }
}

/// How long the request itself may wait.
fn patience(request: &Request) -> Duration {
    match request {
        Request::Lock(lock) => {
            Duration::from_secs(lock.wait_s.unwrap_or(0).min(tools::WAIT_SECONDS_MAX))
        }
        Request::ToolRun(run) => {
            RUN_SLICE + Duration::from_secs(run.wait_s.unwrap_or(0).min(tools::WAIT_SECONDS_MAX))
        }
        _ => Duration::ZERO,
    }
}

fn mutates(request: &Request) -> bool {
    !matches!(
        request,
        Request::TaskList(_) | Request::TaskShow(_) | Request::Query(_)
    )
}

/// A key that nobody can guess: 32 hexadecimal digits.
fn op_id() -> Result<String, String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| {
        format!("Nothing was done: this system gives no random numbers ({error}). Work can go on without Kite.")
    })?;
    Ok(bytes
        .iter()
        .fold(String::with_capacity(32), |mut hex, byte| {
            // Writing to a String cannot fail.
            let _ = write!(hex, "{byte:02x}");
            hex
        }))
}

fn meta_text(context: &RequestContext<RoleServer>, key: &str, chars_max: usize) -> Option<String> {
    let text = context.meta.get(key)?.as_str()?;
    Some(text.chars().take(chars_max).collect())
}

/// Tells a client that wants to know how long a call has waited, of at most how long.
pub(super) async fn notify(
    context: &RequestContext<RoleServer>,
    waited: Duration,
    patience: Duration,
    message: &str,
) {
    let Some(token) = context.meta.get_progress_token() else {
        return;
    };
    let progress = ProgressNotificationParam::new(token, waited.as_secs_f64())
        .with_total(patience.max(waited).as_secs_f64())
        .with_message(message);
    // A client that has gone is noticed by the transport.
    let _ = context.peer.notify_progress(progress).await;
}

/// The daemon's own words, whole.
pub(super) fn refusal(fault: &Fault) -> String {
    text::own(&fault.to_string())
}

/// What, why, what now, where no reply came.
pub(super) fn no_reply(unanswered: &Unanswered) -> String {
    const GO_ON: &str = "You can go on working without Kite: nothing is blocked, but edits are not guarded against \
                         other sessions until it is back. Call again later; if it stays like this, a person can run \
                         `kite doctor`.";
    match unanswered {
        Unanswered::Unreachable { why, sent: false } => {
            format!(
                "Nothing was done: the Kite daemon cannot be reached ({}). {GO_ON}",
                text::one_line(why, WHY_CHARS_MAX)
            )
        }
        Unanswered::Unreachable { why, sent: true } => format!(
            "The Kite daemon went away before it answered, and is not back ({}). It is not known whether this took \
             effect. {GO_ON}",
            text::one_line(why, WHY_CHARS_MAX)
        ),
        Unanswered::Refused(fault) => format!(
            "Nothing was done: the Kite daemon refuses this program. {}",
            refusal(fault)
        ),
        Unanswered::Silent { after } => format!(
            "The Kite daemon did not answer within {} s. It is not known whether this took effect. {GO_ON}",
            after.as_secs()
        ),
        Unanswered::Withdrawn => "Cancelled before it was answered.".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sent_is_not_said_to_be_undone() {
        let unreachable = |sent| {
            no_reply(&Unanswered::Unreachable {
                why: "no\nroom".to_owned(),
                sent,
            })
        };
        assert!(
            unreachable(false)
                .starts_with("Nothing was done: the Kite daemon cannot be reached (no room).")
        );
        assert!(unreachable(true).contains("It is not known whether this took effect."));
        for text in [
            unreachable(true),
            no_reply(&Unanswered::Silent {
                after: Duration::from_secs(10),
            }),
        ] {
            assert!(
                text.contains("edits are not guarded") && text.contains("`kite doctor`"),
                "{text}"
            );
        }
        let fault = Fault::new("protocol_mismatch", "this daemon speaks protocols 1 to 1")
            .hint("run `kite daemon restart`");
        assert!(
            no_reply(&Unanswered::Refused(fault))
                .ends_with("protocols 1 to 1 run `kite daemon restart`")
        );
    }

    #[test]
    fn keys_are_not_given_twice() {
        assert_ne!(
            op_id().expect("random numbers"),
            op_id().expect("random numbers")
        );
    }
}
