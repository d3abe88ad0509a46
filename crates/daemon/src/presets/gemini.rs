//! Gemini CLI, told on standard input. Kite's server and hooks come with the system settings, which
//! it takes from the file that its environment names.

use std::collections::BTreeMap;

use super::{Preset, environment, plain, template::Argument};
use crate::config::settings::agents::PermissionMode;

pub(super) fn preset() -> Preset {
    let set = ("GEMINI_CLI_SYSTEM_SETTINGS_PATH", "{directory}/gemini.json");
    Preset {
        name: "gemini".to_owned(),
        client: "gemini".to_owned(),
        argv: [
            &["gemini"][..],
            &["--model", "{model}"],
            &["--approval-mode", "{rights}"],
            &["--allowed-mcp-server-names", "kite"],
        ]
        .into_iter()
        .map(Argument::fixed)
        .collect(),
        environment: environment::GEMINI
            .iter()
            .map(|name| (*name).to_owned())
            .collect(),
        set: BTreeMap::from([(set.0.to_owned(), set.1.to_owned())]),
        rights,
        read: plain::read,
    }
}

/// Its approval mode. Never `plan`: where nobody is there to ask, it leaves that mode by itself, for
/// `yolo` (observed with 0.61.0). In `default` it refuses what it would have to ask for.
fn rights(mode: PermissionMode) -> String {
    match mode {
        PermissionMode::Plan | PermissionMode::Default => "default",
        PermissionMode::AcceptEdits | PermissionMode::Auto => "auto_edit",
        PermissionMode::BypassPermissions => "yolo",
    }
    .to_owned()
}
