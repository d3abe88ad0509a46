//! Gemini CLI, told on standard input. Kite's server and hooks come with the system settings, which
//! it takes from the file that its environment names.

use std::collections::BTreeMap;

use super::{Preset, environment, plain, template::Argument};

pub(super) fn preset() -> Preset {
    let set = ("GEMINI_CLI_SYSTEM_SETTINGS_PATH", "{directory}/gemini.json");
    Preset {
        name: "gemini".to_owned(),
        client: "gemini".to_owned(),
        argv: [
            &["gemini"][..],
            &["--model", "{model}"],
            &["{may_edit}", "--approval-mode", "auto_edit"],
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
        read: plain::read,
    }
}
