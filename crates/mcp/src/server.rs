//! The MCP side of each request: who the server is, its lists, what is called.

mod call;

use std::sync::{Arc, OnceLock};

use kite_wire::request::Caller;
use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    model::{
        CacheScope, CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock,
        CustomRequest, CustomResult, DiscoverResult, ErrorCode, Implementation, ListToolsResult,
        PaginatedRequestParams, ServerCapabilities, ServerConfig,
    },
    service::RequestContext,
};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::{
    Options, call_log,
    caller::{Introduction, Surroundings},
    catalogue,
    daemon::Daemon,
    text, tools,
};

/// What the model is told of Kite, at most 400 characters.
const INSTRUCTIONS: &str = "Kite coordinates the coding agents on this machine. Edits of one file by several sessions \
                            are kept apart without any tool. kite_task_*: split work, hand it over, take it up. \
                            kite_file_lock: before a change that takes several edits of files others may touch. \
                            kite_sessions: who works on what. If a call or an edit is refused, its text says what to do.";
/// How long clients may keep the tool list: it does not change while this process lives.
const TOOL_LIST_TTL_MS: u64 = 3_600_000;
/// Characters shown of an unknown tool's name.
const TOOL_CHARS_MAX: usize = 64;
/// Characters of a client's session id.
const SESSION_ID_CHARS_MAX: usize = 128;

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
}
