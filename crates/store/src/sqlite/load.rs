//! Rows to records: everything that memory needs, read at once.

use std::collections::BTreeMap;

use kite_rules::{
    Now,
    lock::{Epoch, Lock},
    pattern::Target,
    session::{Kind, Owner, Process, Session, SessionId, State},
    task::{self, LateResult, Task, TaskId},
};
use rusqlite::{Connection, Row, params};

use super::{
    codec::Unpack,
    error::{Damage, Outcome},
    rows::int,
};
use crate::{Change, Document, Documents, Facts, answers::Answers, limits::ANSWERS_IN_MEMORY};

/// Reads all facts. Rows that cannot be are damage, never skipped.
pub(super) fn facts(connection: &Connection) -> Outcome<Facts> {
    let sessions = all(connection, "SELECT * FROM session", session)?;
    let locks = all(
        connection,
        "SELECT * FROM lock ORDER BY generation, counter",
        lock,
    )?;
    let tasks = all(connection, "SELECT * FROM task ORDER BY number", task)?;
    let tally = all(connection, "SELECT name, total FROM tally", |row| {
        Ok((row.get(0)?, number(row, 1)?))
    })?;
    let kept = all(connection, "SELECT kind, key, body FROM document", |row| {
        Ok(Document {
            kind: row.get(0)?,
            key: row.get(1)?,
            body: row.get(2)?,
        })
    })?;
    let mut documents = Documents::default();
    kept.iter().for_each(|document| documents.apply(document));
    Ok(Facts {
        documents,
        sessions: sessions.into_iter().map(|s| (s.id, s)).collect(),
        locks: locks.into_iter().map(|l| (l.epoch, l)).collect(),
        tasks: tasks.into_iter().map(|t| (t.number, t)).collect(),
        tally: BTreeMap::from_iter(tally),
    })
}

/// The keys of all kept answers, oldest first.
pub(super) fn answers(connection: &Connection) -> Outcome<Answers> {
    let mut answers = Answers::holding(ANSWERS_IN_MEMORY);
    let keys: Vec<(String, u64)> = all(
        connection,
        "SELECT op_id, at_ms FROM answer ORDER BY number",
        |row| Ok((row.get(0)?, number(row, 1)?)),
    )?;
    for (op_id, at_wall_ms) in keys {
        answers.insert_key(&op_id, at_wall_ms);
    }
    Ok(answers)
}

/// The text of one answer.
pub(super) fn answer(connection: &Connection, op_id: &str) -> Outcome<Option<Vec<u8>>> {
    let mut statement = connection.prepare_cached("SELECT body FROM answer WHERE op_id = ?1")?;
    let mut rows = statement.query([op_id])?;
    Ok(match rows.next()? {
        Some(row) => Some(row.get(0)?),
        None => None,
    })
}

/// First and last sequence number of the feed; (1, 0) where it is empty.
pub(super) fn feed_ends(connection: &Connection) -> Outcome<(u64, u64)> {
    let mut statement = connection
        .prepare_cached("SELECT (SELECT min(seq) FROM change), (SELECT max(seq) FROM change)")?;
    let ends = statement.query_row([], |row| {
        Ok((row.get::<_, Option<i64>>(0)?, row.get::<_, Option<i64>>(1)?))
    })?;
    let positive = |seq: Option<i64>| seq.and_then(|seq| u64::try_from(seq).ok());
    Ok((positive(ends.0).unwrap_or(1), positive(ends.1).unwrap_or(0)))
}

/// Rows of the feed after a sequence number.
pub(super) fn changes(connection: &Connection, after: u64, max: usize) -> Outcome<Vec<Change>> {
    let mut statement =
        connection.prepare_cached("SELECT * FROM change WHERE seq > ?1 ORDER BY seq LIMIT ?2")?;
    let mut rows = statement.query(params![int(after), int(max as u64)])?;
    let mut changes = Vec::new();
    while let Some(row) = rows.next()? {
        changes.push(Change {
            seq: number(row, 0)?,
            at_wall_ms: number(row, 1)?,
            project: row.get(2)?,
            kind: row.get(3)?,
            entity: row.get(4)?,
            what: row.get(5)?,
            session: optional_id(row, 6)?.map(SessionId),
        });
    }
    Ok(changes)
}

fn all<T>(
    connection: &Connection,
    sql: &str,
    read: impl Fn(&Row<'_>) -> Outcome<T>,
) -> Outcome<Vec<T>> {
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([])?;
    let mut records = Vec::new();
    while let Some(row) = rows.next()? {
        records.push(read(row)?);
    }
    Ok(records)
}

fn session(row: &Row<'_>) -> Outcome<Session> {
    let process = match (row.get(5)?, optional_number(row, 6)?) {
        (Some(pid), Some(started)) => Some(Process { pid, started }),
        (None, None) => None,
        _ => return Err(Damage::Row("session with half a process")),
    };
    Ok(Session {
        id: SessionId(id(row, 0)?),
        kind: match row.get::<_, u8>(1)? {
            0 => Kind::Agent,
            1 => Kind::Person,
            2 => Kind::Remote,
            _ => return Err(Damage::Row("session of no kind")),
        },
        client: row.get(2)?,
        client_version: row.get(3)?,
        client_session_id: row.get(4)?,
        process,
        cwd: row.get(7)?,
        project: row.get(8)?,
        worktree: row.get(9)?,
        intent: row.get(10)?,
        fingerprint: row.get(11)?,
        state: match row.get::<_, u8>(12)? {
            0 => State::Active,
            1 => State::Idle,
            2 => State::Ended,
            3 => State::Lost,
            _ => return Err(Damage::Row("session in no state")),
        },
        end_reason: row.get(13)?,
        since_wall_ms: number(row, 14)?,
        seen: Now {
            wall_ms: number(row, 15)?,
            mono_ms: 0,
        },
    })
}

fn lock(row: &Row<'_>) -> Outcome<Lock> {
    Ok(Lock {
        epoch: Epoch {
            generation: number(row, 0)?,
            counter: number(row, 1)?,
        },
        target: target(row.get(2)?, row.get(3)?, row.get(4)?)?,
        shown: row.get(5)?,
        project: row.get(6)?,
        owner: Owner {
            session: SessionId(id(row, 7)?),
            agent: row.get(8)?,
        },
        reason: row.get(9)?,
        ttl_ms: number(row, 10)?,
        keep: row.get(11)?,
        since_wall_ms: number(row, 12)?,
        renewed_mono_ms: 0,
    })
}

fn task(row: &Row<'_>) -> Outcome<Task> {
    let owner = optional_id(row, 11)?.map(SessionId);
    Ok(Task {
        number: number(row, 0)?,
        id: TaskId(id(row, 1)?),
        project: row.get(2)?,
        title: row.get(3)?,
        description: row.get(4)?,
        priority: match row.get::<_, u8>(5)? {
            0 => task::Priority::Low,
            1 => task::Priority::Normal,
            2 => task::Priority::High,
            _ => return Err(Damage::Row("task of no priority")),
        },
        depends_on: list(row, 6, |packed| packed.id().map(TaskId))?,
        paths: list(row, 7, |packed| {
            let kind = u8::try_from(packed.number()?).ok()?;
            let (text, scope, shown) = (packed.text()?, packed.text()?, packed.text()?);
            Some((target(kind, text, Some(scope)).ok()?, shown))
        })?,
        state: match row.get::<_, u8>(8)? {
            0 => task::State::Blocked,
            1 => task::State::Ready,
            2 => task::State::Claimed,
            3 => task::State::Done,
            4 => task::State::Failed,
            5 => task::State::Cancelled,
            _ => return Err(Damage::Row("task in no state")),
        },
        attempt: row.get(9)?,
        deaths: row.get(10)?,
        owner: match owner {
            Some(session) => Some(Owner {
                session,
                agent: row.get(12)?,
            }),
            None => None,
        },
        result: row.get(13)?,
        reasons: list(row, 14, |packed| packed.text())?,
        late_results: list(row, 15, |packed| {
            Some(LateResult {
                attempt: u32::try_from(packed.number()?).ok()?,
                session: SessionId(packed.id()?),
                result: packed.text()?,
                at_wall_ms: packed.number()?,
            })
        })?,
        created_by: optional_id(row, 16)?.map(SessionId),
        created_wall_ms: number(row, 17)?,
        claimed_wall_ms: optional_number(row, 18)?,
        ended_wall_ms: optional_number(row, 19)?,
    })
}

fn target(kind: u8, text: String, scope: Option<String>) -> Outcome<Target> {
    Ok(match (kind, scope) {
        (0, _) => Target::Path(text),
        (1, _) => Target::Tree(text),
        (2, _) => Target::Glob(text),
        (3, Some(project)) => Target::Name {
            project,
            name: text,
        },
        _ => return Err(Damage::Row("target of no kind")),
    })
}

fn list<T>(
    row: &Row<'_>,
    column: usize,
    item: impl Fn(&mut Unpack<'_>) -> Option<T>,
) -> Outcome<Vec<T>> {
    let bytes: Option<Vec<u8>> = row.get(column)?;
    let mut packed = Unpack(bytes.as_deref().unwrap_or_default());
    let mut items = Vec::new();
    while !packed.is_empty() {
        items.push(item(&mut packed).ok_or(Damage::Row("task with a broken list"))?);
    }
    Ok(items)
}

fn id(row: &Row<'_>, column: usize) -> Outcome<u128> {
    Ok(u128::from_be_bytes(row.get(column)?))
}

fn optional_id(row: &Row<'_>, column: usize) -> Outcome<Option<u128>> {
    Ok(row
        .get::<_, Option<[u8; 16]>>(column)?
        .map(u128::from_be_bytes))
}

fn number(row: &Row<'_>, column: usize) -> Outcome<u64> {
    u64::try_from(row.get::<_, i64>(column)?).map_err(|_| Damage::Row("a negative number"))
}

fn optional_number(row: &Row<'_>, column: usize) -> Outcome<Option<u64>> {
    let number: Option<i64> = row.get(column)?;
    number
        .map(u64::try_from)
        .transpose()
        .map_err(|_| Damage::Row("a negative number"))
}
