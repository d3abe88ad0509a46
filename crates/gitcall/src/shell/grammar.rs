//! Lists, pipelines and compound commands.

use super::{
    Around, Event, Joint, MAX_DEPTH, MAX_SECOND_LOOKS, Script, Simple, Unreadable, Word,
    heredoc::{Heredoc, Redirection},
};

/// Words that end a list where a command could begin.
const CLOSERS: [&str; 8] = ["then", "elif", "else", "fi", "do", "done", "esac", "}"];

/// Reads a whole script. Never fails: what could be read comes back, with `whole: false` if that
/// was not everything.
pub(crate) fn read(text: &str) -> Script {
    let mut reader = Reader::new(text, 0, MAX_SECOND_LOOKS);
    let whole = reader.script().is_ok();
    Script {
        events: reader.events,
        whole,
    }
}

/// A place in a text, and what was met up to it.
pub(super) struct Reader<'t> {
    pub(super) text: &'t str,
    pub(super) bytes: &'t [u8],
    pub(super) at: usize,
    pub(super) depth: usize,
    pub(super) second_looks: usize,
    pub(super) events: Vec<Event>,
    pub(super) heredocs: Vec<Heredoc>,
    pub(super) heredocs_met: usize,
}

impl<'t> Reader<'t> {
    pub(super) fn new(text: &'t str, depth: usize, second_looks: usize) -> Self {
        Reader {
            text,
            bytes: text.as_bytes(),
            at: 0,
            depth,
            second_looks,
            events: Vec::new(),
            heredocs: Vec::new(),
            heredocs_met: 0,
        }
    }

    /// The byte `ahead` of the place; 0 at the end (a NUL byte cannot stand in a command anyway).
    pub(super) fn peek(&self, ahead: usize) -> u8 {
        self.bytes.get(self.at + ahead).copied().unwrap_or(0)
    }

    pub(super) fn ended(&self) -> bool {
        self.at >= self.bytes.len()
    }

    pub(super) fn script(&mut self) -> Result<(), Unreadable> {
        self.list()?;
        if self.ended() {
            self.read_heredocs()
        } else {
            Err(Unreadable)
        }
    }

    pub(super) fn deeper<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, Unreadable>,
    ) -> Result<T, Unreadable> {
        if self.depth >= MAX_DEPTH {
            return Err(Unreadable);
        }
        self.depth += 1;
        let outcome = read(self);
        self.depth -= 1;
        outcome
    }

    /// A list inside something, with its events between `Open` and `Close` even when it is broken.
    pub(super) fn inside(&mut self, around: Around) -> Result<(), Unreadable> {
        self.events.push(Event::Open(around));
        let outcome = self.deeper(Self::list);
        self.events.push(Event::Close);
        outcome
    }

    /// Commands up to the end, a closing word or a closing sign, which is left standing.
    pub(super) fn list(&mut self) -> Result<(), Unreadable> {
        let mut joint = Joint::Next;
        loop {
            self.blank_lines()?;
            if self.ended() || matches!(self.peek(0), b')') || self.closing_word() {
                return Ok(());
            }
            if self.peek(0) == b';' && matches!(self.peek(1), b';' | b'&') {
                return Ok(());
            }
            self.command(joint)?;
            self.blanks();
            joint = match (self.peek(0), self.peek(1)) {
                (b'&', b'&') => self.step(2, Joint::And),
                (b'|', b'|') => self.step(2, Joint::Or),
                (b'|', b'&') => self.piped(2),
                (b'|', _) => self.piped(1),
                (b';', b';' | b'&') => return Ok(()),
                (b';' | b'&', _) => self.step(1, Joint::Next),
                (b'\n', _) => Joint::Next,
                _ if self.ended() || self.peek(0) == b')' => return Ok(()),
                _ if self.closing_word() => return Ok(()),
                _ => return Err(Unreadable),
            };
        }
    }

    fn step(&mut self, length: usize, joint: Joint) -> Joint {
        self.at += length;
        joint
    }

    fn piped(&mut self, length: usize) -> Joint {
        if let Some(Event::Simple(simple)) = self.events.last_mut() {
            simple.feeds = true;
        }
        self.step(length, Joint::Pipe)
    }

    fn command(&mut self, joint: Joint) -> Result<(), Unreadable> {
        match self.bare_word() {
            "!" | "coproc" => self.after_prefix(joint),
            "time" => self.after_time(joint),
            "if" => self.compound(Self::branches),
            "while" | "until" => self.compound(Self::repeated),
            "for" | "select" => self.compound(Self::iterated),
            "case" => self.compound(Self::cases),
            "function" => self.named_function(),
            "[[" => self.test(),
            "{" => self.compound(|reader| {
                reader.at += 1;
                reader.inside(Around::Group)?;
                reader.expect("}")
            }),
            _ if self.peek(0) == b'(' => self.compound(Self::parenthesis),
            _ => self.simple(joint),
        }
    }

    fn after_prefix(&mut self, joint: Joint) -> Result<(), Unreadable> {
        self.at += self.bare_word().len();
        self.blanks();
        self.deeper(|reader| reader.command(joint))
    }

    fn after_time(&mut self, joint: Joint) -> Result<(), Unreadable> {
        self.at += "time".len();
        self.blanks();
        if self.bare_word() == "-p" {
            self.at += 2;
            self.blanks();
        }
        if matches!(self.peek(0), b'\n' | b';' | b'&' | b'|' | b')' | 0) {
            return Ok(());
        }
        self.deeper(|reader| reader.command(joint))
    }

    fn compound(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<(), Unreadable>,
    ) -> Result<(), Unreadable> {
        self.deeper(read)?;
        loop {
            self.blanks();
            if self.redirection()?.is_none() {
                return Ok(());
            }
        }
    }

    fn parenthesis(&mut self) -> Result<(), Unreadable> {
        if self.peek(1) == b'(' && self.arithmetic(2)? {
            return Ok(());
        }
        self.at += 1;
        self.inside(Around::Subshell)?;
        self.sign(b')')
    }

    fn branches(&mut self) -> Result<(), Unreadable> {
        self.at += "if".len();
        self.inside(Around::Group)?;
        self.expect("then")?;
        loop {
            self.inside(Around::Branch)?;
            match self.bare_word() {
                "elif" => {
                    self.at += "elif".len();
                    self.inside(Around::Branch)?;
                    self.expect("then")?;
                }
                "else" => self.at += "else".len(),
                _ => return self.expect("fi"),
            }
        }
    }

    fn repeated(&mut self) -> Result<(), Unreadable> {
        self.at += self.bare_word().len();
        self.inside(Around::Loop)?;
        self.body()
    }

    fn iterated(&mut self) -> Result<(), Unreadable> {
        self.at += self.bare_word().len();
        self.blanks();
        if self.peek(0) == b'(' && self.peek(1) == b'(' {
            if !self.arithmetic(2)? {
                return Err(Unreadable);
            }
        } else {
            self.word()?;
        }
        self.separators()?;
        if self.bare_word() == "in" {
            self.at += 2;
            self.blanks();
            while !self.ended() && !matches!(self.peek(0), b';' | b'\n') {
                self.word()?;
                self.blanks();
            }
            self.separators()?;
        }
        self.body()
    }

    fn body(&mut self) -> Result<(), Unreadable> {
        let (open, close) = match self.bare_word() {
            "{" => ("{", "}"),
            _ => ("do", "done"),
        };
        self.expect(open)?;
        self.inside(Around::Loop)?;
        self.expect(close)
    }

    fn cases(&mut self) -> Result<(), Unreadable> {
        self.at += "case".len();
        self.blanks();
        self.word()?;
        self.blank_lines()?;
        self.expect("in")?;
        loop {
            self.blank_lines()?;
            if self.bare_word() == "esac" {
                return self.expect("esac");
            }
            if self.peek(0) == b'(' {
                self.at += 1;
            }
            self.pattern()?;
            self.inside(Around::Branch)?;
            match (self.peek(0), self.peek(1)) {
                (b';', b';') if self.peek(2) == b'&' => self.at += 3,
                (b';', b';' | b'&') => self.at += 2,
                _ => return self.expect("esac"),
            }
        }
    }

    fn pattern(&mut self) -> Result<(), Unreadable> {
        loop {
            self.blanks();
            match self.peek(0) {
                b')' => return self.sign(b')'),
                b'|' => self.at += 1,
                _ => drop(self.word()?),
            }
        }
    }

    fn named_function(&mut self) -> Result<(), Unreadable> {
        self.at += "function".len();
        self.blanks();
        self.word()?;
        self.blanks();
        if self.peek(0) == b'(' {
            self.at += 1;
            self.blanks();
            self.sign(b')')?;
        }
        self.function_body()
    }

    pub(super) fn function_body(&mut self) -> Result<(), Unreadable> {
        self.blank_lines()?;
        self.events.push(Event::Open(Around::Function));
        let outcome = self.deeper(|reader| reader.command(Joint::Next));
        self.events.push(Event::Close);
        outcome
    }

    /// `[[ … ]]`: its signs are no operators of the shell.
    fn test(&mut self) -> Result<(), Unreadable> {
        loop {
            self.blank_lines()?;
            if self.ended() {
                return Err(Unreadable);
            }
            if self.bare_word() == "]]" {
                self.at += 2;
                return Ok(());
            }
            match self.peek(0) {
                b'(' | b')' | b'<' | b'>' | b'|' | b'&' | b';' => self.at += 1,
                _ => drop(self.word()?),
            }
        }
    }

    fn simple(&mut self, joint: Joint) -> Result<(), Unreadable> {
        let mut words: Vec<Word> = Vec::new();
        let mut stdin = None;
        let mut first_heredoc = None;
        let outcome = loop {
            self.blanks();
            match self.redirection() {
                Ok(Some(Redirection::Heredoc(number))) => {
                    first_heredoc.get_or_insert(number);
                    continue;
                }
                Ok(Some(Redirection::Text(text))) => {
                    stdin = Some(text);
                    continue;
                }
                Ok(Some(Redirection::Other)) => continue,
                Ok(None) => {}
                Err(unreadable) => break Err(unreadable),
            }
            match self.peek(0) {
                b'\n' | b';' | b'&' | b'|' | b')' => break Ok(()),
                _ if self.ended() => break Ok(()),
                b'(' if words.len() == 1 => return self.function(),
                b'(' => break Err(Unreadable),
                _ => match self.word() {
                    Ok(word) => words.push(word),
                    Err(unreadable) => break Err(unreadable),
                },
            }
        };
        if let Some(first) = first_heredoc {
            let mine = self.heredocs.iter_mut().rev();
            for heredoc in mine.take_while(|heredoc| heredoc.number >= first) {
                heredoc.reader.get_or_insert(self.events.len());
            }
        }
        self.events.push(Event::Simple(Simple {
            words,
            joint,
            feeds: false,
            stdin,
        }));
        outcome
    }

    fn function(&mut self) -> Result<(), Unreadable> {
        self.at += 1;
        self.blanks();
        self.sign(b')')?;
        self.function_body()
    }

    /// Moves over blanks, continued lines and a comment.
    pub(super) fn blanks(&mut self) {
        loop {
            match self.peek(0) {
                b' ' | b'\t' | b'\r' => self.at += 1,
                b'\\' if self.peek(1) == b'\n' => self.at += 2,
                b'\\' if self.peek(1) == b'\r' && self.peek(2) == b'\n' => self.at += 3,
                b'#' => {
                    while !self.ended() && self.peek(0) != b'\n' {
                        self.at += 1;
                    }
                }
                _ => return,
            }
        }
    }

    /// Moves over blanks and line ends; heredocs that wait for the line's end are read.
    fn blank_lines(&mut self) -> Result<(), Unreadable> {
        loop {
            self.blanks();
            if self.peek(0) != b'\n' {
                return Ok(());
            }
            self.at += 1;
            self.read_heredocs()?;
        }
    }

    fn separators(&mut self) -> Result<(), Unreadable> {
        self.blank_lines()?;
        if self.peek(0) == b';' {
            self.at += 1;
        }
        self.blank_lines()
    }

    /// The unquoted word that begins here, if it is as short as reserved words are; else empty.
    fn bare_word(&self) -> &'t str {
        const LONGEST: usize = 9;
        let rest = &self.bytes[self.at.min(self.bytes.len())..];
        let length = rest
            .iter()
            .take(LONGEST)
            .take_while(|byte| !b" \t\r\n;&|()<>\"'\\$`".contains(byte))
            .count();
        if length == LONGEST {
            return "";
        }
        self.text.get(self.at..self.at + length).unwrap_or_default()
    }

    fn closing_word(&self) -> bool {
        CLOSERS.contains(&self.bare_word())
    }

    fn expect(&mut self, word: &str) -> Result<(), Unreadable> {
        self.blank_lines()?;
        if self.bare_word() != word {
            return Err(Unreadable);
        }
        self.at += word.len();
        Ok(())
    }

    pub(super) fn sign(&mut self, sign: u8) -> Result<(), Unreadable> {
        if self.ended() || self.peek(0) != sign {
            return Err(Unreadable);
        }
        self.at += 1;
        Ok(())
    }
}
