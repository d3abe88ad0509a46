//! How tasks and lists of names read, in every tool the same.

use kite_wire::reply::Task;

use crate::{
    schema::{PATH_CHARS_MAX, TITLE_CHARS_MAX},
    text::{one_line, quoted, short_id},
};

/// Names shown of a list; the rest is counted.
const NAMES_SHOWN_MAX: usize = 16;
/// Tasks shown as woken by an end; the rest is counted.
const WOKEN_SHOWN_MAX: usize = 10;

/// `1a2b3c4d — Add OAuth login`.
pub(super) fn headline(task: &Task) -> String {
    format!(
        "{} — {}",
        short_id(&task.id),
        one_line(&task.title, TITLE_CHARS_MAX)
    )
}

/// `1a2b3c4d "Add OAuth login"`.
pub(super) fn named(task: &Task) -> String {
    format!(
        "{} {}",
        short_id(&task.id),
        quoted(&task.title, TITLE_CHARS_MAX)
    )
}

/// `a.rs, b.rs and 3 more`.
pub(super) fn names<'a>(all: impl IntoIterator<Item = &'a String>) -> String {
    joined(all, |name| one_line(name, PATH_CHARS_MAX))
}

/// `1a2b3c4d, 5e6f7a8b`.
pub(super) fn ids<'a>(all: impl IntoIterator<Item = &'a String>) -> String {
    joined(all, short_id)
}

fn joined<'a>(all: impl IntoIterator<Item = &'a String>, show: impl Fn(&str) -> String) -> String {
    let mut all = all.into_iter();
    let shown: Vec<String> = all
        .by_ref()
        .take(NAMES_SHOWN_MAX)
        .map(|name| show(name))
        .collect();
    match all.count() {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// Says which tasks became ready, where any did.
pub(super) fn push_woken(answer: &mut String, woken: &[Task]) {
    if woken.is_empty() {
        return;
    }
    let shown: Vec<String> = woken.iter().take(WOKEN_SHOWN_MAX).map(named).collect();
    answer.push_str("\nNow ready: ");
    answer.push_str(&shown.join(", "));
    if woken.len() > WOKEN_SHOWN_MAX {
        answer.push_str(&format!(" and {} more", woken.len() - WOKEN_SHOWN_MAX));
    }
    answer.push('.');
}
