//! What one session was given, as it is kept.

use std::{collections::VecDeque, path::PathBuf};

use kite_vault::{Recalled, Seen};
use serde::{Deserialize, Serialize};

/// Times that are told of one session. The oldest are counted only.
const TOLD_MAX: usize = 64;
/// Notes that are remembered as given to one session. The budget of a session ends long before.
const SEEN_MAX: usize = 512;

/// What one session was given.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Record {
    /// The client's id of the conversation.
    #[serde(default)]
    pub(super) conversation: Option<String>,
    #[serde(default)]
    pub(super) project: Option<String>,
    /// Tokens that its prompts brought in.
    #[serde(default)]
    pub(super) tokens: u64,
    /// What is in the model's context, as far as is known.
    #[serde(default)]
    seen: Vec<SeenNote>,
    #[serde(default)]
    pub(super) told: VecDeque<Told>,
    /// Times before those that are told.
    #[serde(default)]
    pub(super) forgotten: u64,
    #[serde(default)]
    pub(super) last_ms: u64,
}

/// A note as it was.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct SeenNote {
    path: PathBuf,
    /// In hexadecimal digits.
    hash: String,
}

/// When something is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum On {
    Start,
    Prompt,
}

impl On {
    /// What counts towards the budget of prompts: pinned notes do not.
    pub(super) fn tokens_of(self, given: &Recalled) -> u64 {
        match self {
            On::Start => 0,
            On::Prompt => u64::try_from(given.tokens()).unwrap_or(u64::MAX),
        }
    }
}

/// One time that something was given.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Told {
    pub(super) at_ms: u64,
    pub(super) on: On,
    pub(super) bytes: u64,
    pub(super) notes: Vec<ToldNote>,
}

/// A note that was given, and why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct ToldNote {
    pub(super) path: PathBuf,
    #[serde(default)]
    pub(super) heading: String,
    #[serde(default)]
    pub(super) words: Vec<String>,
    #[serde(default)]
    pub(super) reviewed: bool,
}

impl Record {
    /// One that cannot be read is an empty one.
    pub(super) fn read(body: &str) -> Record {
        serde_json::from_str(body).unwrap_or_default()
    }

    pub(super) fn body(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The same conversation in another session: its model knows what it knew, and what was told
    /// is told of the earlier one.
    pub(super) fn resumed(self) -> Record {
        Record {
            told: VecDeque::new(),
            forgotten: 0,
            ..self
        }
    }

    /// Another conversation knows nothing of what this one was given.
    pub(super) fn is_in(&mut self, conversation: Option<&str>) {
        let Some(conversation) = conversation else {
            return;
        };
        if self.conversation.as_deref() != Some(conversation) {
            if self.conversation.is_some() {
                self.seen.clear();
                self.tokens = 0;
            }
            self.conversation = Some(conversation.to_owned());
        }
    }

    pub(super) fn forget_seen(&mut self) {
        self.seen.clear();
    }

    pub(super) fn seen(&self) -> Vec<Seen> {
        let seen = |it: &SeenNote| {
            Some(Seen {
                path: it.path.clone(),
                hash: unhex(&it.hash)?,
            })
        };
        self.seen.iter().filter_map(seen).collect()
    }

    pub(super) fn give(&mut self, on: On, now_ms: u64, given: &Recalled) {
        self.tokens = self.tokens.saturating_add(on.tokens_of(given));
        self.last_ms = now_ms;
        for note in &given.notes {
            self.seen.retain(|it| it.path != note.seen.path);
            self.seen.push(SeenNote {
                path: note.seen.path.clone(),
                hash: hex(&note.seen.hash),
            });
        }
        let too_many = self.seen.len().saturating_sub(SEEN_MAX);
        self.seen.drain(..too_many);
        let notes = given.notes.iter().map(|note| ToldNote {
            path: note.seen.path.clone(),
            heading: note.heading.clone(),
            words: note.words.clone(),
            reviewed: note.reviewed,
        });
        self.told.push_back(Told {
            at_ms: now_ms,
            on,
            bytes: u64::try_from(given.text.len()).unwrap_or(u64::MAX),
            notes: notes.collect(),
        });
        while self.told.len() > TOLD_MAX {
            self.told.pop_front();
            self.forgotten += 1;
        }
    }
}

fn hex(hash: &[u8; 32]) -> String {
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    let mut hash = [0; 32];
    if text.len() != 2 * hash.len() || !text.is_ascii() {
        return None;
    }
    for (byte, digits) in hash.iter_mut().zip(text.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    }
    Some(hash)
}
