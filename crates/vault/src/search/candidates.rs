//! From a query's words to notes, by the index.

use std::{collections::HashMap, path::PathBuf};

use rusqlite::{Connection, OptionalExtension, Row, params_from_iter, types::Value};

use super::{
    Answer, Counts, Met, Snippet, Wanted,
    query::Parsed,
    ranking::{Ranking, rarity},
};
use crate::{
    limits::{PREFIX_WORDS_MAX, QUERY_WORDS_MAX, SNIPPET_BYTES_MAX},
    vaults::Reach,
};

/// One search, with all that it depends on.
pub(crate) struct Search<'a> {
    pub(crate) ranking: &'a Ranking,
    pub(crate) reach: &'a Reach,
    pub(crate) tags: &'a [String],
    pub(crate) now_ms: i64,
    /// Notes in the index.
    pub(crate) notes: u64,
}

/// What is looked for, once the index has said how rare it is.
#[derive(Debug, Default)]
pub(crate) struct Sought {
    pub(crate) words: Vec<Rated>,
    phrases: Vec<Vec<String>>,
    /// One list of stems for each prefix.
    prefixes: Vec<Vec<String>>,
    pairs: Vec<(String, String)>,
    /// How many of the known words, the rarest, of which a note must have one. The others only
    /// rank. 0: all words are alike.
    required: usize,
    /// How many of the known words rank at all.
    ranking: usize,
}

/// A word and what it says about a note that has it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Rated {
    pub(crate) stem: String,
    pub(crate) rarity: f64,
    pub(crate) identifier: bool,
    /// Notes that have it.
    pub(crate) notes: u64,
}

/// A note that may answer.
#[derive(Clone, Debug)]
pub(crate) struct Candidate {
    pub(crate) id: i64,
    pub(crate) folder: String,
    pub(crate) in_vault: String,
    pub(crate) title: String,
    pub(crate) tags: String,
    pub(crate) modified_ms: i64,
    pub(crate) unreviewed: bool,
    pub(crate) hash: [u8; 32],
    pub(crate) inject: bool,
    pub(crate) score: f64,
}

impl Candidate {
    pub(crate) fn path(&self) -> PathBuf {
        PathBuf::from(&self.folder).join(&self.in_vault)
    }
}

impl Search<'_> {
    /// Chooses the words that tell notes apart.
    pub(crate) fn seek(
        &self,
        connection: &Connection,
        counts: &mut Counts,
        parsed: &Parsed,
    ) -> rusqlite::Result<Sought> {
        let mut words = Vec::new();
        for word in parsed.words.iter().filter(|word| !word.stopword) {
            let notes = counts.notes_with(connection, &word.stem)?;
            words.push(Rated {
                stem: word.stem.clone(),
                rarity: rarity(self.notes, notes),
                identifier: word.identifier,
                notes,
            });
        }
        let pairs = parsed.pairs.clone();
        let mut sought = Sought {
            words,
            phrases: parsed.phrases.clone(),
            prefixes: Vec::new(),
            pairs,
            required: 0,
            ranking: 0,
        };
        for prefix in &parsed.prefixes {
            sought.prefixes.push(stems_of(connection, prefix)?);
        }
        self.choose(&mut sought);
        Ok(sought)
    }

    /// Rare words first, and not too many.
    fn choose(&self, sought: &mut Sought) {
        let words = &mut sought.words;
        // Stable: of two equally rare ones, the first in the query.
        words.sort_by_key(|word| word.notes);
        let unknown = words.iter().take_while(|word| word.notes == 0).count();
        words.truncate(unknown + QUERY_WORDS_MAX);
        let mut rows = 0;
        let rare = words[unknown.min(words.len())..].iter().take_while(|word| {
            rows += word.notes;
            rows <= self.ranking.rows
        });
        let rare = rare.count().max(2);
        sought.required = if unknown + rare < words.len() {
            rare
        } else {
            0
        };
        let mut places: u64 = 0;
        let known = words[unknown.min(words.len())..].iter();
        let ranking = known.take_while(|word| {
            places = places.saturating_add(word.notes);
            places <= self.ranking.places
        });
        sought.ranking = ranking.count().max(rare);
        let kept = |stem: &String| words.iter().any(|it| it.stem == *stem && it.notes > 0);
        sought.pairs.retain(|(one, two)| kept(one) && kept(two));
        sought.pairs.truncate(QUERY_WORDS_MAX);
    }

    /// The best notes, best first.
    pub(crate) fn candidates(
        &self,
        connection: &Connection,
        sought: &Sought,
        limit: usize,
    ) -> rusqlite::Result<Vec<Candidate>> {
        // Some more than asked for: recency may change their order.
        let more = limit + 10;
        let mut found = if sought.is_empty() {
            self.newest(connection, more)?
        } else {
            self.highest(connection, self.scores(connection, sought)?, more)?
        };
        for candidate in &mut found {
            let age = self.now_ms.saturating_sub(candidate.modified_ms);
            candidate.score *= self.ranking.recency_of(age);
        }
        found.sort_by(|a, b| b.score.total_cmp(&a.score));
        found.truncate(limit);
        Ok(found)
    }

    /// Every note that may answer with what its words are worth, by number.
    fn scores(
        &self,
        connection: &Connection,
        sought: &Sought,
    ) -> rusqlite::Result<HashMap<i64, f64>> {
        let mut scores = HashMap::new();
        let Some(expression) = sought.expression() else {
            return Ok(scores);
        };
        // A pair counts half as much as a word.
        let worth = if self.ranking.twice { 2.0 } else { 1.0 };
        self.rank(connection, expression, |note, score| {
            scores.insert(note, worth * score);
        })?;
        if self.ranking.pairs
            && let Some(pairs) = sought.pairs()
        {
            self.rank(connection, pairs, |note, score| {
                if let Some(known) = scores.get_mut(&note) {
                    *known += score;
                }
            })?;
        }
        Ok(scores)
    }

    /// BM25 of every note that an expression of FTS5 matches.
    fn rank(
        &self,
        connection: &Connection,
        expression: String,
        mut each: impl FnMut(i64, f64),
    ) -> rusqlite::Result<()> {
        let weights = self.ranking.columns().map(|it| format!("{it:.4}"));
        let mut statement = connection.prepare_cached(&format!(
            "SELECT rowid, -bm25(words, {}) FROM words WHERE words MATCH ?1",
            weights.join(", ")
        ))?;
        let mut rows = statement.query([expression])?;
        while let Some(row) = rows.next()? {
            each(row.get(0)?, row.get(1)?);
        }
        Ok(())
    }

    /// The notes with the highest scores among those that may be seen.
    fn highest(
        &self,
        connection: &Connection,
        scores: HashMap<i64, f64>,
        limit: usize,
    ) -> rusqlite::Result<Vec<Candidate>> {
        let mut scores: Vec<(i64, f64)> = scores.into_iter().collect();
        scores.sort_unstable_by(|one, two| two.1.total_cmp(&one.1).then(two.0.cmp(&one.0)));
        let mut values = Vec::new();
        let one = format!("note.id = ?{}", put(&mut values, String::new()));
        let conditions = self.conditions(&mut values);
        let sql = format!("{CANDIDATE} WHERE {one}{conditions}");
        let mut statement = connection.prepare_cached(&sql)?;
        let mut found = Vec::new();
        for (note, score) in scores {
            if found.len() >= limit {
                break;
            }
            values[0] = Value::Integer(note);
            let row = statement.query_row(params_from_iter(&values), |row| candidate(row, score));
            found.extend(row.optional()?);
        }
        Ok(found)
    }

    /// Without a word, the newest.
    fn newest(&self, connection: &Connection, limit: usize) -> rusqlite::Result<Vec<Candidate>> {
        let mut values = Vec::new();
        let conditions = self.conditions(&mut values);
        let sql =
            format!("{CANDIDATE} WHERE 1{conditions} ORDER BY note.modified_ns DESC LIMIT {limit}");
        let mut statement = connection.prepare_cached(&sql)?;
        let rows = statement.query_map(params_from_iter(values), |row| candidate(row, 1.0))?;
        rows.collect()
    }

    /// What a note must be besides, as conditions of SQL.
    fn conditions(&self, values: &mut Vec<Value>) -> String {
        let mut conditions = String::new();
        if let Some(reachable) = reachable(self.reach, values) {
            conditions.push_str(&format!(" AND {reachable}"));
        }
        for tag in self.tags {
            let tag = tag.trim_start_matches('#').to_lowercase();
            conditions.push_str(&format!(
                " AND note.id IN (SELECT note FROM tag WHERE tag = ?{})",
                put(values, tag)
            ));
        }
        conditions
    }

    /// A candidate with the part of it that answers.
    pub(crate) fn answer(
        &self,
        connection: &Connection,
        sought: &Sought,
        candidate: Candidate,
    ) -> rusqlite::Result<Answer> {
        let wanted = sought.wanted();
        let best = best_section(connection, &wanted, candidate.id)?;
        Ok(Answer {
            path: candidate.path(),
            in_vault: PathBuf::from(candidate.in_vault),
            title: candidate.title,
            heading: best.heading.clone(),
            snippet: best.snippet(&wanted, SNIPPET_BYTES_MAX),
            tags: list_of(&candidate.tags),
            modified_ms: candidate.modified_ms,
            score: candidate.score,
            reviewed: !candidate.unreviewed,
        })
    }
}

impl Sought {
    fn is_empty(&self) -> bool {
        self.words.is_empty() && self.phrases.is_empty() && self.prefixes.is_empty()
    }

    /// The words with what they are worth, for the closer look.
    pub(crate) fn wanted(&self) -> Wanted<'_> {
        let words = self.words.iter().map(|it| (it.stem.as_str(), it.rarity));
        let more = self.phrases.iter().chain(&self.prefixes).flatten();
        Wanted::new(words.chain(more.map(|stem| (stem.as_str(), 2.0))))
    }

    /// The expression of FTS5. Every word in it is quoted, so none is syntax.
    fn expression(&self) -> Option<String> {
        let known = self.words.iter().filter(|word| word.notes > 0);
        let known = known.take(self.ranking);
        let mut optional: Vec<String> = known.map(|word| quoted([&word.stem])).collect();
        let rare = optional[..self.required].join(" OR ");
        for stems in &self.prefixes {
            optional.extend(stems.iter().map(|stem| quoted([stem])));
        }
        let required: Vec<String> = self.phrases.iter().map(quoted).collect();
        let required = required.join(" AND ");
        let optional = optional.join(" OR ");
        match (required.is_empty(), optional.is_empty()) {
            (true, true) => None,
            (true, false) if self.required > 0 && self.prefixes.is_empty() => {
                Some(format!("({rare}) AND ({optional})"))
            }
            (true, false) => Some(optional),
            (false, true) => Some(required),
            // The others only rank what has the phrases.
            (false, false) => Some(format!("({required}) AND (({required}) OR {optional})")),
        }
    }

    fn pairs(&self) -> Option<String> {
        let pairs = self.pairs.iter().map(|(one, two)| quoted([one, two]));
        let pairs: Vec<String> = pairs.collect();
        (!pairs.is_empty()).then(|| pairs.join(" OR "))
    }
}

/// The best section of a note.
#[derive(Debug, Default)]
pub(crate) struct Best {
    pub(crate) heading: String,
    pub(crate) text: String,
    pub(crate) met: Met,
    /// What the words in the section and its heading are worth.
    pub(crate) weight: f64,
}

impl Best {
    pub(crate) fn snippet(&self, wanted: &Wanted<'_>, bytes_max: usize) -> Snippet {
        wanted.snippet(&self.text, &self.met.hits, bytes_max)
    }
}

const CANDIDATE: &str = "SELECT note.id, vault.folder, note.path, note.title, note.tags, \
     note.modified_ns, note.unreviewed, note.hash, note.inject \
     FROM note JOIN vault ON vault.id = note.vault";

/// Finds the section in which the words say most; the first of equals.
pub(crate) fn best_section(
    connection: &Connection,
    wanted: &Wanted<'_>,
    note: i64,
) -> rusqlite::Result<Best> {
    let sql = "SELECT heading, text FROM section WHERE note = ?1 ORDER BY id";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([note])?;
    let mut best: Option<Best> = None;
    while let Some(row) = rows.next()? {
        let heading = row.get_ref(0)?.as_str()?;
        let text = row.get_ref(1)?.as_str()?;
        let (above, met) = (wanted.meet(heading), wanted.meet(text));
        let new = above.words.iter().filter(|it| !met.words.contains(it));
        let weight = met.weight + new.map(|it| wanted.weight(*it)).sum::<f64>();
        // A word in the heading counts a half more; an empty section says nothing by itself.
        let rank = weight + above.weight / 2.0 - if text.is_empty() { 1.0 } else { 0.0 };
        if best.as_ref().is_none_or(|best| rank > best.weight + 1e-9) {
            best = Some(Best {
                heading: heading.to_owned(),
                text: text.to_owned(),
                met,
                weight: rank,
            });
        }
    }
    Ok(best.unwrap_or_default())
}

/// The stems of all words that begin so.
fn stems_of(connection: &Connection, prefix: &str) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection.prepare_cached(
        "SELECT DISTINCT stem FROM spelling WHERE folded >= ?1 AND folded < ?2 LIMIT ?3",
    )?;
    let after = format!("{prefix}\u{10FFFF}");
    let limit = i64::try_from(PREFIX_WORDS_MAX).unwrap_or(i64::MAX);
    let rows = statement.query_map(rusqlite::params![prefix, after, limit], |row| row.get(0))?;
    rows.collect()
}

/// Words in a row, as a string of FTS5.
fn quoted<'a>(stems: impl IntoIterator<Item = &'a String>) -> String {
    let stems: Vec<&str> = stems.into_iter().map(String::as_str).collect();
    // A stem has letters and digits only; were there a quote, it would be doubled.
    format!("\"{}\"", stems.join(" ").replace('"', "\"\""))
}

/// The condition for what may be seen, or none where everything may: see [`Reach`].
pub(crate) fn reachable(reach: &Reach, values: &mut Vec<Value>) -> Option<String> {
    let projects = reach.projects()?;
    let mut marks = |keys: &[String]| {
        let marks = keys
            .iter()
            .map(|key| format!("?{}", put(values, key.clone())));
        marks.collect::<Vec<_>>().join(", ")
    };
    let (vaults, unreviewed) = (marks(&projects.vaults), marks(&projects.unreviewed));
    Some(format!(
        "(vault.project IN ({vaults}) OR (vault.project IS NULL \
         AND (note.unreviewed = 0 OR note.project IN ({unreviewed}))))"
    ))
}

/// Adds a value; its number in the statement.
pub(crate) fn put(values: &mut Vec<Value>, value: String) -> usize {
    values.push(Value::Text(value));
    values.len()
}

fn candidate(row: &Row<'_>, score: f64) -> rusqlite::Result<Candidate> {
    Ok(Candidate {
        id: row.get(0)?,
        folder: row.get(1)?,
        in_vault: row.get(2)?,
        title: row.get(3)?,
        tags: row.get(4)?,
        modified_ms: row.get::<_, i64>(5)? / 1_000_000,
        unreviewed: row.get(6)?,
        hash: row.get(7)?,
        inject: row.get(8)?,
        score,
    })
}

pub(crate) fn list_of(json: &str) -> Vec<String> {
    serde_json::from_str(json).unwrap_or_default()
}
