//! The suite's tools that need something of the client first, in the newer era: they answer with
//! what they need, and are called again with it.

use std::{collections::hash_map::RandomState, hash::BuildHasher, sync::OnceLock};

use rmcp::{
    ErrorData,
    model::{
        CallToolRequestParams, CallToolResponse, CreateMessageRequest, CreateMessageRequestParams,
        ElicitRequest, ElicitRequestParams, InputRequest, InputRequests, InputRequiredResult,
        ListRootsRequest, SamplingMessage,
    },
};
use serde_json::{Value, json};

use crate::{fixtures::Context, tools::text};

type Answer = Result<CallToolResponse, ErrorData>;

/// Answers the tool `test_input_required_result_{round}`.
pub(crate) fn answer(round: &str, call: &CallToolRequestParams, context: &Context) -> Answer {
    let given = |name: &str| {
        let answers = call.input_responses.as_ref()?;
        answers
            .get(name)
            .filter(|answer| answer.is_object())
            .cloned()
    };
    let step = match &call.request_state {
        None => None,
        Some(state) => Some(open(state)?),
    };
    match round {
        "elicitation" => match given("user_name") {
            Some(answer) => text(&format!(
                "Hello, {}!",
                answer["content"]["name"].as_str().unwrap_or("?")
            )),
            None => needs([("user_name", name_question()?)], None),
        },
        "sampling" => match given("capital_question") {
            Some(answer) => text(answer["content"]["text"].as_str().unwrap_or("?")),
            None => needs(
                [(
                    "capital_question",
                    sampling("What is the capital of France?"),
                )],
                None,
            ),
        },
        "list_roots" => match given("client_roots") {
            Some(answer) => text(&format!("roots: {}", answer["roots"])),
            None => needs([("client_roots", roots())], None),
        },
        "request_state" | "tampered_state" => match (given("confirm"), step) {
            (Some(_), Some(_)) => text("state-ok"),
            _ => {
                let question = elicitation("Please confirm", json!({"ok": {"type": "boolean"}}))?;
                needs([("confirm", question)], Some("confirm"))
            }
        },
        "multiple_inputs" => {
            let all = ["user_name", "greeting", "client_roots"];
            if all.iter().all(|name| given(name).is_some()) {
                return text("all inputs received");
            }
            let greeting = sampling("Generate a greeting");
            let asked = [
                ("user_name", name_question()?),
                ("greeting", greeting),
                ("client_roots", roots()),
            ];
            needs(asked, Some("multi"))
        }
        "multi_round" => match (step.as_deref(), given("step1"), given("step2")) {
            (Some("two"), _, Some(_)) => text("both rounds are over"),
            (Some("one"), Some(_), _) => {
                let color = json!({"color": {"type": "string"}});
                needs(
                    [(
                        "step2",
                        elicitation("Step 2: What is your favorite color?", color)?,
                    )],
                    Some("two"),
                )
            }
            _ => {
                let name = json!({"name": {"type": "string"}});
                needs(
                    [("step1", elicitation("Step 1: What is your name?", name)?)],
                    Some("one"),
                )
            }
        },
        "capabilities" => what_the_client_can(call, context),
        _ => Err(ErrorData::invalid_params("unknown tool", None)),
    }
}

fn what_the_client_can(call: &CallToolRequestParams, context: &Context) -> Answer {
    let can = context.client_capabilities().unwrap_or_default();
    let mut asked = Vec::new();
    if can.elicitation.is_some() {
        asked.push(("user_name", name_question()?));
    }
    if can.sampling.is_some() {
        asked.push(("greeting", sampling("Generate a greeting")));
    }
    if can.roots.is_some() {
        asked.push(("client_roots", roots()));
    }
    if asked.is_empty() || call.input_responses.is_some() {
        return text("done");
    }
    needs(asked, None)
}

/// What a client is asked for in the newer era, and the step at which it comes back.
pub(crate) fn needs<'a>(
    asked: impl IntoIterator<Item = (&'a str, InputRequest)>,
    step: Option<&str>,
) -> Answer {
    let asked: InputRequests = asked
        .into_iter()
        .map(|(name, request)| (name.to_owned(), request))
        .collect();
    Ok(InputRequiredResult::new(Some(asked), step.map(seal)).into())
}

pub(crate) fn name_question() -> Result<InputRequest, ErrorData> {
    elicitation("What is your name?", json!({"name": {"type": "string"}}))
}

/// A form with these fields, all of which are required.
pub(crate) fn elicitation(message: &str, properties: Value) -> Result<InputRequest, ErrorData> {
    let required: Vec<&String> = properties
        .as_object()
        .into_iter()
        .flat_map(|p| p.keys())
        .collect();
    let schema = json!({"type": "object", "properties": properties, "required": required});
    Ok(InputRequest::Elicitation(ElicitRequest::new(form(
        message, schema,
    )?)))
}

pub(crate) fn form(message: &str, schema: Value) -> Result<ElicitRequestParams, ErrorData> {
    let requested_schema = serde_json::from_value(schema)
        .map_err(|error| ErrorData::internal_error(error.to_string(), None))?;
    Ok(ElicitRequestParams::FormElicitationParams {
        meta: None,
        message: message.to_owned(),
        requested_schema,
    })
}

fn sampling(question: &str) -> InputRequest {
    let asked = CreateMessageRequestParams::new(vec![SamplingMessage::user_text(question)], 100);
    InputRequest::CreateMessage(CreateMessageRequest::new(asked))
}

fn roots() -> InputRequest {
    InputRequest::ListRoots(ListRootsRequest::default())
}

/// A state that a client can carry and not change: good enough for a fixture, and only for one.
fn seal(step: &str) -> String {
    format!("{step}.{:x}", key().hash_one(step))
}

fn open(state: &str) -> Result<String, ErrorData> {
    let step = state.split('.').next().unwrap_or_default();
    if seal(step) != state {
        return Err(ErrorData::invalid_params(
            "the state was changed on the way",
            None,
        ));
    }
    Ok(step.to_owned())
}

fn key() -> &'static RandomState {
    static KEY: OnceLock<RandomState> = OnceLock::new();
    KEY.get_or_init(RandomState::new)
}
