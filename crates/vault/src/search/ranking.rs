//! What a word is worth, by where it stands.

/// Weights of a search. The default was chosen on manual pages; see `docs/vault.md`.
#[derive(Clone, Debug, PartialEq)]
pub struct Ranking {
    pub title: f64,
    pub headings: f64,
    pub aliases: f64,
    pub tags: f64,
    /// The first words of a note.
    pub lead: f64,
    pub text: f64,
    /// Identifiers as a whole.
    pub identifiers: f64,
    /// Whether two words that stand together in the query count again where they stand together
    /// in a note.
    pub pairs: bool,
    /// About how many notes are ranked: those that have one of the query's rarest words.
    pub rows: u64,
    /// Words that rank, the rarest first: until so many places in notes are to be looked at. A
    /// frequent word takes long, and says little.
    pub places: u64,
    /// Whether each word counts twice, so that a pair of them counts half as much as a word.
    pub twice: bool,
    /// How much a note of today is worth more than one of long ago: a tie-breaker.
    pub recency: f64,
}

impl Default for Ranking {
    fn default() -> Ranking {
        Ranking {
            title: 4.0,
            headings: 2.0,
            aliases: 6.0,
            tags: 4.0,
            lead: 4.0,
            text: 1.0,
            identifiers: 2.0,
            pairs: true,
            rows: 2_000,
            places: u64::MAX,
            twice: true,
            recency: 0.02,
        }
    }
}

/// After this long, half of what recency is worth is gone.
const HALF_LIFE_MS: f64 = 90.0 * 24.0 * 3_600_000.0;

impl Ranking {
    /// Weights for what is brought in unasked: it is looked at closely afterwards, so finding the
    /// candidates fast is worth more than their order.
    pub(crate) fn for_recall() -> Ranking {
        Ranking {
            pairs: false,
            twice: false,
            rows: 500,
            places: 4_000,
            ..Ranking::default()
        }
    }

    /// The factor by which the age of a note changes its score: 1 and a little.
    pub(super) fn recency_of(&self, age_ms: i64) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "an age needs no precision")]
        let age = age_ms.max(0) as f64;
        1.0 + self.recency * (-age / HALF_LIFE_MS).exp2()
    }

    /// The weights in the order of the columns.
    pub(super) fn columns(&self) -> [f64; 7] {
        [
            self.title,
            self.headings,
            self.aliases,
            self.tags,
            self.lead,
            self.text,
            self.identifiers,
        ]
    }
}

/// How much it says that a word is there, of which so many of the notes speak.
pub(crate) fn rarity(notes: u64, with_it: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a weight needs no precision")]
    let (notes, with_it) = (notes as f64, with_it as f64);
    (1.0 + (notes - with_it + 0.5).max(0.5) / (with_it + 0.5)).ln()
}
