//! Each language: what is noticed, and in which words; what is not.

mod go;
mod java;
mod javascript;
mod others;
mod python;
mod robustness;
mod routes;
mod rust;
mod sql;
mod typescript;

use kite_contracts::compare;

/// A text, what is replaced in it, and the lines that are said. Replacing must change something.
pub(crate) type Case = (&'static str, &'static str, &'static [&'static str]);

/// Plays each case on its own over the same text.
pub(crate) fn play(path: &str, before: &str, cases: &[Case]) {
    for (old, new, lines) in cases {
        assert_eq!(before.matches(old).count(), 1, "`{old}` must be there once");
        let after = before.replacen(old, new, 1);
        let changed = compare(path, before, &after);
        let said = changed.map(|changed| changed.lines).unwrap_or_default();
        assert_eq!(said, *lines, "{path}: `{old}` became `{new}`");
    }
}

/// The names that this change makes wrong, `Owner.name` or `name`.
pub(crate) fn names(path: &str, before: &str, after: &str) -> Vec<String> {
    let names = compare(path, before, after).map(|changed| changed.names);
    let shown = |name: kite_contracts::Name| match name.owner {
        Some(owner) => format!("{owner}.{}", name.name),
        None => name.name,
    };
    names.unwrap_or_default().into_iter().map(shown).collect()
}
