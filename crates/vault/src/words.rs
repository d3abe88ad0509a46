//! Text into words: the same for notes and for queries, so that both meet.
//!
//! A word is folded (lower case, without accents) and stemmed. An identifier is itself and its
//! parts: `getUserById` is *get*, *user*, *by*, *id* and *getuserbyid*; `auth.ts` is *auth*, *ts*
//! and *authts*. Scripts written without spaces give a word for each character.

use std::{cell::RefCell, collections::HashMap, ops::Range};

use rust_stemmers::{Algorithm, Stemmer};
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

use crate::limits::WORD_BYTES_MAX;

/// Longest run that is looked into.
const RUN_BYTES_MAX: usize = 4 * WORD_BYTES_MAX;

/// A word of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Word {
    /// Folded and stemmed.
    pub(crate) stem: String,
    /// Folded only.
    pub(crate) folded: String,
    /// Where it stands.
    pub(crate) span: Range<usize>,
}

/// A run of characters without a space: one word, or an identifier of several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) parts: Vec<Word>,
    /// The identifier as one word, where there is more than one part.
    pub(crate) whole: Option<Word>,
}

/// The runs of a text, in order.
pub(crate) fn runs(text: &str) -> impl Iterator<Item = Run> + '_ {
    Spans { text, at: 0 }.filter_map(|span| run(text, span))
}

/// Finds the words of a text that have one of these stems, identifiers as a whole among them.
pub(crate) struct Finder<'a> {
    stems: HashMap<&'a str, usize>,
    beginnings: Beginnings,
}

/// A word that was looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Hit {
    pub(crate) span: Range<usize>,
    /// Which of the stems it is.
    pub(crate) number: usize,
    /// How many words stand before it.
    pub(crate) at: usize,
}

impl<'a> Finder<'a> {
    pub(crate) fn new(stems: impl IntoIterator<Item = &'a str>) -> Finder<'a> {
        let mut finder = Finder {
            stems: HashMap::new(),
            beginnings: Beginnings::NONE,
        };
        for (number, stem) in stems.into_iter().enumerate() {
            finder.stems.entry(stem).or_insert(number);
            finder.beginnings.add(stem);
        }
        finder
    }

    /// The hits in a text, in order of their starts.
    pub(crate) fn find(&self, text: &str) -> Vec<Hit> {
        let mut hits = Vec::new();
        let mut at = 0;
        for span in (Spans { text, at: 0 }) {
            if span.len() > RUN_BYTES_MAX {
                continue;
            }
            let mut parts = 0;
            let before = hits.len();
            split(&text[span.clone()], |part| {
                let span = span.start + part.start..span.start + part.end;
                hits.extend(self.hit(&text[span.clone()], span, at + parts));
                parts += 1;
            });
            if parts > 1
                && let Some(whole) = self.whole(text, span, at)
            {
                // The identifier as a whole says more than its parts.
                hits.truncate(before);
                hits.push(whole);
            }
            at += parts;
        }
        hits
    }

    fn hit(&self, word: &str, span: Range<usize>, at: usize) -> Option<Hit> {
        if !self.beginnings.may_be(word) {
            return None;
        }
        let number = *self.stems.get(stem(&fold(word)).as_str())?;
        Some(Hit { span, number, at })
    }

    fn whole(&self, text: &str, span: Range<usize>, at: usize) -> Option<Hit> {
        self.beginnings.may_be(&text[span.clone()]).then_some(())?;
        let whole = run(text, span.clone())?.whole?;
        let number = *self.stems.get(whole.stem.as_str())?;
        Some(Hit { span, number, at })
    }
}

/// How the stems begin that are looked for: nearly every word of a text is told by its first two
/// bytes not to be one.
struct Beginnings {
    /// For each first byte of a stem, a bit for each second one.
    seconds: [u128; 128],
}

impl Beginnings {
    const NONE: Beginnings = Beginnings { seconds: [0; 128] };

    fn add(&mut self, stem: &str) {
        let mut bytes = stem.bytes();
        // What does not begin so is always looked at.
        let Some(first) = bytes.next().and_then(letter) else {
            return;
        };
        self.seconds[usize::from(first)] |= match bytes.next().and_then(letter) {
            Some(second) => 1 << second,
            // `oed` may become `o`.
            None => u128::MAX,
        };
    }

    /// Folding and stemming keep the first two letters, but for what is not ASCII, and for `dying`
    /// and its kin, which become `die`.
    fn may_be(&self, word: &str) -> bool {
        let mut bytes = word.bytes();
        let Some(first) = bytes.next().and_then(letter) else {
            return true;
        };
        let seconds = self.seconds[usize::from(first)];
        match bytes.next() {
            None => seconds != 0,
            Some(second) => letter(second).is_none_or(|it| seconds & (1 << it) != 0),
        }
    }
}

/// A letter or digit of ASCII as the beginnings have it.
fn letter(byte: u8) -> Option<u8> {
    match byte.to_ascii_lowercase() {
        b'y' => Some(b'i'),
        byte => byte.is_ascii_alphanumeric().then_some(byte),
    }
}

/// Folds and stems one word.
pub(crate) fn stem(folded: &str) -> String {
    thread_local! {
        static STEMMER: Stemmer = Stemmer::create(Algorithm::English);
        static KNOWN: RefCell<HashMap<String, String>> = RefCell::new(HashMap::new());
    }
    /// Stems are asked for again and again; a forgotten one is only computed again.
    const KNOWN_MAX: usize = 20_000;
    if folded.len() < 3 || !folded.bytes().all(|byte| byte.is_ascii_lowercase()) {
        return folded.to_owned();
    }
    KNOWN.with_borrow_mut(|known| {
        if let Some(stem) = known.get(folded) {
            return stem.clone();
        }
        let stem = STEMMER.with(|stemmer| stemmer.stem(folded).into_owned());
        if known.len() >= KNOWN_MAX {
            known.clear();
        }
        known.insert(folded.to_owned(), stem.clone());
        stem
    })
}

/// Lower case, without accents and ligatures.
pub(crate) fn fold(text: &str) -> String {
    if text.is_ascii() {
        let letters = text.bytes().filter(u8::is_ascii_alphanumeric);
        return letters
            .map(|byte| char::from(byte.to_ascii_lowercase()))
            .collect();
    }
    text.nfkd()
        .filter(|c| !is_combining_mark(*c))
        .flat_map(char::to_lowercase)
        .filter(|c| c.is_alphanumeric())
        .collect()
}

/// The stretches of a text between what separates words.
struct Spans<'a> {
    text: &'a str,
    at: usize,
}

impl Iterator for Spans<'_> {
    type Item = Range<usize>;

    fn next(&mut self) -> Option<Range<usize>> {
        let bytes = self.text.as_bytes();
        let mut start = self.at;
        // Most text is ASCII, and bytes are read much faster than characters.
        while bytes
            .get(start)
            .is_some_and(|it| it.is_ascii() && !it.is_ascii_alphanumeric())
        {
            start += 1;
        }
        start += self.text[start..].find(is_wordy)?;
        let mut end = start;
        while bytes.get(end).is_some_and(u8::is_ascii_alphanumeric) {
            end += 1;
        }
        let rest = bytes.get(end..).unwrap_or_default();
        let goes_on = |next: &u8| !next.is_ascii() || next.is_ascii_alphanumeric();
        let ended = match rest {
            [] => true,
            [byte, next @ ..] if byte.is_ascii() => {
                !is_joint(char::from(*byte)) || !next.first().is_some_and(goes_on)
            }
            _ => false,
        };
        if !ended || end == start {
            end = self.end_of(start, end);
        }
        self.at = end;
        Some(start..end)
    }
}

impl Spans<'_> {
    /// Where the stretch ends, of which so much is known.
    fn end_of(&self, start: usize, known: usize) -> usize {
        // The character before may be followed by one of a script without spaces.
        let from = if known > start { known - 1 } else { start };
        let mut end = known;
        let mut characters = self.text[from..].char_indices().peekable();
        while let Some((offset, c)) = characters.next() {
            let after = characters.peek().map(|(_, after)| *after);
            if !(is_wordy(c) || is_joint(c) && after.is_some_and(is_wordy)) {
                break;
            }
            end = from + offset + c.len_utf8();
            // A script without spaces is its own word, and ends one.
            if is_ideograph(c) || after.is_some_and(is_ideograph) {
                break;
            }
        }
        end
    }
}

fn run(text: &str, span: Range<usize>) -> Option<Run> {
    // A stretch of this many characters is encoded data, whatever it is.
    if span.len() > RUN_BYTES_MAX {
        return None;
    }
    let mut parts: Vec<Word> = Vec::new();
    split(&text[span.clone()], |part| {
        let span = span.start + part.start..span.start + part.end;
        parts.extend(word(&text[span.clone()], span));
    });
    let whole = if parts.len() > 1 {
        let joined: String = parts.iter().map(|part| part.folded.as_str()).collect();
        (joined.len() <= WORD_BYTES_MAX).then(|| Word {
            stem: stem(&joined),
            folded: joined,
            span,
        })
    } else {
        None
    };
    (!parts.is_empty()).then_some(Run { parts, whole })
}

fn word(text: &str, span: Range<usize>) -> Option<Word> {
    let folded = fold(text);
    (!folded.is_empty() && folded.len() <= WORD_BYTES_MAX).then(|| Word {
        stem: stem(&folded),
        folded,
        span,
    })
}

/// The parts of an identifier: at joints, and where lower case becomes upper case.
fn split(run: &str, mut part: impl FnMut(Range<usize>)) {
    // Nearly every run is a plain word. `don't` is one too, and not `don` and `t`.
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'\'';
    if run.bytes().all(plain) {
        return part(0..run.len());
    }
    let mut start = 0;
    let mut before: Option<char> = None;
    let mut characters = run.char_indices().peekable();
    while let Some((at, c)) = characters.next() {
        let after = characters.peek().map(|(_, after)| *after);
        let joint = is_joint(c) && !matches!(c, '\'' | '’');
        if joint || starts_part(before, c, after) {
            if start < at {
                part(start..at);
            }
            start = if joint { at + c.len_utf8() } else { at };
        }
        before = Some(c);
    }
    if start < run.len() {
        part(start..run.len());
    }
}

/// `getUser` has a part at `U`, `HTTPServer` at `S`.
fn starts_part(before: Option<char>, c: char, after: Option<char>) -> bool {
    let Some(before) = before else { return false };
    if !c.is_uppercase() {
        return false;
    }
    before.is_lowercase()
        || before.is_numeric()
        || (before.is_uppercase() && after.is_some_and(char::is_lowercase))
}

fn is_wordy(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_alphanumeric();
    }
    c.is_alphanumeric() || is_combining_mark(c)
}

fn is_joint(c: char) -> bool {
    matches!(c, '_' | '-' | '.' | '\'' | '’')
}

/// Characters of scripts that put no space between words.
fn is_ideograph(c: char) -> bool {
    matches!(u32::from(c),
        0x0E00..=0x0EFF          // Thai, Lao
        | 0x3040..=0x30FF        // Hiragana, Katakana
        | 0x3400..=0x4DBF | 0x4E00..=0x9FFF | 0xF900..=0xFAFF // Han
        | 0xAC00..=0xD7AF        // Hangul
        | 0x2_0000..=0x3_FFFF)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        runs(text)
            .flat_map(|run| run.parts.into_iter().chain(run.whole))
            .map(|word| word.folded)
            .collect()
    }

    #[test]
    fn identifiers_are_themselves_and_their_parts() {
        for (text, expected) in [
            ("getUserById", "get user by id getuserbyid"),
            ("user_id", "user id userid"),
            ("see auth.ts.", "see auth ts authts"),
            ("HTTPServer", "http server httpserver"),
            ("src/auth/login.rs:12", "src auth login rs loginrs 12"),
            ("base64Encode", "base64 encode base64encode"),
            ("--dry-run", "dry run dryrun"),
            ("don't Café ﬁx", "dont cafe fix"),
            ("日本語 text", "日 本 語 text"),
            ("__init__", "init"),
            ("...", ""),
        ] {
            assert_eq!(words(text).join(" "), expected, "{text}");
        }
    }

    #[test]
    fn a_finder_finds_what_a_reader_of_every_word_finds() {
        let text = "Dying and lying, tied skies; o'Brien's y-axis, OED: aing Über ÜBER é.x a.b.c. \
             getUserById user_id 日本語text x日 don’t don't 3d --dry-run- _a_ B2B ﬁx ties gas";
        let stems: Vec<String> = runs(text)
            .flat_map(|run| run.parts.into_iter().chain(run.whole))
            .map(|word| word.stem)
            .collect();
        for stem in &stems {
            let found = Finder::new([stem.as_str()]).find(text);
            let there = runs(text).any(|run| {
                let whole = run.whole.iter().any(|it| it.stem == *stem);
                whole || run.parts.iter().any(|it| it.stem == *stem)
            });
            assert_eq!(found.is_empty(), !there, "{stem}");
        }
    }

    #[test]
    fn forms_of_one_word_meet() {
        assert_eq!(stem("deployments"), stem("deployment"));
        assert_eq!(stem("running"), stem("runs"));
        assert_eq!(stem("sha256"), "sha256");
    }

    #[test]
    fn a_word_stands_where_its_span_says() {
        let text = "Der Über-Test läuft";
        for run in runs(text) {
            for part in run.parts {
                assert_eq!(fold(&text[part.span.clone()]), part.folded);
            }
        }
    }
}
