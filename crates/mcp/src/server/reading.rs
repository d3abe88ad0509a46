//! Resources as the protocol has them: lists, contents, completion, and errors in its words.

use kite_wire::request::Caller;
use rmcp::{
    ErrorData, RoleServer,
    model::{
        CacheScope, CompleteRequestParams, CompleteResult, CompletionInfo,
        ListResourceTemplatesResult, ListResourcesResult, ReadResourceResult, Reference,
        ResourceContents,
    },
    service::RequestContext,
};
use serde_json::json;

use super::{LIST_TTL_MS, Server, call};
use crate::resources::{self, MIME_TYPE, ReadError, Reader, URI_CHARS_MAX, Uri};

impl Server {
    pub(super) fn resource_list() -> ListResourcesResult {
        ListResourcesResult::with_all_items(resources::list())
            .with_ttl_ms(LIST_TTL_MS)
            .with_cache_scope(CacheScope::Public)
    }

    pub(super) fn template_list() -> ListResourceTemplatesResult {
        ListResourceTemplatesResult::with_all_items(resources::templates())
            .with_ttl_ms(LIST_TTL_MS)
            .with_cache_scope(CacheScope::Public)
    }

    pub(super) async fn read(
        &self,
        uri: &str,
        context: &RequestContext<RoleServer>,
    ) -> Result<ReadResourceResult, ErrorData> {
        let parsed = parsed(uri)?;
        let caller = self.caller(context);
        let content = parsed.read(&self.reader(&caller, context)).await;
        let text = content.map_err(|error| failed(uri, &error))?.to_string();
        let contents = ResourceContents::text(text, uri).with_mime_type(MIME_TYPE);
        // It may change at any moment: those who want to keep it subscribe.
        Ok(ReadResourceResult::new(vec![contents])
            .with_ttl_ms(0)
            .with_cache_scope(CacheScope::Private))
    }

    pub(super) async fn completion(
        &self,
        request: &CompleteRequestParams,
        context: &RequestContext<RoleServer>,
    ) -> Result<CompleteResult, ErrorData> {
        let (name, start) = (&request.argument.name, request.argument.value.as_str());
        let start: String = start.chars().take(URI_CHARS_MAX).collect();
        let caller = self.caller(context);
        let reader = self.reader(&caller, context);
        let values = match &request.r#ref {
            Reference::Resource(of) => resources::complete(&reader, &of.uri, name, &start).await,
            Reference::Prompt(of) => {
                let argument = (of.name.as_str(), name.as_str());
                self.argument_values(argument, &start, &reader, context)
                    .await
            }
            _ => Ok(Vec::new()),
        };
        // Completion is a convenience: without a daemon there is nothing to offer.
        Ok(CompleteResult::new(offered(values.unwrap_or_default())?))
    }

    /// Reads on behalf of `caller`, until the request ends.
    pub(super) fn reader<'a>(
        &'a self,
        caller: &'a Caller,
        context: &RequestContext<RoleServer>,
    ) -> Reader<'a> {
        Reader {
            daemon: &self.daemon,
            caller,
            withdrawn: context.ct.child_token(),
        }
    }
}

/// The resource that a URI names, or the error that names the known ones.
pub(super) fn parsed(uri: &str) -> Result<Uri, ErrorData> {
    Uri::parse(uri).map_err(|why| not_found(uri, why))
}

fn offered(mut values: Vec<String>) -> Result<CompletionInfo, ErrorData> {
    let total = values.len();
    values.truncate(CompletionInfo::MAX_VALUES);
    let has_more = total > values.len();
    CompletionInfo::with_pagination(values, u32::try_from(total).ok(), has_more)
        .map_err(|why| ErrorData::internal_error(why, None))
}

fn failed(uri: &str, error: &ReadError) -> ErrorData {
    match error {
        ReadError::NotFound(why) => not_found(uri, crate::text::own(why)),
        ReadError::Refused(fault) => ErrorData::invalid_params(call::refusal(fault), None),
        ReadError::Unanswered(unanswered) => {
            ErrorData::internal_error(call::no_reply(unanswered), None)
        }
    }
}

fn not_found(uri: &str, why: String) -> ErrorData {
    let uri: String = uri.chars().take(URI_CHARS_MAX).collect();
    ErrorData::resource_not_found(why, Some(json!({"uri": uri})))
}
