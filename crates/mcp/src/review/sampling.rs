//! What a client is asked, and what it answers.
#![expect(
    deprecated,
    reason = "the protocol has deprecated sampling without another way to ask a client's model"
)]

use kite_wire::reply::reviews::Brief;
use rmcp::model::{
    ClientCapabilities, CreateMessageRequest, CreateMessageRequestParams, InputRequest, ModelHint,
    ModelPreferences, SamplingMessage, ServerRequest,
};
use serde_json::Value;

use crate::text;

/// Characters kept of an answer: as many as the daemon takes.
const ANSWER_CHARS_MAX: usize = 16_000;
/// Characters of a model's name.
const MODEL_CHARS_MAX: usize = 100;
/// The most that an answer of this length is asked for, in tokens.
const TOKENS_MAX: u32 = 2_000;
/// How much it matters that the model is able, of 1.
const INTELLIGENCE: f32 = 0.8;

/// Whether the client says that it can have a model read something.
pub(crate) fn asks_for(capabilities: Option<&ClientCapabilities>) -> bool {
    capabilities.is_some_and(|can| can.sampling.is_some())
}

/// One question to a client's model.
#[derive(Clone, Debug)]
pub(crate) struct Question(CreateMessageRequestParams);

impl Question {
    pub(crate) fn of(brief: &Brief) -> Question {
        let message = SamplingMessage::user_text(brief.text.clone());
        let mut asked =
            CreateMessageRequestParams::new(vec![message], brief.tokens_max.min(TOKENS_MAX));
        let mut wish = ModelPreferences::new().with_intelligence_priority(INTELLIGENCE);
        if !brief.model.is_empty() {
            wish = wish.with_hints(vec![ModelHint::new(brief.model.clone())]);
        }
        asked.model_preferences = Some(wish);
        Question(asked)
    }

    /// As a request of the older era.
    pub(crate) fn request(self) -> ServerRequest {
        ServerRequest::CreateMessageRequest(CreateMessageRequest::new(self.0))
    }

    /// As something that a call of the newer era needs.
    pub(crate) fn input(self) -> InputRequest {
        InputRequest::CreateMessage(CreateMessageRequest::new(self.0))
    }
}

/// What a client's model said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) text: String,
    pub(crate) model: Option<String>,
}

impl Answer {
    /// Reads a result of `sampling/createMessage`. The error says why it is no answer.
    pub(crate) fn read(result: &Value) -> Result<Answer, String> {
        let refusal = result
            .pointer("/error/message")
            .or_else(|| result.get("message"))
            .and_then(Value::as_str);
        let text = words(result.get("content"));
        if text.trim().is_empty() {
            return Err(match refusal {
                Some(why) => format!("the client refused: {}", text::quoted(why, 200)),
                None => "the client answered without a text".to_owned(),
            });
        }
        if result.get("role").and_then(Value::as_str) == Some("user") {
            return Err("the client sent the question back".to_owned());
        }
        let model = result
            .get("model")
            .and_then(Value::as_str)
            .map(|model| text::one_line(model, MODEL_CHARS_MAX))
            .filter(|model| !model.is_empty());
        let text = text.chars().take(ANSWER_CHARS_MAX).collect();
        Ok(Answer { text, model })
    }
}

/// The texts of a message: one block, or several.
fn words(content: Option<&Value>) -> String {
    let text = |block: &Value| block.get("text").and_then(Value::as_str).map(str::to_owned);
    match content {
        Some(Value::Array(blocks)) => blocks
            .iter()
            .filter_map(text)
            .collect::<Vec<_>>()
            .join("\n"),
        Some(block) => text(block).unwrap_or_default(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_question_names_the_model_and_an_end() {
        let brief = Brief {
            text: "read this".to_owned(),
            model: "claude-sonnet-4-6".to_owned(),
            tokens_max: 9_000,
            ..Brief::default()
        };
        let asked = serde_json::to_value(Question::of(&brief).0).expect("JSON");
        assert_eq!(asked["maxTokens"], 2_000);
        assert_eq!(
            asked["modelPreferences"]["hints"],
            json!([{"name": "claude-sonnet-4-6"}])
        );
        assert_eq!(asked["messages"][0]["content"]["text"], "read this");
        assert!(asked.get("tools").is_none() && asked.get("includeContext").is_none());
    }

    #[test]
    fn an_answer_is_a_text_in_one_block_or_several() {
        let one =
            json!({"role": "assistant", "content": {"type": "text", "text": "a"}, "model": "m\n1"});
        let answer = Answer::read(&one).expect("an answer");
        assert_eq!(
            (answer.text.as_str(), answer.model.as_deref()),
            ("a", Some("m 1"))
        );
        let two = json!({"role": "assistant", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]});
        assert_eq!(Answer::read(&two).expect("an answer").text, "a\nb");
        let long = json!({"content": {"text": "é".repeat(20_000)}});
        assert_eq!(
            Answer::read(&long).expect("an answer").text.chars().count(),
            ANSWER_CHARS_MAX
        );
    }

    #[test]
    fn what_is_no_answer_says_why() {
        let why = |result: Value| Answer::read(&result).expect_err("no answer");
        assert!(
            why(json!({"error": {"code": -1, "message": "User rejected"}}))
                .contains("User rejected")
        );
        assert!(why(json!({"code": -1, "message": "No"})).contains("\"No\""));
        assert!(why(json!({})).contains("without a text"));
        assert!(why(json!({"role": "user", "content": {"text": "x"}})).contains("back"));
        assert!(why(json!("x")).contains("without a text"));
    }
}
