//! The suite's prompts.

use rmcp::{
    ErrorData,
    model::{
        GetPromptRequestParams, GetPromptResponse, GetPromptResult, InputRequests,
        InputRequiredResult, Prompt, PromptArgument, PromptMessage, Role,
    },
};
use serde_json::{Value, json};

use crate::{asking::elicitation, tools::PNG};

const DESCRIPTION: Option<&str> = Some("a fixture of the conformance suite");

pub(crate) fn all() -> impl Iterator<Item = Prompt> {
    let required = |name: &str| PromptArgument::new(name).with_required(true);
    [
        ("test_simple_prompt", vec![]),
        (
            "test_prompt_with_arguments",
            vec![required("arg1"), required("arg2")],
        ),
        (
            "test_prompt_with_embedded_resource",
            vec![required("resourceUri")],
        ),
        ("test_prompt_with_image", vec![]),
        ("test_input_required_result_prompt", vec![]),
    ]
    .into_iter()
    .map(|(name, arguments)| {
        Prompt::new(
            name,
            DESCRIPTION,
            Some(arguments).filter(|some| !some.is_empty()),
        )
    })
}

/// The prompt, where it is the suite's.
pub(crate) fn get(
    request: &GetPromptRequestParams,
) -> Option<Result<GetPromptResponse, ErrorData>> {
    let argument = |name: &str| {
        let given = request.arguments.as_ref().and_then(|given| given.get(name));
        given
            .and_then(|value| {
                serde_json::to_value(value)
                    .ok()?
                    .as_str()
                    .map(str::to_owned)
            })
            .unwrap_or_default()
    };
    let prompt = match request.name.as_str() {
        "test_simple_prompt" => says("This is a simple prompt for testing."),
        "test_prompt_with_arguments" => says(&format!(
            "Prompt with arguments: arg1='{}', arg2='{}'",
            argument("arg1"),
            argument("arg2")
        )),
        "test_prompt_with_embedded_resource" => written(json!([
            {"role": "user", "content": {"type": "resource", "resource": {"uri": argument("resourceUri"),
                "mimeType": "text/plain", "text": "Embedded resource content for testing."}}},
            {"role": "user", "content": {"type": "text", "text": "Please process the embedded resource above."}},
        ])),
        "test_prompt_with_image" => written(json!([
            {"role": "user", "content": {"type": "image", "data": PNG, "mimeType": "image/png"}},
            {"role": "user", "content": {"type": "text", "text": "Please analyze the image above."}},
        ])),
        "test_input_required_result_prompt" => asks(request),
        _ => return None,
    };
    Some(prompt)
}

fn says(text: &str) -> Result<GetPromptResponse, ErrorData> {
    Ok(GetPromptResult::new(vec![PromptMessage::new_text(Role::User, text)]).into())
}

fn written(messages: Value) -> Result<GetPromptResponse, ErrorData> {
    let messages = serde_json::from_value(messages);
    let messages = messages.map_err(|error| ErrorData::internal_error(error.to_string(), None))?;
    Ok(GetPromptResult::new(messages).into())
}

fn asks(request: &GetPromptRequestParams) -> Result<GetPromptResponse, ErrorData> {
    let answers = request.input_responses.as_ref();
    if answers.is_some_and(|answers| answers.contains_key("user_context")) {
        return says("the context was used");
    }
    let question = elicitation(
        "What context should the prompt use?",
        json!({"context": {"type": "string"}}),
    )?;
    let asked = InputRequests::from_iter([("user_context".to_owned(), question)]);
    Ok(InputRequiredResult::new(Some(asked), None).into())
}
