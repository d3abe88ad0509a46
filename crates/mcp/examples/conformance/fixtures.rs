//! The handler: the suite's names are answered here, all others by Kite.

use std::{borrow::Cow, sync::OnceLock};

use kite_mcp::Server;
use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    model::{
        CallToolRequestParams, CallToolResponse, CompleteRequestParams, CompleteResult,
        DiscoverResult, GetPromptRequestParams, GetPromptResponse, ListPromptsResult,
        ListResourceTemplatesResult, ListResourcesResult, ListToolsResult, PaginatedRequestParams,
        ProtocolVersion, ReadResourceRequestParams, ReadResourceResponse, ServerConfig,
        SetLevelRequestParams, SubscribeRequestParams, SubscriptionFilter, Tool,
        UnsubscribeRequestParams,
    },
    service::{NotificationContext, RequestContext, SubscriptionContext},
};
use serde_json::{Map, Value};
use tokio::sync::broadcast;

use crate::{asking, prompts, resources, tools};

pub(crate) type Context = RequestContext<RoleServer>;

/// Kite with the suite's fixtures around it.
pub(crate) struct Fixtures {
    kite: Server,
}

/// A list that a fixture says has changed.
#[derive(Clone, Copy)]
pub(crate) enum List {
    Tools,
    Prompts,
}

/// All servers of this process hear of it: in the newer era each request has one of its own.
pub(crate) fn changes() -> &'static broadcast::Sender<List> {
    static CHANGES: OnceLock<broadcast::Sender<List>> = OnceLock::new();
    CHANGES.get_or_init(|| broadcast::channel(16).0)
}

impl Fixtures {
    pub(crate) fn around(kite: Server) -> Fixtures {
        Fixtures { kite }
    }
}

impl ServerHandler for Fixtures {
    fn get_info(&self) -> ServerConfig {
        let mut info = self.kite.get_info();
        let capabilities = &mut info.capabilities;
        let mut prompts = capabilities.prompts.take().unwrap_or_default();
        prompts.list_changed = Some(true);
        capabilities.prompts = Some(prompts);
        let mut tools = capabilities.tools.take().unwrap_or_default();
        tools.list_changed = Some(true);
        capabilities.tools = Some(tools);
        capabilities.logging = Some(Map::new());
        info
    }

    fn supported_protocol_versions(&self) -> Cow<'static, [ProtocolVersion]> {
        self.kite.supported_protocol_versions()
    }

    async fn discover(&self, context: Context) -> Result<DiscoverResult, ErrorData> {
        let mut found = self.kite.discover(context).await?;
        found.capabilities = self.get_info().capabilities;
        Ok(found)
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        tools::find(name).or_else(|| self.kite.get_tool(name))
    }

    async fn list_tools(
        &self,
        page: Option<PaginatedRequestParams>,
        context: Context,
    ) -> Result<ListToolsResult, ErrorData> {
        let mut list = self.kite.list_tools(page, context).await?;
        list.tools.extend(tools::all());
        Ok(list)
    }

    async fn call_tool(
        &self,
        call: CallToolRequestParams,
        context: Context,
    ) -> Result<CallToolResponse, ErrorData> {
        if let Some(round) = call.name.strip_prefix("test_input_required_result_") {
            return asking::answer(round, &call, &context);
        }
        if tools::find(&call.name).is_none() {
            return self.kite.call_tool(call, context).await;
        }
        tools::call(&call, &context).await
    }

    async fn list_resources(
        &self,
        page: Option<PaginatedRequestParams>,
        context: Context,
    ) -> Result<ListResourcesResult, ErrorData> {
        let mut list = self.kite.list_resources(page, context).await?;
        list.resources.extend(resources::all());
        Ok(list)
    }

    async fn list_resource_templates(
        &self,
        page: Option<PaginatedRequestParams>,
        context: Context,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        let mut list = self.kite.list_resource_templates(page, context).await?;
        list.resource_templates.push(resources::template());
        Ok(list)
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        context: Context,
    ) -> Result<ReadResourceResponse, ErrorData> {
        match resources::read(&request.uri) {
            Some(read) => Ok(read.into()),
            None => self.kite.read_resource(request, context).await,
        }
    }

    async fn list_prompts(
        &self,
        page: Option<PaginatedRequestParams>,
        context: Context,
    ) -> Result<ListPromptsResult, ErrorData> {
        let mut list = self.kite.list_prompts(page, context).await?;
        list.prompts.extend(prompts::all());
        Ok(list)
    }

    async fn get_prompt(
        &self,
        request: GetPromptRequestParams,
        context: Context,
    ) -> Result<GetPromptResponse, ErrorData> {
        match prompts::get(&request) {
            Some(prompt) => prompt,
            None => self.kite.get_prompt(request, context).await,
        }
    }

    async fn complete(
        &self,
        request: CompleteRequestParams,
        context: Context,
    ) -> Result<CompleteResult, ErrorData> {
        self.kite.complete(request, context).await
    }

    async fn set_level(&self, _: SetLevelRequestParams, _: Context) -> Result<(), ErrorData> {
        Ok(())
    }

    async fn on_initialized(&self, context: NotificationContext<RoleServer>) {
        self.kite.on_initialized(context).await;
    }

    async fn subscribe(
        &self,
        request: SubscribeRequestParams,
        context: Context,
    ) -> Result<(), ErrorData> {
        if resources::read(&request.uri).is_some() {
            return Ok(());
        }
        self.kite.subscribe(request, context).await
    }

    async fn unsubscribe(
        &self,
        request: UnsubscribeRequestParams,
        context: Context,
    ) -> Result<(), ErrorData> {
        self.kite.unsubscribe(request, context).await
    }

    fn accepted_subscription_filter(
        &self,
        requested: &SubscriptionFilter,
    ) -> Option<SubscriptionFilter> {
        let mut accepted = self.kite.accepted_subscription_filter(requested)?;
        accepted.tools_list_changed = requested.tools_list_changed;
        accepted.prompts_list_changed = requested.prompts_list_changed;
        Some(accepted)
    }

    async fn listen(&self, context: SubscriptionContext) -> Result<(), ErrorData> {
        let sink = context.sink().clone();
        let mut changes = changes().subscribe();
        let telling = async {
            while let Ok(list) = changes.recv().await {
                let told = match list {
                    List::Tools => sink.notify_tool_list_changed().await,
                    List::Prompts => sink.notify_prompt_list_changed().await,
                };
                if told.is_err() {
                    return;
                }
            }
        };
        tokio::select! {
            heard = self.kite.listen(context) => heard,
            () = telling => Ok(()),
        }
    }
}

/// An object that is written down as one.
pub(crate) fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        _ => Map::new(),
    }
}
