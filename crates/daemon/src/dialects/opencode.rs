//! opencode has no hooks but plugins (1.18.33). Kite's plugin, which `kite init` writes, calls the
//! hook with Kite's names of events and with input in Claude Code's form, but for the tools: their
//! names and arguments are opencode's own.
//!
//! Before a tool the model can be refused, but not told anything: that waits until it has run.

use kite_wire::frame::Header;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    Effect, FileEdit, Step, Verdict, What, claude_code, patch,
    text::{joined, logged},
};
use crate::doors::HookAnswer;

/// Tools that edit one file. Whole-file writers replace its content.
const EDIT_TOOLS: &[(&str, bool)] = &[("write", true), ("edit", false)];
/// Tools that take a patch, on several files at once.
const PATCH_TOOLS: &[&str] = &["apply_patch", "patch"];
const SHELL_TOOL: &str = "bash";
const READ_TOOL: &str = "read";

#[derive(Deserialize)]
struct Input<'a> {
    session_id: Option<String>,
    cwd: Option<String>,
    client_version: Option<String>,
    tool_name: Option<String>,
    tool_use_id: Option<String>,
    #[serde(borrow)]
    tool_input: Option<&'a RawValue>,
}

/// The fields of tool arguments that say what a call is about.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Target {
    file_path: Option<String>,
    command: Option<String>,
    patch_text: Option<String>,
}

/// Read apart from [`Target`]: an odd value here must not hide which file is edited.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct NewText {
    content: Option<String>,
    new_string: Option<String>,
}

pub(super) fn read(header: &Header, bytes: &[u8]) -> Result<Step, String> {
    let input: Input<'_> =
        serde_json::from_slice(bytes).map_err(|e| format!("not what Kite's plugin says: {e}"))?;
    Ok(Step {
        what: what(&header.event, &input),
        input: logged(input.tool_input),
        client_session_id: input.session_id,
        client_version: input.client_version,
        cwd: input.cwd,
        tool_use_id: input.tool_use_id,
        ..Step::default()
    })
}

fn what(event: &str, input: &Input<'_>) -> What {
    let tool = input.tool_name.clone().unwrap_or_default();
    let arguments = input.tool_input.map(RawValue::get).unwrap_or_default();
    let target: Target = serde_json::from_str(arguments).unwrap_or_default();
    let edits = edits(&tool, &target, arguments);
    match event {
        "SessionStart" => What::SessionStart,
        "PreToolUse" => match target.command {
            _ if !edits.is_empty() => What::BeforeEdit { tool, edits },
            Some(command) if tool == SHELL_TOOL => What::BeforeShell { tool, command },
            _ => What::BeforeTool {
                tool,
                target: target.file_path,
            },
        },
        "PostToolUse" => {
            let effect = match (target.command, target.file_path) {
                _ if !edits.is_empty() => {
                    Effect::Edited(edits.into_iter().map(|edit| edit.file).collect())
                }
                (Some(command), _) if tool == SHELL_TOOL => Effect::Shell(command),
                (_, Some(file)) if tool == READ_TOOL => Effect::Read(file),
                (_, file) => Effect::Other(file),
            };
            What::AfterTool {
                tool,
                effect,
                failed: false,
            }
        }
        // Told when the turn is over: it cannot be continued.
        "Stop" => What::TurnEnd { continued: true },
        "SessionEnd" => What::SessionEnd {
            process_stays: false,
        },
        _ => What::Other,
    }
}

fn edits(tool: &str, target: &Target, arguments: &str) -> Vec<FileEdit> {
    let whole = EDIT_TOOLS.iter().find(|(name, _)| *name == tool);
    match (whole, &target.file_path, &target.patch_text) {
        (Some((_, whole)), Some(file), _) => {
            let new: NewText = serde_json::from_str(arguments).unwrap_or_default();
            vec![FileEdit {
                file: file.clone(),
                whole: *whole,
                new: joined([new.content, new.new_string].iter().flatten()),
            }]
        }
        (_, _, Some(text)) if PATCH_TOOLS.contains(&tool) => patch::edits(text),
        _ => Vec::new(),
    }
}

/// Where the plugin can give the model what Kite says.
pub(super) fn hears(what: &What) -> bool {
    matches!(what, What::AfterTool { .. })
}

/// The plugin reads Claude Code's answers.
pub(super) fn answer(event: &str, verdict: &Verdict) -> HookAnswer {
    claude_code::answer(event, verdict)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn what(event: &str, tool: &str, arguments: Value) -> What {
        let input = json!({"session_id": "ses_1", "cwd": "/p", "tool_name": tool,
            "tool_use_id": "call_1", "tool_input": arguments});
        let header = Header {
            event: event.to_owned(),
            client: "opencode".to_owned(),
            ..Header::default()
        };
        read(&header, input.to_string().as_bytes()).unwrap().what
    }

    #[test]
    fn edits_patches_reads_and_commands_are_told_apart() {
        let write = json!({"filePath": "/a", "content": "x"});
        let edit = FileEdit {
            file: "/a".into(),
            whole: true,
            new: "x".into(),
        };
        assert_eq!(
            what("PreToolUse", "write", write),
            What::BeforeEdit {
                tool: "write".into(),
                edits: vec![edit]
            }
        );
        let patch = json!({"patchText": "*** Begin Patch\n*** Add File: b\n+x\n*** End Patch"});
        let What::BeforeEdit { edits, .. } = what("PreToolUse", "apply_patch", patch) else {
            panic!("an edit");
        };
        assert_eq!(edits[0].file, "b");
        let after = |tool: &str, arguments: Value| match what("PostToolUse", tool, arguments) {
            What::AfterTool { effect, .. } => effect,
            other => panic!("{other:?}"),
        };
        assert_eq!(
            after("edit", json!({"filePath": "/a"})),
            Effect::Edited(vec!["/a".into()])
        );
        assert_eq!(
            after("read", json!({"filePath": "/a"})),
            Effect::Read("/a".into())
        );
        assert_eq!(
            after("bash", json!({"command": "ls"})),
            Effect::Shell("ls".into())
        );
    }
}
