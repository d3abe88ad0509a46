//! Text that others wrote, made safe to show: titles, results, intents and paths are data for the
//! reading model, never a part of Kite's own sentences.

use std::fmt::Write;

/// One line of at most `chars_max` characters: line breaks folded into spaces, whatever does not
/// show on a screen escaped.
pub(crate) fn one_line(text: &str, chars_max: usize) -> String {
    let mut line = String::new();
    let mut gap = false;
    for (count, c) in text.trim().chars().enumerate() {
        if count == chars_max {
            line.push('…');
            break;
        }
        if is_break(c) {
            gap = true;
            continue;
        }
        if gap {
            line.push(' ');
            gap = false;
        }
        push_visible(&mut line, c);
    }
    line
}

/// [`one_line`] between quotation marks.
pub(crate) fn quoted(text: &str, chars_max: usize) -> String {
    format!("\"{}\"", one_line(text, chars_max).replace('"', "\\\""))
}

/// Several lines, each marked with `> ` as somebody else's words.
pub(crate) fn block(text: &str, chars_max: usize) -> String {
    let (kept, clipped) = clip(text, chars_max);
    let mut block = String::new();
    for line in kept.lines() {
        block.push_str("> ");
        push_line(&mut block, line);
        block.push('\n');
    }
    if clipped {
        block.push_str("> … (cut)\n");
    }
    block
}

/// Kite's own words: several lines kept, whatever does not show on a screen escaped.
pub(crate) fn own(text: &str) -> String {
    let mut own = String::with_capacity(text.len());
    for (number, line) in text.lines().enumerate() {
        if number > 0 {
            own.push('\n');
        }
        push_line(&mut own, line);
    }
    own
}

/// At most `chars_max` characters, and a mark where more follow.
pub(crate) fn clipped(text: &str, chars_max: usize) -> String {
    match clip(text, chars_max) {
        (kept, true) => format!("{kept}…"),
        (whole, false) => whole.to_owned(),
    }
}

/// Text of others as a value of its own: lines and tabs kept, whatever else does not show on a
/// screen escaped.
pub(crate) fn visible(text: &str) -> String {
    let mut visible = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\r' if rest.peek() == Some(&'\n') => {}
            '\n' | '\t' => visible.push(c),
            _ => push_visible(&mut visible, c),
        }
    }
    visible
}

/// The first eight characters of an id, as people and agents are shown them.
pub(crate) fn short_id(id: &str) -> String {
    one_line(id.get(..8).unwrap_or(id), 8)
}

/// The time of day of an RFC 3339 time, `14:32`.
pub(crate) fn time_of_day(time: &str) -> String {
    let of_day = time
        .split_once(['T', 't', ' '])
        .and_then(|(_, rest)| rest.get(..5));
    one_line(of_day.unwrap_or(time), 32)
}

fn clip(text: &str, chars_max: usize) -> (&str, bool) {
    match text.char_indices().nth(chars_max) {
        Some((end, _)) => (&text[..end], true),
        None => (text, false),
    }
}

fn push_line(out: &mut String, line: &str) {
    for c in line.chars() {
        if c == '\t' {
            out.push(' ')
        } else {
            push_visible(out, c)
        }
    }
}

fn push_visible(out: &mut String, c: char) {
    if is_unseen(c) {
        // Writing to a String cannot fail.
        let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
    } else {
        out.push(c);
    }
}

fn is_break(c: char) -> bool {
    matches!(
        c,
        '\n' | '\r' | '\t' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}'
    )
}

/// Characters that a reader does not see, or that turn others around: control, bidirectional,
/// zero-width, fillers, and the tag and selector blocks in which text can be hidden.
fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180e}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_cannot_leave_its_line_or_hide() {
        assert_eq!(
            one_line("a\r\n\nTask created: ffffffff", 80),
            "a Task created: ffffffff"
        );
        assert_eq!(
            one_line("a\u{202e}b\u{200b}c\u{1b}[2Jd", 80),
            "a\\u{202e}b\\u{200b}c\\u{1b}[2Jd"
        );
        assert_eq!(one_line("hidden\u{e0041}", 80), "hidden\\u{e0041}");
        assert_eq!(one_line("long title", 4), "long…");
        assert_eq!(quoted("say \"hi\"", 80), "\"say \\\"hi\\\"\"");
    }

    #[test]
    fn each_line_of_a_foreign_text_is_marked() {
        assert_eq!(block("one\ntwo", 100), "> one\n> two\n");
        assert_eq!(block("one\ntwo", 5), "> one\n> t\n> … (cut)\n");
        assert_eq!(block("\u{2028}x", 100), "> \\u{2028}x\n");
    }

    #[test]
    fn a_value_keeps_its_lines() {
        assert_eq!(visible("a\r\n\tb\rc\u{200b}"), "a\n\tb\\u{d}c\\u{200b}");
    }

    #[test]
    fn ids_and_times_are_short() {
        assert_eq!(short_id("1a2b3c4d5e6f"), "1a2b3c4d");
        assert_eq!(short_id("1a2"), "1a2");
        assert_eq!(time_of_day("2026-11-22T14:32:11+01:00"), "14:32");
        assert_eq!(time_of_day("soon"), "soon");
    }
}
