//! Text as a terminal may be shown it.
//!
//! Titles, prompts, paths and results come from agents and repositories. They are data: what
//! could move the cursor, hide characters or reverse the reading order is shown as its code.

use std::fmt::Write as _;

/// `text` with every character that is not plainly visible written as its code, such as
/// `\u{1b}`, and newline, return and tab as `\n`, `\r` and `\t`. Never longer than one line.
#[must_use]
pub(crate) fn escape(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => shown.push_str("\\n"),
            '\r' => shown.push_str("\\r"),
            '\t' => shown.push_str("\\t"),
            c if is_hidden(c) => {
                // Writing to a string cannot fail.
                let _ = write!(shown, "\\u{{{:x}}}", u32::from(c));
            }
            c => shown.push(c),
        }
    }
    shown
}

/// The same for JSON text: hidden characters outside ASCII, which can only stand inside strings
/// there, become `\uXXXX`. The value stays the same; JSON itself escapes those inside ASCII.
#[must_use]
pub(crate) fn escape_json(json: &str) -> String {
    let mut shown = String::with_capacity(json.len());
    let mut units = [0; 2];
    for c in json.chars() {
        if (c.is_ascii() && c != '\u{7f}') || !is_hidden(c) {
            shown.push(c);
        } else {
            for unit in c.encode_utf16(&mut units) {
                let _ = write!(shown, "\\u{unit:04x}");
            }
        }
    }
    shown
}

/// True for control characters (C0, DEL, C1), line separators, bidirectional controls,
/// zero-width and other invisible characters.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{ad}' // soft hyphen
                | '\u{34f}' // combining grapheme joiner
                | '\u{61c}' // Arabic letter mark
                | '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}' // Hangul fillers
                | '\u{17b4}' | '\u{17b5}' // invisible Khmer vowels
                | '\u{180b}'..='\u{180f}' // Mongolian selectors and separator
                | '\u{200b}'..='\u{200f}' // zero-width, joiners, direction marks
                | '\u{2028}'..='\u{202e}' // separators, embeddings, overrides
                | '\u{2060}'..='\u{206f}' // joiner, invisible operators, isolates
                | '\u{feff}' // byte order mark
                | '\u{fff0}'..='\u{fffb}' // interlinear annotations
                | '\u{1bca0}'..='\u{1bca3}' // shorthand format controls
                | '\u{1d173}'..='\u{1d17a}' // musical format controls
                | '\u{e0000}'..='\u{e0fff}' // tags and variation selectors
        )
}

/// How many columns a terminal gives `text`, which has been escaped. Near enough for tables:
/// wide for East Asian and pictographic ranges, nothing for combining marks.
#[must_use]
pub(crate) fn width(text: &str) -> usize {
    text.chars().map(char_width).sum()
}

fn char_width(c: char) -> usize {
    match u32::from(c) {
        0x300..=0x36f | 0x1ab0..=0x1aff | 0x1dc0..=0x1dff | 0x20d0..=0x20ff | 0xfe00..=0xfe0f => 0,
        0x1100..=0x115f
        | 0x2e80..=0x303e
        | 0x3041..=0xa4cf
        | 0xac00..=0xd7a3
        | 0xf900..=0xfaff
        | 0xfe30..=0xfe6f
        | 0xff00..=0xff60
        | 0xffe0..=0xffe6
        | 0x1f300..=0x1f64f
        | 0x1f680..=0x1f6ff
        | 0x1f900..=0x1f9ff
        | 0x20000..=0x3fffd => 2,
        _ => 1,
    }
}

/// `text`, escaped, cut to `columns` with a `…` where it is longer.
#[must_use]
pub(crate) fn fit(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let mut cut = String::new();
    let mut used = 1;
    for c in text.chars() {
        used += char_width(c);
        if used > columns {
            break;
        }
        cut.push(c);
    }
    cut.push('…');
    cut
}

/// The first eight characters of an id: what people and agents are shown.
#[must_use]
pub(crate) fn short_id(id: &str) -> &str {
    id.char_indices().nth(8).map_or(id, |(at, _)| &id[..at])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_text_is_shown_as_codes() {
        assert_eq!(escape("a\u{1b}[31mb"), "a\\u{1b}[31mb");
        assert_eq!(escape("one\ntwo\tthree\r"), "one\\ntwo\\tthree\\r");
        assert_eq!(
            escape("\u{9b}2J\u{202e}cod\u{200b}e\u{feff}"),
            "\\u{9b}2J\\u{202e}cod\\u{200b}e\\u{feff}"
        );
        assert_eq!(escape("Größe 漢字 🪁"), "Größe 漢字 🪁");
    }

    #[test]
    fn json_keeps_its_value() {
        let value = serde_json::json!({ "title": "a\u{202e}b\u{9b}c\u{e0041}d\u{7f}\n" });
        let shown = escape_json(&value.to_string());
        assert!(!shown.chars().any(is_hidden), "{shown:?}");
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&shown).unwrap(),
            value
        );
    }

    #[test]
    fn wide_characters_count_twice() {
        assert_eq!(width("漢字"), 4);
        assert_eq!(fit("漢字漢字", 5), "漢字…");
        assert_eq!(fit("short", 5), "short");
        assert_eq!(short_id("3f2a91bcdeadbeef"), "3f2a91bc");
    }
}
