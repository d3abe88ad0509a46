//! Tool calls, as the model of a Claude Code session makes them.

use serde_json::{Value, json};

use super::marker;

/// A call of one tool.
#[derive(Clone, Debug)]
pub struct Call {
    pub(super) tool: String,
    pub(super) input: Value,
}

impl Call {
    #[must_use]
    pub fn read(file: &str) -> Call {
        Call::of("Read", json!({"file_path": file}))
    }

    /// Claude Code accepts it only for a file that the session has read.
    #[must_use]
    pub fn edit(file: &str, old: &str, new: &str) -> Call {
        Call::of(
            "Edit",
            json!({"file_path": file, "old_string": old, "new_string": new}),
        )
    }

    /// Writes the whole file.
    #[must_use]
    pub fn write(file: &str, text: &str) -> Call {
        Call::of("Write", json!({"file_path": file, "content": text}))
    }

    #[must_use]
    pub fn bash(command: &str) -> Call {
        Call::of("Bash", json!({"command": command}))
    }

    /// A subagent that plays another script, while this session waits for it.
    #[must_use]
    pub fn agent(script: &str) -> Call {
        let prompt = format!("Do your part.\n{}", marker(script));
        let kind = "general-purpose";
        Call::of(
            "Agent",
            json!({
                "description": script, "prompt": prompt,
                "subagent_type": kind, "run_in_background": false,
            }),
        )
    }

    /// A tool of Kite's MCP server, such as `kite_file_lock`.
    #[must_use]
    pub fn kite(tool: &str, input: Value) -> Call {
        Call::of(&format!("mcp__kite__{tool}"), input)
    }

    #[must_use]
    pub fn of(tool: &str, input: Value) -> Call {
        Call {
            tool: tool.to_owned(),
            input,
        }
    }
}
