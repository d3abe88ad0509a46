//! The suite's tools.

use std::{sync::Arc, time::Duration};

use rmcp::{
    ErrorData,
    model::{
        CallToolRequestParams, CallToolResponse, CallToolResult, ClientCapabilities, ClientResult,
        ContentBlock, CreateMessageRequestParams, ElicitRequest, ElicitRequestParams, LoggingLevel,
        LoggingMessageNotificationParam, ProgressNotificationParam, ProtocolVersion,
        ResourceContents, SamplingMessage, ServerRequest, Tool,
    },
};
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::{
    asking::{self, form},
    fixtures::{Context, List, changes, object},
};

pub(crate) const PNG: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
const WAV: &str = "UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAIA+AAACABAAZGF0YQAAAAA=";
/// Between two notifications of one call, as the suite asks.
const PAUSE: Duration = Duration::from_millis(50);

const NAMES: &[&str] = &[
    "test_simple_text",
    "test_image_content",
    "test_audio_content",
    "test_embedded_resource",
    "test_multiple_content_types",
    "test_tool_with_logging",
    "test_logging_tool",
    "test_error_handling",
    "test_tool_with_progress",
    "test_sampling",
    "test_elicitation",
    "test_elicitation_sep1034_defaults",
    "test_elicitation_sep1330_enums",
    "test_missing_capability",
    "test_streaming_elicitation",
    "test_trigger_tool_change",
    "test_trigger_prompt_change",
    "test_custom_header",
    "test_reconnection",
    "json_schema_2020_12_tool",
    "test_input_required_result_elicitation",
    "test_input_required_result_sampling",
    "test_input_required_result_list_roots",
    "test_input_required_result_request_state",
    "test_input_required_result_tampered_state",
    "test_input_required_result_multiple_inputs",
    "test_input_required_result_multi_round",
    "test_input_required_result_capabilities",
];

pub(crate) fn all() -> impl Iterator<Item = Tool> {
    NAMES.iter().filter_map(|name| find(name))
}

/// The tool, where it is the suite's.
pub(crate) fn find(name: &str) -> Option<Tool> {
    let name = NAMES.iter().find(|known| **known == name)?;
    let schema = Arc::new(object(schema(name)));
    Some(Tool::new(
        *name,
        "a fixture of the conformance suite",
        schema,
    ))
}

fn schema(name: &str) -> Value {
    match name {
        "test_sampling" => {
            json!({"type": "object", "properties": {"prompt": {"type": "string"}}, "required": ["prompt"]})
        }
        "test_elicitation" => {
            json!({"type": "object", "properties": {"message": {"type": "string"}}, "required": ["message"]})
        }
        "test_custom_header" => json!({"type": "object", "required": ["value"],
            "properties": {"value": {"type": "string", "x-mcp-header": "Value"}}}),
        "json_schema_2020_12_tool" => json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "type": "object",
            "$defs": {"address": {"$anchor": "addressDef", "type": "object",
                "properties": {"street": {"type": "string"}, "city": {"type": "string"}}}},
            "properties": {
                "name": {"type": "string"},
                "address": {"$ref": "#/$defs/address"},
                "contactMethod": {"type": "string", "enum": ["phone", "email"]},
                "phone": {"type": "string"},
                "email": {"type": "string"},
            },
            "allOf": [{"anyOf": [{"required": ["phone"]}, {"required": ["email"]}]}],
            "if": {"properties": {"contactMethod": {"const": "phone"}}, "required": ["contactMethod"]},
            "then": {"required": ["phone"]},
            "else": {"required": ["email"]},
            "additionalProperties": false,
        }),
        _ => json!({"type": "object", "properties": {}}),
    }
}

/// Answers a call of one of the suite's tools.
pub(crate) async fn call(
    call: &CallToolRequestParams,
    context: &Context,
) -> Result<CallToolResponse, ErrorData> {
    let argument = |name: &str| {
        let given = call
            .arguments
            .as_ref()
            .and_then(|given| given.get(name)?.as_str());
        given.unwrap_or_default().to_owned()
    };
    match call.name.as_ref() {
        "test_simple_text" => text("This is a simple text response for testing."),
        "test_image_content" => shows(vec![ContentBlock::image(PNG, "image/png")]),
        "test_audio_content" => shows(vec![ContentBlock::audio(WAV, "audio/wav")]),
        "test_embedded_resource" => shows(vec![embedded()]),
        "test_multiple_content_types" => shows(vec![
            ContentBlock::text("Multiple content types test:"),
            ContentBlock::image(PNG, "image/png"),
            embedded(),
        ]),
        "test_error_handling" => {
            let why = "This tool intentionally returns an error for testing";
            Ok(CallToolResult::error(vec![ContentBlock::text(why)]).into())
        }
        "test_tool_with_logging" => {
            for line in [
                "Tool execution started",
                "Tool processing data",
                "Tool execution completed",
            ] {
                log(context, line).await;
            }
            text("logged")
        }
        "test_logging_tool" => {
            if wants_log(context) {
                log(context, "log").await;
            }
            text("logged")
        }
        "test_tool_with_progress" => progress(context).await,
        "test_sampling" => sample(context, &argument("prompt")).await,
        "test_elicitation" => {
            let fields = json!({"username": {"type": "string", "description": "User's response"},
                "email": {"type": "string", "description": "User's email address"}});
            let schema =
                json!({"type": "object", "properties": fields, "required": ["username", "email"]});
            elicit(context, form(&argument("message"), schema)?).await
        }
        "test_elicitation_sep1034_defaults" => elicit(context, form("defaults", defaults())?).await,
        "test_elicitation_sep1330_enums" => elicit(context, form("enums", enums())?).await,
        "test_missing_capability" => {
            if context
                .client_capabilities()
                .is_some_and(|can| can.sampling.is_some())
            {
                return text("it can");
            }
            let missing = ClientCapabilities::builder().enable_sampling().build();
            Err(ErrorData::missing_required_client_capability(missing))
        }
        "test_streaming_elicitation" => {
            asking::needs([("user_name", asking::name_question()?)], None)
        }
        "test_trigger_tool_change" => changed(List::Tools),
        "test_trigger_prompt_change" => changed(List::Prompts),
        "test_custom_header" => text(&argument("value")),
        _ => text("done"),
    }
}

pub(crate) fn text(text: &str) -> Result<CallToolResponse, ErrorData> {
    shows(vec![ContentBlock::text(text)])
}

fn shows(content: Vec<ContentBlock>) -> Result<CallToolResponse, ErrorData> {
    Ok(CallToolResult::success(content).into())
}

fn embedded() -> ContentBlock {
    let text = "This is an embedded resource content.";
    let contents = ResourceContents::text(text, "test://embedded-resource");
    ContentBlock::resource(contents.with_mime_type("text/plain"))
}

fn changed(list: List) -> Result<CallToolResponse, ErrorData> {
    // Nobody may be listening.
    let _ = changes().send(list);
    text("told")
}

/// In the newer era each request says whether it wants to be logged to.
fn wants_log(context: &Context) -> bool {
    let is_newer = context
        .protocol_version()
        .is_some_and(|version| version >= ProtocolVersion::V_2026_07_28);
    !is_newer
        || context
            .meta
            .get("io.modelcontextprotocol/logLevel")
            .is_some()
}

async fn log(context: &Context, line: &str) {
    let message = LoggingMessageNotificationParam::new(LoggingLevel::Info, json!(line));
    // A client that has gone is noticed by the suite.
    let _ = context.peer.notify_logging_message(message).await;
    sleep(PAUSE).await;
}

async fn progress(context: &Context) -> Result<CallToolResponse, ErrorData> {
    if let Some(token) = context.meta.get_progress_token() {
        for done in [0.0, 50.0, 100.0] {
            let progress = ProgressNotificationParam::new(token.clone(), done).with_total(100.0);
            let _ = context.peer.notify_progress(progress).await;
            sleep(PAUSE).await;
        }
    }
    text("done")
}

async fn sample(context: &Context, prompt: &str) -> Result<CallToolResponse, ErrorData> {
    let asked = CreateMessageRequestParams::new(vec![SamplingMessage::user_text(prompt)], 100);
    let answer = context.peer.create_message(asked).await;
    let answer = answer.map_err(|error| ErrorData::internal_error(error.to_string(), None))?;
    let answer = answer
        .message
        .content
        .first()
        .and_then(|content| content.as_text())
        .map(|text| text.text.clone());
    text(&format!("LLM response: {}", answer.unwrap_or_default()))
}

async fn elicit(
    context: &Context,
    form: ElicitRequestParams,
) -> Result<CallToolResponse, ErrorData> {
    let asked = ServerRequest::ElicitRequest(ElicitRequest::new(form));
    let answer = context.peer.send_request(asked).await;
    match answer.map_err(|error| ErrorData::internal_error(error.to_string(), None))? {
        ClientResult::ElicitResult(answer) => {
            let action = serde_json::to_value(&answer.action).unwrap_or_default();
            text(&format!(
                "Elicitation completed: action={}, content={}",
                action.as_str().unwrap_or("?"),
                answer.content.unwrap_or_default()
            ))
        }
        _ => Err(ErrorData::internal_error(
            "another answer than was asked for",
            None,
        )),
    }
}

fn defaults() -> Value {
    json!({"type": "object", "properties": {
        "name": {"type": "string", "default": "John Doe"},
        "age": {"type": "integer", "default": 30},
        "score": {"type": "number", "default": 95.5},
        "status": {"type": "string", "enum": ["active", "inactive", "pending"], "default": "active"},
        "verified": {"type": "boolean", "default": true},
    }})
}

fn enums() -> Value {
    let titled = |words: [&str; 3]| -> Vec<Value> {
        let named = (1..).zip(words);
        named
            .map(|(number, title)| json!({"const": format!("value{number}"), "title": title}))
            .collect()
    };
    json!({"type": "object", "properties": {
        "untitledSingle": {"type": "string", "enum": ["option1", "option2", "option3"]},
        "titledSingle": {"type": "string", "oneOf": titled(["First Option", "Second Option", "Third Option"])},
        "legacyEnum": {"type": "string", "enum": ["opt1", "opt2", "opt3"],
            "enumNames": ["Option One", "Option Two", "Option Three"]},
        "untitledMulti": {"type": "array", "items": {"type": "string", "enum": ["option1", "option2", "option3"]}},
        "titledMulti": {"type": "array", "items": {"anyOf": titled(["First Choice", "Second Choice", "Third Choice"])}},
    }})
}
