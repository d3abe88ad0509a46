//! What else could find a page: FTS5 as it comes, and counting with ripgrep.

use std::{collections::HashMap, path::Path, path::PathBuf, process::Command};

use rusqlite::{Connection, params};

use super::{pages::Pages, tools};

/// How many answers are looked at.
pub(super) const DEPTH: usize = 10;

/// Anything that answers a question with page numbers, best first.
pub(super) trait Rival {
    fn answer(&mut self, question: &str) -> Result<Vec<usize>, String>;
}

/// FTS5 on the text, every word of the question OR-ed, ranked by BM25.
pub(super) struct PlainIndex(Connection);

impl PlainIndex {
    pub(super) fn of(pages: &Pages, tokenizer: &str) -> Result<PlainIndex, String> {
        let fill = || {
            let mut connection = Connection::open_in_memory()?;
            connection.execute_batch(&format!(
                "CREATE VIRTUAL TABLE page USING fts5 (text, tokenize = '{tokenizer}')"
            ))?;
            let all = connection.transaction()?;
            for (number, page) in pages.iter().enumerate() {
                let number = i64::try_from(number).unwrap_or(0);
                let insert = "INSERT INTO page (rowid, text) VALUES (?1, ?2)";
                all.prepare_cached(insert)?
                    .execute(params![number, page.text])?;
            }
            all.commit()?;
            Ok::<_, rusqlite::Error>(connection)
        };
        fill().map(PlainIndex).map_err(|it| it.to_string())
    }
}

impl Rival for PlainIndex {
    fn answer(&mut self, question: &str) -> Result<Vec<usize>, String> {
        let words = words(question);
        let words: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
        let ask = || {
            let select = "SELECT rowid FROM page WHERE page MATCH ?1 ORDER BY rank LIMIT ?2";
            let mut select = self.0.prepare_cached(select)?;
            let depth = i64::try_from(DEPTH).unwrap_or(10);
            let rows = select.query_map(params![words.join(" OR "), depth], |row| {
                row.get::<_, i64>(0)
            })?;
            rows.map(|row| Ok(usize::try_from(row?).unwrap_or(0)))
                .collect::<Result<_, _>>()
        };
        ask().map_err(|it: rusqlite::Error| it.to_string())
    }
}

/// Pages by how often any word of the question stands in them.
pub(super) struct Counting {
    ripgrep: PathBuf,
    folder: PathBuf,
    numbers: HashMap<String, usize>,
}

impl Counting {
    pub(super) fn of(pages: &Pages, folder: &Path) -> Result<Counting, String> {
        let numbers = pages.iter().enumerate();
        Ok(Counting {
            ripgrep: tools::program("rg", "ripgrep")?,
            folder: folder.to_owned(),
            numbers: numbers
                .map(|(number, page)| (page.name.clone(), number))
                .collect(),
        })
    }
}

impl Rival for Counting {
    fn answer(&mut self, question: &str) -> Result<Vec<usize>, String> {
        let counted = ripgrep(&self.ripgrep, &self.folder, question)
            .output()
            .map_err(|it| it.to_string())?;
        let counted = String::from_utf8_lossy(&counted.stdout);
        let mut counts: Vec<(usize, usize)> = counted
            .lines()
            .filter_map(|line| {
                let (path, count) = line.rsplit_once(':')?;
                let name = Path::new(path).file_stem()?.to_str()?;
                Some((count.parse().ok()?, *self.numbers.get(name)?))
            })
            .collect();
        counts.sort_by_key(|(count, number)| (std::cmp::Reverse(*count), *number));
        Ok(counts
            .into_iter()
            .take(DEPTH)
            .map(|(_, number)| number)
            .collect())
    }
}

/// Counts the matches of the words, as words, in any case, file by file.
pub(super) fn ripgrep(program: &Path, folder: &Path, question: &str) -> Command {
    let mut command = Command::new(program);
    command.args([
        "--count-matches",
        "--ignore-case",
        "--word-regexp",
        "--fixed-strings",
    ]);
    for word in words(question) {
        command.args(["-e", &word]);
    }
    command.arg(folder).env_remove("RIPGREP_CONFIG_PATH");
    command
}

fn words(question: &str) -> Vec<String> {
    let words = question.split(|c: char| !c.is_alphanumeric());
    words
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}
