//! What is brought in unasked: at the start of a session, and when a prompt touches what a note
//! knows.
//!
//! A note is brought in only where words that say something stand close together in it, or in its
//! names. In a vault of three notes every word is rare, so how much a word says comes from an
//! imagined larger vault, in which the everyday words of prompts are everywhere.

use std::path::PathBuf;

use rusqlite::Connection;

use crate::{
    error::Error,
    frame::{self, Nonce, Quoted},
    limits::{BYTES_PER_TOKEN, RECALLED_MAX, SNIPPET_BYTES_MAX},
    search::{
        Best, Candidate, Parsed, Ranking, Search, Searcher, Sought, Wanted, best_section, list_of,
    },
    vaults::Reach,
};

mod everyday;
mod opening;

pub use opening::Opening;

/// A prompt, and what its session has been given already.
#[derive(Clone, Debug)]
pub struct Prompt<'a> {
    pub text: &'a str,
    pub reach: &'a Reach,
    /// What was brought in before and is still in the session's context.
    pub seen: &'a [Seen],
    /// Most tokens that may be brought in now, frame and all; of four bytes each, which is an
    /// estimate.
    pub tokens_max: usize,
    /// Wall clock, in milliseconds since 1970.
    pub now_ms: i64,
}

/// A note as it was when it was brought in. Once it has changed, it may come again.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Seen {
    pub path: PathBuf,
    /// Of its whole content.
    pub hash: [u8; 32],
}

/// What is brought in.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Recalled {
    /// The framed text; empty where there is nothing to say.
    pub text: String,
    pub notes: Vec<Brought>,
}

/// A note that is in the text, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct Brought {
    pub seen: Seen,
    pub heading: String,
    /// The stems of the words for which it was chosen; none at the start of a session.
    pub words: Vec<String>,
    /// What these words say, as far as it counts towards the threshold.
    pub weight: f64,
    pub reviewed: bool,
}

impl Recalled {
    /// How much it takes, by the estimate of four bytes a token.
    #[must_use]
    pub fn tokens(&self) -> usize {
        self.text.len().div_ceil(BYTES_PER_TOKEN)
    }
}

/// How much must be in common between a prompt and a note.
struct Threshold {
    /// Two words that are not everyday, or an identifier and a little.
    weight_min: f64,
    /// No more than this is asked of a long prompt.
    weight_max: f64,
    /// Between them, this share of what the prompt's words say.
    share: f64,
    /// Different words, of which an identifier as a whole is two.
    words: usize,
}

const THRESHOLD: Threshold = Threshold {
    weight_min: 10.0,
    weight_max: 26.0,
    share: 0.3,
    words: 2,
};

/// Notes of the imagined vault, besides those that are there.
const IMAGINED: f64 = 1_000.0;
/// In how many of them an everyday word stands.
const EVERYDAY: f64 = 250.0;
/// Candidates that are asked for.
const CANDIDATES: usize = 24;
/// Of those that may come in, how many are read: that takes most of the time.
const READ_MAX: usize = 8;
/// Longest snippet that is brought in.
const BYTES_MAX: usize = 320;

/// A candidate that is worth it.
struct Chosen {
    candidate: Candidate,
    best: Best,
    words: Vec<usize>,
    weight: f64,
}

impl Searcher {
    /// What a prompt brings in, in a frame of its own. Nothing relevant: nothing.
    ///
    /// # Errors
    ///
    /// If the index cannot be read, or the system has no random number for the frame.
    pub fn recall(&mut self, prompt: &Prompt<'_>) -> Result<Recalled, Error> {
        let parsed = Parsed::of(prompt.text);
        let what = "notes that may bear on this prompt";
        let budget = prompt.tokens_max * BYTES_PER_TOKEN;
        if parsed.is_empty() || budget <= frame::bytes_around(what) {
            return Ok(Recalled::default());
        }
        self.refresh()?;
        let ranking = Ranking::for_recall();
        let (handle, counts) = self.parts();
        let (sought, chosen, weights) = handle.read(|connection| {
            counts.refresh(connection)?;
            let search = Search {
                ranking: &ranking,
                reach: prompt.reach,
                tags: &[],
                now_ms: prompt.now_ms,
                notes: counts.notes(),
            };
            // What stands in quotes in a prompt need not stand in a note.
            let sought = search.seek(connection, counts, &parsed.without_phrases())?;
            let weights = weights(&sought, search.notes);
            let chosen = choose(connection, &search, &sought, &weights, prompt)?;
            Ok((sought, chosen, weights))
        })?;
        let wanted = wanted(&sought, &weights);
        let mut left = budget - frame::bytes_around(what);
        let (mut pieces, mut brought) = (Vec::new(), Vec::new());
        for chosen in chosen {
            let piece = piece(&chosen, &wanted, left);
            let bytes = frame::bytes_of(&piece);
            if bytes > left || piece.text.is_empty() || pieces.len() >= RECALLED_MAX {
                continue;
            }
            left -= bytes;
            pieces.push(piece);
            brought.push(told(chosen, &sought));
        }
        if pieces.is_empty() {
            return Ok(Recalled::default());
        }
        Ok(Recalled {
            text: frame::frame(Nonce::draw()?, what, &pieces),
            notes: brought,
        })
    }
}

/// The candidates above the threshold, the most telling first.
fn choose(
    connection: &Connection,
    search: &Search<'_>,
    sought: &Sought,
    weights: &[f64],
    prompt: &Prompt<'_>,
) -> rusqlite::Result<Vec<Chosen>> {
    let wanted = wanted(sought, weights);
    let all: f64 = weights.iter().sum();
    let needed = (THRESHOLD.share * all).clamp(THRESHOLD.weight_min, THRESHOLD.weight_max);
    let mut chosen = Vec::new();
    // Words that stand in no note cannot be in common.
    let known = sought.words.iter().zip(weights);
    let most: f64 = known
        .filter(|(word, _)| word.notes > 0)
        .map(|it| it.1)
        .sum();
    if most < needed {
        return Ok(chosen);
    }
    let may_come = |candidate: &Candidate| {
        let is_it = |seen: &Seen| seen.hash == candidate.hash && seen.path == candidate.path();
        candidate.inject && !prompt.seen.iter().any(is_it)
    };
    let found = search.candidates(connection, sought, CANDIDATES)?;
    for candidate in found.into_iter().filter(may_come).take(READ_MAX) {
        let best = best_section(connection, &wanted, candidate.id)?;
        let words = close_together(&wanted, &candidate, &best);
        let weight: f64 = words.iter().map(|it| weights[*it]).sum();
        let identifiers = words
            .iter()
            .filter(|it| sought.words[**it].identifier)
            .count();
        if weight >= needed && words.len() + identifiers >= THRESHOLD.words {
            chosen.push(Chosen {
                candidate,
                best,
                words,
                weight,
            });
        }
    }
    chosen.sort_by(|a, b| b.weight.total_cmp(&a.weight));
    Ok(chosen)
}

/// The words that stand in one snippet of the section, in its heading, or in the note's names.
fn close_together(wanted: &Wanted<'_>, candidate: &Candidate, best: &Best) -> Vec<usize> {
    let snippet = best.snippet(wanted, BYTES_MAX);
    let names = format!(
        "{}\n{}\n{}",
        candidate.title,
        best.heading,
        list_of(&candidate.tags).join(" ")
    );
    let mut words = wanted.meet(&snippet.text).words;
    words.extend(wanted.meet(&names).words);
    words.sort_unstable();
    words.dedup();
    words
}

fn piece(chosen: &Chosen, wanted: &Wanted<'_>, bytes_left: usize) -> Quoted {
    let mut piece = Quoted {
        path: chosen.candidate.path().to_string_lossy().into_owned(),
        heading: chosen.best.heading.clone(),
        text: String::new(),
        reviewed: !chosen.candidate.unreviewed,
    };
    let around = frame::bytes_of(&piece);
    let room = bytes_left
        .saturating_sub(around)
        .min(BYTES_MAX)
        .min(SNIPPET_BYTES_MAX);
    if room >= 40 {
        piece.text = chosen.best.snippet(wanted, room).text;
    }
    piece
}

fn told(chosen: Chosen, sought: &Sought) -> Brought {
    let stem = |number: &usize| sought.words[*number].stem.clone();
    Brought {
        words: chosen.words.iter().map(stem).collect(),
        seen: Seen {
            path: chosen.candidate.path(),
            hash: chosen.candidate.hash,
        },
        heading: chosen.best.heading,
        weight: chosen.weight,
        reviewed: !chosen.candidate.unreviewed,
    }
}

/// What each word says, in the imagined vault.
fn weights(sought: &Sought, notes: u64) -> Vec<f64> {
    #[expect(clippy::cast_precision_loss, reason = "a weight needs no precision")]
    let count = |notes: u64| notes as f64;
    let weigh = |word: &crate::search::Rated| {
        let everyday = everyday::is_everyday(&word.stem);
        let with_it = count(word.notes) + if everyday { EVERYDAY } else { 1.0 };
        let all = count(notes) + IMAGINED;
        let rarity = (all / with_it).ln().max(0.0);
        // An identifier was written for one thing only.
        if word.identifier {
            rarity * 1.5
        } else {
            rarity
        }
    };
    sought.words.iter().map(weigh).collect()
}

fn wanted<'a>(sought: &'a Sought, weights: &[f64]) -> Wanted<'a> {
    let stems = sought.words.iter().map(|word| word.stem.as_str());
    Wanted::new(stems.zip(weights.iter().copied()))
}
