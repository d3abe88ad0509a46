//! The writer: one thread that owns the only connection which writes.
//!
//! It takes what is in the queue, up to [`BATCH_MAX`] entries or [`BATCH_MS`], commits it as one
//! transaction and then tells everybody. It never waits for more while there is some.
//!
//! When a batch fails, everything in memory that was decided upon it is void: the writer marks
//! the *incarnation* of the facts as failed and fails every later entry of it, until the caller
//! has gone back to what is on disk and sends entries of the next incarnation.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use rusqlite::{Connection, params};
use tokio::sync::{mpsc::Receiver, oneshot};

use super::{
    checkpoint::Grown,
    error::{is_input_output, told},
    rows::{self, int},
    space::Space,
};
use crate::{
    StoreError,
    limits::{
        ANSWER_AGE_MS, ANSWERS_MAX, BATCH_MAX, BATCH_MS, CHANGE_AGE_MS, CHANGES_MAX, LOG_PAGES_MAX,
    },
    write::Write,
};

/// Rows that one commit prunes at most.
const PRUNE_ROWS: u64 = 4_096;

/// One operation's writes, all or nothing.
#[derive(Debug)]
pub(super) struct Entry {
    /// Of the facts it was decided upon.
    pub(super) incarnation: u64,
    /// Its place in the queue, from 1.
    pub(super) number: u64,
    /// It frees something: the ballast is spent for it.
    pub(super) frees: bool,
    pub(super) now_wall_ms: u64,
    pub(super) writes: Vec<Write>,
    pub(super) done: oneshot::Sender<Result<(), StoreError>>,
}

/// What the queue carries.
#[derive(Debug)]
pub(super) enum Message {
    /// What was decided in one turn of the caller's loop, in order.
    Entries(Vec<Entry>),
    /// Finish, and close the file.
    Close,
}

/// What the writer lets others see.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// The last entry that was committed. Within one incarnation, those after a failed one fail
    /// too, so every entry of it up to this number is durable.
    durable: AtomicU64,
    /// The latest incarnation that has failed; the first one is 1.
    failed: AtomicU64,
    why: Mutex<Option<StoreError>>,
}

impl Progress {
    pub(super) fn durable(&self) -> u64 {
        self.durable.load(Ordering::Acquire)
    }

    pub(super) fn failed(&self) -> u64 {
        self.failed.load(Ordering::Acquire)
    }

    fn fail(&self, incarnation: u64, error: &StoreError) {
        *self.why.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.clone());
        self.failed.store(incarnation, Ordering::Release);
    }

    fn why(&self) -> StoreError {
        let why = self
            .why
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        why.unwrap_or_else(|| StoreError::Failed("the writer has stopped".to_owned()))
    }
}

/// The writer's side of everything.
#[derive(Debug)]
pub(super) struct Writer {
    connection: Connection,
    /// Pages in the log, as its hook tells after each commit.
    log_pages: Arc<AtomicU32>,
    grown: Grown,
    space: Arc<Space>,
    progress: Arc<Progress>,
    /// The next row of the change feed, as committed, and in the transaction under way.
    committed_change: u64,
    next_change: u64,
    /// Rows of the feed added since the last pruning.
    unpruned: u64,
    latest_wall_ms: u64,
    cap_pages: Option<u32>,
}

impl Writer {
    pub(super) fn new(
        mut connection: Connection,
        grown: Grown,
        space: Arc<Space>,
        progress: Arc<Progress>,
        next_change: u64,
    ) -> rusqlite::Result<Writer> {
        let log_pages = Arc::new(AtomicU32::new(0));
        let hooked = Arc::clone(&log_pages);
        connection.wal_hook(Some(move |_: &mut rusqlite::hooks::Wal, pages| {
            hooked.store(u32::try_from(pages).unwrap_or(0), Ordering::Relaxed);
            Ok(())
        }))?;
        Ok(Writer {
            connection,
            log_pages,
            grown,
            space,
            progress,
            committed_change: next_change,
            next_change,
            unpruned: PRUNE_ROWS,
            latest_wall_ms: 0,
            cap_pages: None,
        })
    }

    /// Works until told to close, or until nobody is left to send.
    pub(super) fn run(mut self, mut queue: Receiver<Message>) {
        let mut batch = Vec::with_capacity(BATCH_MAX);
        let mut backlog = VecDeque::new();
        let mut open = true;
        while open || !backlog.is_empty() {
            if backlog.is_empty() {
                match queue.blocking_recv() {
                    Some(Message::Entries(entries)) => backlog.extend(entries),
                    Some(Message::Close) | None => open = false,
                }
            } else {
                open &= self.batch(&mut backlog, &mut queue, &mut batch);
            }
        }
        // What is copied now need not be when the store is opened. It stays in the log else.
        let _ = self.checkpoint("TRUNCATE");
        let _ = self.connection.close();
    }

    /// One batch of the backlog and of what comes meanwhile. False when the queue said to close.
    fn batch(
        &mut self,
        backlog: &mut VecDeque<Entry>,
        queue: &mut Receiver<Message>,
        batch: &mut Vec<Entry>,
    ) -> bool {
        self.space.restore_ballast();
        let (mut outcome, mut open) = (self.begin(), true);
        let deadline = Instant::now() + Duration::from_millis(BATCH_MS);
        while let Some(entry) = backlog.pop_front() {
            if entry.incarnation <= self.progress.failed() {
                let _ = entry.done.send(Err(self.progress.why()));
            } else {
                outcome = outcome.and_then(|()| self.write(&entry));
                batch.push(entry);
            }
            if batch.len() >= BATCH_MAX || outcome.is_err() || Instant::now() >= deadline {
                break;
            }
            if backlog.is_empty() {
                match queue.try_recv() {
                    Ok(Message::Entries(entries)) => backlog.extend(entries),
                    Ok(Message::Close) => open = false,
                    Err(_) => {}
                }
            }
        }
        outcome = outcome.and_then(|()| self.commit());
        if let Err(error) = outcome {
            outcome = self.failed(error, batch);
        }
        self.tell(&outcome.map_err(|e| self.named(&e)), batch);
        self.look_after();
        open
    }

    /// After a failure: rolls back and, for the sake of what frees, spends the ballast and tries
    /// the whole batch once more, in its order.
    fn failed(&mut self, error: rusqlite::Error, batch: &[Entry]) -> rusqlite::Result<()> {
        self.roll_back()?;
        let frees = batch.iter().any(|entry| entry.frees);
        if self.named(&error) == StoreError::Full && frees && self.space.spend_ballast() {
            let again = self
                .begin()
                .and_then(|()| batch.iter().try_for_each(|entry| self.write(entry)))
                .and_then(|()| self.commit());
            match again {
                Ok(()) => self.space.set_full(),
                Err(_) => self.roll_back()?,
            }
            return again;
        }
        Err(error)
    }

    fn begin(&mut self) -> rusqlite::Result<()> {
        // A failed rollback is made up for here: nothing is added to what is half done.
        self.roll_back()?;
        let cap = self.space.cap_in_force();
        if cap != self.cap_pages {
            let pages = cap.unwrap_or(u32::MAX - 1);
            self.connection
                .query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(()))?;
            self.cap_pages = cap;
        }
        self.execute("BEGIN IMMEDIATE")
    }

    fn commit(&mut self) -> rusqlite::Result<()> {
        self.execute("COMMIT")?;
        self.committed_change = self.next_change;
        Ok(())
    }

    fn execute(&self, sql: &str) -> rusqlite::Result<()> {
        self.connection.prepare_cached(sql)?.execute([]).map(drop)
    }

    fn write(&mut self, entry: &Entry) -> rusqlite::Result<()> {
        let mut next = self.next_change;
        for write in &entry.writes {
            rows::write(&self.connection, write, &mut next)?;
        }
        self.unpruned += next - self.next_change;
        self.next_change = next;
        self.latest_wall_ms = entry.now_wall_ms;
        Ok(())
    }

    /// Back to what is on disk. SQLite may have rolled back by itself.
    fn roll_back(&mut self) -> rusqlite::Result<()> {
        if !self.connection.is_autocommit() {
            self.execute("ROLLBACK")?;
        }
        self.next_change = self.committed_change;
        Ok(())
    }

    /// Tells the callers of a batch how it went.
    fn tell(&mut self, outcome: &Result<(), StoreError>, batch: &mut Vec<Entry>) {
        // First that it failed, then that the disk is full: who sees the latter sees both.
        match (outcome, batch.last()) {
            (Ok(()), Some(last)) => self.progress.durable.store(last.number, Ordering::Release),
            (Err(error), Some(last)) => self.progress.fail(last.incarnation, error),
            (_, None) => {}
        }
        if *outcome == Err(StoreError::Full) {
            self.space.set_full();
        }
        for entry in batch.drain(..) {
            // A caller that has gone needs no word.
            let _ = entry.done.send(outcome.clone());
        }
    }

    /// What may be done once nobody waits for it.
    fn look_after(&mut self) {
        if self.space.is_full() || self.cap_pages.is_some() {
            let used = self
                .connection
                .query_row("PRAGMA page_count", [], |row| row.get(0));
            self.space.set_used_pages(used.unwrap_or(u32::MAX));
        }
        if self.unpruned >= PRUNE_ROWS && !self.space.is_full() {
            self.unpruned = 0;
            if self.prune().is_err() {
                let _ = self.roll_back();
            }
        }
        let pages = self.log_pages.load(Ordering::Relaxed);
        if pages >= LOG_PAGES_MAX {
            // The next commit then starts the log anew, unless somebody still reads from it.
            let _ = self.checkpoint("PASSIVE");
        } else {
            self.grown.to(pages);
        }
    }

    /// Drops the oldest rows of the feed and the oldest answers, beyond their age or number. The
    /// newest row of the feed always stays: the numbers go on from it.
    fn prune(&mut self) -> rusqlite::Result<()> {
        self.execute("BEGIN IMMEDIATE")?;
        let newest = self.next_change - 1;
        self.connection
            .prepare_cached(
                "DELETE FROM change WHERE seq IN (SELECT seq FROM change WHERE seq < ?1 ORDER BY seq LIMIT ?2)
                 AND (at_ms < ?3 OR seq <= ?4)",
            )?
            .execute(params![
                int(newest),
                int(2 * PRUNE_ROWS),
                int(self.latest_wall_ms.saturating_sub(CHANGE_AGE_MS)),
                int(newest.saturating_sub(CHANGES_MAX)),
            ])?;
        self.connection
            .prepare_cached(
                "DELETE FROM answer WHERE number IN (SELECT number FROM answer ORDER BY number LIMIT ?1)
                 AND (at_ms < ?2 OR number <= (SELECT max(number) FROM answer) - ?3)",
            )?
            .execute(params![
                int(2 * PRUNE_ROWS),
                int(self.latest_wall_ms.saturating_sub(ANSWER_AGE_MS)),
                int(ANSWERS_MAX as u64),
            ])?;
        self.commit()
    }

    /// Copies the log into the database. `TRUNCATE` waits for readers and empties it.
    fn checkpoint(&self, mode: &str) -> rusqlite::Result<()> {
        let sql = format!("PRAGMA wal_checkpoint({mode})");
        self.connection.query_row(&sql, [], |_| Ok(()))
    }

    fn named(&self, error: &rusqlite::Error) -> StoreError {
        if is_input_output(error) && self.space.is_exhausted() {
            return StoreError::Full;
        }
        told(error)
    }
}
