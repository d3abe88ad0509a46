//! The MCP side of each request: lists, calls, waiting, cancellation.

use std::{
    fmt::Write,
    sync::{Arc, OnceLock},
    time::Duration,
};

use kite_wire::{
    reply::Fault,
    request::{Caller, Envelope, Request, Unlock},
};
use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    model::{
        CacheScope, CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock,
        CustomRequest, CustomResult, DiscoverResult, ErrorCode, Implementation, ListToolsResult,
        PaginatedRequestParams, ProgressNotificationParam, ServerCapabilities, ServerConfig,
    },
    service::RequestContext,
};
use serde_json::{Map, Value};
use tokio::{
    sync::watch,
    time::{Instant, interval_at},
};
use tokio_util::sync::CancellationToken;

use crate::{
    Options,
    arguments::Arguments,
    call_log,
    caller::{Introduction, Surroundings},
    catalogue,
    daemon::{Daemon, Question, Unanswered},
    text,
    tools::{self, Tool},
};

/// What the model is told of Kite, at most 400 characters.
const INSTRUCTIONS: &str = "Kite coordinates the coding agents on this machine. Edits of one file by several sessions \
                            are kept apart without any tool. kite_task_*: split work, hand it over, take it up. \
                            kite_file_lock: before a change that takes several edits of files others may touch. \
                            kite_sessions: who works on what. If a call or an edit is refused, its text says what to do.";
/// How long clients may keep the tool list: it does not change while this process lives.
const TOOL_LIST_TTL_MS: u64 = 3_600_000;
/// Between two progress notifications of a call that waits.
const PROGRESS_PAUSE: Duration = Duration::from_secs(5);
/// Characters shown of an unknown tool's name.
const TOOL_CHARS_MAX: usize = 64;
/// Characters shown of why the daemon cannot be reached.
const WHY_CHARS_MAX: usize = 300;
/// Characters of a client's session id.
const SESSION_ID_CHARS_MAX: usize = 128;
/// Characters of a tool call's id.
const TOOL_USE_ID_CHARS_MAX: usize = 128;

/// The tools of one client.
pub(crate) struct Server {
    build: String,
    surroundings: Surroundings,
    fingerprint: OnceLock<String>,
    daemon: Daemon,
    /// Cancelled when this process is about to end.
    stopping: CancellationToken,
}

impl Server {
    /// Has no side effect: the daemon is looked for by the first call.
    pub(crate) fn new(options: Options) -> Server {
        let Options {
            home,
            build,
            start_daemon,
        } = options;
        Server {
            surroundings: Surroundings::observe(),
            fingerprint: OnceLock::new(),
            daemon: Daemon::new(home, build.clone(), Arc::from(start_daemon)),
            build,
            stopping: CancellationToken::new(),
        }
    }

    pub(crate) fn stopping(&self) -> CancellationToken {
        self.stopping.clone()
    }

    /// The text of the answer, or of the refusal.
    async fn answer(
        &self,
        tool: &Tool,
        given: Map<String, Value>,
        context: &RequestContext<RoleServer>,
    ) -> Result<String, String> {
        let name = tool.declaration.name;
        let arguments = Arguments::check(&tool.declaration, given)?;
        let caller = self.caller(context);
        let request = (tool.request)(&arguments, caller.cwd.as_deref())?;
        let question = Question {
            patience: patience(&request),
            envelope: Envelope {
                op_id: mutates(&request).then(op_id).transpose()?,
                tool: Some(name.to_owned()),
                tool_use_id: meta_text(context, "claudecode/toolUseId", TOOL_USE_ID_CHARS_MAX),
                ..Envelope::default()
            },
            request,
            place: watch::Sender::new(None),
            withdrawn: self.stopping.child_token(),
        };
        let reply = self
            .wait(&caller, &question, context)
            .await
            .map_err(|unanswered| no_reply(&unanswered))?;
        if question.withdrawn.is_cancelled() {
            self.give_back(&caller, &question, &reply).await;
        }
        (tool.render)(&question.request, reply).map_err(|fault| refusal(&fault))
    }

    /// Asks, and while that waits tells the client so. Ends early where the client cancels.
    async fn wait(
        &self,
        caller: &Caller,
        question: &Question,
        context: &RequestContext<RoleServer>,
    ) -> Result<Value, Unanswered> {
        let asking = self.daemon.ask(caller, question);
        let mut asking = std::pin::pin!(asking);
        let begun = Instant::now();
        let mut place = question.place.subscribe();
        let mut pause = interval_at(begun + PROGRESS_PAUSE, PROGRESS_PAUSE);
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
            let now_at = *place.borrow_and_update();
            notify(context, begun.elapsed(), question.patience, now_at).await;
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

    fn caller(&self, context: &RequestContext<RoleServer>) -> Caller {
        let client = context
            .client_info()
            .map(|client| (client.name, client.version));
        let codex = context
            .meta
            .get("x-codex-turn-metadata")
            .and_then(|turn| turn.get("session_id"));
        let session_id = codex
            .and_then(Value::as_str)
            .map(|id| id.chars().take(SESSION_ID_CHARS_MAX).collect());
        let fingerprint = self.fingerprint.get_or_init(catalogue::fingerprint).clone();
        self.surroundings
            .caller(&Introduction { client, session_id }, fingerprint)
    }
}

impl ServerHandler for Server {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
            .with_server_info(Implementation::new("kite", self.build.clone()))
            .with_instructions(INSTRUCTIONS)
    }

    async fn discover(
        &self,
        _context: RequestContext<RoleServer>,
    ) -> Result<DiscoverResult, ErrorData> {
        let versions = self.supported_protocol_versions().into_owned();
        Ok(DiscoverResult::from_server_info(versions, self.get_info())
            .with_ttl_ms(TOOL_LIST_TTL_MS)
            .with_cache_scope(CacheScope::Public))
    }

    async fn list_tools(
        &self,
        _page: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let mut list = ListToolsResult::with_all_items(catalogue::tools());
        list.ttl_ms = Some(TOOL_LIST_TTL_MS);
        list.cache_scope = Some(CacheScope::Public);
        Ok(list)
    }

    async fn call_tool(
        &self,
        call: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let given = call.arguments.unwrap_or_default();
        call_log::called(&call.name, &given);
        let Some(tool) = tools::find(&call.name) else {
            let error = unknown_tool(&call.name);
            call_log::answered(&call.name, &error.message);
            return Err(error);
        };
        let answer = self.answer(tool, given, &context).await;
        let (Ok(text) | Err(text)) = &answer;
        call_log::answered(&call.name, text);
        let result = match answer {
            Ok(text) => CallToolResult::success(vec![ContentBlock::text(text)]),
            Err(text) => CallToolResult::error(vec![ContentBlock::text(text)]),
        };
        Ok(result.into())
    }

    /// Requests that rmcp cannot read as one it knows end here.
    async fn on_custom_request(
        &self,
        request: CustomRequest,
        _context: RequestContext<RoleServer>,
    ) -> Result<CustomResult, ErrorData> {
        if request.method == "tools/call" {
            let text = "params of tools/call: {\"name\": string, \"arguments\": object}";
            return Err(ErrorData::invalid_params(text, None));
        }
        Err(ErrorData::new(
            ErrorCode::METHOD_NOT_FOUND,
            request.method,
            None,
        ))
    }
}

fn unknown_tool(name: &str) -> ErrorData {
    let shown = text::one_line(name, TOOL_CHARS_MAX);
    let near = tools::nearest_name(&shown)
        .map(|near| format!(" Did you mean {near}?"))
        .unwrap_or_default();
    let known: Vec<&str> = tools::TOOLS
        .iter()
        .map(|tool| tool.declaration.name)
        .collect();
    ErrorData::invalid_params(
        format!("Unknown tool {shown}.{near} Tools: {}.", known.join(", ")),
        None,
    )
}

/// How long the request itself may wait.
fn patience(request: &Request) -> Duration {
    match request {
        Request::Lock(lock) => {
            Duration::from_secs(lock.wait_s.unwrap_or(0).min(tools::WAIT_SECONDS_MAX))
        }
        _ => Duration::ZERO,
    }
}

fn mutates(request: &Request) -> bool {
    !matches!(request, Request::TaskList(_) | Request::Query(_))
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

async fn notify(
    context: &RequestContext<RoleServer>,
    waited: Duration,
    patience: Duration,
    place: Option<u64>,
) {
    let Some(token) = context.meta.get_progress_token() else {
        return;
    };
    let message = match place {
        Some(place) => format!("waiting in the queue, place {place}"),
        None => "waiting for the Kite daemon".to_owned(),
    };
    let progress = ProgressNotificationParam::new(token, waited.as_secs_f64())
        .with_total(patience.max(waited).as_secs_f64())
        .with_message(message);
    // A client that has gone is noticed by the transport.
    let _ = context.peer.notify_progress(progress).await;
}

/// The daemon's own words, whole.
fn refusal(fault: &Fault) -> String {
    text::own(&fault.to_string())
}

/// What, why, what now, where no reply came.
fn no_reply(unanswered: &Unanswered) -> String {
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
    fn the_instructions_are_short() {
        assert!(
            INSTRUCTIONS.chars().count() <= 400,
            "{}",
            INSTRUCTIONS.chars().count()
        );
    }

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
