//! The end of a program that says no more than its exit code and its last words.

use super::{End, Outcome, Report};
use crate::config::settings::agents::PermissionMode;

/// What is taken of standard output as the result, in characters, from its end.
const RESULT_CHARS_MAX: usize = 4_000;

/// The mode as Kite calls it.
pub(super) fn rights(mode: PermissionMode) -> String {
    mode.name().to_owned()
}

pub(super) fn read(end: &End) -> Report {
    let said = tail(end.output.trim());
    match end.is_success() {
        true => Report {
            outcome: Outcome::Done,
            text: said,
            ..Report::default()
        },
        false => Report {
            outcome: Outcome::Died,
            text: end.told(),
            ..Report::default()
        },
    }
}

/// The last [`RESULT_CHARS_MAX`] characters.
pub(super) fn tail(text: &str) -> String {
    let skipped = text.chars().count().saturating_sub(RESULT_CHARS_MAX);
    text.chars().skip(skipped).collect()
}
