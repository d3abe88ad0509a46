//! A planned change as a unified diff.

use similar::TextDiff;

use super::{
    machine::Machine,
    transaction::{Aside, Change},
};

/// Lines of context around each difference.
const CONTEXT_LINES: usize = 3;

/// The diff of one file. Bytes that are not UTF-8 are shown as replacement characters.
pub(crate) fn unified(change: &Change, machine: &Machine) -> String {
    let name = machine.shown(&change.before.named);
    // A file that gets another name is not changed, and one that comes back is read where it is.
    let fetched = match &change.aside {
        Some(Aside::Fetch(kept)) => std::fs::read(kept).ok(),
        _ => None,
    };
    let before = match &change.aside {
        Some(Aside::Put(_)) => None,
        _ => change.before.bytes.as_deref(),
    };
    let after = change.after.as_deref().or(fetched.as_deref());
    let (old, new) = (
        before.map(String::from_utf8_lossy),
        after.map(String::from_utf8_lossy),
    );
    let (old_text, new_text) = (
        old.as_deref().unwrap_or_default(),
        new.as_deref().unwrap_or_default(),
    );
    let header = |side: &Option<_>| {
        if side.is_some() {
            name.clone()
        } else {
            "/dev/null".to_owned()
        }
    };
    TextDiff::from_lines(old_text, new_text)
        .unified_diff()
        .context_radius(CONTEXT_LINES)
        .header(&header(&old), &header(&new))
        .to_string()
}
