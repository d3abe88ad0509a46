//! Codex: `codex exec`, told on standard input. Its last message is all that it writes to standard
//! output. Its MCP servers get no environment but what is set for them, so they are told by overrides.

use std::collections::BTreeMap;

use super::{Preset, environment, plain, template::Argument};
use crate::config::settings::agents::PermissionMode;

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
            &["--sandbox", "{rights}"],
            // Nobody is there to approve of more.
            &["-c", "approval_policy=\"never\""],
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
        rights,
        read: plain::read,
    }
}

/// The sandbox of its commands and edits (observed with 0.169.0: it overrides the person's own
/// `sandbox_mode` and `default_permissions`).
fn rights(mode: PermissionMode) -> String {
    match mode {
        PermissionMode::Plan | PermissionMode::Default => "read-only",
        PermissionMode::AcceptEdits | PermissionMode::Auto => "workspace-write",
        PermissionMode::BypassPermissions => "danger-full-access",
    }
    .to_owned()
}
