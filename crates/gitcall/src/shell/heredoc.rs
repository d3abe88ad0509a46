//! Redirections, and the text that a command reads from the script itself.

use super::{Event, Stdin, Unreadable, grammar::Reader, word::Building};

/// A heredoc whose text begins on the next line.
pub(super) struct Heredoc {
    pub(super) number: usize,
    /// The event of the command that reads it, once that is known.
    pub(super) reader: Option<usize>,
    operator: String,
    end: String,
    strip_tabs: bool,
    literal: bool,
}

/// What a redirection does for the command.
pub(super) enum Redirection {
    /// The heredoc of this number follows.
    Heredoc(usize),
    /// `<<< text`.
    Text(Stdin),
    /// A file or a descriptor.
    Other,
}

impl Reader<'_> {
    /// Reads the redirection that begins here, if one does.
    pub(super) fn redirection(&mut self) -> Result<Option<Redirection>, Unreadable> {
        let mut digits = 0;
        while digits < 4 && self.peek(digits).is_ascii_digit() {
            digits += 1;
        }
        let (first, second, third) = (
            self.peek(digits),
            self.peek(digits + 1),
            self.peek(digits + 2),
        );
        let length = match (first, second, third) {
            (b'<' | b'>', b'(', _) => return Ok(None),
            (b'<', b'<', b'<') | (b'<', b'<', b'-') => 3,
            (b'&', b'>', b'>') if digits == 0 => 3,
            (b'&', b'>', _) if digits == 0 => 2,
            (b'<', b'<' | b'&' | b'>', _) | (b'>', b'>' | b'&' | b'|', _) => 2,
            (b'<' | b'>', _, _) => 1,
            _ => return Ok(None),
        };
        let start = self.at;
        self.at += digits + length;
        self.blanks();
        let target = self.word()?;
        let source = self.text.get(start..self.at).unwrap_or_default().to_owned();
        Ok(Some(match (first, second, third) {
            (b'<', b'<', b'<') => Redirection::Text(Stdin {
                text: target.text,
                literal: target.literal,
                source,
            }),
            (b'<', b'<', _) => {
                let literal = target.text != target.source;
                self.heredocs_met += 1;
                self.heredocs.push(Heredoc {
                    number: self.heredocs_met,
                    reader: None,
                    operator: source,
                    end: target.text,
                    strip_tabs: third == b'-',
                    literal,
                });
                Redirection::Heredoc(self.heredocs_met)
            }
            _ => Redirection::Other,
        }))
    }

    /// Reads the texts of all heredocs that wait; the place is the beginning of a line.
    pub(super) fn read_heredocs(&mut self) -> Result<(), Unreadable> {
        for heredoc in std::mem::take(&mut self.heredocs) {
            let start = self.at;
            let mut text = String::new();
            while !self.ended() {
                let rest = &self.text.get(self.at..).ok_or(Unreadable)?;
                let line = rest.split_inclusive('\n').next().unwrap_or_default();
                self.at += line.len();
                let line = match heredoc.strip_tabs {
                    true => line.trim_start_matches('\t'),
                    false => line,
                };
                if line.trim_end_matches(['\n', '\r']) == heredoc.end {
                    break;
                }
                text.push_str(line);
            }
            let written = self.text.get(start..self.at).unwrap_or_default();
            let stdin = Stdin {
                literal: heredoc.literal || !text.contains(['$', '`', '\\']),
                source: format!("{}\n{}", heredoc.operator, written.trim_end_matches('\n')),
                text,
            };
            self.give(heredoc, stdin)?;
        }
        Ok(())
    }

    fn give(&mut self, heredoc: Heredoc, stdin: Stdin) -> Result<(), Unreadable> {
        let substitutes = !heredoc.literal && stdin.text.contains(['$', '`']);
        let text = if substitutes {
            stdin.text.clone()
        } else {
            String::new()
        };
        if let Some(Event::Simple(simple)) =
            heredoc.reader.and_then(|event| self.events.get_mut(event))
        {
            simple.stdin = Some(stdin);
        }
        if substitutes {
            self.apart(&text, |reader| {
                let mut ignored = Building::new();
                while !reader.ended() {
                    reader.inside_double_quotes(&mut ignored)?;
                }
                Ok(())
            })?;
        }
        Ok(())
    }
}
