//! Codex: `codex exec`, told on standard input. Its last message is all that it writes to standard
//! output. Its MCP servers get no environment but what is set for them, so they are told by overrides.

use std::collections::BTreeMap;

use super::{Preset, environment, plain, template::Argument};

pub(super) fn preset() -> Preset {
    Preset {
        name: "codex".to_owned(),
        client: "codex".to_owned(),
        argv: [
            &["codex", "exec", "--skip-git-repo-check"][..],
            &["--model", "{model}"],
            &["-c", "mcp_servers.kite.command=\"{kite}\""],
            &["-c", "mcp_servers.kite.args=[\"mcp\"]"],
            &[
                "-c",
                "mcp_servers.kite.env={ KITE_AGENT = \"{agent}\", KITE_HOME = \"{home}\" }",
            ],
            &["{may_edit}", "-c", "sandbox_mode=\"workspace-write\""],
            &["-"],
        ]
        .into_iter()
        .map(Argument::fixed)
        .collect(),
        environment: environment::CODEX
            .iter()
            .map(|name| (*name).to_owned())
            .collect(),
        set: BTreeMap::new(),
        read: plain::read,
    }
}
