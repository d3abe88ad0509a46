//! A note as it is written: front matter, title, sections, tags, links.
//!
//! The formats are parsed by libraries; what is here is what a vault makes of them. Nothing in a
//! note is an error: what cannot be understood is left out, and [`Note::remark`] says so.

use std::path::Path;

use crate::{escape, limits::NAME_BYTES_MAX};

mod body;
mod edit;
mod front;

pub(crate) use body::Section;
pub(crate) use edit::{FrontEdit, Place, append, body_of};
pub(crate) use front::Front;

/// Names of front matter that are Kite's own.
pub(crate) mod keys {
    /// A list with a line for each time an agent wrote to the note.
    pub(crate) const WRITTEN: &str = "kite-written";
    /// Whether a person has looked at what an agent wrote.
    pub(crate) const REVIEWED: &str = "reviewed";
    /// `never`: the note is found when searched for, and never brought in unasked.
    pub(crate) const INJECT: &str = "inject";
    /// The note is brought in at the start of a session.
    pub(crate) const PINNED: &str = "pinned";
}

/// A parsed note.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Note {
    pub(crate) title: String,
    pub(crate) aliases: Vec<String>,
    pub(crate) tags: Vec<String>,
    /// Notes that it links to (`[[name]]`), as they are written.
    pub(crate) links: Vec<String>,
    pub(crate) pinned: bool,
    /// Whether it may be brought in unasked.
    pub(crate) inject: bool,
    pub(crate) written: Written,
    /// In order; together they are the text without its front matter. Never empty.
    pub(crate) sections: Vec<Section>,
    /// What could not be understood.
    pub(crate) remark: Option<String>,
}

/// Who wrote a note, as far as it says so itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Written {
    /// An agent wrote to it, and no person has said that this is right.
    pub(crate) unreviewed: bool,
    /// The project of the session that wrote it last, where the note says so.
    pub(crate) project: Option<String>,
}

impl Note {
    /// Reads the text of a note at a path in its vault.
    pub(crate) fn parse(path: &Path, text: &str) -> Note {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let front = Front::of(text);
        let body = body::parse(&text[front.end..]);
        let stem = path.file_stem().map(|stem| stem.to_string_lossy());
        let title = front
            .text("title")
            .or(body.title)
            .or(stem.map(|stem| stem.into_owned()))
            .unwrap_or_default();
        let mut tags = front.tags();
        tags.extend(body.tags);
        tidy(&mut tags, |tag| tag.trim_start_matches('#').to_owned());
        let mut aliases = front.names(&["aliases", "alias"]);
        tidy(&mut aliases, str::to_owned);
        Note {
            title: escape::cut(title.trim(), NAME_BYTES_MAX).to_owned(),
            aliases,
            tags,
            links: body.links,
            pinned: front.is_true(keys::PINNED),
            // Front matter that nobody can read may have said `never`.
            inject: front.fault.is_none() && !front.is_never(keys::INJECT),
            written: front.written(),
            sections: body.sections,
            remark: front.fault,
        }
    }
}

/// Without empty and double names, each cut to its limit.
fn tidy(names: &mut Vec<String>, clean: impl Fn(&str) -> String) {
    let mut seen = std::collections::HashSet::new();
    names.retain_mut(|name| {
        *name = escape::cut(clean(name.trim()).trim(), NAME_BYTES_MAX).to_owned();
        !name.is_empty() && seen.insert(name.to_lowercase())
    });
    names.truncate(crate::limits::NAMES_MAX);
}
