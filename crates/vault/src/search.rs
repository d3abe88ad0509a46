//! Searching: which notes, in which order, and the part of each that answers.

use std::path::{Path, PathBuf};

use crate::{error::Error, index::Handle, limits::ANSWERS_MAX, vaults::Reach};

mod candidates;
mod counts;
mod list;
mod query;
mod ranking;
mod snippet;
mod stopwords;

pub(crate) use candidates::{
    Best, Candidate, Rated, Search, Sought, best_section, list_of, reachable,
};
pub(crate) use counts::Counts;
pub use list::{Listed, Listing, Skipped};
pub(crate) use query::Parsed;
pub use ranking::Ranking;
pub use snippet::Snippet;
pub(crate) use snippet::{Met, Wanted};

/// A question to the vaults.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// Words, `"quoted phrases"` that must stand in the note, beginnings (`deploy*`). Any text is
    /// a query: what means nothing is not searched for.
    pub text: String,
    /// Only notes with all of these tags. `a` finds `a/b` too.
    pub tags: Vec<String>,
    /// Most answers; at most [`ANSWERS_MAX`].
    pub limit: usize,
}

/// A note that answers.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// Where it is, for an agent's own file tool.
    pub path: PathBuf,
    /// The same within its vault.
    pub in_vault: PathBuf,
    pub title: String,
    /// The heading of the best section; empty before the first one.
    pub heading: String,
    pub snippet: Snippet,
    pub tags: Vec<String>,
    /// When the note was last changed, in milliseconds since 1970.
    pub modified_ms: i64,
    /// Higher is better; comparable within one search only.
    pub score: f64,
    /// A person wrote the note, or has looked at what an agent wrote.
    pub reviewed: bool,
}

impl Answer {
    /// How long ago the note was changed.
    #[must_use]
    pub fn age_ms(&self, now_ms: i64) -> i64 {
        now_ms.saturating_sub(self.modified_ms).max(0)
    }
}

/// A reader of the index. It may be used while the index is being written, and is `Send`: each
/// thread has its own.
#[derive(Debug)]
pub struct Searcher {
    handle: Handle,
    ranking: Ranking,
    counts: Counts,
}

impl Searcher {
    /// Opens the index that an [`Index`](crate::Index) has made.
    ///
    /// # Errors
    ///
    /// If there is none, or it cannot be read.
    pub fn open(path: &Path) -> Result<Searcher, Error> {
        Ok(Searcher {
            handle: Handle::read_only(path)?,
            ranking: Ranking::default(),
            counts: Counts::default(),
        })
    }

    /// Searches with other weights: for those who measure.
    pub fn set_ranking(&mut self, ranking: Ranking) {
        self.ranking = ranking;
    }

    /// The notes that answer best, best first. `now_ms` is the wall clock.
    ///
    /// # Errors
    ///
    /// If the index cannot be read. No query is an error.
    pub fn search(
        &mut self,
        query: &Query,
        reach: &Reach,
        now_ms: i64,
    ) -> Result<Vec<Answer>, Error> {
        let limit = query.limit.min(ANSWERS_MAX);
        let parsed = Parsed::of(&query.text);
        if limit == 0 || (parsed.is_empty() && query.tags.is_empty()) {
            return Ok(Vec::new());
        }
        self.refresh()?;
        let Searcher {
            handle,
            ranking,
            counts,
        } = self;
        handle.read(|connection| {
            counts.refresh(connection)?;
            let search = Search {
                ranking,
                reach,
                tags: &query.tags,
                now_ms,
                notes: counts.notes(),
            };
            let sought = search.seek(connection, counts, &parsed)?;
            let found = search.candidates(connection, &sought, limit)?;
            found
                .into_iter()
                .map(|candidate| search.answer(connection, &sought, candidate))
                .collect()
        })
    }

    /// The index may have been made anew since it was opened.
    pub(crate) fn refresh(&mut self) -> Result<(), Error> {
        if !self.handle.is_current() {
            self.handle = Handle::read_only(self.handle.path())?;
            self.counts = Counts::default();
        }
        Ok(())
    }

    pub(crate) fn handle(&self) -> &Handle {
        &self.handle
    }

    /// The index, and what is known of its words.
    pub(crate) fn parts(&mut self) -> (&Handle, &mut Counts) {
        (&self.handle, &mut self.counts)
    }
}
