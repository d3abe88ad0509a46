//! opencode: `opencode run`, told on standard input. Kite's server comes with the settings file that
//! its environment names, beside the person's own.

use std::collections::BTreeMap;

use super::{Preset, environment, plain, template::Argument};

pub(super) fn preset() -> Preset {
    let set = ("OPENCODE_CONFIG", "{directory}/opencode.json");
    Preset {
        name: "opencode".to_owned(),
        client: "opencode".to_owned(),
        argv: [&["opencode", "run"][..], &["--model", "{model}"]]
            .into_iter()
            .map(Argument::fixed)
            .collect(),
        environment: environment::OPENCODE
            .iter()
            .map(|name| (*name).to_owned())
            .collect(),
        set: BTreeMap::from([(set.0.to_owned(), set.1.to_owned())]),
        read: plain::read,
    }
}
