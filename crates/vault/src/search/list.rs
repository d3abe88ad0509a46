//! What is in the vaults, without a question.

use std::path::PathBuf;

use rusqlite::Row;

use super::{Searcher, candidates::list_of};
use crate::{error::Error, vaults::Scope};

/// A note in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    pub path: PathBuf,
    pub in_vault: PathBuf,
    pub scope: Scope,
    pub title: String,
    pub aliases: Vec<String>,
    pub tags: Vec<String>,
    pub modified_ms: i64,
    pub reviewed: bool,
    pub pinned: bool,
    /// Whether it may be brought in unasked.
    pub inject: bool,
    /// What of its front matter could not be understood.
    pub remark: Option<String>,
}

/// A file that is not used, or a vault of which something is not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    pub path: PathBuf,
    pub why: String,
}

impl Searcher {
    /// All notes, in the order of their paths.
    ///
    /// # Errors
    ///
    /// If the index cannot be read.
    pub fn list(&mut self) -> Result<Vec<Listed>, Error> {
        self.refresh()?;
        self.handle().read(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT vault.folder, note.path, vault.project, title, aliases, tags, \
                 modified_ns, unreviewed, pinned, inject, remark \
                 FROM note JOIN vault ON vault.id = note.vault ORDER BY vault.folder, note.path",
            )?;
            statement.query_map([], listed)?.collect()
        })
    }

    /// What could not be used, and why.
    ///
    /// # Errors
    ///
    /// If the index cannot be read.
    pub fn skipped(&mut self) -> Result<Vec<Skipped>, Error> {
        self.refresh()?;
        self.handle().read(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT vault.folder, skipped.path, why FROM skipped \
                 JOIN vault ON vault.id = skipped.vault ORDER BY vault.folder, skipped.path",
            )?;
            let rows = statement.query_map([], |row| {
                Ok(Skipped {
                    path: PathBuf::from(row.get::<_, String>(0)?).join(row.get::<_, String>(1)?),
                    why: row.get(2)?,
                })
            })?;
            rows.collect()
        })
    }
}

fn listed(row: &Row<'_>) -> rusqlite::Result<Listed> {
    let in_vault = PathBuf::from(row.get::<_, String>(1)?);
    let project: Option<String> = row.get(2)?;
    Ok(Listed {
        path: PathBuf::from(row.get::<_, String>(0)?).join(&in_vault),
        in_vault,
        scope: project.map_or(Scope::Person, Scope::Project),
        title: row.get(3)?,
        aliases: list_of(&row.get::<_, String>(4)?),
        tags: list_of(&row.get::<_, String>(5)?),
        modified_ms: row.get::<_, i64>(6)? / 1_000_000,
        reviewed: !row.get::<_, bool>(7)?,
        pinned: row.get(8)?,
        inject: row.get(9)?,
        remark: row.get(10)?,
    })
}
