//! `kite_review`: the brief, whoever reads it, and what they say, in one call where that can be.

use std::time::Duration;

use kite_wire::{
    reply::{
        self,
        reviews::{Brief, OneReview},
    },
    request::{Caller, Request, ReviewRecord, ReviewRun},
};
use rmcp::{
    ErrorData, RoleServer,
    model::{
        CallToolResponse, CallToolResult, ContentBlock, InputRequiredResult, InputResponses,
        ProtocolVersion,
    },
    service::{PeerRequestOptions, RequestContext, ServiceError},
};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use tokio::time::{Instant, interval_at, sleep, sleep_until};

use super::{Server, call};
use crate::{
    arguments::Arguments,
    call_log, daemon,
    http::handles::Handle,
    review::{Answer, Given, Key, Question, asks_for},
    text,
    tools::{self, Tool, review as tool},
};

/// How long a client's model may take over a brief while a call of the older era waits for it.
const SAMPLING_TIME_MAX: Duration = Duration::from_secs(150);
/// How long one call waits for a headless agent.
const HEADLESS_WAIT_MAX: Duration = Duration::from_secs(45);
/// How often it is asked how that stands.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// Under which name a call of the newer era asks for its input.
const INPUT: &str = "review";
/// Characters shown of why a client did not answer.
const WHY_CHARS_MAX: usize = 200;

/// A call of the tool.
pub(super) struct Asked {
    pub(super) tool: &'static Tool,
    pub(super) given: Map<String, Value>,
    pub(super) handle: Option<Value>,
    pub(super) inputs: Option<InputResponses>,
    pub(super) state: Option<String>,
}

/// What a call comes to: a text, or something that the client has to do first.
enum Outcome {
    Told(Result<String, String>),
    Needs(InputRequiredResult),
}

/// Who called, with the handle that was made for them.
struct Party {
    caller: Caller,
    minted: Option<Handle>,
    key: Key,
}

impl Server {
    /// Answers a call of `kite_review`.
    pub(super) async fn review(
        &self,
        asked: Asked,
        context: &RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let introduction = self.introduction(context);
        let clients = &self.common.clients;
        // Whoever comes back with a state is no new caller.
        let is_new = asked.state.is_none();
        let (caller, minted) =
            match clients.identify(&introduction, context, asked.handle.clone(), is_new) {
                Ok(found) => found,
                Err(text) => return Ok(told(Err(text), None)),
            };
        // A handle that is only just made says nothing of who it is.
        let known = match &minted {
            Some(_) => Caller::default(),
            None => caller.clone(),
        };
        let party = Party {
            key: Key::of(&known, &asked.given),
            caller,
            minted,
        };
        let (outcome, minted) = match &asked.state {
            Some(state) => match self.common.reviews.take(state, &party.key) {
                Some(given) => self.resume(asked.inputs, given, party.key, context).await,
                None => return Err(unknown_state()),
            },
            None => self.begin(&asked, party, context).await,
        };
        match outcome {
            Outcome::Needs(needs) => {
                call_log::answered(
                    tool::NAME,
                    "the client is asked to have a model read the brief",
                );
                Ok(needs.into())
            }
            Outcome::Told(text) => Ok(told(text, minted)),
        }
    }

    async fn begin(
        &self,
        asked: &Asked,
        party: Party,
        context: &RequestContext<RoleServer>,
    ) -> (Outcome, Option<Handle>) {
        let arguments = match Arguments::check(&asked.tool.declaration, asked.given.clone()) {
            Ok(arguments) => arguments,
            Err(text) => return (Outcome::Told(Err(text)), party.minted),
        };
        let request = match (asked.tool.request)(&arguments, party.caller.cwd.as_deref()) {
            Ok(request) => request,
            Err(text) => return (Outcome::Told(Err(text)), party.minted),
        };
        match request {
            Request::ReviewBrief(_) => {}
            Request::ReviewRun(run) => {
                let text = self.headless(&run, &party.caller, context).await;
                return (Outcome::Told(text), party.minted);
            }
            other => {
                let kept = self.ask::<OneReview>(other, &party.caller, context).await;
                return (
                    Outcome::Told(kept.map(|it| tool::outcome(&it))),
                    party.minted,
                );
            }
        }
        let brief = match self.ask::<Brief>(request, &party.caller, context).await {
            Ok(brief) => brief,
            Err(text) => return (Outcome::Told(Err(text)), party.minted),
        };
        let how = arguments.text("how");
        self.have_read(brief, how.as_deref().unwrap_or("auto"), party, context)
            .await
    }

    /// Has a brief read: by the client's model where it can ask one, else by a headless agent where
    /// the person allows that, else by whom the caller finds.
    async fn have_read(
        &self,
        brief: Brief,
        how: &str,
        party: Party,
        context: &RequestContext<RoleServer>,
    ) -> (Outcome, Option<Handle>) {
        let can_sample = asks_for(context.client_capabilities().as_ref());
        let why = match (how, can_sample) {
            ("auto" | "sampling", true) if is_modern(context) => return self.need(brief, party),
            ("auto" | "sampling", true) => match self.sample(&brief, context).await {
                Ok(answer) => {
                    let kept = self
                        .keep(&brief.review.id, answer, &party.caller, context)
                        .await;
                    return (Outcome::Told(kept), party.minted);
                }
                Err(why) => Some(why),
            },
            ("sampling", false) => Some("it does not say that it can ask one".to_owned()),
            _ => None,
        };
        let text = match (how, brief.headless) {
            // Where the client's person said no, nothing is spent instead.
            ("headless", _) | ("auto", true) if why.is_none() => {
                let run = ReviewRun {
                    review: brief.review.id.clone(),
                };
                self.headless(&run, &party.caller, context).await
            }
            _ => Ok(tool::brief_back(&brief, why.as_deref())),
        };
        (Outcome::Told(text), party.minted)
    }

    /// Asks for the input of a call of the newer era.
    fn need(&self, brief: Brief, party: Party) -> (Outcome, Option<Handle>) {
        let given = Given {
            question: Question::of(&brief),
            brief,
            caller: party.caller,
            minted: party.minted,
        };
        (self.needs(given, party.key), None)
    }

    fn needs(&self, given: Given, key: Key) -> Outcome {
        let input = given.question.clone().input();
        match self.common.reviews.keep(key, given) {
            Ok(state) => {
                let inputs = [(INPUT.to_owned(), input)].into_iter().collect();
                Outcome::Needs(InputRequiredResult::new(Some(inputs), Some(state)))
            }
            Err(text) => Outcome::Told(Err(text)),
        }
    }

    /// Goes on with a call that comes back with what it asked for.
    async fn resume(
        &self,
        inputs: Option<InputResponses>,
        given: Given,
        key: Key,
        context: &RequestContext<RoleServer>,
    ) -> (Outcome, Option<Handle>) {
        let Some(input) = inputs.as_ref().and_then(|inputs| inputs.get(INPUT)) else {
            // What is missing is asked for again, under a state of its own.
            return (self.needs(given, key), None);
        };
        match Answer::read(input) {
            Ok(answer) => {
                let review = &given.brief.review.id;
                let kept = self.keep(review, answer, &given.caller, context).await;
                (Outcome::Told(kept), given.minted)
            }
            Err(why) => {
                let back = tool::brief_back(&given.brief, Some(&why));
                (Outcome::Told(Ok(back)), given.minted)
            }
        }
    }

    /// Asks the client's model while the call waits, in the older era. The error says why there is
    /// no answer. A cancelled call withdraws the question.
    async fn sample(
        &self,
        brief: &Brief,
        context: &RequestContext<RoleServer>,
    ) -> Result<Answer, String> {
        let request = Question::of(brief).request();
        let options = PeerRequestOptions::no_options();
        let sent = context
            .peer
            .send_cancellable_request(request, options)
            .await;
        let mut asked = sent.map_err(|error| not_asked(&error))?;
        let begun = Instant::now();
        let mut pause = interval_at(begun + call::PROGRESS_PAUSE, call::PROGRESS_PAUSE);
        let why = loop {
            tokio::select! {
                answer = &mut asked.rx => {
                    let answer = answer.map_err(|_| "the client is gone".to_owned())?;
                    let answer = answer.map_err(|error| not_asked(&error))?;
                    let answer = serde_json::to_value(answer).map_err(|error| error.to_string())?;
                    return Answer::read(&answer);
                }
                _ = pause.tick() => {
                    let message = "your client's model reads the brief";
                    call::notify(context, begun.elapsed(), SAMPLING_TIME_MAX, message).await;
                }
                () = sleep_until(begun + SAMPLING_TIME_MAX) => {
                    break format!("it did not answer within {} s", SAMPLING_TIME_MAX.as_secs());
                }
                () = context.ct.cancelled() => break "the call was cancelled".to_owned(),
                () = self.common.stopping.cancelled() => break "this server is ending".to_owned(),
            }
        };
        // A client that is gone needs not be told.
        let _ = asked.cancel(Some(why.clone())).await;
        Err(why)
    }

    async fn keep(
        &self,
        review: &str,
        answer: Answer,
        caller: &Caller,
        context: &RequestContext<RoleServer>,
    ) -> Result<String, String> {
        let record = ReviewRecord {
            review: review.to_owned(),
            verdict: None,
            text: answer.text,
            via: "sampling".to_owned(),
            model: answer.model,
        };
        let kept = self
            .ask::<OneReview>(record.into(), caller, context)
            .await?;
        Ok(tool::outcome(&kept))
    }

    /// Has a headless agent read it, and waits for that for a while.
    async fn headless(
        &self,
        run: &ReviewRun,
        caller: &Caller,
        context: &RequestContext<RoleServer>,
    ) -> Result<String, String> {
        let begun = Instant::now();
        let mut next_progress = begun + call::PROGRESS_PAUSE;
        let mut question = self.question(tool::NAME, run.clone().into(), context)?;
        loop {
            let reviewed: OneReview = self.put(&question, caller, context).await?;
            // The call is in the log already. Each look is a request of its own.
            question.envelope.tool = None;
            question.envelope.op_id = None;
            let is_over = !matches!(reviewed.outcome.as_str(), "started" | "running");
            let is_late = begun.elapsed() >= HEADLESS_WAIT_MAX;
            if is_over || is_late || context.ct.is_cancelled() {
                return Ok(tool::outcome(&reviewed));
            }
            tokio::select! {
                () = sleep(LOOK_EVERY) => {}
                () = context.ct.cancelled() => {}
                () = self.common.stopping.cancelled() => return Ok(tool::outcome(&reviewed)),
            }
            if Instant::now() >= next_progress {
                next_progress = Instant::now() + call::PROGRESS_PAUSE;
                let message = "a headless agent reads the brief";
                call::notify(context, begun.elapsed(), HEADLESS_WAIT_MAX, message).await;
            }
        }
    }

    /// One request of this tool. The error is the text for the model.
    async fn ask<T: DeserializeOwned>(
        &self,
        request: Request,
        caller: &Caller,
        context: &RequestContext<RoleServer>,
    ) -> Result<T, String> {
        let question = self.question(tool::NAME, request, context)?;
        self.put(&question, caller, context).await
    }

    async fn put<T: DeserializeOwned>(
        &self,
        question: &daemon::Question,
        caller: &Caller,
        context: &RequestContext<RoleServer>,
    ) -> Result<T, String> {
        let reply = self
            .wait(caller, question, Instant::now(), context)
            .await
            .map_err(|unanswered| call::no_reply(&unanswered))?;
        reply::read(reply).map_err(|fault| call::refusal(&fault))
    }
}

fn is_modern(context: &RequestContext<RoleServer>) -> bool {
    context
        .protocol_version()
        .is_some_and(|version| version >= ProtocolVersion::V_2026_07_28)
}

fn not_asked(error: &ServiceError) -> String {
    match error {
        ServiceError::McpError(error) => format!(
            "the client refused: {}",
            text::quoted(&error.message, WHY_CHARS_MAX)
        ),
        other => text::one_line(&other.to_string(), WHY_CHARS_MAX),
    }
}

fn unknown_state() -> ErrorData {
    let text = "requestState is none that was given for this call: it was changed, used before, or is too old. Call \
                kite_review again without it.";
    call_log::answered(tool::NAME, text);
    ErrorData::invalid_params(text, None)
}

fn told(text: Result<String, String>, minted: Option<Handle>) -> CallToolResponse {
    let (Ok(said) | Err(said)) = &text;
    call_log::answered(tool::NAME, said);
    let named = |text: String| match &minted {
        Some(minted) => format!("{text}\n{}", minted.told()),
        None => text,
    };
    let result = match text {
        Ok(text) => CallToolResult::success(vec![ContentBlock::text(named(text))]),
        Err(text) => CallToolResult::error(vec![ContentBlock::text(named(text))]),
    };
    result.into()
}

/// Whether this is the tool that is answered here.
pub(super) fn is_review(tool: Option<&'static Tool>) -> Option<&'static Tool> {
    tool.filter(|tool| tool.declaration.name == tools::review::NAME)
}
