//! Words and their quotes.

use super::{Unreadable, Word, grammar::Reader};

/// A word while it is being read.
#[derive(Default)]
pub(super) struct Building {
    text: Vec<u8>,
    pub(super) literal: bool,
    /// An unquoted `{` is open; it expands if a comma or two dots follow.
    brace: Option<bool>,
}

impl Building {
    pub(super) fn new() -> Self {
        Building {
            literal: true,
            ..Building::default()
        }
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.text.extend_from_slice(bytes);
    }

    /// Keeps an expansion as it was written.
    pub(super) fn expansion(&mut self, written: &[u8]) {
        self.literal = false;
        self.push(written);
    }

    fn last(&self) -> u8 {
        self.text.last().copied().unwrap_or(0)
    }

    pub(super) fn finish(self) -> (String, bool) {
        let text = match String::from_utf8(self.text) {
            Ok(text) => text,
            Err(broken) => String::from_utf8_lossy(broken.as_bytes()).into_owned(),
        };
        (text, self.literal)
    }
}

impl Reader<'_> {
    /// Reads the word that begins here. An empty word is an error: nothing would move on.
    pub(super) fn word(&mut self) -> Result<Word, Unreadable> {
        let start = self.at;
        let mut word = Building::new();
        while !self.ended() {
            match self.peek(0) {
                b' ' | b'\t' | b'\n' | b'\r' | b';' | b'&' | b'|' | b')' => break,
                b'<' | b'>' if self.peek(1) == b'(' && self.at == start => {
                    self.at += 1;
                    self.substitution(start, &mut word)?;
                }
                b'<' | b'>' => break,
                b'(' if self.at == start => break,
                b'(' if word.last() == b'=' || b"@?!+*".contains(&word.last()) => {
                    self.balanced(&mut word)?;
                }
                b'(' => break,
                b'\'' => self.single_quoted(&mut word)?,
                b'"' => self.double_quoted(&mut word)?,
                b'\\' => self.escaped(&mut word),
                b'$' => self.dollar(&mut word, false)?,
                b'`' => self.backticks(&mut word)?,
                plain => self.plain(plain, start, &mut word),
            }
        }
        if self.at == start {
            return Err(Unreadable);
        }
        let source = self.text.get(start..self.at).ok_or(Unreadable)?.to_owned();
        let (text, literal) = word.finish();
        let literal = literal || source == "[";
        Ok(Word {
            text,
            literal,
            source,
        })
    }

    fn plain(&mut self, byte: u8, start: usize, word: &mut Building) {
        match byte {
            b'*' | b'?' | b'[' => word.literal = false,
            b'~' if self.at == start => word.literal = false,
            b'{' => word.brace = Some(false),
            b',' => word.brace = word.brace.map(|_| true),
            b'.' if word.last() == b'.' => word.brace = word.brace.map(|_| true),
            b'}' if word.brace.take() == Some(true) => word.literal = false,
            _ => {}
        }
        word.push(&[byte]);
        self.at += 1;
    }

    fn escaped(&mut self, word: &mut Building) {
        self.at += 1;
        match self.peek(0) {
            b'\n' => self.at += 1,
            _ if self.ended() => word.push(b"\\"),
            byte => {
                word.push(&[byte]);
                self.at += 1;
            }
        }
    }

    fn single_quoted(&mut self, word: &mut Building) -> Result<(), Unreadable> {
        self.at += 1;
        let rest = &self.bytes[self.at..];
        let length = rest
            .iter()
            .position(|byte| *byte == b'\'')
            .ok_or(Unreadable)?;
        word.push(&rest[..length]);
        self.at += length + 1;
        Ok(())
    }

    pub(super) fn double_quoted(&mut self, word: &mut Building) -> Result<(), Unreadable> {
        self.at += 1;
        loop {
            if self.ended() {
                return Err(Unreadable);
            }
            match self.peek(0) {
                b'"' => {
                    self.at += 1;
                    return Ok(());
                }
                _ => self.inside_double_quotes(word)?,
            }
        }
    }

    /// One piece of text in which only `\`, `$` and backticks are special.
    pub(super) fn inside_double_quotes(&mut self, word: &mut Building) -> Result<(), Unreadable> {
        match self.peek(0) {
            b'\\' => {
                match self.peek(1) {
                    b'\n' => {}
                    escaped @ (b'$' | b'`' | b'"' | b'\\') => word.push(&[escaped]),
                    _ => {
                        word.push(b"\\");
                        self.at += 1;
                        return Ok(());
                    }
                }
                self.at += 2;
                Ok(())
            }
            b'$' => self.dollar(word, true),
            b'`' => self.backticks(word),
            byte => {
                word.push(&[byte]);
                self.at += 1;
                Ok(())
            }
        }
    }

    /// `$'…'`: the simple escapes are decoded, others leave the word not literal.
    pub(super) fn ansi_quoted(&mut self, word: &mut Building) -> Result<(), Unreadable> {
        self.at += 2;
        loop {
            if self.ended() {
                return Err(Unreadable);
            }
            let byte = self.peek(0);
            self.at += 1;
            match byte {
                b'\'' => return Ok(()),
                b'\\' => {
                    let decoded = match self.peek(0) {
                        b'n' => b'\n',
                        b't' => b'\t',
                        b'r' => b'\r',
                        same @ (b'\\' | b'\'' | b'"' | b'?') => same,
                        other => {
                            word.literal = false;
                            other
                        }
                    };
                    if !self.ended() {
                        word.push(&[decoded]);
                        self.at += 1;
                    }
                }
                byte => word.push(&[byte]),
            }
        }
    }
}
