//! What is kept of a project's trust.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::hands::trust::{PARTS_MAX, Part};

/// Contents of one part that stay trusted beside each other: branches differ.
const HASHES_MAX: usize = 4;

/// What a person has seen and said yes to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Record {
    /// When last, in milliseconds since 1970.
    pub(super) since_ms: u64,
    /// Hashes by kind and name, the newest last.
    parts: BTreeMap<String, Vec<String>>,
    /// In stories only.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    everything: bool,
}

/// How a part stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::engine) enum State {
    Trusted,
    /// Another content of it was trusted.
    Changed,
    New,
}

impl State {
    pub(in crate::engine) fn word(self) -> &'static str {
        match self {
            State::Trusted => "trusted",
            State::Changed => "changed",
            State::New => "new",
        }
    }
}

impl Record {
    #[cfg(test)]
    pub(super) fn for_everything() -> Record {
        Record {
            everything: true,
            ..Record::default()
        }
    }

    pub(super) fn is_for_everything(&self) -> bool {
        cfg!(test) && self.everything
    }

    pub(super) fn state(&self, part: &Part) -> State {
        self.state_of(part.kind, &part.what, &part.hash)
    }

    pub(super) fn state_of(&self, kind: &str, what: &str, hash: &str) -> State {
        if self.is_for_everything() {
            return State::Trusted;
        }
        match self.parts.get(&key(kind, what)) {
            Some(hashes) if hashes.iter().any(|known| known == hash) => State::Trusted,
            Some(_) => State::Changed,
            None => State::New,
        }
    }

    /// Trusts these parts, beside what was trusted before. Where that becomes too much, what is not
    /// there any more goes.
    pub(super) fn add(&mut self, parts: &[Part], now_ms: u64) {
        self.since_ms = now_ms;
        if self.parts.len() + parts.len() > PARTS_MAX {
            let there: Vec<String> = parts
                .iter()
                .map(|part| key(part.kind, &part.what))
                .collect();
            self.parts.retain(|known, _| there.contains(known));
        }
        for part in parts {
            let hashes = self.parts.entry(key(part.kind, &part.what)).or_default();
            hashes.retain(|known| *known != part.hash);
            hashes.push(part.hash.clone());
            if hashes.len() > HASHES_MAX {
                hashes.remove(0);
            }
        }
    }
}

fn key(kind: &str, what: &str) -> String {
    format!("{kind} {what}")
}
