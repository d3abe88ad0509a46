//! `kite_vault_write`; and how a note that was kept reads.

use kite_wire::{
    reply::{self, Fault, vault::Written},
    request::{Request, VaultWrite},
};
use serde_json::Value;

use super::{
    Tool,
    vault_search::{TAG_CHARS_MAX, TAGS_MAX},
};
use crate::{
    arguments::Arguments,
    schema::{
        Declaration, Effect, FIRST, ID_CHARS_MAX, Kind, PATH_CHARS_MAX, Param, TEXT_CHARS_MAX,
        TITLE_CHARS_MAX,
    },
    text::one_line,
};

/// Characters shown of why a note was not kept.
const WHY_CHARS_MAX: usize = 300;

const PARAMS: &[Param] = &[
    Param::required(
        "title",
        Kind::Text {
            chars_max: TITLE_CHARS_MAX,
        },
        "What it is about, in a few words. The file is named after it.",
    ),
    Param::required(
        "text",
        Kind::Text {
            chars_max: TEXT_CHARS_MAX,
        },
        "Markdown: what a later session should know, and why it is so.",
    ),
    Param::optional(
        "tags",
        Kind::List {
            items_max: TAGS_MAX,
            chars_max: TAG_CHARS_MAX,
        },
        "Tags, such as auth or deploy/prod.",
    ),
    Param::optional(
        "heading",
        Kind::Text {
            chars_max: TITLE_CHARS_MAX,
        },
        "Adds the text at the end of the section under this heading of the note with that title, instead of making a \
         new note.",
    ),
    Param::optional(
        "vault",
        Kind::Choice {
            of: &["home", "project"],
            default: "home",
        },
        "home: the person's notes, outside of the repository. project: .kite/vault of this repository, where it has \
         one.",
    ),
    Param::optional(
        "task",
        Kind::Text {
            chars_max: ID_CHARS_MAX,
        },
        "The task that it was learnt by; yours, where you leave it out.",
    ),
];

pub(super) const TOOL: Tool = Tool {
    declaration: Declaration {
        name: "kite_vault_write",
        title: "Write a note",
        description: "Write down what later sessions of this project should know and could not see in the code: a \
                      decision and its reason, a pitfall, how something is done here. One subject a note; no secrets. \
                      It is marked as unreviewed until a person has looked at it. Returns its path.",
        effect: Effect::Once,
        params: PARAMS,
        changes: FIRST,
    },
    request,
    render,
    sift: None,
};

fn request(given: &Arguments, _here: Option<&str>) -> Result<Request, String> {
    Ok(VaultWrite {
        title: given.text("title").unwrap_or_default(),
        text: given.text("text").unwrap_or_default(),
        tags: given.list("tags"),
        heading: given.text("heading"),
        vault: given.text("vault"),
        task: given.text("task"),
        project: None,
    }
    .into())
}

fn render(_request: &Request, reply: Value) -> Result<String, Fault> {
    Ok(told(&reply::read(reply)?))
}

/// What became of a note, in a line or two.
pub(super) fn told(written: &Written) -> String {
    let path = one_line(&written.path, PATH_CHARS_MAX);
    let mut told = match written.outcome.as_str() {
        "failed" => {
            let why = one_line(written.why.as_deref().unwrap_or_default(), WHY_CHARS_MAX);
            return format!("What you learnt was not kept as a note: {why}");
        }
        "unchanged" => format!("Noted already in {path}. Nothing changed."),
        "appended" => format!("Added to {path}"),
        _ => format!("Noted in {path}"),
    };
    if written.redacted {
        told.push_str("\nWhat looked like a secret was taken out.");
    }
    if let Some(similar) = &written.similar {
        let similar = one_line(similar, PATH_CHARS_MAX);
        told.push_str(&format!(
            "\nAnother note has that title: {similar}. With `heading` you would have added to it."
        ));
    }
    told
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rendered(reply: Value) -> String {
        render(&VaultWrite::default().into(), reply).expect("an answer")
    }

    #[test]
    fn what_became_of_it_is_told() {
        assert_eq!(
            rendered(
                json!({"ok": true, "outcome": "created", "path": "/v/A 2.md", "similar": "/v/A.md", "redacted": true})
            ),
            "Noted in /v/A 2.md\nWhat looked like a secret was taken out.\nAnother note has that title: /v/A.md. With \
             `heading` you would have added to it."
        );
        assert_eq!(
            rendered(json!({"ok": true, "outcome": "unchanged", "path": "/v/A.md"})),
            "Noted already in /v/A.md. Nothing changed."
        );
    }
}
