//! What each language's declarations are, and which of them other files can use.

mod go;
mod java;
mod python;
mod routes;
mod rust;
mod sql;
mod typescript;

use crate::{Item, Language, tree::Parsed};

/// Items of one text; what comes after them is not looked at.
const ITEMS_MAX: usize = 4_000;
/// How deep modules and classes lie in each other.
const DEPTH_MAX: usize = 8;

/// The exports of a text, and how well it was understood.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) items: Vec<Item>,
    /// Places that are not of the language: a text in the middle of an edit, or newer syntax.
    pub(crate) faults: usize,
}

/// `None` where the text is too large, or was not parsed in time.
pub(crate) fn exports(language: Language, source: &str) -> Option<Found> {
    if language == Language::Sql {
        return sql::exports(source);
    }
    let parsed = Parsed::of(language, source)?;
    let mut items = Vec::new();
    match language {
        Language::Rust => rust::exports(&parsed, &mut items),
        Language::TypeScript | Language::Tsx => typescript::exports(&parsed, &mut items),
        Language::Python => python::exports(&parsed, &mut items),
        Language::Go => go::exports(&parsed, &mut items),
        Language::Java => java::exports(&parsed, &mut items),
        Language::Sql => {}
    }
    items.truncate(ITEMS_MAX);
    let faults = parsed.faults();
    Some(Found { items, faults })
}
