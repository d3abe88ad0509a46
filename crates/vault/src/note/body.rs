//! The body: sections by headings, tags and links in the text.

use std::{collections::HashSet, ops::Range};

use pulldown_cmark::{Event, LinkType, Options, Parser, Tag, TagEnd};

use crate::{
    escape,
    limits::{NAME_BYTES_MAX, NAMES_MAX, SECTIONS_MAX},
};

/// A heading and what stands below it, up to the next heading of any level.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Section {
    /// Empty before the first heading.
    pub(crate) heading: String,
    /// 1 to 6; 0 before the first heading.
    pub(crate) level: u8,
    /// The source, without the heading.
    pub(crate) text: String,
}

/// What was found in a body.
#[derive(Debug, Default)]
pub(super) struct Body {
    /// The first heading of the first level.
    pub(super) title: Option<String>,
    pub(super) sections: Vec<Section>,
    pub(super) tags: Vec<String>,
    pub(super) links: Vec<String>,
}

/// A heading and the bytes it takes.
struct Heading {
    text: String,
    level: u8,
    span: Range<usize>,
}

pub(super) fn parse(text: &str) -> Body {
    let mut reader = Reader::default();
    let options = Options::ENABLE_WIKILINKS
        | Options::ENABLE_TABLES
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_HEADING_ATTRIBUTES;
    for (event, span) in Parser::new_ext(text, options).into_offset_iter() {
        reader.event(event, span);
    }
    let title = reader.headings.iter().find(|heading| heading.level == 1);
    Body {
        title: title.map(|heading| heading.text.clone()),
        sections: sections(text, &reader.headings),
        tags: reader.tags,
        links: reader.links,
    }
}

#[derive(Default)]
struct Reader {
    headings: Vec<Heading>,
    tags: Vec<String>,
    links: Vec<String>,
    in_heading: bool,
    code_depth: usize,
    /// Everything that can hold a heading which is not the note's own: quotes, lists.
    depth: usize,
    seen: HashSet<String>,
}

impl Reader {
    fn event(&mut self, event: Event<'_>, span: Range<usize>) {
        match event {
            Event::Start(tag) => self.start(&tag, span),
            Event::End(tag) => self.end(tag),
            Event::Text(text) => {
                if self.in_heading {
                    self.title_text(&text);
                }
                if self.code_depth == 0 {
                    self.tags_of(&text);
                }
            }
            Event::Code(text) if self.in_heading => self.title_text(&text),
            Event::SoftBreak | Event::HardBreak if self.in_heading => self.title_text(" "),
            _ => {}
        }
    }

    fn start(&mut self, tag: &Tag<'_>, span: Range<usize>) {
        match tag {
            Tag::Heading { level, .. } if self.depth == 0 && self.headings.len() < SECTIONS_MAX => {
                self.in_heading = true;
                self.headings.push(Heading {
                    text: String::new(),
                    level: *level as u8,
                    span,
                });
            }
            Tag::BlockQuote(_) | Tag::List(_) => self.depth += 1,
            Tag::CodeBlock(_) => self.code_depth += 1,
            Tag::Link {
                link_type: LinkType::WikiLink { .. },
                dest_url,
                ..
            } if self.links.len() < NAMES_MAX => {
                self.links
                    .push(escape::cut(dest_url, NAME_BYTES_MAX).to_owned());
            }
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Heading(_) => self.in_heading = false,
            TagEnd::BlockQuote(_) | TagEnd::List(_) => self.depth = self.depth.saturating_sub(1),
            TagEnd::CodeBlock => self.code_depth = self.code_depth.saturating_sub(1),
            _ => {}
        }
    }

    fn title_text(&mut self, text: &str) {
        if let Some(heading) = self.headings.last_mut() {
            let room = NAME_BYTES_MAX.saturating_sub(heading.text.len());
            heading.text.push_str(escape::cut(text, room));
        }
    }

    /// `#tag` in a text: after a space, with at least one character that is not a digit.
    fn tags_of(&mut self, text: &str) {
        let starts = text.match_indices('#').map(|(at, _)| at);
        for start in starts {
            let spaced = text[..start]
                .chars()
                .next_back()
                .is_none_or(char::is_whitespace);
            let rest = &text[start + 1..];
            let end = rest
                .find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-' | '/')))
                .unwrap_or(rest.len());
            let tag = &rest[..end];
            let named = tag.chars().any(|c| !c.is_ascii_digit()) && tag.len() <= NAME_BYTES_MAX;
            if spaced && named && self.tags.len() < NAMES_MAX && self.seen.insert(tag.to_owned()) {
                self.tags.push(tag.to_owned());
            }
        }
    }
}

fn sections(text: &str, headings: &[Heading]) -> Vec<Section> {
    let first = headings.first().map_or(text.len(), |it| it.span.start);
    let before = text[..first].trim();
    let mut sections = Vec::new();
    if !before.is_empty() || headings.is_empty() {
        sections.push(Section {
            text: before.to_owned(),
            ..Section::default()
        });
    }
    for (number, heading) in headings.iter().enumerate() {
        let end = headings
            .get(number + 1)
            .map_or(text.len(), |next| next.span.start);
        sections.push(Section {
            heading: heading.text.trim().to_owned(),
            level: heading.level,
            text: text[heading.span.end..end].trim().to_owned(),
        });
    }
    sections
}
