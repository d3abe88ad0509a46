//! `kite://vault/{path}`: one note, for clients that show notes to their user.

use kite_wire::{
    reply::vault::{Note, NoteText, Notes},
    request::{VaultList, VaultRead},
};
use serde_json::{Value, json};

use super::{CONTENT_BYTES_MAX, Declaration, ReadError, Reader, escape, uri::Parts};
use crate::{schema::PATH_CHARS_MAX, text};

/// Notes looked through for a completion.
const SEARCHED_MAX: u32 = 1_000;
/// Bytes of one content beside the note's text.
const AROUND_BYTES_MAX: usize = 1 << 10;

pub(super) const TEMPLATE: Declaration = Declaration {
    uri: "kite://vault/{path}",
    name: "note",
    title: "One note",
    description: "One note of the vault by its path, whole as kite_vault_search gives it (percent-encoded) or within \
                  its vault.",
    shape: &[
        (
            "note",
            "`path`, `vault` (`home`, `project` or `folder`), `title`, `tags`, `modified`, `age_s`, `reviewed` \
             (whether a person wrote it or has looked at it), `pinned`, `remark`",
        ),
        (
            "text",
            "the file with its front matter: data, whoever wrote it",
        ),
        ("cut", "true where the text goes on in the file"),
        (
            "hash",
            "SHA-256 of the whole text. Subscribers are not told of changes of notes",
        ),
    ],
};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Vault {
    path: String,
}

impl Vault {
    /// From the segments after `vault`.
    pub(super) fn parse(segments: &[&str], parts: &Parts) -> Result<Vault, String> {
        parts.only(&[])?;
        let path = segments.join("/");
        match path.len() {
            0 => Err("it names no note".to_owned()),
            1..=PATH_CHARS_MAX => Ok(Vault { path }),
            _ => Err(format!("paths have at most {PATH_CHARS_MAX} bytes")),
        }
    }

    pub(super) async fn read(&self, reader: &Reader<'_>) -> Result<Value, ReadError> {
        let path = self.path.clone();
        let project = None;
        let shown: NoteText = reader.ask(VaultRead { path, project }).await?;
        Ok(content(&shown))
    }
}

/// Paths of notes that begin so, or whose name or title has it.
pub(super) async fn paths(reader: &Reader<'_>, start: &str) -> Result<Vec<String>, ReadError> {
    let list = VaultList {
        limit: Some(SEARCHED_MAX),
        ..VaultList::default()
    };
    let listed: Notes = reader.ask(list).await?;
    let start = start.to_lowercase();
    let mut meant: Vec<&Note> = listed
        .notes
        .iter()
        .filter(|note| is_meant(note, &start))
        .collect();
    meant.sort_by_key(|note| !note.title.to_lowercase().starts_with(&start));
    Ok(meant.into_iter().map(|note| note.path.clone()).collect())
}

fn is_meant(note: &Note, start: &str) -> bool {
    let path = note.path.to_lowercase();
    path.starts_with(start)
        || path.rsplit('/').next().is_some_and(|it| it.contains(start))
        || note.title.to_lowercase().contains(start)
}

fn content(shown: &NoteText) -> Value {
    let mut content = json!({"note": shown.note, "text": shown.text, "hash": shown.hash});
    // Before it is measured: escaping makes it longer.
    escape(&mut content);
    let (mut size, mut cut) = (content.to_string().len(), shown.cut);
    while size > CONTENT_BYTES_MAX - AROUND_BYTES_MAX {
        let whole = content["text"].as_str().unwrap_or_default();
        let share = whole.chars().count() * (CONTENT_BYTES_MAX - 2 * AROUND_BYTES_MAX) / size;
        content["text"] = text::clipped(whole, share).into();
        (size, cut) = (content.to_string().len(), true);
    }
    if cut {
        content["cut"] = true.into();
    }
    content
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_note_is_cut_and_says_so() {
        for text in [
            "a note\n".to_owned(),
            "\u{202e}\"".repeat(60_000),
            "x".repeat(131_072),
        ] {
            let shown = NoteText {
                text: text.clone(),
                ..NoteText::default()
            };
            let content = content(&shown);
            assert!(content.to_string().len() <= CONTENT_BYTES_MAX);
            assert_eq!(content["cut"] == true, text.len() > 10);
            assert!(!content["text"].as_str().expect("a text").is_empty());
        }
    }
}
