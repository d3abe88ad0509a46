//! Times and foreign text as parts of sentences.

use jiff::{Timestamp, Zoned, tz::TimeZone};

fn local(wall_ms: u64) -> Zoned {
    let stamp = i64::try_from(wall_ms)
        .ok()
        .and_then(|ms| Timestamp::from_millisecond(ms).ok());
    stamp
        .unwrap_or(Timestamp::UNIX_EPOCH)
        .to_zoned(TimeZone::system())
}

/// RFC 3339 with milliseconds and the local offset.
pub(crate) fn rfc3339(wall_ms: u64) -> String {
    local(wall_ms)
        .strftime("%Y-%m-%dT%H:%M:%S%.3f%:z")
        .to_string()
}

/// The local time of day, with the date where it is another day than today.
pub(crate) fn time_of_day(wall_ms: u64, now_ms: u64, seconds: bool) -> String {
    let (then, now) = (local(wall_ms), local(now_ms));
    let time = if seconds { "%H:%M:%S" } else { "%H:%M" };
    if then.date() == now.date() {
        then.strftime(time).to_string()
    } else {
        then.strftime(&format!("%Y-%m-%d {time}")).to_string()
    }
}

/// `40 s ago`, `12 min ago`, `3 h ago`.
pub(crate) fn ago(ms: u64) -> String {
    match ms / 1_000 {
        0 => "just now".to_owned(),
        s @ 1..=119 => format!("{s} s ago"),
        s @ 120..=7_199 => format!("{} min ago", s / 60),
        s => format!("{} h ago", s / 3_600),
    }
}

/// Foreign text as one quoted piece of a line: at most `max` characters, nothing in it that could
/// end the quotation, start a line, or hide.
pub(crate) fn quoted(text: &str, max: usize) -> String {
    format!("\"{}\"", inline(text, max).replace('"', "'"))
}

/// Foreign text within one line: at most `max` characters, controls and invisible characters
/// escaped.
pub(crate) fn inline(text: &str, max: usize) -> String {
    let mut out = String::new();
    let mut chars = text.trim().chars();
    for c in chars.by_ref().take(max) {
        if c.is_whitespace() {
            out.push(' ');
        } else if is_unsafe(c) {
            out.extend(c.escape_unicode());
        } else {
            out.push(c);
        }
    }
    if chars.next().is_some() {
        out.push('…');
    }
    out
}

/// Control, bidirectional, zero-width, tag and variation characters.
fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{00AD}' | '\u{061C}' | '\u{115F}' | '\u{1160}' | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}'
            | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}'
            | '\u{FFF9}'..='\u{FFFB}' | '\u{E0000}'..='\u{E0FFF}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_text_cannot_leave_its_quotation() {
        assert_eq!(
            quoted("a \"b\"\n\u{1b}[31mc\u{202e}", 40),
            "\"a 'b' \\u{1b}[31mc\\u{202e}\""
        );
        assert_eq!(quoted("abcdef", 3), "\"abc…\"");
    }

    #[test]
    fn ago_speaks_in_the_unit_that_fits() {
        assert_eq!(
            [ago(400), ago(40_000), ago(600_000), ago(9_000_000)],
            ["just now", "40 s ago", "10 min ago", "2 h ago"]
        );
    }
}
