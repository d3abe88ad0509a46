//! File names from titles: the same note on every file system, and an argument of no program.

use unicode_normalization::UnicodeNormalization;

use crate::{escape, limits::FILE_NAME_BYTES_MAX};

/// What a title that leaves nothing becomes.
const NAMELESS: &str = "Note";

/// A file name, without its suffix, for a title. It has no character that a file system, a shell
/// or Obsidian reads anything into, is no device of Windows, and is not hidden.
pub(crate) fn of_title(title: &str) -> String {
    let spaced: String = title
        .nfc()
        .map(|c| if is_plain(c) { c } else { ' ' })
        .collect();
    let words = spaced.split_whitespace().collect::<Vec<_>>().join(" ");
    let edges = |c: char| matches!(c, '.' | '-' | ' ' | '~');
    let name = escape::cut(words.trim_matches(edges), FILE_NAME_BYTES_MAX).trim_matches(edges);
    if name.is_empty() {
        NAMELESS.to_owned()
    } else if is_device(name) {
        format!("{name} note")
    } else {
        name.to_owned()
    }
}

/// Letters, digits and marks that mean nothing anywhere.
fn is_plain(c: char) -> bool {
    let shown = escape::visible(c.encode_utf8(&mut [0; 4])).chars().eq([c]);
    shown
        && (c.is_alphanumeric()
            || matches!(c, ' ' | '-' | '_' | '.' | ',' | '(' | ')' | '+' | '=' | '@')
            // Accents that stand by themselves, and what scripts other than ours need.
            || (!c.is_ascii() && !c.is_whitespace()))
}

/// Names that Windows keeps for devices, with or without an ending.
fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().trim();
    let stem = stem.to_ascii_uppercase();
    let numbered = |port: &str| {
        stem.strip_prefix(port)
            .is_some_and(|number| number.chars().count() == 1 && number != "0")
    };
    matches!(stem.as_str(), "CON" | "PRN" | "AUX" | "NUL") || numbered("COM") || numbered("LPT")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_mean_nothing_to_anybody() {
        for (title, name) in [
            ("Token refresh", "Token refresh"),
            ("../../.bashrc", "bashrc"),
            ("-rf", "rf"),
            ("CON", "CON note"),
            ("com1.txt", "com1.txt note"),
            (
                "a/b\\c:d*e?f\"g<h>i|j#k^l[m]n",
                "a b c d e f g h i j k l m n",
            ),
            ("line\nbreak\u{202e}txt\0", "line break txt"),
            (" . ", "Note"),
            ("", "Note"),
            ("設定 ü", "設定 ü"),
            ("u\u{308}", "ü"),
            ("$(rm -rf ~) `x` ; & !", "(rm -rf ) x"),
        ] {
            assert_eq!(of_title(title), name, "{title:?}");
        }
        assert!(of_title(&"ü".repeat(4_000)).len() <= FILE_NAME_BYTES_MAX);
    }
}
