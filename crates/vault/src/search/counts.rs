//! How many notes there are, and how many have a word: counted once for each state of the index.

use std::collections::HashMap;

use rusqlite::Connection;

/// Most words whose counts are kept.
const WORDS_MAX: usize = 10_000;

/// What was counted.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    /// The state of the index in which it was counted; another one is another number.
    state: Option<i64>,
    notes: u64,
    words: HashMap<String, u64>,
}

impl Counts {
    /// Forgets what somebody has changed since, and counts the notes.
    pub(crate) fn refresh(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        let state = connection
            .prepare_cached("PRAGMA data_version")?
            .query_row([], |row| row.get(0))?;
        if self.state == Some(state) {
            return Ok(());
        }
        *self = Counts::default();
        let count = "SELECT count(*) FROM note";
        let notes: i64 = connection.query_row(count, [], |row| row.get(0))?;
        self.notes = notes.cast_unsigned();
        self.state = Some(state);
        Ok(())
    }

    /// The notes in the index.
    pub(crate) fn notes(&self) -> u64 {
        self.notes
    }

    /// The notes that have a word. A frequent word takes long to count, and comes often.
    pub(super) fn notes_with(
        &mut self,
        connection: &Connection,
        stem: &str,
    ) -> rusqlite::Result<u64> {
        if let Some(notes) = self.words.get(stem) {
            return Ok(*notes);
        }
        let mut statement =
            connection.prepare_cached("SELECT doc FROM vocabulary WHERE term = ?1")?;
        let mut rows = statement.query([stem])?;
        let notes: Option<i64> = rows.next()?.map(|row| row.get(0)).transpose()?;
        let notes = notes.unwrap_or(0).cast_unsigned();
        if self.words.len() < WORDS_MAX {
            self.words.insert(stem.to_owned(), notes);
        }
        Ok(notes)
    }
}
