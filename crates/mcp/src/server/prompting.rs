//! Prompts as the protocol has them.

use std::path::PathBuf;

use rmcp::{
    ErrorData, RoleServer,
    model::{CacheScope, GetPromptRequestParams, GetPromptResult, ListPromptsResult},
    service::RequestContext,
};
use tokio::task::spawn_blocking;

use super::Server;
use crate::{
    prompts::{Complete, Prompts},
    resources::{self, ReadError, Reader},
};

impl Server {
    /// Files may be edited at any time: nobody is told to keep the list.
    pub(super) async fn prompt_list(
        &self,
        context: &RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        let prompts = self.prompts(context).await?;
        Ok(ListPromptsResult::with_all_items(prompts.list())
            .with_ttl_ms(0)
            .with_cache_scope(CacheScope::Private))
    }

    pub(super) async fn prompt(
        &self,
        request: GetPromptRequestParams,
        context: &RequestContext<RoleServer>,
    ) -> Result<GetPromptResult, ErrorData> {
        let given = request.arguments.unwrap_or_default();
        let prompts = self.prompts(context).await?;
        prompts
            .get(&request.name, &given)
            .map_err(|why| ErrorData::invalid_params(why, None))
    }

    /// Values for an argument of a prompt.
    pub(super) async fn argument_values(
        &self,
        (prompt, argument): (&str, &str),
        start: &str,
        reader: &Reader<'_>,
        context: &RequestContext<RoleServer>,
    ) -> Result<Vec<String>, ReadError> {
        let Ok(prompts) = self.prompts(context).await else {
            return Ok(Vec::new());
        };
        match prompts.completion(prompt, argument) {
            Some(Complete::Task) => resources::task_ids(reader, start).await,
            Some(Complete::Session) => resources::session_ids(reader, start).await,
            None => Ok(Vec::new()),
        }
    }

    async fn prompts(&self, context: &RequestContext<RoleServer>) -> Result<Prompts, ErrorData> {
        let home = self.common.home.path().to_owned();
        let here = self.caller(context).cwd.map(PathBuf::from);
        // A folder may be on a disk that is slow to answer.
        spawn_blocking(move || Prompts::load(&home, here.as_deref()))
            .await
            .map_err(|error| ErrorData::internal_error(error.to_string(), None))
    }
}
