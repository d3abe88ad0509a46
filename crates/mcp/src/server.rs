//! The MCP side of each request: who the server is, its lists, what is called.

mod call;
mod following;
mod listening;
mod projecting;
mod prompting;
mod reading;
mod reviewing;

use std::sync::Arc;

use kite_wire::{home::Home, request::Caller};
use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    model::{
        CacheScope, CallToolRequestParams, CallToolResponse, CallToolResult, CompleteRequestParams,
        CompleteResult, ContentBlock, CustomRequest, CustomResult, DiscoverResult, ErrorCode,
        GetPromptRequestParams, GetPromptResponse, Implementation, ListPromptsResult,
        ListResourceTemplatesResult, ListResourcesResult, ListToolsResult, PaginatedRequestParams,
        ReadResourceRequestParams, ReadResourceResponse, RequestId, ServerCapabilities,
        ServerConfig, SubscribeRequestParams, SubscriptionFilter, UnsubscribeRequestParams,
    },
    service::{NotificationContext, RequestContext, SubscriptionContext},
};
use serde_json::{Map, Value};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    Options, call_log,
    caller::{Clients, Introduction},
    catalogue,
    daemon::{Daemon, Feed, Starter},
    http::handles::Handle,
    project_tools,
    review::Pending,
    schema::Effect,
    subscriptions::Subscriptions,
    text,
    tools::{self, Tool},
};

/// What the model is told of Kite, at most 400 characters.
const INSTRUCTIONS: &str = "Kite coordinates the coding agents on this machine. Edits of one file by several sessions \
                            are kept apart without any tool. kite_task_*: split work, hand it over, take it up. \
                            kite_file_lock: before a change that takes several edits of files others may touch. \
                            kite_sessions: who works on what. If a call or an edit is refused, its text says what to do.";
/// How long clients may keep a list: it does not change while this process lives.
const LIST_TTL_MS: u64 = 3_600_000;
/// How long where tools of a project are in it.
const PROJECT_LIST_TTL_MS: u64 = 60_000;
/// Characters shown of an unknown tool's name.
const TOOL_CHARS_MAX: usize = 64;
/// Characters of a client's session id.
const SESSION_ID_CHARS_MAX: usize = 128;

/// What the servers of one process share.
pub(crate) struct Common {
    home: Home,
    build: String,
    start_daemon: Starter,
    clients: Clients,
    /// Reviews that clients of the newer era are having read.
    reviews: Pending,
    feed: Feed,
    /// Subscriptions of the newer era: they are given a moment for their last word.
    pub(crate) listening: TaskTracker,
    /// Cancelled when this process is about to end.
    pub(crate) stopping: CancellationToken,
}

impl Common {
    pub(crate) fn new(options: Options, clients: Clients) -> Arc<Common> {
        Arc::new(Common {
            feed: Feed::new(&options.home, &options.build),
            listening: TaskTracker::new(),
            home: options.home,
            build: options.build,
            start_daemon: Arc::from(options.start_daemon),
            clients,
            reviews: Pending::default(),
            stopping: CancellationToken::new(),
        })
    }
}

/// The tools of one client: the other end of a pipe, a session over HTTP, or a single request
/// where the protocol has no sessions.
pub struct Server {
    common: Arc<Common>,
    daemon: Arc<Daemon>,
    /// Those of the older era.
    subscriptions: Subscriptions,
    /// The project's own tools, as this client knows them.
    given: project_tools::Given,
}

impl Server {
    /// Has no side effect: the daemon is looked for by the first call.
    pub(crate) fn new(common: &Arc<Common>) -> Server {
        let (home, build) = (common.home.clone(), common.build.clone());
        Server {
            daemon: Arc::new(Daemon::new(home, build, Arc::clone(&common.start_daemon))),
            subscriptions: Subscriptions::default(),
            given: project_tools::Given::default(),
            common: Arc::clone(common),
        }
    }

    /// Who asks. Over HTTP, where nothing says it, that is nobody in particular.
    fn caller(&self, context: &RequestContext<RoleServer>) -> Caller {
        let introduction = self.introduction(context);
        self.common.clients.caller(&introduction, context)
    }

    fn introduction(&self, context: &RequestContext<RoleServer>) -> Introduction {
        let client = context
            .client_info()
            .filter(|client| !client.name.is_empty())
            .map(|client| (client.name, client.version));
        let codex = context
            .meta
            .get("x-codex-turn-metadata")
            .and_then(|turn| turn.get("session_id"));
        let session_id = codex
            .and_then(Value::as_str)
            .map(|id| id.chars().take(SESSION_ID_CHARS_MAX).collect());
        Introduction { client, session_id }
    }

    /// Answers a call on behalf of whoever makes it, and gives them a handle where they need one.
    async fn answer_caller(
        &self,
        tool: &Tool,
        given: Map<String, Value>,
        handle: Option<Value>,
        context: &RequestContext<RoleServer>,
    ) -> (Result<String, String>, Option<Handle>) {
        let introduction = self.introduction(context);
        let acts = tool.declaration.effect != Effect::Read;
        let clients = &self.common.clients;
        match clients.identify(&introduction, context, handle, acts) {
            Ok((caller, minted)) => (self.answer(tool, given, &caller, context).await, minted),
            Err(text) => (Err(text), None),
        }
    }
}

impl ServerHandler for Server {
    fn get_info(&self) -> ServerConfig {
        let capabilities = ServerCapabilities::builder()
            .enable_tools()
            .enable_prompts()
            .enable_resources()
            .enable_resources_subscribe()
            .enable_completions()
            .build();
        ServerConfig::new(capabilities)
            .with_server_info(Implementation::new("kite", self.common.build.clone()))
            .with_instructions(INSTRUCTIONS)
    }

    async fn discover(
        &self,
        _context: RequestContext<RoleServer>,
    ) -> Result<DiscoverResult, ErrorData> {
        let versions = self.supported_protocol_versions().into_owned();
        Ok(DiscoverResult::from_server_info(versions, self.get_info())
            .with_ttl_ms(LIST_TTL_MS)
            .with_cache_scope(CacheScope::Public))
    }

    async fn list_tools(
        &self,
        _page: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let needs_handle = self.common.clients.needs_handle(&context);
        let (mut tools, mut scope) = match needs_handle {
            true => (catalogue::tools_with_handle(), CacheScope::Private),
            false => (catalogue::tools(), CacheScope::Public),
        };
        let own = self.project_tools(&context).await;
        let mut ttl_ms = LIST_TTL_MS;
        if !own.is_empty() {
            (scope, ttl_ms) = (CacheScope::Private, PROJECT_LIST_TTL_MS);
        }
        tools.extend(
            own.iter()
                .map(|tool| project_tools::listed(tool, needs_handle)),
        );
        let mut list = ListToolsResult::with_all_items(tools);
        list.ttl_ms = Some(ttl_ms);
        list.cache_scope = Some(scope);
        Ok(list)
    }

    async fn call_tool(
        &self,
        call: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let mut given = call.arguments.unwrap_or_default();
        // Kept between the client and this server: it is in no log.
        let tool = tools::find(&call.name);
        let handle = self.common.clients.take_handle(tool, &mut given);
        call_log::called(&call.name, &given);
        if let Some(tool) = reviewing::is_review(tool) {
            let asked = reviewing::Asked {
                tool,
                given,
                handle,
                inputs: call.input_responses,
                state: call.request_state,
            };
            return self.review(asked, &context).await;
        }
        let (answer, minted) = match (tool, call.name.strip_prefix(project_tools::PREFIX)) {
            (Some(tool), _) => self.answer_caller(tool, given, handle, &context).await,
            (None, Some(name)) => self.call_project_tool(name, given, handle, &context).await,
            (None, None) => {
                let error = unknown_tool(&call.name);
                call_log::answered(&call.name, &error.message);
                return Err(error);
            }
        };
        let (Ok(text) | Err(text)) = &answer;
        call_log::answered(&call.name, text);
        let named = |text: String| match &minted {
            Some(minted) => format!("{text}\n{}", minted.told()),
            None => text,
        };
        let answer = answer.map(named).map_err(named);
        let result = match answer {
            Ok(text) => CallToolResult::success(vec![ContentBlock::text(text)]),
            Err(text) => CallToolResult::error(vec![ContentBlock::text(text)]),
        };
        Ok(result.into())
    }

    async fn list_resources(
        &self,
        _page: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        Ok(Server::resource_list())
    }

    async fn list_resource_templates(
        &self,
        _page: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        Ok(Server::template_list())
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        Ok(self.read(&request.uri, &context).await?.into())
    }

    async fn list_prompts(
        &self,
        _page: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        self.prompt_list(&context).await
    }

    async fn get_prompt(
        &self,
        request: GetPromptRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<GetPromptResponse, ErrorData> {
        Ok(self.prompt(request, &context).await?.into())
    }

    fn accepted_subscription_filter(
        &self,
        requested: &SubscriptionFilter,
    ) -> Option<SubscriptionFilter> {
        Some(Server::accepted(requested))
    }

    async fn listen(&self, context: SubscriptionContext) -> Result<(), ErrorData> {
        self.tell(context).await;
        Ok(())
    }

    /// A session over HTTP that comes back after a restart follows what it followed.
    async fn on_initialized(&self, context: NotificationContext<RoleServer>) {
        for uri in self.common.clients.followed(&context.extensions) {
            let mut asked = RequestContext::new(RequestId::Number(0), context.peer.clone());
            asked.extensions = context.extensions.clone();
            // One that is no resource any more is followed no more.
            let _ = self.subscribe_to(uri, &asked);
        }
    }

    async fn subscribe(
        &self,
        request: SubscribeRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        self.subscribe_to(request.uri.clone(), &context)?;
        self.common.clients.follow(&context, &request.uri, true);
        Ok(())
    }

    async fn unsubscribe(
        &self,
        request: UnsubscribeRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        self.common.clients.follow(&context, &request.uri, false);
        self.subscriptions.unsubscribe(&request.uri);
        Ok(())
    }

    async fn complete(
        &self,
        request: CompleteRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CompleteResult, ErrorData> {
        self.completion(&request, &context).await
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
