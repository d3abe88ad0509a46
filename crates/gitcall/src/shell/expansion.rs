//! `$…`, backticks and arithmetic: what is inside is read for commands, the value stays unknown.

use super::{Around, Event, Unreadable, grammar::Reader, word::Building};

impl Reader<'_> {
    /// What begins with `$`.
    pub(super) fn dollar(&mut self, word: &mut Building, quoted: bool) -> Result<(), Unreadable> {
        let start = self.at;
        match self.peek(1) {
            b'\'' if !quoted => return self.ansi_quoted(word),
            b'"' if !quoted => {
                self.at += 1;
                return self.double_quoted(word);
            }
            b'(' => {
                self.at += 1;
                if self.peek(1) != b'(' || !self.arithmetic(2)? {
                    return self.substitution(start, word);
                }
            }
            b'{' => {
                self.at += 2;
                self.deeper(Self::parameter)?;
            }
            byte if byte == b'_' || byte.is_ascii_alphabetic() => {
                self.at += 1;
                while self.peek(0) == b'_' || self.peek(0).is_ascii_alphanumeric() {
                    self.at += 1;
                }
            }
            byte if byte.is_ascii_digit() || b"@*#?$!-[".contains(&byte) => self.at += 2,
            _ => {
                word.push(b"$");
                self.at += 1;
                return Ok(());
            }
        }
        word.expansion(&self.bytes[start..self.at]);
        Ok(())
    }

    /// `( … )` at the place, which belongs to an expansion that began at `start`.
    pub(super) fn substitution(
        &mut self,
        start: usize,
        word: &mut Building,
    ) -> Result<(), Unreadable> {
        self.at += 1;
        self.inside(Around::Subshell)?;
        self.sign(b')')?;
        word.expansion(&self.bytes[start..self.at]);
        Ok(())
    }

    pub(super) fn backticks(&mut self, word: &mut Building) -> Result<(), Unreadable> {
        let start = self.at;
        let mut inner = Vec::new();
        self.at += 1;
        loop {
            if self.ended() {
                return Err(Unreadable);
            }
            match self.peek(0) {
                b'`' => break,
                b'\\' if matches!(self.peek(1), b'`' | b'\\' | b'$') => {
                    inner.push(self.peek(1));
                    self.at += 2;
                }
                byte => {
                    inner.push(byte);
                    self.at += 1;
                }
            }
        }
        self.at += 1;
        word.expansion(&self.bytes[start..self.at]);
        let inner = String::from_utf8_lossy(&inner);
        self.events.push(Event::Open(Around::Subshell));
        let outcome = self.apart(&inner, |reader| reader.script());
        self.events.push(Event::Close);
        outcome
    }

    /// Reads another text as a part of this one.
    pub(super) fn apart(
        &mut self,
        text: &str,
        read: impl FnOnce(&mut Reader<'_>) -> Result<(), Unreadable>,
    ) -> Result<(), Unreadable> {
        let second_looks = self.second_looks;
        let (outcome, events, left) = self.deeper(|outer| {
            let mut reader = Reader::new(text, outer.depth, second_looks);
            let outcome = read(&mut reader);
            Ok((outcome, reader.events, reader.second_looks))
        })?;
        self.second_looks = left;
        self.events.extend(events);
        outcome
    }

    /// The rest of `${…}`, after its brace.
    fn parameter(&mut self) -> Result<(), Unreadable> {
        let mut ignored = Building::new();
        loop {
            if self.ended() {
                return Err(Unreadable);
            }
            match self.peek(0) {
                b'}' => {
                    self.at += 1;
                    return Ok(());
                }
                b'"' => self.double_quoted(&mut ignored)?,
                b'$' => self.dollar(&mut ignored, true)?,
                b'`' => self.backticks(&mut ignored)?,
                b'\\' => self.at += 2,
                _ => self.at += 1,
            }
        }
    }

    /// `((…))` whose first `(` is here. `false`, with the place unmoved, if it turns out to be
    /// two subshells.
    pub(super) fn arithmetic(&mut self, signs: usize) -> Result<bool, Unreadable> {
        let (start, met, heredocs) = (self.at, self.events.len(), self.heredocs.len());
        self.at += signs;
        let ended = self.deeper(|reader| reader.parentheses(signs, &mut Building::new()));
        let closed = ended.is_ok() && self.bytes[..self.at].ends_with(b"))");
        if closed {
            return Ok(true);
        }
        if self.second_looks == 0 {
            return Err(Unreadable);
        }
        self.second_looks -= 1;
        self.at = start;
        self.events.truncate(met);
        self.heredocs.truncate(heredocs);
        Ok(false)
    }

    /// `( … )` inside a word: an array or a pattern.
    pub(super) fn balanced(&mut self, word: &mut Building) -> Result<(), Unreadable> {
        let start = self.at;
        self.at += 1;
        self.deeper(|reader| reader.parentheses(1, &mut Building::new()))?;
        word.expansion(&self.bytes[start..self.at]);
        Ok(())
    }

    fn parentheses(&mut self, mut open: usize, ignored: &mut Building) -> Result<(), Unreadable> {
        while open > 0 {
            if self.ended() {
                return Err(Unreadable);
            }
            match self.peek(0) {
                b'"' => self.double_quoted(ignored)?,
                b'$' => self.dollar(ignored, false)?,
                b'`' => self.backticks(ignored)?,
                byte => {
                    self.at += if byte == b'\\' { 2 } else { 1 };
                    match byte {
                        b'(' => open += 1,
                        b')' => open -= 1,
                        _ => {}
                    }
                }
            }
        }
        Ok(())
    }
}
