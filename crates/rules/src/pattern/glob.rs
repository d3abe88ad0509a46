//! Reading a glob: from its text to alternatives without braces, each a literal directory and an
//! automaton for what may follow.

use alloc::{
    format,
    string::{String, ToString},
    vec,
    vec::Vec,
};
use core::iter::Peekable;
use core::str::CharIndices;

use super::{
    automaton::{Automaton, CharSet},
    check_canonical, is_within,
};
use crate::{limits, refusal::Refusal};

/// Characters that mean something in a glob.
pub(super) const SPECIAL: [char; 7] = ['*', '?', '[', ']', '{', '}', '\\'];

/// One expansion of a glob.
#[derive(Clone, Debug)]
pub(super) struct Alternative {
    /// The literal leading directories, with a trailing slash.
    base: String,
    /// What follows them.
    rest: Automaton,
}

impl Alternative {
    /// Stands for a glob that cannot be read: all that begins with this text.
    pub(super) fn everything_below(literal: &str) -> Alternative {
        let base = literal.rfind('/').map_or("/", |at| &literal[..=at]).into();
        let mut rest = Automaton::new();
        rest.then_rest();
        Alternative { base, rest }
    }

    /// The literal leading directories, without trailing slash.
    pub(super) fn directory(&self) -> &str {
        &self.base[..self.base.len() - 1]
    }

    pub(super) fn matches(&self, path: &str) -> bool {
        path.strip_prefix(self.base.as_str())
            .is_some_and(|rest| self.rest.accepts(rest))
    }

    /// Whether it can match the directory (without trailing slash) or something below it.
    pub(super) fn reaches_into(&self, directory: &str) -> bool {
        if is_within(directory, self.directory()) {
            return true;
        }
        self.matches(directory)
            || format!("{directory}/")
                .strip_prefix(self.base.as_str())
                .is_some_and(|rest| !self.rest.run(rest).is_empty())
    }

    pub(super) fn intersects(&self, other: &Alternative) -> bool {
        if let Some(ahead) = self.base.strip_prefix(other.base.as_str()) {
            self.rest.meets(&other.rest, &other.rest.run(ahead))
        } else if let Some(ahead) = other.base.strip_prefix(self.base.as_str()) {
            other.rest.meets(&self.rest, &self.rest.run(ahead))
        } else {
            false
        }
    }
}

/// Reads a glob. The result is never empty, and each alternative matches something.
pub(super) fn parse(glob: &str) -> Result<Vec<Alternative>, Refusal> {
    let literal = glob.find(SPECIAL).unwrap_or(glob.len());
    let base_len = glob[..literal].rfind('/').map_or(0, |at| at + 1);
    let (base, rest) = glob.split_at(base_len);
    if base.is_empty() {
        return refuse(format!("'{glob}' is not absolute"));
    }
    check_canonical(
        base.strip_suffix('/')
            .filter(|dir| !dir.is_empty())
            .unwrap_or("/"),
    )?;
    if rest.chars().nth(limits::GLOB_CHARS_MAX).is_some() {
        return Err(Refusal::Limit {
            what: "characters of a glob after its literal directories",
            max: limits::GLOB_CHARS_MAX as u64,
        });
    }
    let mut reader = Reader {
        chars: rest.char_indices().peekable(),
        offset: base_len,
    };
    let sequences = expand(&reader.items(0)?)?;
    let mut alternatives = Vec::with_capacity(sequences.len());
    let mut states = 0;
    for tokens in sequences {
        let alternative = build(base, &tokens)?;
        states += alternative.rest.len();
        check_size(states)?;
        alternatives.push(alternative);
    }
    Ok(alternatives)
}

/// A piece of a glob without braces.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Slash,
    One(CharSet),
    Star,
}

/// A piece of a glob as written.
enum Item {
    Token(Token),
    Braces(Vec<Vec<Item>>),
}

struct Reader<'a> {
    chars: Peekable<CharIndices<'a>>,
    /// Where the text begins within the glob, for messages.
    offset: usize,
}

impl Reader<'_> {
    /// Reads up to the end, or within braces up to `,` or `}`.
    fn items(&mut self, depth: usize) -> Result<Vec<Item>, Refusal> {
        let mut items = Vec::new();
        while let Some(&(at, c)) = self.chars.peek() {
            if depth > 0 && matches!(c, ',' | '}') {
                break;
            }
            self.chars.next();
            items.push(match c {
                '*' => Item::Token(Token::Star),
                '?' => Item::Token(Token::One(CharSet::name())),
                '/' => Item::Token(Token::Slash),
                '[' => Item::Token(Token::One(self.class(at)?)),
                '{' => Item::Braces(self.braces(at, depth + 1)?),
                '}' => return self.refuse(at, "'}' without '{'; write '\\}' for the character"),
                '\0' => return self.refuse(at, "NUL character"),
                '\\' => match self.chars.next() {
                    Some((_, '/')) => Item::Token(Token::Slash),
                    Some((_, c)) => Item::Token(Token::One(CharSet::one(c))),
                    None => return self.refuse(at, "nothing after '\\'"),
                },
                c => Item::Token(Token::One(CharSet::one(c))),
            });
        }
        Ok(items)
    }

    fn braces(&mut self, opened: usize, depth: usize) -> Result<Vec<Vec<Item>>, Refusal> {
        if depth > limits::GLOB_DEPTH_MAX {
            return Err(Refusal::Limit {
                what: "braces within braces of a glob",
                max: limits::GLOB_DEPTH_MAX as u64,
            });
        }
        let mut branches = Vec::new();
        loop {
            branches.push(self.items(depth)?);
            match self.chars.next() {
                Some((_, ',')) => {}
                Some(_) => return Ok(branches),
                None => return self.refuse(opened, "'{' without '}'"),
            }
        }
    }

    /// A set of characters, after its `[`.
    fn class(&mut self, opened: usize) -> Result<CharSet, Refusal> {
        let negated = self
            .chars
            .next_if(|(_, c)| matches!(c, '!' | '^'))
            .is_some();
        let mut ranges = Vec::new();
        // A bracket that comes first means itself.
        while ranges.is_empty() || self.chars.next_if(|(_, c)| *c == ']').is_none() {
            let first = self.class_char(opened)?;
            let mut ahead = self.chars.clone();
            let is_range = ahead.next_if(|(_, c)| *c == '-').is_some()
                && ahead.peek().is_some_and(|(_, c)| *c != ']');
            let last = if is_range {
                self.chars.next();
                self.class_char(opened)?
            } else {
                first
            };
            if last < first {
                let why = format!("the range '{first}-{last}' is the wrong way round");
                return self.refuse(opened, &why);
            }
            ranges.push((first, last));
        }
        let set = CharSet::of(ranges, negated);
        if set.is_empty() {
            return self.refuse(opened, "this set of characters is empty");
        }
        Ok(set)
    }

    /// One character of a set, escaped or not.
    fn class_char(&mut self, opened: usize) -> Result<char, Refusal> {
        let escaped = self.chars.next_if(|(_, c)| *c == '\\').is_some();
        match self.chars.next() {
            None if escaped => self.refuse(opened, "nothing after '\\'"),
            None => self.refuse(opened, "'[' without ']'; write '\\[' for the character"),
            Some((_, '/')) => self.refuse(opened, "a set of characters cannot contain '/'"),
            Some((_, c)) => Ok(c),
        }
    }

    fn refuse<T>(&self, at: usize, why: &str) -> Result<T, Refusal> {
        refuse(format!("at byte {}: {why}", self.offset + at))
    }
}

/// All sequences of tokens that the braces stand for.
fn expand(items: &[Item]) -> Result<Vec<Vec<Token>>, Refusal> {
    let mut sequences = vec![Vec::new()];
    for item in items {
        match item {
            Item::Token(token) => {
                for sequence in &mut sequences {
                    sequence.push(token.clone());
                }
            }
            Item::Braces(branches) => {
                let mut endings = Vec::new();
                for branch in branches {
                    endings.extend(expand(branch)?);
                }
                check_size(sequences.len() * endings.len())?;
                sequences = sequences
                    .iter()
                    .flat_map(|start| endings.iter().map(|end| [&start[..], end].concat()))
                    .collect();
            }
        }
        check_size(sequences.iter().map(Vec::len).sum())?;
    }
    Ok(sequences)
}

/// Turns one sequence into literal directories and an automaton.
fn build(base: &str, tokens: &[Token]) -> Result<Alternative, Refusal> {
    let mut segments: Vec<&[Token]> = tokens
        .split(|token| *token == Token::Slash)
        .filter(|segment| !segment.is_empty())
        .collect();
    let mut base = base.to_string();
    let own_name: Vec<Token>;
    if segments.is_empty() {
        // Such as `/p/src/{,lib.rs}`: the directory itself.
        let directory = base.trim_end_matches('/');
        let start = directory.rfind('/').map_or(directory.len(), |at| at + 1);
        own_name = directory[start..]
            .chars()
            .map(|c| Token::One(CharSet::one(c)))
            .collect();
        if own_name.is_empty() {
            return refuse("it stands for the root directory".into());
        }
        base.truncate(start);
        segments.push(&own_name);
    }
    if let Some(name) = segments
        .iter()
        .filter_map(|segment| literal(segment))
        .find(|name| matches!(name.as_str(), "." | ".."))
    {
        return refuse(format!("'{name}' as a segment"));
    }
    let leading = segments[..segments.len() - 1]
        .iter()
        .map_while(|segment| literal(segment))
        .collect::<Vec<String>>();
    for name in &leading {
        base.push_str(name);
        base.push('/');
    }
    Ok(Alternative {
        base,
        rest: compile(&segments[leading.len()..]),
    })
}

/// An automaton for these segments, slashes between them.
fn compile(segments: &[&[Token]]) -> Automaton {
    let mut automaton = Automaton::new();
    for (at, segment) in segments.iter().enumerate() {
        let is_last = at + 1 == segments.len();
        match segment {
            [Token::Star, Token::Star] if is_last => automaton.then_rest(),
            [Token::Star, Token::Star] => automaton.then_segments(),
            _ => {
                then_segment(&mut automaton, segment);
                if !is_last {
                    automaton.then(CharSet::one('/'));
                }
            }
        }
    }
    automaton
}

fn then_segment(automaton: &mut Automaton, segment: &[Token]) {
    if segment.iter().all(|token| *token == Token::Star) {
        // No segment of a path is empty.
        automaton.then(CharSet::name());
    }
    let mut after_star = false;
    for token in segment {
        match token {
            Token::One(set) => automaton.then(set.clone()),
            Token::Star if !after_star => automaton.then_any(),
            Token::Star | Token::Slash => {}
        }
        after_star = *token == Token::Star;
    }
}

/// The only text that a segment matches, if there is only one.
fn literal(segment: &[Token]) -> Option<String> {
    segment
        .iter()
        .map(|token| match token {
            Token::One(set) => set.single(),
            Token::Star | Token::Slash => None,
        })
        .collect()
}

fn check_size(states: usize) -> Result<(), Refusal> {
    if states > limits::GLOB_STATES_MAX {
        return refuse("its braces stand for too many patterns".into());
    }
    Ok(())
}

fn refuse<T>(why: String) -> Result<T, Refusal> {
    Err(Refusal::Invalid { what: "glob", why })
}
