//! The rows of one note, written and forgotten.

use std::{
    collections::{HashMap, HashSet},
    path::{Path, PathBuf},
};

use rusqlite::{Transaction, params};
use sha2::{Digest, Sha256};

use crate::{
    escape,
    limits::NAME_BYTES_MAX,
    note::{Note, Section},
    place::Stamp,
    words::{self, Word},
};

/// The first words of a note say what it is about: they have a column of their own.
const LEAD_WORDS: usize = 60;
/// Words that are remembered within one scan as kept already.
const SPELLED_MAX: usize = 200_000;
/// Most that is told of why a file was left out.
const LEFT_OUT_MAX: usize = 1_000;

/// Writes the rows of one transaction.
pub(super) struct Rows<'a> {
    transaction: &'a Transaction<'a>,
    /// Words that are known to be kept already.
    spelled: &'a mut HashSet<String>,
}

pub(super) fn hash(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

impl<'a> Rows<'a> {
    pub(super) fn new(
        transaction: &'a Transaction<'a>,
        spelled: &'a mut HashSet<String>,
    ) -> Rows<'a> {
        Rows {
            transaction,
            spelled,
        }
    }

    pub(super) fn insert(
        &mut self,
        vault: i64,
        path: &Path,
        text: &str,
        stamp: Stamp,
        racy: bool,
        hash: &[u8; 32],
    ) -> rusqlite::Result<()> {
        let note = Note::parse(path, text);
        let id = self.insert_note(vault, path, &note, stamp, racy, hash)?;
        let mut section = self.transaction.prepare_cached(
            "INSERT INTO section (note, heading, level, text) VALUES (?1, ?2, ?3, ?4)",
        )?;
        for it in &note.sections {
            section.execute(params![id, it.heading, it.level, it.text])?;
        }
        let mut tag = self
            .transaction
            .prepare_cached("INSERT OR IGNORE INTO tag (tag, note) VALUES (?1, ?2)")?;
        for name in note.tags.iter().flat_map(|tag| with_those_above(tag)) {
            tag.execute(params![name, id])?;
        }
        let columns = Columns::of(&note);
        self.spell(&columns.spellings)?;
        let mut words = self.transaction.prepare_cached(
            "INSERT INTO words (rowid, title, headings, aliases, tags, lead, text, identifiers) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?;
        words.execute(params![
            id,
            columns.title,
            columns.headings,
            columns.aliases,
            columns.tags,
            columns.lead,
            columns.text,
            columns.identifiers
        ])?;
        Ok(())
    }

    fn insert_note(
        &mut self,
        vault: i64,
        path: &Path,
        note: &Note,
        stamp: Stamp,
        racy: bool,
        hash: &[u8; 32],
    ) -> rusqlite::Result<i64> {
        let list = |names: &[String]| serde_json::Value::from(names).to_string();
        let mut insert = self.transaction.prepare_cached(
            "INSERT INTO note (vault, path, bytes, modified_ns, racy, hash, title, aliases, tags, \
             pinned, inject, unreviewed, project, remark) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
        )?;
        insert.insert(params![
            vault,
            path.to_str(),
            stamp.bytes.cast_signed(),
            stamp.modified_ns,
            racy,
            hash,
            note.title,
            list(&note.aliases),
            list(&note.tags),
            note.pinned,
            note.inject,
            note.written.unreviewed,
            note.written.project,
            note.remark,
        ])
    }

    /// The same content with another time.
    pub(super) fn touch(&mut self, id: i64, stamp: Stamp, racy: bool) -> rusqlite::Result<()> {
        self.transaction
            .prepare_cached(
                "UPDATE note SET bytes = ?2, modified_ns = ?3, racy = ?4 WHERE id = ?1",
            )?
            .execute(params![
                id,
                stamp.bytes.cast_signed(),
                stamp.modified_ns,
                racy
            ])
            .map(drop)
    }

    /// A file that is no note.
    pub(super) fn skip(
        &mut self,
        vault: i64,
        path: &str,
        stamp: Stamp,
        why: &str,
    ) -> rusqlite::Result<()> {
        self.transaction
            .prepare_cached(
                "INSERT INTO skipped (vault, path, bytes, modified_ns, why) \
                 VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute(params![
                vault,
                path,
                stamp.bytes.cast_signed(),
                stamp.modified_ns,
                escape::cut(why, NAME_BYTES_MAX)
            ])
            .map(drop)
    }

    /// What the walk left out, in the place of what it left out before.
    pub(super) fn left_out(
        &mut self,
        vault: i64,
        left_out: &[(PathBuf, String)],
    ) -> rusqlite::Result<()> {
        // Without a stamp: not looked at by itself, only by the walk.
        let walked = "DELETE FROM skipped WHERE vault = ?1 AND modified_ns = ?2";
        self.transaction
            .execute(walked, params![vault, Stamp::NONE.modified_ns])?;
        for (path, why) in left_out.iter().take(LEFT_OUT_MAX) {
            self.skip(vault, &path.to_string_lossy(), Stamp::NONE, why)?;
        }
        Ok(())
    }

    pub(super) fn forget(
        &mut self,
        vault: i64,
        path: &str,
        id: Option<i64>,
    ) -> rusqlite::Result<()> {
        let Some(id) = id else {
            let skipped = "DELETE FROM skipped WHERE vault = ?1 AND path = ?2";
            let mut skipped = self.transaction.prepare_cached(skipped)?;
            return skipped.execute(params![vault, path]).map(drop);
        };
        for sql in [
            "DELETE FROM words WHERE rowid = ?1",
            "DELETE FROM section WHERE note = ?1",
            "DELETE FROM tag WHERE note = ?1",
            "DELETE FROM note WHERE id = ?1",
        ] {
            self.transaction.prepare_cached(sql)?.execute([id])?;
        }
        Ok(())
    }

    pub(super) fn forget_vault(&mut self, vault: i64) -> rusqlite::Result<()> {
        for sql in [
            "DELETE FROM words WHERE rowid IN (SELECT id FROM note WHERE vault = ?1)",
            "DELETE FROM section WHERE note IN (SELECT id FROM note WHERE vault = ?1)",
            "DELETE FROM tag WHERE note IN (SELECT id FROM note WHERE vault = ?1)",
            "DELETE FROM note WHERE vault = ?1",
            "DELETE FROM skipped WHERE vault = ?1",
            "DELETE FROM vault WHERE id = ?1",
        ] {
            self.transaction.execute(sql, [vault])?;
        }
        Ok(())
    }

    /// Keeps spellings for prefixes. They are never forgotten but with the whole index.
    fn spell(&mut self, spellings: &HashMap<String, String>) -> rusqlite::Result<()> {
        let mut insert = self
            .transaction
            .prepare_cached("INSERT OR IGNORE INTO spelling (folded, stem) VALUES (?1, ?2)")?;
        for (folded, stem) in spellings {
            if self.spelled.contains(folded) {
                continue;
            }
            insert.execute([folded, stem])?;
            if self.spelled.len() < SPELLED_MAX {
                self.spelled.insert(folded.clone());
            }
        }
        Ok(())
    }
}

/// `a/b/c` in lower case, with `a/b` and `a`.
fn with_those_above(tag: &str) -> Vec<String> {
    let tag = tag.to_lowercase();
    let above = tag.match_indices('/').map(|(at, _)| tag[..at].to_owned());
    above
        .chain([tag.clone()])
        .filter(|it| !it.is_empty())
        .collect()
}

/// What the columns of the full-text table hold: stems with spaces between.
#[derive(Default)]
struct Columns {
    title: String,
    headings: String,
    aliases: String,
    tags: String,
    lead: String,
    text: String,
    identifiers: String,
    spellings: HashMap<String, String>,
    whole: HashSet<String>,
}

impl Columns {
    fn of(note: &Note) -> Columns {
        let mut columns = Columns::default();
        let mut lead_left = LEAD_WORDS;
        columns.title = columns.stems([note.title.as_str()]);
        columns.aliases = columns.stems(note.aliases.iter().map(String::as_str));
        columns.tags = columns.stems(note.tags.iter().map(String::as_str));
        // A heading that is the title is counted once.
        let headings = note.sections.iter().map(|it| it.heading.as_str());
        columns.headings = columns.stems(headings.filter(|it| *it != note.title));
        for Section { text, .. } in &note.sections {
            columns.body(text, &mut lead_left);
        }
        columns
    }

    fn stems<'a>(&mut self, texts: impl IntoIterator<Item = &'a str>) -> String {
        let mut stems = String::new();
        for run in texts.into_iter().flat_map(words::runs) {
            for part in &run.parts {
                push(&mut stems, &part.stem);
                self.spelling(part);
            }
            self.identifier(run.whole.as_ref());
        }
        stems
    }

    fn body(&mut self, text: &str, lead_left: &mut usize) {
        for run in words::runs(text) {
            for part in &run.parts {
                let column = if *lead_left > 0 {
                    *lead_left -= 1;
                    &mut self.lead
                } else {
                    &mut self.text
                };
                push(column, &part.stem);
                self.spelling(part);
            }
            self.identifier(run.whole.as_ref());
        }
    }

    fn spelling(&mut self, word: &Word) {
        if !self.spellings.contains_key(&word.folded) {
            let (folded, stem) = (word.folded.clone(), word.stem.clone());
            self.spellings.insert(folded, stem);
        }
    }

    fn identifier(&mut self, whole: Option<&Word>) {
        if let Some(whole) = whole
            && self.whole.insert(whole.folded.clone())
        {
            push(&mut self.identifiers, &whole.stem);
            self.spelling(whole);
        }
    }
}

fn push(column: &mut String, stem: &str) {
    if !column.is_empty() {
        column.push(' ');
    }
    column.push_str(stem);
}
