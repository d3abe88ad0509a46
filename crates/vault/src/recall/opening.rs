//! The start of a session: notes that a person pinned, and one line about what there is.

use std::path::PathBuf;

use rusqlite::{Connection, params_from_iter, types::Value};

use super::{Brought, Recalled, Seen};
use crate::{
    error::Error,
    frame::{self, Nonce, Quoted},
    limits::{BYTES_PER_TOKEN, RECALLED_MAX},
    search::{Searcher, reachable},
    vaults::Reach,
};

/// Most tags that are named.
const TAGS_NAMED: usize = 6;
/// Longest piece of a pinned note.
const PINNED_BYTES_MAX: usize = 400;

/// What the start of a session brings in.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Opening {
    /// One line of Kite's own, such as `12 notes on this project (auth 4, deploy 3), 30 others`;
    /// empty where there are none.
    pub map: String,
    /// Pinned notes that a person wrote or reviewed.
    pub pinned: Recalled,
}

impl Searcher {
    /// What a session is told at its start, with at most so many tokens of pinned notes.
    ///
    /// # Errors
    ///
    /// If the index cannot be read, or the system has no random number for the frame.
    pub fn opening(
        &mut self,
        reach: &Reach,
        seen: &[Seen],
        tokens_max: usize,
    ) -> Result<Opening, Error> {
        self.refresh()?;
        let (map, pinned) = self
            .handle()
            .read(|connection| Ok((map(connection, reach)?, pinned(connection, reach)?)))?;
        let what = "notes that the person pinned for every session";
        let mut left = (tokens_max * BYTES_PER_TOKEN).saturating_sub(frame::bytes_around(what));
        let (mut pieces, mut notes) = (Vec::new(), Vec::new());
        for (seen_now, mut piece) in pinned {
            if seen.contains(&seen_now) || pieces.len() >= RECALLED_MAX {
                continue;
            }
            let mut room = PINNED_BYTES_MAX;
            while frame::bytes_of(&piece) > left && room > 40 {
                room /= 2;
                piece.text = crate::escape::cut(&piece.text, room).to_owned();
            }
            if frame::bytes_of(&piece) > left {
                continue;
            }
            left -= frame::bytes_of(&piece);
            notes.push(Brought {
                seen: seen_now,
                heading: piece.heading.clone(),
                words: Vec::new(),
                weight: 0.0,
                reviewed: true,
            });
            pieces.push(piece);
        }
        let text = if pieces.is_empty() {
            String::new()
        } else {
            frame::frame(Nonce::draw()?, what, &pieces)
        };
        let pinned = Recalled { text, notes };
        Ok(Opening { map, pinned })
    }
}

/// Pinned notes, the newest first. One that an agent wrote is not pinned by saying so itself.
fn pinned(connection: &Connection, reach: &Reach) -> rusqlite::Result<Vec<(Seen, Quoted)>> {
    let mut values = Vec::new();
    let reachable = reachable(reach, &mut values).unwrap_or_else(|| "1".to_owned());
    let mut statement = connection.prepare(&format!(
        "SELECT vault.folder, note.path, note.hash, note.title, \
         (SELECT substr(text, 1, {PINNED_BYTES_MAX}) FROM section \
          WHERE section.note = note.id AND text != '' ORDER BY id LIMIT 1) \
         FROM note JOIN vault ON vault.id = note.vault \
         WHERE note.pinned AND note.inject AND NOT note.unreviewed AND {reachable} \
         ORDER BY note.modified_ns DESC LIMIT 16"
    ))?;
    let rows = statement.query_map(params_from_iter(values), |row| {
        let folder = PathBuf::from(row.get::<_, String>(0)?);
        let path = folder.join(row.get::<_, String>(1)?);
        let text: Option<String> = row.get(4)?;
        let piece = Quoted {
            path: path.to_string_lossy().into_owned(),
            heading: row.get(3)?,
            text: text.unwrap_or_default(),
            reviewed: true,
        };
        let hash = row.get(2)?;
        Ok((Seen { path, hash }, piece))
    })?;
    rows.collect()
}

fn map(connection: &Connection, reach: &Reach) -> rusqlite::Result<String> {
    let mut values = Vec::new();
    let reachable = reachable(reach, &mut values).unwrap_or_else(|| "1".to_owned());
    let count = format!(
        "SELECT count(*) FILTER (WHERE vault.project IS NOT NULL), \
         count(*) FILTER (WHERE vault.project IS NULL) \
         FROM note JOIN vault ON vault.id = note.vault WHERE note.inject AND {reachable}"
    );
    let (project, others): (i64, i64) =
        connection.query_row(&count, params_from_iter(values.clone()), |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
    let tags = tags(connection, &reachable, values)?;
    let tags = if tags.is_empty() {
        String::new()
    } else {
        format!(" (tags: {})", tags.join(", "))
    };
    let counted = |count: i64| match count {
        1 => "1 note".to_owned(),
        count => format!("{count} notes"),
    };
    Ok(match (project, others) {
        (0, 0) => String::new(),
        (0, others) => format!("{} of the person{tags}", counted(others)),
        (project, 0) => format!("{} on this project{tags}", counted(project)),
        (project, others) => {
            let project = counted(project);
            format!("{project} on this project{tags}, {others} of the person")
        }
    })
}

/// The most frequent tags, of plain words only: the line is Kite's, and the tags are not.
fn tags(
    connection: &Connection,
    reachable: &str,
    values: Vec<Value>,
) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection.prepare(&format!(
        "SELECT tag, count(*) AS notes FROM tag JOIN note ON note.id = tag.note \
         JOIN vault ON vault.id = note.vault \
         WHERE note.inject AND NOT note.unreviewed AND {reachable} \
         GROUP BY tag ORDER BY notes DESC, tag LIMIT 32"
    ))?;
    let rows = statement.query_map(params_from_iter(values), |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?))
    })?;
    let mut named = Vec::new();
    for row in rows {
        let (tag, notes) = row?;
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '/');
        if tag.len() <= 24 && tag.chars().all(plain) && named.len() < TAGS_NAMED {
            named.push(format!("{tag} {notes}"));
        }
    }
    Ok(named)
}
