//! Pieces of clients' text that are passed on, each within a limit.

use serde_json::value::RawValue;

use super::What;

/// Longest tool input or outcome that is passed on for the log, in bytes.
const LOGGED_BYTES_MAX: usize = 64 << 10;
/// Most of an edit's new text that is looked at, in bytes.
pub(super) const NEW_TEXT_BYTES_MAX: usize = 256 << 10;
/// Most of a prompt that is passed on, in bytes.
pub(super) const PROMPT_BYTES_MAX: usize = 32 << 10;
/// Characters of a prompt's first line that are kept; cut to the limit of intents later.
const FIRST_LINE_CHARS_MAX: usize = 400;

/// A prompt was given.
pub(super) fn prompted(prompt: Option<String>) -> What {
    let mut text = prompt.unwrap_or_default();
    text.truncate(text.floor_char_boundary(PROMPT_BYTES_MAX));
    What::Prompt {
        first_line: first_line(&text),
        text,
    }
}

/// The first line that says something.
fn first_line(prompt: &str) -> String {
    let line = prompt
        .lines()
        .map(str::trim)
        .find(|line| !line.is_empty())
        .unwrap_or_default();
    line.chars().take(FIRST_LINE_CHARS_MAX).collect()
}

/// Raw JSON for the log; none where it is too long.
pub(super) fn logged(raw: Option<&RawValue>) -> Option<String> {
    raw.map(RawValue::get)
        .filter(|raw| raw.len() <= LOGGED_BYTES_MAX)
        .map(str::to_owned)
}

/// Texts with a line's end between them, as far as new text is looked at.
pub(super) fn joined(parts: impl IntoIterator<Item = impl AsRef<str>>) -> String {
    let mut all = String::new();
    for part in parts {
        let part = part.as_ref();
        if !all.is_empty() {
            all.push('\n');
        }
        let left = NEW_TEXT_BYTES_MAX.saturating_sub(all.len());
        all.push_str(&part[..part.floor_char_boundary(left)]);
    }
    all
}
