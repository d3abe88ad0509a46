//! The part of a note that answers: its best section, and a few lines of that.

use std::ops::Range;

use crate::{
    escape,
    limits::SNIPPET_BYTES_MAX,
    words::{Finder, Hit},
};

/// A few lines of a note.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snippet {
    /// As it stands in the note, on one line.
    pub text: String,
    /// Where in the text the words are that were searched for, in bytes.
    pub matches: Vec<Range<usize>>,
}

/// Words that are looked for, and what each is worth.
pub(crate) struct Wanted<'a> {
    finder: Finder<'a>,
    weights: Vec<f64>,
}

/// What was found of them in a text.
#[derive(Debug, Default)]
pub(crate) struct Met {
    pub(crate) hits: Vec<Hit>,
    /// The sum of the weights, each word once.
    pub(crate) weight: f64,
    /// Which words, by their numbers.
    pub(crate) words: Vec<usize>,
}

impl<'a> Wanted<'a> {
    pub(crate) fn new(words: impl IntoIterator<Item = (&'a str, f64)>) -> Wanted<'a> {
        let (stems, weights): (Vec<&str>, Vec<f64>) = words.into_iter().unzip();
        Wanted {
            finder: Finder::new(stems),
            weights,
        }
    }

    pub(crate) fn meet(&self, text: &str) -> Met {
        let hits = self.finder.find(text);
        let mut words: Vec<usize> = hits.iter().map(|hit| hit.number).collect();
        words.sort_unstable();
        words.dedup();
        let weight = words.iter().map(|number| self.weights[*number]).sum();
        Met {
            hits,
            weight,
            words,
        }
    }

    pub(crate) fn weight(&self, number: usize) -> f64 {
        self.weights[number]
    }

    /// The stretch of a text that holds most of what was found there.
    pub(crate) fn snippet(&self, text: &str, hits: &[Hit], bytes_max: usize) -> Snippet {
        let stretch = self.stretch(text, hits, bytes_max.min(SNIPPET_BYTES_MAX));
        on_one_line(text, stretch, hits)
    }

    fn stretch(&self, text: &str, hits: &[Hit], bytes_max: usize) -> Range<usize> {
        // Room for what stands around the words.
        let room = bytes_max / 2;
        let mut best = (0.0, 0..0);
        let mut first = 0;
        for (last, hit) in hits.iter().enumerate() {
            while hit.span.end.saturating_sub(hits[first].span.start) > room && first < last {
                first += 1;
            }
            let inside = &hits[first..=last];
            let mut numbers: Vec<usize> = inside.iter().map(|hit| hit.number).collect();
            numbers.sort_unstable();
            numbers.dedup();
            let weight: f64 = numbers.iter().map(|it| self.weights[*it]).sum();
            if weight > best.0 + 1e-9 {
                best = (weight, inside[0].span.start..hit.span.end);
            }
        }
        widen(text, best.1, bytes_max)
    }
}

/// Widens a stretch to the limit: from the start of its sentence or line, if that is near.
fn widen(text: &str, found: Range<usize>, bytes_max: usize) -> Range<usize> {
    if text.len() <= bytes_max {
        return 0..text.len();
    }
    let spare = bytes_max.saturating_sub(found.len());
    let earliest = text.ceil_char_boundary(found.start.saturating_sub(spare / 2));
    let before = &text[earliest..found.start];
    let sentence = before
        .rfind(['\n'])
        .map(|at| at + 1)
        .or_else(|| before.rfind(". ").map(|at| at + 2));
    let word = || before.find(' ').map(|at| at + 1);
    let start = match sentence {
        Some(at) => earliest + at,
        None if earliest == 0 => 0,
        None => earliest + word().unwrap_or(0),
    };
    let latest = text.floor_char_boundary(start + bytes_max);
    let end = match text[..latest].rfind(char::is_whitespace) {
        Some(at) if latest < text.len() && at > found.end => at,
        _ => latest,
    };
    start..end.max(start)
}

/// Puts a stretch on one line, with the places of what was found there.
fn on_one_line(text: &str, stretch: Range<usize>, hits: &[Hit]) -> Snippet {
    let mut snippet = Snippet::default();
    let mut hits = hits
        .iter()
        .filter(|hit| hit.span.start >= stretch.start && hit.span.end <= stretch.end)
        .peekable();
    let mut open: Option<(usize, usize)> = None;
    let mut spaced = true;
    for (offset, c) in text[stretch.clone()].char_indices() {
        let at = stretch.start + offset;
        if let Some((start, end)) = open
            && at >= end
        {
            snippet.matches.push(start..snippet.text.len());
            open = None;
        }
        let space = c.is_whitespace();
        if space && spaced {
            continue;
        }
        if open.is_none()
            && let Some(hit) = hits.next_if(|hit| hit.span.start <= at)
        {
            open = Some((snippet.text.len(), hit.span.end));
        }
        snippet.text.push(if space { ' ' } else { c });
        spaced = space;
    }
    if let Some((start, _)) = open {
        snippet.matches.push(start..snippet.text.len());
    }
    let end = snippet.text.trim_end().len();
    snippet.text.truncate(end);
    snippet.matches.retain(|it| it.end <= end);
    debug_assert_eq!(escape::cut(&snippet.text, end), snippet.text);
    snippet
}
