//! What was asked, as words, phrases and prefixes. No text is a mistake.

use std::collections::HashSet;

use super::stopwords::is_stopword;
use crate::{
    escape,
    limits::{QUERY_BYTES_MAX, QUERY_PHRASES_MAX},
    words::{self, Run},
};

/// Most words that are taken out of one query before the rarest are chosen.
const CONSIDERED_MAX: usize = 256;

/// A query's text, taken apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Parsed {
    /// In the order of the text, each once.
    pub(crate) words: Vec<Asked>,
    /// Stems in a row, of what stood in quotes.
    pub(crate) phrases: Vec<Vec<String>>,
    /// Beginnings, folded, of words with a star.
    pub(crate) prefixes: Vec<String>,
    /// Stems that stand beside each other in the text.
    pub(crate) pairs: Vec<(String, String)>,
}

/// A word that is searched for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) stem: String,
    pub(crate) stopword: bool,
    /// A whole identifier: one such word says as much as two others.
    pub(crate) identifier: bool,
}

impl Parsed {
    pub(crate) fn of(text: &str) -> Parsed {
        let text = escape::cut(text, QUERY_BYTES_MAX);
        let mut parsed = Parsed::default();
        let mut seen = HashSet::new();
        // Every second piece stands in quotes; after a single quote sign there is no end.
        let quotes = text.matches('"').count();
        for (number, piece) in text.split('"').enumerate() {
            let quoted = number % 2 == 1 && number < quotes;
            if quoted {
                parsed.phrase(piece);
            }
            parsed.words_of(piece, &mut seen, quoted);
        }
        // With nothing else to go by, the small words count.
        if parsed.words.iter().all(|word| word.stopword) {
            for word in &mut parsed.words {
                word.stopword = false;
            }
        }
        parsed
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.words.is_empty() && self.phrases.is_empty() && self.prefixes.is_empty()
    }

    /// The same with what stood in quotes as words only.
    pub(crate) fn without_phrases(&self) -> Parsed {
        Parsed {
            phrases: Vec::new(),
            prefixes: Vec::new(),
            ..self.clone()
        }
    }

    fn phrase(&mut self, piece: &str) {
        let parts = words::runs(piece).flat_map(|run| run.parts);
        let stems: Vec<String> = parts.map(|part| part.stem).take(64).collect();
        if !stems.is_empty() && self.phrases.len() < QUERY_PHRASES_MAX {
            self.phrases.push(stems);
        }
    }

    fn words_of(&mut self, piece: &str, seen: &mut HashSet<String>, quoted: bool) {
        let mut before: Option<String> = None;
        for run in words::runs(piece) {
            if !quoted && self.prefix(piece, &run) {
                before = None;
                continue;
            }
            for part in run.parts {
                let stopword = is_stopword(&part.folded);
                if !stopword && let Some(before) = before.replace(part.stem.clone()) {
                    self.pairs.push((before, part.stem.clone()));
                }
                self.ask(seen, part.stem, stopword, false);
            }
            if let Some(whole) = run.whole {
                // `well-known` is two words; `user_id`, `auth.ts` and `getUser` are one thing.
                let identifier = !piece[whole.span].contains('-') && whole.folded.len() >= 5;
                self.ask(seen, whole.stem, false, identifier);
            }
        }
    }

    fn ask(&mut self, seen: &mut HashSet<String>, stem: String, stopword: bool, identifier: bool) {
        if self.words.len() < CONSIDERED_MAX && seen.insert(stem.clone()) {
            self.words.push(Asked {
                stem,
                stopword,
                identifier,
            });
        }
    }

    /// `deploy*`: takes the last part of the run as the beginning of a word.
    fn prefix(&mut self, piece: &str, run: &Run) -> bool {
        let Some(last) = run.parts.last() else {
            return false;
        };
        let starred = piece[last.span.end..].starts_with('*');
        if starred {
            let whole = run.whole.as_ref().unwrap_or(last);
            self.prefixes.push(whole.folded.clone());
            self.prefixes.truncate(QUERY_PHRASES_MAX);
        }
        starred
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_stars_and_small_words() {
        let parsed = Parsed::of(r#"where is "token refresh" in getUserById deploy* ""#);
        assert_eq!(parsed.phrases, [["token", "refresh"]]);
        assert_eq!(parsed.prefixes, ["deploy"]);
        let stop: Vec<_> = parsed.words.iter().filter(|it| it.stopword).collect();
        assert_eq!(stop.len(), 4, "where, is, in, by");
        assert!(
            parsed
                .words
                .iter()
                .any(|it| it.identifier && it.stem.starts_with("getuser"))
        );
        assert!(!Parsed::of("to be").words[0].stopword);
        assert!(Parsed::of("\" * ( ) -").is_empty());
    }
}
