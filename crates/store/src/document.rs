//! Documents: what the engine keeps beside sessions, locks and tasks, in its own words.
//!
//! An agent that was spawned, a message, a review, what a person trusts: each is one text under a kind
//! and a key. Nothing here reads it. Their shape changes by addition, as it does on the wire.

use std::collections::BTreeMap;

/// One kept text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// What it is: `agent`, `message`, ... One kind belongs to one room of the engine.
    pub kind: String,
    /// Unique within its kind.
    pub key: String,
    /// The text, JSON by convention. `None`: there is no such document any more.
    pub body: Option<String>,
}

impl Document {
    /// A document that is to be kept.
    #[must_use]
    pub fn put(kind: &str, key: &str, body: String) -> Document {
        Document {
            kind: kind.to_owned(),
            key: key.to_owned(),
            body: Some(body),
        }
    }

    /// A document that is to be forgotten.
    #[must_use]
    pub fn forget(kind: &str, key: &str) -> Document {
        Document {
            kind: kind.to_owned(),
            key: key.to_owned(),
            body: None,
        }
    }
}

/// All documents, by kind and key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Documents(BTreeMap<String, BTreeMap<String, String>>);

impl Documents {
    /// The text under this key.
    #[must_use]
    pub fn get(&self, kind: &str, key: &str) -> Option<&str> {
        self.0.get(kind)?.get(key).map(String::as_str)
    }

    /// Key and text of each document of a kind, in the order of their keys.
    pub fn of(&self, kind: &str) -> impl Iterator<Item = (&str, &str)> {
        let of_kind = self.0.get(kind).into_iter().flatten();
        of_kind.map(|(key, body)| (key.as_str(), body.as_str()))
    }

    /// How many there are of a kind.
    #[must_use]
    pub fn count(&self, kind: &str) -> usize {
        self.0.get(kind).map_or(0, BTreeMap::len)
    }

    pub(crate) fn apply(&mut self, document: &Document) {
        match &document.body {
            Some(body) => {
                let of_kind = self.0.entry(document.kind.clone()).or_default();
                of_kind.insert(document.key.clone(), body.clone());
            }
            None => {
                if let Some(of_kind) = self.0.get_mut(&document.kind) {
                    of_kind.remove(&document.key);
                    if of_kind.is_empty() {
                        self.0.remove(&document.kind);
                    }
                }
            }
        }
    }
}
