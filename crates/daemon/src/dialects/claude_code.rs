//! Claude Code's hooks (observed with 2.1.330).
//!
//! A decision is JSON on stdout with exit code 0. Every failure of a hook lets the tool run, so
//! nothing is ever said by an exit code here.

use kite_wire::frame::Header;
use serde::Deserialize;
use serde_json::{json, value::RawValue};

use super::{
    Effect, FileEdit, Step, Verdict, What,
    text::{joined, logged, prompted},
};
use crate::doors::HookAnswer;

/// Tools that edit one file. Whole-file writers replace its content.
const EDIT_TOOLS: &[(&str, bool)] = &[
    ("Write", true),
    ("Edit", false),
    ("MultiEdit", false),
    ("NotebookEdit", false),
];

/// The tool that runs shell commands.
const SHELL_TOOL: &str = "Bash";

#[derive(Deserialize)]
struct Input<'a> {
    session_id: Option<String>,
    cwd: Option<String>,
    permission_mode: Option<String>,
    /// Why a session starts: `startup`, `resume`, `clear`, `compact`, `fork`.
    source: Option<String>,
    agent_id: Option<String>,
    tool_name: Option<String>,
    tool_use_id: Option<String>,
    #[serde(borrow)]
    tool_input: Option<&'a RawValue>,
    #[serde(borrow)]
    tool_response: Option<&'a RawValue>,
    error: Option<String>,
    prompt: Option<String>,
    stop_hook_active: Option<bool>,
    reason: Option<String>,
    tool_calls: Option<Vec<Call>>,
}

#[derive(Deserialize)]
struct Call {
    tool_use_id: Option<String>,
}

/// The fields of tool inputs that say what a call is about.
#[derive(Default, Deserialize)]
struct Target {
    file_path: Option<String>,
    notebook_path: Option<String>,
    path: Option<String>,
    command: Option<String>,
    pattern: Option<String>,
    url: Option<String>,
    description: Option<String>,
}

/// The fields of tool inputs that hold what is put into a file. Read apart from [`Target`]: an odd
/// value in one of them must not hide which file is edited.
#[derive(Default, Deserialize)]
struct NewText {
    content: Option<String>,
    new_string: Option<String>,
    new_source: Option<String>,
    edits: Option<Vec<Part>>,
}

/// One part of a `MultiEdit`.
#[derive(Deserialize)]
struct Part {
    new_string: Option<String>,
}

pub(super) fn read(header: &Header, bytes: &[u8]) -> Result<Step, String> {
    let input: Input<'_> =
        serde_json::from_slice(bytes).map_err(|e| format!("not the JSON of a hook: {e}"))?;
    let target = input
        .tool_input
        .and_then(|raw| serde_json::from_str(raw.get()).ok())
        .unwrap_or_default();
    let what = what(&header.event, &input, target);
    Ok(Step {
        pid: header.env("CLAUDE_PID").and_then(|pid| pid.parse().ok()),
        client_version: header.env("AI_AGENT").and_then(version),
        what,
        input: logged(input.tool_input),
        output: logged(input.tool_response).or(input.error.map(|e| json!(e).to_string())),
        client_session_id: input.session_id,
        agent: input.agent_id.filter(|agent| !agent.is_empty()),
        cwd: input.cwd,
        permission_mode: input.permission_mode,
        context_lost: matches!(input.source.as_deref(), Some("clear" | "compact")),
        tool_use_id: input.tool_use_id,
    })
}

fn what(event: &str, input: &Input<'_>, target: Target) -> What {
    let tool = input.tool_name.clone().unwrap_or_default();
    let edits = EDIT_TOOLS.iter().find(|(name, _)| *name == tool);
    match event {
        "SessionStart" => What::SessionStart,
        "UserPromptSubmit" => prompted(input.prompt.clone()),
        "PreToolUse" => match (edits, target.file()) {
            (Some((_, whole)), Some(file)) => What::BeforeEdit {
                tool,
                edits: vec![FileEdit {
                    file,
                    whole: *whole,
                    new: NewText::of(input).text(),
                }],
            },
            (None, Some(command)) if tool == SHELL_TOOL => What::BeforeShell { tool, command },
            (_, target) => What::BeforeTool { tool, target },
        },
        "PostToolUse" | "PostToolUseFailure" => {
            let effect = match (edits, target.file()) {
                (Some(_), Some(file)) => Effect::Edited(vec![file]),
                (None, Some(file)) if tool == "Read" => Effect::Read(file),
                (None, Some(command)) if tool == SHELL_TOOL => Effect::Shell(command),
                (_, target) => Effect::Other(target),
            };
            What::AfterTool {
                tool,
                effect,
                failed: event == "PostToolUseFailure",
            }
        }
        "PostToolBatch" => {
            let calls = input.tool_calls.iter().flatten();
            What::BatchEnd {
                calls: calls.filter_map(|call| call.tool_use_id.clone()).collect(),
            }
        }
        "Stop" => What::TurnEnd {
            continued: input.stop_hook_active.unwrap_or_default(),
        },
        // It broke off: nothing goes on.
        "StopFailure" => What::TurnEnd { continued: true },
        "SubagentStart" => What::SubagentStart,
        "SubagentStop" => What::SubagentEnd,
        "SessionEnd" => {
            let reason = input.reason.as_deref().unwrap_or_default();
            What::SessionEnd {
                process_stays: matches!(reason, "clear" | "resume"),
            }
        }
        "CwdChanged" => What::DirectoryChanged,
        _ => What::Other,
    }
}

impl NewText {
    fn of(input: &Input<'_>) -> NewText {
        let raw = input.tool_input.map(RawValue::get).unwrap_or_default();
        serde_json::from_str(raw).unwrap_or_default()
    }

    /// All of it, a line's end between the parts, as far as it is looked at.
    fn text(self) -> String {
        let whole = [self.content, self.new_string, self.new_source];
        let parts = self.edits.unwrap_or_default().into_iter();
        let parts = parts.map(|part| part.new_string);
        joined(whole.into_iter().chain(parts).flatten())
    }
}

impl Target {
    fn file(self) -> Option<String> {
        self.file_path
            .or(self.notebook_path)
            .or(self.path)
            .or(self.command)
            .or(self.pattern)
            .or(self.url)
            .or(self.description)
    }
}

/// `claude-code_2-1-330_harness` -> `2.1.330`.
fn version(agent: &str) -> Option<String> {
    let version = agent.strip_prefix("claude-code_")?.split('_').next()?;
    Some(version.replace('-', "."))
}

pub(super) fn answer(event: &str, verdict: &Verdict) -> HookAnswer {
    let said = match verdict {
        Verdict::Pass => return HookAnswer::default(),
        Verdict::Say(text) => json!({ "hookEventName": event, "additionalContext": text }),
        Verdict::Continue(reason) => {
            return HookAnswer::json(&json!({ "decision": "block", "reason": reason }));
        }
        Verdict::Deny(reason) => json!({
            "hookEventName": event,
            "permissionDecision": "deny",
            "permissionDecisionReason": reason,
        }),
    };
    HookAnswer::json(&json!({ "hookSpecificOutput": said }))
}

#[cfg(test)]
mod tests {
    use super::super::text::{NEW_TEXT_BYTES_MAX, PROMPT_BYTES_MAX};
    use super::*;

    fn header(event: &str) -> Header {
        Header {
            event: event.to_owned(),
            client: "claude-code".to_owned(),
            ..Header::default()
        }
    }

    #[test]
    fn an_edit_names_its_file_and_whether_it_writes_the_whole() {
        let input = br#"{"session_id":"s","tool_name":"Write","tool_input":{"file_path":"/a","content":"x"},"tool_use_id":"t"}"#;
        let step = read(&header("PreToolUse"), input).unwrap();
        assert_eq!(
            step.what,
            What::BeforeEdit {
                tool: "Write".into(),
                edits: vec![FileEdit {
                    file: "/a".into(),
                    whole: true,
                    new: "x".into()
                }]
            }
        );
        assert_eq!(step.tool_use_id.as_deref(), Some("t"));
    }

    #[test]
    fn the_new_text_of_an_edit_is_all_that_it_puts_there_within_a_limit() {
        let new = |tool: &str, input: serde_json::Value| {
            let input = json!({"session_id": "s", "tool_name": tool, "tool_input": input});
            match read(&header("PreToolUse"), input.to_string().as_bytes()) {
                Ok(Step {
                    what: What::BeforeEdit { edits, .. },
                    ..
                }) => edits[0].new.clone(),
                other => panic!("{other:?}"),
            }
        };
        let parts = json!([{"old_string": "x", "new_string": "a"}, {"new_string": "b"}]);
        assert_eq!(
            new("MultiEdit", json!({"file_path": "/a", "edits": parts})),
            "a\nb"
        );
        let edit = json!({"file_path": "/a", "old_string": "x", "new_string": "é"});
        assert_eq!(new("Edit", edit), "é");
        let cell = json!({"notebook_path": "/a", "new_source": "print()"});
        assert_eq!(new("NotebookEdit", cell), "print()");
        let large = json!({"file_path": "/a", "content": "é".repeat(NEW_TEXT_BYTES_MAX)});
        assert_eq!(new("Write", large).len(), NEW_TEXT_BYTES_MAX);
        let odd = json!({"file_path": "/a", "content": ["x"]});
        assert_eq!(new("Write", odd), "", "it is an edit all the same");
    }

    #[test]
    fn a_prompt_gives_its_first_line_that_says_something_and_all_of_it() {
        let input = br#"{"session_id":"s","prompt":"\n  Add OAuth login\nand tests"}"#;
        let step = read(&header("UserPromptSubmit"), input).unwrap();
        assert_eq!(
            step.what,
            What::Prompt {
                first_line: "Add OAuth login".into(),
                text: "\n  Add OAuth login\nand tests".into()
            }
        );
        let long = json!({"session_id": "s", "prompt": "é".repeat(PROMPT_BYTES_MAX)});
        let step = read(&header("UserPromptSubmit"), long.to_string().as_bytes()).unwrap();
        let What::Prompt { first_line, text } = step.what else {
            panic!("a prompt");
        };
        assert_eq!(text.len(), PROMPT_BYTES_MAX);
        assert!(text.starts_with(&first_line) && first_line.len() < 1_000);
    }

    #[test]
    fn a_turn_is_continued_with_a_reason_and_the_client_says_when_it_was() {
        let end = |event: &str, active: bool| {
            let input = json!({"session_id": "s", "stop_hook_active": active});
            read(&header(event), input.to_string().as_bytes())
                .unwrap()
                .what
        };
        assert_eq!(end("Stop", false), What::TurnEnd { continued: false });
        assert_eq!(end("Stop", true), What::TurnEnd { continued: true });
        assert_eq!(end("StopFailure", false), What::TurnEnd { continued: true });
        let answer = answer("Stop", &Verdict::Continue("more".into()));
        let said: serde_json::Value = serde_json::from_slice(&answer.stdout).unwrap();
        assert_eq!(said, json!({"decision": "block", "reason": "more"}));
        assert_eq!(answer.exit, 0);
    }

    #[test]
    fn what_is_not_json_is_said_not_guessed() {
        assert!(read(&header("PreToolUse"), b"\xff{").is_err());
    }

    #[test]
    fn an_event_of_tomorrow_is_let_pass() {
        let step = read(&header("SomethingNew"), br#"{"session_id":"s","new":[1]}"#).unwrap();
        assert_eq!(step.what, What::Other);
    }

    #[test]
    fn a_refusal_is_a_permission_decision() {
        let answer = answer("PreToolUse", &Verdict::Deny("no".into()));
        let said: serde_json::Value = serde_json::from_slice(&answer.stdout).unwrap();
        assert_eq!(said["hookSpecificOutput"]["permissionDecision"], "deny");
        assert_eq!(answer.exit, 0);
    }
}
