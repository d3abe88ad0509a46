//! Text of a note made harmless for a place that reads more into characters than their shape.

use std::borrow::Cow;

/// Replaces characters that a reader does not see, or that change how others are seen: control
/// characters, directions, zero widths, tag characters, private use. Line feeds and tabs stay.
#[must_use]
pub fn visible(text: &str) -> Cow<'_, str> {
    if !text.contains(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_hidden(c) {
            // Fixed words: nothing of the character itself is left.
            shown.push_str(&format!("\\u{{{:x}}}", u32::from(c)));
        } else {
            shown.push(c);
        }
    }
    Cow::Owned(shown)
}

/// As [`visible`], on one line: for names, titles, paths.
#[must_use]
pub fn line(text: &str) -> String {
    let shown = visible(text);
    shown.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn is_hidden(c: char) -> bool {
    if matches!(c, '\n' | '\t') {
        return false;
    }
    c.is_control()
        || matches!(u32::from(c),
            0x00AD | 0x034F | 0x061C | 0x115F | 0x1160 | 0x17B4 | 0x17B5
            | 0x180B..=0x180F
            | 0x200B..=0x200F
            | 0x2028..=0x202E
            | 0x2060..=0x206F
            | 0x3164 | 0xFFA0
            | 0xFE00..=0xFE0F
            | 0xFEFF
            | 0xFFF0..=0xFFFB
            | 0x1D173..=0x1D17A
            | 0xE000..=0xF8FF
            | 0xE_0000..=0xE_0FFF
            | 0xF_0000..=0x10_FFFF)
}

/// The start of a text, at most this long, cut between characters.
#[must_use]
pub fn cut(text: &str, bytes_max: usize) -> &str {
    &text[..text.floor_char_boundary(bytes_max)]
}
