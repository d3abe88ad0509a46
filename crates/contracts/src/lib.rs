//! What of a source file do other files use, and has that changed?
//!
//! [`exports`] reads a file's declarations that others can use: functions, types with their
//! fields, tables with their columns, routes. [`compare`] puts two texts of one file beside each
//! other and says in at most [`LINES_MAX`] lines what somebody who knows only the older one would
//! get wrong. Bodies, comments, layout, and what was only added, say nothing.
//!
//! Where this room cannot be sure (a text that does not parse, one that is too large or takes too
//! long), it is silent: a wrong note costs more than a missing one.
//!
//! **Architecture Invariant:** text in, findings out. No files, no processes, no clock but the one
//! that stops a parser; no other room of Kite is known here. Text that comes out is as foreign as
//! the text that went in.

mod difference;
mod item;
mod language;
mod languages;
mod names;
mod plain;
mod tree;

pub use difference::{Changed, Name};
pub use item::Item;
pub use language::{Language, Subject};
pub use names::mentions;

/// Largest text that is looked at, in bytes.
pub const SOURCE_BYTES_MAX: usize = 512 << 10;
/// Lines of one finding.
pub const LINES_MAX: usize = 3;
/// Characters of one line of a finding.
pub const LINE_CHARS_MAX: usize = 200;
/// Names that one finding lists.
pub const NAMES_MAX: usize = 64;

/// What of this text other files can use, in the order of the text. Empty where it is too large,
/// or a parser could not make anything of it in time.
#[must_use]
pub fn exports(language: Language, source: &str) -> Vec<Item> {
    languages::exports(language, source)
        .map(|found| found.items)
        .unwrap_or_default()
}

/// What somebody who knows `before` would get wrong about the file at `path`, now that it holds
/// `after`. `None` where that is nothing, or cannot be said.
///
/// Of a language that is not known here, it is the first lines that changed; prose, data and
/// generated files are never looked at ([`Subject::of`]).
#[must_use]
pub fn compare(path: &str, before: &str, after: &str) -> Option<Changed> {
    compare_concealed(path, before, after, &str::to_owned)
}

/// As [`compare`], but each piece of a declaration that is shown goes through `conceal` before it
/// is cut: a secret of which only a part is left looks like none.
#[must_use]
pub fn compare_concealed(
    path: &str,
    before: &str,
    after: &str,
    conceal: &dyn Fn(&str) -> String,
) -> Option<Changed> {
    if before == after || before.len().max(after.len()) > SOURCE_BYTES_MAX {
        return None;
    }
    match Subject::of(path)? {
        Subject::Language(language) => {
            let old = languages::exports(language, before)?;
            let new = languages::exports(language, after)?;
            difference::between(&old, &new, conceal)
        }
        Subject::Declarations => plain::changed_declarations(before, after),
        Subject::Settings => plain::changed_lines(before, after),
    }
}
