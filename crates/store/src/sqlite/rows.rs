//! Records to rows: the one place that writes the tables.

use kite_rules::{
    lock::Lock,
    pattern::Target,
    session::{Kind, Session, SessionId, State},
    task::{self, Task},
};
use rusqlite::{Connection, ToSql, params};

use super::codec::Packed;
use crate::{
    Change, Document,
    write::{Answer, Write},
};

/// Writes one record. Rows of the change feed get the next of `seq`.
pub(super) fn write(connection: &Connection, write: &Write, seq: &mut u64) -> rusqlite::Result<()> {
    match write {
        Write::Session(session) => put_session(connection, session),
        Write::ForgetSession(id) => run(
            connection,
            "DELETE FROM session WHERE id = ?1",
            &[&key(*id)],
        ),
        Write::Task(task) => put_task(connection, task),
        Write::Lock(lock) => put_lock(connection, lock),
        Write::Unlock(epoch) => run(
            connection,
            "DELETE FROM lock WHERE generation = ?1 AND counter = ?2",
            params![int(epoch.generation), int(epoch.counter)],
        ),
        Write::Tally(name, total) => run(
            connection,
            "INSERT INTO tally (name, total) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET total = excluded.total",
            params![name, int(*total)],
        ),
        Write::Document(document) => put_document(connection, document),
        Write::Change(change) => {
            put_change(connection, change, *seq)?;
            *seq += 1;
            Ok(())
        }
        Write::Answer(answer) => put_answer(connection, answer),
    }
}

fn put_session(connection: &Connection, s: &Session) -> rusqlite::Result<()> {
    run(
        connection,
        "INSERT OR REPLACE INTO session VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)",
        params![
            key(s.id),
            kind_number(s.kind),
            s.client,
            s.client_version,
            s.client_session_id,
            s.process.map(|p| p.pid),
            s.process.map(|p| int(p.started)),
            s.cwd,
            s.project,
            s.worktree,
            s.intent,
            s.fingerprint,
            state_number(s.state),
            s.end_reason,
            int(s.since_wall_ms),
            int(s.seen.wall_ms),
        ],
    )
}

fn put_lock(connection: &Connection, l: &Lock) -> rusqlite::Result<()> {
    let (kind, target, scope) = target_columns(&l.target);
    run(
        connection,
        "INSERT OR REPLACE INTO lock VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
        params![
            int(l.epoch.generation),
            int(l.epoch.counter),
            kind,
            target,
            scope,
            l.shown,
            l.project,
            key(l.owner.session),
            l.owner.agent,
            l.reason,
            int(l.ttl_ms),
            l.keep,
            int(l.since_wall_ms),
        ],
    )
}

fn put_task(connection: &Connection, t: &Task) -> rusqlite::Result<()> {
    run(
        connection,
        "INSERT OR REPLACE INTO task VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, \
         ?17, ?18, ?19, ?20)",
        params![
            int(t.number),
            t.id.0.to_be_bytes(),
            t.project,
            t.title,
            t.description,
            priority_number(t.priority),
            dependencies(t),
            paths(t),
            task_state_number(t.state),
            t.attempt,
            t.deaths,
            t.owner.as_ref().map(|o| key(o.session)),
            t.owner.as_ref().and_then(|o| o.agent.as_deref()),
            t.result,
            reasons(t),
            late_results(t),
            t.created_by.map(key),
            int(t.created_wall_ms),
            t.claimed_wall_ms.map(int),
            t.ended_wall_ms.map(int),
        ],
    )
}

fn put_change(connection: &Connection, c: &Change, seq: u64) -> rusqlite::Result<()> {
    run(
        connection,
        "INSERT INTO change VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![
            int(seq),
            int(c.at_wall_ms),
            c.project,
            c.kind,
            c.entity,
            c.what,
            c.session.map(key)
        ],
    )
}

fn put_document(connection: &Connection, d: &Document) -> rusqlite::Result<()> {
    match &d.body {
        Some(body) => run(
            connection,
            "INSERT OR REPLACE INTO document (kind, key, body) VALUES (?1, ?2, ?3)",
            params![d.kind, d.key, body],
        ),
        None => run(
            connection,
            "DELETE FROM document WHERE kind = ?1 AND key = ?2",
            params![d.kind, d.key],
        ),
    }
}

/// The first answer given under a key stays.
fn put_answer(connection: &Connection, a: &Answer) -> rusqlite::Result<()> {
    run(
        connection,
        "INSERT INTO answer (op_id, at_ms, body) VALUES (?1, ?2, ?3) ON CONFLICT (op_id) DO NOTHING",
        params![a.op_id, int(a.at_wall_ms), a.body],
    )
}

fn run(connection: &Connection, sql: &str, parameters: &[&dyn ToSql]) -> rusqlite::Result<()> {
    connection
        .prepare_cached(sql)?
        .execute(parameters)
        .map(drop)
}

fn dependencies(t: &Task) -> Option<Vec<u8>> {
    let mut packed = Packed::default();
    t.depends_on.iter().for_each(|id| packed.id(id.0));
    packed.column()
}

fn paths(t: &Task) -> Option<Vec<u8>> {
    let mut packed = Packed::default();
    for (target, shown) in &t.paths {
        let (kind, target, scope) = target_columns(target);
        packed.number(kind.into());
        packed.text(target);
        packed.text(scope.unwrap_or_default());
        packed.text(shown);
    }
    packed.column()
}

fn reasons(t: &Task) -> Option<Vec<u8>> {
    let mut packed = Packed::default();
    t.reasons.iter().for_each(|reason| packed.text(reason));
    packed.column()
}

fn late_results(t: &Task) -> Option<Vec<u8>> {
    let mut packed = Packed::default();
    for late in &t.late_results {
        packed.number(late.attempt.into());
        packed.id(late.session.0);
        packed.text(&late.result);
        packed.number(late.at_wall_ms);
    }
    packed.column()
}

/// A session's id as its row has it: most significant byte first, so that the hexadecimal form in
/// a database browser is the one that people see elsewhere.
pub(super) fn key(id: SessionId) -> [u8; 16] {
    id.0.to_be_bytes()
}

/// SQLite's integers are signed. Nothing here comes near the difference but a hostile clock.
pub(super) fn int(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn kind_number(kind: Kind) -> u8 {
    match kind {
        Kind::Agent => 0,
        Kind::Person => 1,
        Kind::Remote => 2,
    }
}

fn state_number(state: State) -> u8 {
    match state {
        State::Active => 0,
        State::Idle => 1,
        State::Ended => 2,
        State::Lost => 3,
    }
}

fn priority_number(priority: task::Priority) -> u8 {
    match priority {
        task::Priority::Low => 0,
        task::Priority::Normal => 1,
        task::Priority::High => 2,
    }
}

fn task_state_number(state: task::State) -> u8 {
    match state {
        task::State::Blocked => 0,
        task::State::Ready => 1,
        task::State::Claimed => 2,
        task::State::Done => 3,
        task::State::Failed => 4,
        task::State::Cancelled => 5,
    }
}

fn target_columns(target: &Target) -> (u8, &str, Option<&str>) {
    match target {
        Target::Path(path) => (0, path, None),
        Target::Tree(path) => (1, path, None),
        Target::Glob(pattern) => (2, pattern, None),
        Target::Name { project, name } => (3, name, Some(project)),
    }
}
