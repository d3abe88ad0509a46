//! Changing a note's text as a person would: some lines of its front matter, one place of its
//! body, and nothing else.

use pulldown_cmark::{Event, Parser, Tag, TagEnd};

use super::front::{FRONT_END, Front, front_range};

/// A change of some keys of a front matter, which is made where it is missing.
pub(crate) struct FrontEdit<'a> {
    bom: &'static str,
    text: &'a str,
    front: Front,
    changes: Vec<(&'static str, String)>,
}

impl<'a> FrontEdit<'a> {
    pub(crate) fn of(text: &'a str) -> FrontEdit<'a> {
        let (bom, text) = match text.strip_prefix('\u{feff}') {
            Some(text) => ("\u{feff}", text),
            None => ("", text),
        };
        FrontEdit {
            bom,
            text,
            front: Front::of(text),
            changes: Vec::new(),
        }
    }

    /// The front matter as it is.
    pub(crate) fn front(&self) -> &Front {
        &self.front
    }

    /// Gives a key a value, in YAML. A value that starts with a line feed is a block.
    pub(crate) fn set(&mut self, key: &'static str, value: String) {
        self.changes.push((key, value));
    }

    /// The whole text, changed; or why that cannot be done without changing more.
    pub(crate) fn done(self) -> Result<String, String> {
        if let Some(fault) = &self.front.fault {
            return Err(format!("{fault}; mend it, or write a new note"));
        }
        let edited = self.over(&self.text[self.front.end..]);
        let after = Front::of(edited.trim_start_matches('\u{feff}'));
        let others = |front: &Front| {
            let mut values = front.values.clone();
            values.retain(|key, _| !self.changes.iter().any(|(changed, _)| changed == key));
            values
        };
        if after.fault.is_some() || others(&after) != others(&self.front) {
            return Err(
                "its front matter is written in a way that Kite cannot change safely; write a new \
                 note"
                    .to_owned(),
            );
        }
        Ok(edited)
    }

    /// The changed front matter over a body.
    pub(crate) fn over(&self, body: &str) -> String {
        let newline = if self.text.contains("\r\n") {
            "\r\n"
        } else {
            "\n"
        };
        let source = front_range(self.text).map_or("", |range| &self.text[range]);
        let mut lines = String::new();
        let mut dropped = false;
        for line in source.split_inclusive('\n') {
            let comment = line.starts_with('#');
            let inner = line.starts_with([' ', '\t', '-']) || line.trim().is_empty();
            if !inner && !comment {
                dropped = self.changes.iter().any(|(key, _)| is_key(line, key));
            }
            if comment || !dropped {
                lines.push_str(line);
            }
        }
        for (key, value) in &self.changes {
            let space = if value.starts_with('\n') { "" } else { " " };
            lines.push_str(&format!("{key}:{space}{value}\n").replace('\n', newline));
        }
        let bom = self.bom;
        format!("{bom}{FRONT_END}{newline}{lines}{FRONT_END}{newline}{body}")
    }
}

/// Whether a line starts the value of a key.
fn is_key(line: &str, key: &str) -> bool {
    let bare = line.trim_start_matches(['"', '\'']);
    let rest = bare.strip_prefix(key);
    rest.is_some_and(|rest| {
        rest.trim_start_matches(['"', '\''])
            .trim_start()
            .starts_with(':')
    })
}

/// The text below the front matter.
pub(crate) fn body_of(text: &str) -> &str {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    &text[Front::of(text).end..]
}

/// A text and the heading that it goes under.
pub(crate) struct Place<'a> {
    pub(crate) heading: &'a str,
    pub(crate) text: &'a str,
}

/// The note with the text at the end of the section, or `None` where it stands there already.
pub(crate) fn append(note: &str, place: &Place<'_>) -> Option<String> {
    let start = note.len() - body_of(note).len();
    let body = &note[start..];
    let added = place.text.trim();
    let newline = if note.contains("\r\n") { "\r\n" } else { "\n" };
    let Some((from, to)) = section(body, place.heading) else {
        let gap = if body.trim().is_empty() { "" } else { newline };
        let body = body.trim_end();
        return Some(format!(
            "{}{body}{newline}{gap}## {}{newline}{newline}{added}{newline}",
            &note[..start],
            place.heading
        ));
    };
    let there = body[from..to].trim_end();
    let stands = there.match_indices(added).any(|(at, _)| {
        let (before, after) = (&there[..at], &there[at + added.len()..]);
        let alone = |edge: Option<char>| edge.is_none_or(|c| matches!(c, '\n' | '\r'));
        alone(before.chars().next_back()) && alone(after.chars().next())
    });
    if stands {
        return None;
    }
    let above = &note[..start + from];
    let rest = &body[to..];
    let gap = if rest.is_empty() { "" } else { newline };
    Some(format!(
        "{above}{there}{newline}{newline}{added}{newline}{gap}{rest}"
    ))
}

/// From the heading to the next one that is as high; the first of several of the name.
fn section(body: &str, heading: &str) -> Option<(usize, usize)> {
    let mut open: Option<(usize, usize, String)> = None;
    let mut found: Option<(usize, usize)> = None;
    let mut depth = 0_usize;
    for (event, span) in Parser::new(body).into_offset_iter() {
        match event {
            Event::Start(Tag::BlockQuote(_) | Tag::List(_)) => depth += 1,
            Event::End(TagEnd::BlockQuote(_) | TagEnd::List(_)) => depth = depth.saturating_sub(1),
            Event::Start(Tag::Heading { level, .. }) if depth == 0 => {
                let level = level as usize;
                match found {
                    Some((from, above)) if level <= above => return Some((from, span.start)),
                    Some(_) => {}
                    None => open = Some((span.start, level, String::new())),
                }
            }
            Event::Text(text) | Event::Code(text) => {
                if let Some((_, _, name)) = &mut open {
                    name.push_str(&text);
                }
            }
            Event::End(TagEnd::Heading(_)) => {
                if let Some((from, level, name)) = open.take()
                    && name.trim().to_lowercase() == heading.to_lowercase()
                {
                    found = Some((from, level));
                }
            }
            _ => {}
        }
    }
    found.map(|(from, _)| (from, body.len()))
}
