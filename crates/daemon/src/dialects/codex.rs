//! Codex's hooks (format of 0.169.0): Claude Code's events and answers, with Codex's own tools.
//!
//! All edits are patches (`apply_patch`, on several files at once), everything else goes through
//! the shell. Nothing in the environment names the process. `PostToolUse` follows only what
//! worked, so an edit that failed ends with the session's next step.

use kite_wire::frame::Header;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    Effect, Step, Verdict, What, claude_code, patch,
    text::{logged, prompted},
};
use crate::doors::HookAnswer;

/// The tool that edits files.
const EDIT_TOOL: &str = "apply_patch";
/// The name under which every shell tool of Codex is told.
const SHELL_TOOL: &str = "Bash";

#[derive(Deserialize)]
struct Input<'a> {
    session_id: Option<String>,
    cwd: Option<String>,
    agent_id: Option<String>,
    tool_name: Option<String>,
    tool_use_id: Option<String>,
    #[serde(borrow)]
    tool_input: Option<&'a RawValue>,
    #[serde(borrow)]
    tool_response: Option<&'a RawValue>,
    prompt: Option<String>,
    stop_hook_active: Option<bool>,
    reason: Option<String>,
}

/// The only field that says what a call is about: a shell command, or a patch.
#[derive(Default, Deserialize)]
struct Target {
    command: Option<String>,
}

pub(super) fn read(header: &Header, bytes: &[u8]) -> Result<Step, String> {
    let input: Input<'_> =
        serde_json::from_slice(bytes).map_err(|e| format!("not the JSON of a hook: {e}"))?;
    let target: Target = input
        .tool_input
        .and_then(|raw| serde_json::from_str(raw.get()).ok())
        .unwrap_or_default();
    Ok(Step {
        what: what(&header.event, &input, target.command),
        input: logged(input.tool_input),
        output: logged(input.tool_response),
        client_session_id: input.session_id,
        agent: input.agent_id.filter(|agent| !agent.is_empty()),
        cwd: input.cwd,
        tool_use_id: input.tool_use_id,
        ..Step::default()
    })
}

fn what(event: &str, input: &Input<'_>, command: Option<String>) -> What {
    let tool = input.tool_name.clone().unwrap_or_default();
    let edits = match &command {
        Some(text) if tool == EDIT_TOOL => patch::edits(text),
        _ => Vec::new(),
    };
    match event {
        "SessionStart" => What::SessionStart,
        "UserPromptSubmit" => prompted(input.prompt.clone()),
        "PreToolUse" => match command {
            _ if !edits.is_empty() => What::BeforeEdit { tool, edits },
            Some(command) if tool == SHELL_TOOL => What::BeforeShell { tool, command },
            _ => What::BeforeTool { tool, target: None },
        },
        "PostToolUse" => {
            let effect = match command {
                _ if !edits.is_empty() => {
                    Effect::Edited(edits.into_iter().map(|edit| edit.file).collect())
                }
                Some(command) if tool == SHELL_TOOL => Effect::Shell(command),
                _ => Effect::Other(None),
            };
            What::AfterTool {
                tool,
                effect,
                failed: false,
            }
        }
        "Stop" => What::TurnEnd {
            continued: input.stop_hook_active.unwrap_or_default(),
        },
        "SubagentStart" => What::SubagentStart,
        "SubagentStop" => What::SubagentEnd,
        "SessionEnd" => What::SessionEnd {
            process_stays: input.reason.as_deref() == Some("clear"),
        },
        _ => What::Other,
    }
}

/// Codex reads the fields of Claude Code's answers that Kite uses.
pub(super) fn answer(event: &str, verdict: &Verdict) -> HookAnswer {
    claude_code::answer(event, verdict)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn heard(event: &str, input: &[u8]) -> Step {
        let header = Header {
            event: event.to_owned(),
            client: "codex".to_owned(),
            ..Header::default()
        };
        read(&header, input).unwrap()
    }

    #[test]
    fn recorded_calls_are_understood() {
        let step = heard(
            "SessionStart",
            include_bytes!("samples/codex-SessionStart.json"),
        );
        assert_eq!(step.what, What::SessionStart);
        assert_eq!(step.cwd.as_deref(), Some("/home/dev/shop"));
        let id = "01a201be-30cf-7453-b608-c8c53f93af00";
        assert_eq!(step.client_session_id.as_deref(), Some(id));
        let step = heard(
            "PreToolUse",
            include_bytes!("samples/codex-PreToolUse.json"),
        );
        assert_eq!(
            step.what,
            What::BeforeTool {
                tool: "mcp__kite__echo".into(),
                target: None
            }
        );
        let call = "call_023340ed82f3488abf6d9742";
        assert_eq!(step.tool_use_id.as_deref(), Some(call));
    }

    #[test]
    fn a_recorded_edit_is_one_before_and_after() {
        let before = heard(
            "PreToolUse",
            include_bytes!("samples/codex-PreToolUse-apply_patch.json"),
        );
        let What::BeforeEdit { edits, .. } = &before.what else {
            panic!("an edit: {before:?}");
        };
        assert_eq!((edits[0].file.as_str(), edits[0].whole), ("b.txt", false));
        assert_eq!(edits[0].new, "two");
        let after = heard(
            "PostToolUse",
            include_bytes!("samples/codex-PostToolUse-apply_patch.json"),
        );
        let What::AfterTool { effect, .. } = &after.what else {
            panic!("after a tool: {after:?}");
        };
        assert_eq!(*effect, Effect::Edited(vec!["b.txt".into()]));
        assert_eq!(before.tool_use_id, after.tool_use_id);
    }

    #[test]
    fn a_patch_is_an_edit_of_all_its_files() {
        let patch =
            "*** Begin Patch\n*** Update File: b\n-x\n+y\n*** Delete File: a\n*** End Patch";
        let input = json!({"tool_name": "apply_patch", "tool_use_id": "c", "tool_input": {"command": patch}});
        let input = input.to_string();
        let What::BeforeEdit { edits, .. } = heard("PreToolUse", input.as_bytes()).what else {
            panic!("an edit");
        };
        let files: Vec<(&str, bool)> = edits.iter().map(|e| (e.file.as_str(), e.whole)).collect();
        assert_eq!(files, [("a", true), ("b", false)]);
        let after = heard("PostToolUse", input.as_bytes()).what;
        assert_eq!(
            after,
            What::AfterTool {
                tool: "apply_patch".into(),
                effect: Effect::Edited(vec!["a".into(), "b".into()]),
                failed: false
            }
        );
    }

    #[test]
    fn a_shell_command_is_one() {
        let input =
            br#"{"tool_name":"Bash","tool_use_id":"c","tool_input":{"command":"git stash"}}"#;
        assert_eq!(
            heard("PreToolUse", input).what,
            What::BeforeShell {
                tool: "Bash".into(),
                command: "git stash".into()
            }
        );
    }
}
