//! Gemini CLI's hooks (format of 0.61.0). `kite-hook` is called with Kite's names of its events:
//! `PreToolUse` is `BeforeTool`, `PostToolUse` is `AfterTool`, `UserPromptSubmit` is `BeforeAgent`,
//! `Stop` is `AfterAgent`.
//!
//! Calls have no id, so one is made of what they say. Before a tool the model can be refused, but
//! not told anything: that waits until the tool has run.

use kite_wire::frame::Header;
use serde::Deserialize;
use serde_json::{json, value::RawValue};
use xxhash_rust::xxh3::Xxh3;

use super::{
    Effect, FileEdit, Step, Verdict, What,
    text::{joined, logged, prompted},
};
use crate::doors::HookAnswer;

/// Tools that edit one file. Whole-file writers replace its content.
const EDIT_TOOLS: &[(&str, bool)] = &[("write_file", true), ("replace", false)];
const SHELL_TOOL: &str = "run_shell_command";
const READ_TOOL: &str = "read_file";

#[derive(Deserialize)]
struct Input<'a> {
    session_id: Option<String>,
    cwd: Option<String>,
    tool_name: Option<String>,
    #[serde(borrow)]
    tool_input: Option<&'a RawValue>,
    #[serde(borrow)]
    tool_response: Option<&'a RawValue>,
    prompt: Option<String>,
    stop_hook_active: Option<bool>,
    reason: Option<String>,
}

/// The fields of tool inputs that say what a call is about.
#[derive(Default, Deserialize)]
struct Target {
    file_path: Option<String>,
    command: Option<String>,
}

/// Read apart from [`Target`]: an odd value here must not hide which file is edited.
#[derive(Default, Deserialize)]
struct NewText {
    content: Option<String>,
    new_string: Option<String>,
}

/// Whether a tool's outcome is an error.
#[derive(Default, Deserialize)]
struct Outcome<'a> {
    #[serde(borrow)]
    error: Option<&'a RawValue>,
}

pub(super) fn read(header: &Header, bytes: &[u8]) -> Result<Step, String> {
    let input: Input<'_> =
        serde_json::from_slice(bytes).map_err(|e| format!("not the JSON of a hook: {e}"))?;
    Ok(Step {
        what: what(&header.event, &input),
        tool_use_id: input.tool_name.as_deref().map(|tool| call_id(&input, tool)),
        input: logged(input.tool_input),
        output: logged(input.tool_response),
        client_session_id: input.session_id,
        cwd: input.cwd,
        ..Step::default()
    })
}

/// The same before and after a call, and no other's: two calls of one session that are the same to
/// the letter count as one.
fn call_id(input: &Input<'_>, tool: &str) -> String {
    let mut hash = Xxh3::new();
    let arguments = input.tool_input.map(RawValue::get).unwrap_or_default();
    for part in [
        input.session_id.as_deref().unwrap_or_default(),
        tool,
        arguments,
    ] {
        hash.update(part.as_bytes());
        hash.update(&[0]);
    }
    format!("gemini-{:032x}", hash.digest128())
}

/// A prompt without what hooks have said at the session's start, which Gemini CLI puts before the
/// first one.
fn without_context(prompt: &str) -> &str {
    let said = prompt.trim_start().strip_prefix("<hook_context>");
    match said.and_then(|said| said.split_once("</hook_context>")) {
        Some((_, typed)) => typed.trim_start(),
        None => prompt,
    }
}

fn what(event: &str, input: &Input<'_>) -> What {
    let tool = input.tool_name.clone().unwrap_or_default();
    let arguments = input.tool_input.map(RawValue::get).unwrap_or_default();
    let target: Target = serde_json::from_str(arguments).unwrap_or_default();
    let edits = EDIT_TOOLS.iter().find(|(name, _)| *name == tool);
    match event {
        "SessionStart" => What::SessionStart,
        "UserPromptSubmit" => prompted(
            input
                .prompt
                .as_deref()
                .map(|p| without_context(p).to_owned()),
        ),
        "PreToolUse" => match (edits, target) {
            (
                Some((_, whole)),
                Target {
                    file_path: Some(file),
                    ..
                },
            ) => {
                let new: NewText = serde_json::from_str(arguments).unwrap_or_default();
                let (whole, new) = (
                    *whole,
                    joined([new.content, new.new_string].iter().flatten()),
                );
                What::BeforeEdit {
                    tool,
                    edits: vec![FileEdit { file, whole, new }],
                }
            }
            (
                _,
                Target {
                    command: Some(command),
                    ..
                },
            ) if tool == SHELL_TOOL => What::BeforeShell { tool, command },
            (_, target) => What::BeforeTool {
                tool,
                target: target.file_path,
            },
        },
        "PostToolUse" => {
            let effect = match (edits, target) {
                (
                    Some(_),
                    Target {
                        file_path: Some(file),
                        ..
                    },
                ) => Effect::Edited(vec![file]),
                (
                    _,
                    Target {
                        file_path: Some(file),
                        ..
                    },
                ) if tool == READ_TOOL => Effect::Read(file),
                (
                    _,
                    Target {
                        command: Some(command),
                        ..
                    },
                ) if tool == SHELL_TOOL => Effect::Shell(command),
                (_, target) => Effect::Other(target.file_path),
            };
            let outcome = input.tool_response.map(RawValue::get).unwrap_or_default();
            let outcome: Outcome<'_> = serde_json::from_str(outcome).unwrap_or_default();
            What::AfterTool {
                tool,
                effect,
                failed: outcome.error.is_some_and(|error| error.get() != "null"),
            }
        }
        "Stop" => What::TurnEnd {
            continued: input.stop_hook_active.unwrap_or_default(),
        },
        "SessionEnd" => What::SessionEnd {
            process_stays: input.reason.as_deref() == Some("clear"),
        },
        _ => What::Other,
    }
}

/// Where Gemini CLI gives its model what a hook says.
pub(super) fn hears(what: &What) -> bool {
    matches!(
        what,
        What::SessionStart | What::Prompt { .. } | What::AfterTool { .. }
    )
}

pub(super) fn answer(verdict: &Verdict) -> HookAnswer {
    match verdict {
        Verdict::Pass => HookAnswer::default(),
        Verdict::Say(text) => {
            HookAnswer::json(&json!({ "hookSpecificOutput": { "additionalContext": text } }))
        }
        // At a turn's end too: there the reason is the next prompt.
        Verdict::Deny(reason) | Verdict::Continue(reason) => {
            HookAnswer::json(&json!({ "decision": "deny", "reason": reason }))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn heard(event: &str, input: &[u8]) -> Step {
        let header = Header {
            event: event.to_owned(),
            client: "gemini".to_owned(),
            ..Header::default()
        };
        read(&header, input).unwrap()
    }

    #[test]
    fn recorded_calls_are_understood() {
        let step = heard(
            "SessionStart",
            include_bytes!("samples/gemini-SessionStart.json"),
        );
        assert_eq!(step.what, What::SessionStart);
        let id = "d27cb160-aa3b-4fb3-944f-0c5534651719";
        assert_eq!(step.client_session_id.as_deref(), Some(id));
        let step = heard(
            "PreToolUse",
            include_bytes!("samples/gemini-BeforeTool.json"),
        );
        assert_eq!(
            step.what,
            What::BeforeTool {
                tool: "mcp_kite_echo".into(),
                target: None
            }
        );
        assert_eq!(step.cwd.as_deref(), Some("/home/dev/shop"));
    }

    #[test]
    fn a_recorded_edit_is_one_before_and_after() {
        let before = heard(
            "PreToolUse",
            include_bytes!("samples/gemini-BeforeTool-write_file.json"),
        );
        let edit = FileEdit {
            file: "/home/dev/shop/b.txt".into(),
            whole: true,
            new: "two\n".into(),
        };
        let expected = What::BeforeEdit {
            tool: "write_file".into(),
            edits: vec![edit],
        };
        assert_eq!(before.what, expected);
        let after = heard(
            "PostToolUse",
            include_bytes!("samples/gemini-AfterTool-write_file.json"),
        );
        let expected = What::AfterTool {
            tool: "write_file".into(),
            effect: Effect::Edited(vec!["/home/dev/shop/b.txt".into()]),
            failed: false,
        };
        assert_eq!(after.what, expected);
        assert_eq!(before.tool_use_id, after.tool_use_id);
        let prompt = heard(
            "UserPromptSubmit",
            include_bytes!("samples/gemini-BeforeAgent.json"),
        );
        let (first_line, text) = ("edit".to_owned(), "edit".to_owned());
        assert_eq!(prompt.what, What::Prompt { first_line, text });
    }

    #[test]
    fn a_call_has_one_id_before_and_after_and_another_session_has_another() {
        let call = |session: &str, event: &str| {
            let input = json!({
                "session_id": session,
                "tool_name": "replace",
                "tool_input": {"file_path": "/a", "old_string": "x", "new_string": "y"},
            });
            heard(event, input.to_string().as_bytes())
                .tool_use_id
                .unwrap()
        };
        assert_eq!(call("s", "PreToolUse"), call("s", "PostToolUse"));
        assert_ne!(call("s", "PreToolUse"), call("t", "PreToolUse"));
    }

    #[test]
    fn edits_reads_and_commands_are_told_apart() {
        let step = |event: &str, tool: &str, input: Value| {
            let input = json!({"session_id": "s", "tool_name": tool, "tool_input": input,
                "tool_response": {"llmContent": "", "error": null}});
            heard(event, input.to_string().as_bytes()).what
        };
        let write = json!({"file_path": "/a", "content": "x"});
        let edit = FileEdit {
            file: "/a".into(),
            whole: true,
            new: "x".into(),
        };
        assert_eq!(
            step("PreToolUse", "write_file", write.clone()),
            What::BeforeEdit {
                tool: "write_file".into(),
                edits: vec![edit]
            }
        );
        let after = |tool: &str, input: Value| match step("PostToolUse", tool, input) {
            What::AfterTool {
                effect,
                failed: false,
                ..
            } => effect,
            other => panic!("{other:?}"),
        };
        assert_eq!(
            after("write_file", write.clone()),
            Effect::Edited(vec!["/a".into()])
        );
        assert_eq!(after("read_file", write), Effect::Read("/a".into()));
        let command = json!({"command": "ls"});
        assert_eq!(after(SHELL_TOOL, command), Effect::Shell("ls".into()));
    }

    #[test]
    fn an_outcome_with_an_error_is_a_failure() {
        let input = br#"{"tool_name":"replace","tool_input":{"file_path":"/a"},"tool_response":{"error":{"message":"no"}}}"#;
        let What::AfterTool { failed, .. } = heard("PostToolUse", input).what else {
            panic!("after a tool");
        };
        assert!(failed);
    }

    #[test]
    fn a_turn_that_goes_on_is_told_apart_from_one_that_was_continued() {
        let end = |input: &[u8]| heard("Stop", input).what;
        assert_eq!(
            end(br#"{"stop_hook_active":true}"#),
            What::TurnEnd { continued: true }
        );
        assert_eq!(end(b"{}"), What::TurnEnd { continued: false });
        let answer = answer(&Verdict::Continue("more".into()));
        let said: Value = serde_json::from_slice(&answer.stdout).unwrap();
        assert_eq!(said, json!({"decision": "deny", "reason": "more"}));
    }

    #[test]
    fn a_refusal_is_a_decision() {
        let answer = answer(&Verdict::Deny("no".into()));
        let said: Value = serde_json::from_slice(&answer.stdout).unwrap();
        assert_eq!(
            (&said["decision"], &said["reason"]),
            (&json!("deny"), &json!("no"))
        );
        assert_eq!(answer.exit, 0);
    }

    #[test]
    fn what_hooks_have_said_is_no_prompt() {
        let said = |prompt| without_context(prompt);
        let told = "<hook_context>Kite: others work here.</hook_context>\n\nAdd a login";
        assert_eq!(said(told), "Add a login");
        assert_eq!(
            said("Say <hook_context>x</hook_context>"),
            "Say <hook_context>x</hook_context>"
        );
        assert_eq!(
            said("<hook_context>never ended"),
            "<hook_context>never ended"
        );
    }
}
