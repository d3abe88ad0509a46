//! What is in the vaults, without a question.

use std::path::PathBuf;

use rusqlite::{Row, params_from_iter, types::Value};

use super::{
    Searcher,
    candidates::{list_of, put, reachable},
};
use crate::{
    error::Error,
    vaults::{Reach, Scope},
};

/// Which notes are listed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// Only those that no person has reviewed.
    pub unreviewed: bool,
    /// Only those with this path, whole or within their vault.
    pub path: Option<PathBuf>,
    /// Most notes; without it, all.
    pub limit: Option<usize>,
}

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
    /// Notes within reach, in the order of their paths.
    ///
    /// # Errors
    ///
    /// If the index cannot be read.
    pub fn list(&mut self, reach: &Reach, which: &Listing) -> Result<Vec<Listed>, Error> {
        self.refresh()?;
        let mut values = Vec::new();
        let mut conditions = vec!["1".to_owned()];
        conditions.extend(reachable(reach, &mut values));
        if which.unreviewed {
            conditions.push("note.unreviewed".to_owned());
        }
        if let Some(path) = &which.path {
            let path = put(&mut values, path.to_string_lossy().into_owned());
            conditions.push(format!(
                "(note.path = ?{path} OR vault.folder || '/' || note.path = ?{path})"
            ));
        }
        let limit = which.limit.and_then(|it| i64::try_from(it).ok());
        values.push(Value::Integer(limit.unwrap_or(-1)));
        let sql = format!(
            "SELECT vault.folder, note.path, vault.project, title, aliases, tags, \
             modified_ns, unreviewed, pinned, inject, remark \
             FROM note JOIN vault ON vault.id = note.vault WHERE {} \
             ORDER BY vault.folder, note.path LIMIT ?{}",
            conditions.join(" AND "),
            values.len()
        );
        self.handle().read(|connection| {
            let mut statement = connection.prepare_cached(&sql)?;
            let rows = statement.query_map(params_from_iter(values), listed)?;
            rows.collect()
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
