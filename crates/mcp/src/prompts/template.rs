//! Text with holes, `{{name}}`, each filled once.

use std::fmt::Write;

/// A text, taken apart once. What is filled in is never looked at again.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Template(Vec<Piece>);

#[derive(Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    /// A hole, and the line of the file it stands in.
    Hole(String, usize),
}

impl Template {
    /// `first_line` is the line of the file that the text begins in. `\{{` is no hole, nor is
    /// anything in braces that is no single word.
    pub(super) fn parse(text: &str, first_line: usize) -> Template {
        let mut pieces = Vec::new();
        let mut plain = String::new();
        let (mut rest, mut line) = (text, first_line);
        while let Some(at) = rest.find("{{") {
            let (before, from) = rest.split_at(at);
            line += before.matches('\n').count();
            if let Some(before) = before.strip_suffix('\\') {
                plain.push_str(before);
                plain.push_str("{{");
                rest = &from[2..];
                continue;
            }
            plain.push_str(before);
            match hole(from) {
                Some((name, after)) => {
                    pieces.push(Piece::Text(std::mem::take(&mut plain)));
                    pieces.push(Piece::Hole(name.to_owned(), line));
                    rest = after;
                }
                None => {
                    // One brace only: of three, the last two may begin a hole.
                    plain.push('{');
                    rest = &from[1..];
                }
            }
        }
        plain.push_str(rest);
        pieces.push(Piece::Text(plain));
        Template(pieces)
    }

    /// Names of the holes, each with its line.
    pub(super) fn holes(&self) -> impl Iterator<Item = (&str, usize)> {
        self.0.iter().filter_map(|piece| match piece {
            Piece::Hole(name, line) => Some((name.as_str(), *line)),
            Piece::Text(_) => None,
        })
    }

    /// The line of the first hole of this name.
    pub(super) fn line_of(&self, name: &str) -> Option<usize> {
        self.holes()
            .find(|(hole, _)| *hole == name)
            .map(|(_, line)| line)
    }

    pub(super) fn fill<'a>(&'a self, value: impl Fn(&str) -> &'a str) -> String {
        let mut filled = String::new();
        for piece in &self.0 {
            // Writing to a String cannot fail.
            let _ = match piece {
                Piece::Text(text) => filled.write_str(text),
                Piece::Hole(name, _) => filled.write_str(value(name)),
            };
        }
        filled
    }
}

/// The name of the hole that a text begins with, and what follows it.
fn hole(text: &str) -> Option<(&str, &str)> {
    const BLANKS: [char; 2] = [' ', '\t'];
    let inside = text.strip_prefix("{{")?.trim_start_matches(BLANKS);
    // The end is not looked for any further: there may be very many beginnings without one.
    let (name, rest) = inside.split_at(inside.bytes().position(|byte| !is_of_name(byte))?);
    let after = rest.trim_start_matches(BLANKS).strip_prefix("}}")?;
    is_name(name).then_some((name, after))
}

/// A word of letters, digits, `-` and `_`.
pub(super) fn is_name(name: &str) -> bool {
    (1..=super::NAME_CHARS_MAX).contains(&name.len()) && name.bytes().all(is_of_name)
}

fn is_of_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hole_is_filled_once_and_never_again() {
        let template = Template::parse("{{a}} and {{ b }}\n{{a}}{{", 7);
        let filled = template.fill(|name| if name == "a" { "{{b}}" } else { "{{a}}" });
        assert_eq!(filled, "{{b}} and {{a}}\n{{b}}{{");
        let holes: Vec<_> = template.holes().collect();
        assert_eq!(holes, [("a", 7), ("b", 7), ("a", 8)]);
    }

    #[test]
    fn a_file_of_braces_is_soon_read() {
        let begun = std::time::Instant::now();
        for text in [
            "{".repeat(64 << 10),
            "{{ ".repeat(20 << 10),
            "{{a".repeat(20 << 10),
        ] {
            let template = Template::parse(&text, 1);
            assert_eq!(template.fill(|_| "!"), text);
        }
        // Looking for an end from each brace on takes many times as long.
        assert!(begun.elapsed().as_millis() < 500, "{:?}", begun.elapsed());
    }

    #[test]
    fn what_is_no_hole_stays_as_it_is() {
        let text = "{{ user.name }} {{}} {{a b}} {x} }} {{{ {{open";
        let template = Template::parse(text, 1);
        assert_eq!(template.holes().count(), 0);
        assert_eq!(template.fill(|_| "!"), text);
        let escaped = Template::parse("\\{{a}} {{{a}}}", 1);
        assert_eq!(escaped.fill(|_| "x"), "{{a}} {x}");
    }
}
