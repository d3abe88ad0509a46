//! opencode: `opencode run`, told on standard input. Kite's server comes with the settings file that
//! its environment names, beside the person's own.

use super::{Preset, environment, plain, template::Argument};
use crate::config::settings::agents::PermissionMode;

pub(super) fn preset() -> Preset {
    let set = [
        ("OPENCODE_CONFIG", "{directory}/opencode.json"),
        // It comes after the person's and the repository's own files, and is merged with them. What
        // is said of an agent counts more than what is said for all: so both are said.
        (
            "OPENCODE_CONFIG_CONTENT",
            r#"{"permission":{rights},"agent":{"build":{"permission":{rights}}}}"#,
        ),
        ("OPENCODE_PERMISSION", "{rights}"),
    ];
    Preset {
        name: "opencode".to_owned(),
        client: "opencode".to_owned(),
        // Its own agent: one that somebody declared might have rights of its own.
        argv: [
            &["opencode", "run", "--agent", "build"][..],
            &["--model", "{model}"],
        ]
        .into_iter()
        .map(Argument::fixed)
        .collect(),
        environment: environment::OPENCODE
            .iter()
            .map(|name| (*name).to_owned())
            .collect(),
        set: set
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
        rights,
        read: plain::read,
    }
}

/// Its table of permissions: the last pattern that fits a tool counts (observed with 1.18.33). It
/// judges nothing by itself, so `auto` comes to `acceptEdits`. In `bypassPermissions` what the person
/// has said stands, and what is not said is allowed.
fn rights(mode: PermissionMode) -> String {
    let edit = match mode {
        PermissionMode::Plan | PermissionMode::Default => "deny",
        PermissionMode::AcceptEdits | PermissionMode::Auto => "allow",
        PermissionMode::BypassPermissions => return "{}".to_owned(),
    };
    // The order counts: this text keeps it.
    let rules: [(&str, &str); 18] = [
        ("*", "deny"),
        ("external_directory", "deny"),
        ("bash", "deny"),
        ("task", "deny"),
        ("webfetch", "deny"),
        ("websearch", "deny"),
        ("read", "allow"),
        ("grep", "allow"),
        ("glob", "allow"),
        ("list", "allow"),
        ("todowrite", "allow"),
        ("edit", edit),
        // Kite's own, but for those that start programs.
        ("kite_*", "deny"),
        ("kite_kite_task_*", "allow"),
        ("kite_kite_file_*", "allow"),
        ("kite_kite_sessions", "allow"),
        ("kite_kite_events", "allow"),
        ("kite_kite_vault_*", "allow"),
    ];
    let rules = rules.map(|(tool, rule)| format!("\"{tool}\":\"{rule}\""));
    format!("{{{}}}", rules.join(","))
}
