//! SQLite: the facts in memory, one writer thread with group commit, readers beside it.
//!
//! ```text
//! operation ─► Ledger (decided at once) ─► queue ─► writer ─► commit ─► the caller is told
//!                 ▲                                   │
//!                 └──────── reloaded from disk ◄── failed
//! ```
//!
//! **Architecture Invariant:** what is acknowledged is committed. An operation reserves its place
//! in the queue before it decides, so the order of decisions is the order of commits, and nothing
//! is decided that cannot be sent.
//!
//! **Architecture Invariant:** no borrow of the facts is held while waiting.
//!
//! On a full disk whatever takes is refused at once, and what frees goes on: it spends the
//! ballast, and where even that does not help (or the disk fails otherwise) it is done in memory
//! and written later. That is safe: should the process die before, the lock or claim is held again until its session ends or
//! its lease runs out. Nobody is granted anything that is not on disk.

mod checkpoint;
mod codec;
mod error;
mod files;
mod load;
mod open;
mod reader;
mod rows;
mod schema;
mod space;
mod writer;

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    sync::{Arc, mpsc},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use kite_rules::Now;
use tokio::sync::{
    mpsc::{OwnedPermit, Sender, channel},
    oneshot,
};

pub use self::open::{Durability, Options};
use self::{
    files::Files,
    reader::Ask,
    space::Space,
    writer::{Entry, Message, Progress, Writer},
};
use crate::{
    Ledger, Page, StoreError,
    answers::{Answers, Kept},
    limits::{QUEUE_MAX, ROOM_PROBE_MS},
    mirror::Mirror,
    operation::Operation,
    write::{Decision, Write},
};

/// A store in one SQLite file. For one process at a time: its caller sees to that.
#[derive(Debug)]
pub struct SqliteStore {
    ledger: RefCell<Ledger>,
    answers: RefCell<Answers>,
    files: Files,
    space: Arc<Space>,
    progress: Arc<Progress>,
    /// Of the facts in memory: one more after each time they were reloaded.
    incarnation: Cell<u64>,
    /// Entries sent to the writer.
    sent: Cell<u64>,
    /// Those of this turn of the loop, which go together.
    outbox: RefCell<Vec<(OwnedPermit<Message>, Entry)>>,
    unsaved: RefCell<Unsaved>,
    /// When room was last looked for.
    looked: Cell<Option<Instant>>,
    threads: RefCell<Option<Threads>>,
}

/// What was freed in memory only, to be written with the next entry.
#[derive(Debug, Default)]
struct Unsaved {
    writes: Vec<Write>,
    /// The first of them are on their way: how many, and in the entry of which number.
    sent: VecDeque<(usize, u64)>,
}

impl Unsaved {
    fn on_their_way(&self) -> usize {
        self.sent.iter().map(|(count, _)| count).sum()
    }
}

/// Sends the outbox when dropped: also where whoever decided does not wait for it.
struct Post<'a>(&'a SqliteStore);

impl Drop for Post<'_> {
    fn drop(&mut self) {
        let (places, entries): (Vec<_>, Vec<_>) = self.0.outbox.take().into_iter().unzip();
        if let Some(place) = places.into_iter().next() {
            place.send(Message::Entries(entries));
        }
    }
}

/// The threads and the ways to them. The checkpointer ends with the writer, which wakes it.
#[derive(Debug)]
struct Threads {
    asks: mpsc::Sender<Ask>,
    reader: JoinHandle<()>,
    queue: Sender<Message>,
    writer: JoinHandle<()>,
    checkpointer: JoinHandle<()>,
}

impl SqliteStore {
    /// Opens the store in a directory, or makes one where there never was one. Its generation is
    /// on disk when this returns. Blocks; not for the middle of a loop.
    ///
    /// # Errors
    ///
    /// [`StoreError::Newer`] and [`StoreError::Damaged`] leave the files as they are.
    pub fn open(options: Options) -> Result<SqliteStore, StoreError> {
        let files = Files::of(&options.path)?;
        let space = Arc::new(Space::new(files.clone(), options.max_pages.unwrap_or(0)));
        let loaded = open::open(&options, &files, &space)?;
        let spawned = |e: std::io::Error| StoreError::Failed(format!("cannot start a thread: {e}"));
        let progress = Arc::new(Progress::default());
        let (asks, reader) = reader::start(open::readable(&files.database())?).map_err(spawned)?;
        let (grown, checkpointer) =
            checkpoint::start(open::writable(&files.database())?).map_err(spawned)?;
        let writer = Writer::new(
            loaded.connection,
            grown,
            Arc::clone(&space),
            Arc::clone(&progress),
            loaded.next_change,
        )
        .map_err(|e| error::told(&e))?;
        let (queue, queued) = channel(QUEUE_MAX);
        let writer = thread::Builder::new()
            .name("kite-writer".to_owned())
            .spawn(move || writer.run(queued))
            .map_err(spawned)?;
        Ok(SqliteStore {
            ledger: RefCell::new(loaded.ledger),
            answers: RefCell::new(loaded.answers),
            files,
            space,
            progress,
            incarnation: Cell::new(1),
            sent: Cell::new(0),
            outbox: RefCell::default(),
            unsaved: RefCell::default(),
            looked: Cell::new(None),
            threads: RefCell::new(Some(Threads {
                asks,
                reader,
                queue,
                writer,
                checkpointer,
            })),
        })
    }

    /// Changes the cap on the database's size ([`Options::max_pages`]).
    pub fn limit_pages(&self, max_pages: Option<u32>) {
        self.space.set_cap_pages(max_pages.unwrap_or(0));
        self.looked.set(None);
    }

    /// A place in the queue, so that what is decided can be sent at once.
    async fn place(&self) -> Result<OwnedPermit<Message>, StoreError> {
        let queue = self
            .threads
            .borrow()
            .as_ref()
            .map(|threads| threads.queue.clone());
        let queue = queue.ok_or_else(closed)?;
        queue.reserve_owned().await.map_err(|_| closed())
    }

    /// If a commit has failed, goes back to what is on disk, and to what was freed in memory.
    fn recover(&self) -> Result<(), StoreError> {
        if self.progress.failed() < self.incarnation.get() {
            return Ok(());
        }
        let connection = open::readable(&self.files.database())?;
        let mut facts = load::facts(&connection)?;
        let mut answers = load::answers(&connection)?;
        self.forget_saved();
        let mut unsaved = self.unsaved.borrow_mut();
        unsaved.sent.clear();
        for write in &unsaved.writes {
            facts.apply(write);
            if let Write::Answer(answer) = write {
                answers.insert(answer);
            }
        }
        let mut ledger = self.ledger.borrow_mut();
        let latest = ledger.latest;
        ledger.refill(facts, latest);
        self.answers.replace(answers);
        self.incarnation.set(self.progress.failed() + 1);
        Ok(())
    }

    /// Drops what was freed in memory and has reached the disk since.
    fn forget_saved(&self) {
        let mut unsaved = self.unsaved.borrow_mut();
        while let Some((count, number)) = unsaved.sent.front().copied()
            && self.progress.durable() >= number
        {
            unsaved.writes.drain(..count);
            unsaved.sent.pop_front();
        }
    }

    /// Refuses what takes while the disk is full. Looks for room at most every two seconds.
    fn admit(&self) -> Result<(), StoreError> {
        if !self.space.is_full() || self.is_time_to_look() && self.space.look() {
            return Ok(());
        }
        Err(StoreError::Full)
    }

    fn is_time_to_look(&self) -> bool {
        let due = self
            .looked
            .get()
            .is_none_or(|at| at.elapsed() >= Duration::from_millis(ROOM_PROBE_MS));
        if due {
            self.looked.set(Some(Instant::now()));
        }
        due
    }

    /// Decides, and gives what must be kept for it.
    fn decide<T>(
        &self,
        operation: impl FnOnce(&mut Ledger) -> Decision<T>,
        answer: impl FnOnce(&T) -> Option<Write>,
    ) -> Decision<T> {
        let mut decision = operation(&mut self.ledger.borrow_mut());
        // Not within the borrow: an answer may look at the facts.
        if let Some(answer) = answer(&decision.verdict) {
            if let Write::Answer(answer) = &answer {
                self.answers.borrow_mut().insert(answer);
            }
            decision.writes.push(answer);
        }
        decision
    }

    /// Sends what was decided and waits until it is durable. Where nothing is to be kept, waits
    /// for what the decision was based on.
    fn send(
        &self,
        place: OwnedPermit<Message>,
        writes: Vec<Write>,
        frees: bool,
    ) -> Option<oneshot::Receiver<Result<(), StoreError>>> {
        let number = self.sent.get() + 1;
        self.forget_saved();
        let mut unsaved = self.unsaved.borrow_mut();
        // Whatever is decided may build on what was freed in memory: that is written before it.
        let carried = match writes.is_empty() {
            true => Vec::new(),
            false => unsaved.writes[unsaved.on_their_way()..].to_vec(),
        };
        if writes.is_empty() && self.progress.durable() >= self.sent.get() {
            return None;
        }
        if !carried.is_empty() {
            unsaved.sent.push_back((carried.len(), number));
        }
        let (done, told) = oneshot::channel();
        self.sent.set(number);
        self.outbox.borrow_mut().push((
            place,
            Entry {
                incarnation: self.incarnation.get(),
                number,
                frees,
                now_wall_ms: self.ledger.borrow().latest.wall_ms,
                writes: if carried.is_empty() {
                    writes
                } else {
                    carried.into_iter().chain(writes).collect()
                },
                done,
            },
        ));
        Some(told)
    }

    /// Waits until what was sent is durable. First lets whoever else is ready decide too, so that
    /// one turn of the loop is one message to the writer, and mostly one commit.
    async fn settled(
        &self,
        told: Option<oneshot::Receiver<Result<(), StoreError>>>,
    ) -> Result<(), StoreError> {
        let Some(told) = told else { return Ok(()) };
        let post = Post(self);
        tokio::task::yield_now().await;
        drop(post);
        told.await.unwrap_or_else(|_| Err(closed()))
    }

    /// Waits until everything decided so far is durable.
    async fn barrier(&self) -> Result<(), StoreError> {
        let place = self.place().await?;
        self.settled(self.send(place, Vec::new(), false)).await
    }

    /// Decides a release in memory only; it is written when there is room.
    fn free_in_memory<T>(
        &self,
        now: Now,
        decide: impl Fn(Operation<'_>) -> Decision<T>,
        answer: impl Fn(&T) -> Option<Write>,
    ) -> T {
        let decision = self.decide(
            |ledger| decide(Operation::new(ledger, now).without_grants()),
            answer,
        );
        self.unsaved.borrow_mut().writes.extend(decision.writes);
        decision.verdict
    }

    async fn ask<T>(
        &self,
        ask: impl FnOnce(oneshot::Sender<Result<T, StoreError>>) -> Ask,
    ) -> Result<T, StoreError> {
        let (reply, replied) = oneshot::channel();
        let asks = self
            .threads
            .borrow()
            .as_ref()
            .map(|threads| threads.asks.clone())
            .ok_or_else(closed)?;
        asks.send(ask(reply)).map_err(|_| closed())?;
        replied.await.unwrap_or_else(|_| Err(closed()))
    }
}

impl Mirror for SqliteStore {
    fn ledger(&self) -> &RefCell<Ledger> {
        // Where even reading fails, memory is the best there is; every write says that it fails.
        let _ = self.recover();
        &self.ledger
    }

    async fn keep<T>(
        &self,
        now: Now,
        decide: impl FnOnce(Operation<'_>) -> Decision<T>,
        answer: impl FnOnce(&T) -> Option<Write>,
    ) -> Result<T, StoreError> {
        let place = self.place().await?;
        self.recover()?;
        self.admit()?;
        let Decision { verdict, writes } =
            self.decide(|ledger| decide(Operation::new(ledger, now)), answer);
        self.settled(self.send(place, writes, false)).await?;
        Ok(verdict)
    }

    async fn free<T>(
        &self,
        now: Now,
        decide: impl Fn(Operation<'_>) -> Decision<T>,
        answer: impl Fn(&T) -> Option<Write>,
    ) -> Result<T, StoreError> {
        let place = self.place().await?;
        // Asked before: a disk that is full is so by a failure that `recover` sees then.
        let hopeless = self.space.is_full() && self.space.is_spent();
        self.recover()?;
        if hopeless && !(self.is_time_to_look() && self.space.look()) {
            return Ok(self.free_in_memory(now, decide, answer));
        }
        let Decision { verdict, writes } =
            self.decide(|ledger| decide(Operation::new(ledger, now)), &answer);
        match self.settled(self.send(place, writes, true)).await {
            Ok(()) => Ok(verdict),
            Err(_) => {
                self.recover()?;
                Ok(self.free_in_memory(now, decide, answer))
            }
        }
    }

    async fn kept_answer(&self, op_id: &str) -> Result<Option<Vec<u8>>, StoreError> {
        // A second look after a failed commit: the answer may have gone with it.
        for _ in 0..2 {
            self.recover()?;
            let Some(kept) = self.answers.borrow().get(op_id) else {
                return Ok(None);
            };
            match (self.barrier().await, kept) {
                (Ok(()), Kept::Here(body)) => return Ok(Some(body.to_vec())),
                (Ok(()), Kept::Away) => {
                    let op_id = op_id.to_owned();
                    return self.ask(|reply| Ask::Answer { op_id, reply }).await;
                }
                (Err(_), _) => {}
            }
        }
        Err(StoreError::Failed(
            "its answer could not be made durable".to_owned(),
        ))
    }

    async fn page(&self, after: u64, max: usize) -> Result<Page, StoreError> {
        self.ask(|reply| Ask::Changes { after, max, reply }).await
    }

    fn size(&self) -> u64 {
        self.files.bytes()
    }

    fn full(&self) -> bool {
        self.space.is_full()
    }

    async fn shut(&self) -> Result<(), StoreError> {
        if self.threads.borrow().is_none() {
            return Ok(());
        }
        let place = self.place().await?;
        self.recover()?;
        self.forget_saved();
        let unsaved = self.unsaved.take();
        let rest = unsaved.writes[unsaved.on_their_way()..].to_vec();
        let settled = self.settled(self.send(place, rest, false)).await;
        self.stop();
        settled
    }
}

impl SqliteStore {
    /// Ends the threads, the writer last: it then copies the log into the database.
    fn stop(&self) {
        let Some(threads) = self.threads.borrow_mut().take() else {
            return;
        };
        drop(threads.asks);
        let _ = threads.reader.join();
        // A full queue cannot take the word; the writer then ends when the last sender is gone.
        let _ = threads.queue.try_send(Message::Close);
        drop(threads.queue);
        let _ = threads.writer.join();
        let _ = threads.checkpointer.join();
    }
}

impl Drop for SqliteStore {
    fn drop(&mut self) {
        self.stop();
    }
}

fn closed() -> StoreError {
    StoreError::Failed("it is closed".to_owned())
}
