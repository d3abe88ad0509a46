//! What is kept: sessions, locks, tasks, the change feed, the answers to retried requests.
//!
//! [`Store`] has one method for each operation, and each is one transaction: judge by `rules`
//! over the facts, then keep the changed records, the rows of the change feed and the retry
//! answer together, and return once they are durable. An engine may keep the facts in memory
//! ([`Ledger`]) or load them; the contract suite ([`contract`]) holds every engine to the same
//! answers.
//!
//! **Architecture Invariant:** no SQL outside this crate; nothing here knows wire or processes.
//!
//! **Architecture Invariant:** an acknowledged change survives `kill -9`. A failed commit fails
//! every operation that was decided upon it, and memory goes back to what is on disk.

mod answers;
pub mod contract;
mod document;
pub mod in_memory;
pub mod ledger;
pub mod limits;
mod mirror;
mod operation;
pub mod sqlite;
mod write;

use kite_rules::{
    Now, Refusal,
    lock::{self, Epoch, Granted, Lock, Ticket},
    pattern::Target,
    session::{Owner, Session, SessionId, State},
    task::{Changed, NewTask, TaskId},
};

pub use document::{Document, Documents};
pub use in_memory::InMemoryStore;
pub use ledger::{Facts, Ledger};
pub use sqlite::{Durability, Options, SqliteStore};

/// Why the store could not do it. Never a judgement: those are [`Refusal`]s.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreError {
    /// The disk is full: nothing was changed. Reads and releases go on.
    Full,
    /// The file was written by a newer Kite: it was left untouched.
    Newer { found: i64, known: i64 },
    /// The file is not a Kite store, or is damaged. It is never replaced by an empty one.
    Damaged(String),
    /// Anything else; nothing was changed, a retry may succeed.
    Failed(String),
}

impl core::fmt::Display for StoreError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            StoreError::Full => write!(f, "the disk is full"),
            StoreError::Newer { found, known } => {
                write!(f, "the store has schema {found}, this Kite knows {known}")
            }
            StoreError::Damaged(why) => write!(f, "the store is damaged: {why}"),
            StoreError::Failed(why) => write!(f, "the store failed: {why}"),
        }
    }
}

impl core::error::Error for StoreError {}

/// A judgement, or the failure to reach one.
pub type Judged<T> = Result<Result<T, Refusal>, StoreError>;

/// Makes an operation idempotent: its answer is kept in the same transaction under `op_id`.
/// Only successes are kept; a refused operation may be tried again.
pub struct Retry<'a, T> {
    /// The request's key: unguessable, 1 to 64 characters.
    pub op_id: &'a str,
    /// Renders the answer that will be given again.
    pub answer: &'a dyn Fn(&T) -> Vec<u8>,
}

/// A session that was opened or found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    pub session: Session,
    pub new: bool,
}

/// What became free, and who got it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Freed {
    pub locks: Vec<Lock>,
    pub promoted: Vec<(Ticket, Granted)>,
    /// Tasks given back or failed because their session ended.
    pub tasks: Vec<Changed>,
}

/// The answer to a request for locks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Acquired {
    Granted(Granted),
    /// In the queue. The grant comes in the [`Freed`] of a later operation.
    Queued(Ticket),
}

/// What a release asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Release {
    /// The owner's locks on exactly these targets, optionally only at this epoch.
    Targets {
        owner: Owner,
        targets: Vec<Target>,
        epoch: Option<Epoch>,
    },
    /// Everything of a session; at the end of a turn only what it does not keep.
    Session {
        session: SessionId,
        unless_kept: bool,
    },
    /// Everything of one subagent.
    Agent(Owner),
    /// Whoever's locks on exactly these targets. For a person only.
    Broken { targets: Vec<Target> },
}

/// A row of the change feed: gap-free, in the order of commits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    pub seq: u64,
    pub at_wall_ms: u64,
    pub project: String,
    /// `session`, `lock` or `task`.
    pub kind: String,
    /// Id of the session or task, or the epoch of the lock.
    pub entity: String,
    /// `opened`, `ended`, `granted`, `released`, `expired`, `created`, `claimed`, ...
    pub what: String,
    pub session: Option<SessionId>,
}

/// A page of the change feed, or the word that the cursor is older than what is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Page {
    Changes(Vec<Change>),
    Resync { oldest: u64 },
}

/// One method for each operation; each is one transaction. Single-threaded callers: futures are
/// not `Send`. Dropping a future does not undo what was decided.
#[expect(
    async_fn_in_trait,
    reason = "the daemon runs on one thread; no bounds are wanted"
)]
pub trait Store: 'static {
    /// Looks at the facts. Cheap, in memory; may show what is decided and about to be durable.
    fn read<R>(&self, look: impl FnOnce(&Ledger) -> R) -> R;

    /// The answer kept under this key, once it is durable.
    async fn answered(&self, op_id: &str) -> Result<Option<Vec<u8>>, StoreError>;

    /// Keeps an answer for an operation that ended outside its own transaction (a granted wait).
    async fn remember(&self, op_id: &str, answer: &[u8]) -> Result<(), StoreError>;

    /// Opens a session, or finds the live one of the same (client, process), or for a
    /// [`kite_rules::session::Kind::Remote`] the same (client, client_session_id), and brings its
    /// attributes up to date. `session.id` is the fresh id to use if it is new.
    async fn open_session(&self, session: Session, now: Now) -> Result<Opened, StoreError>;

    /// Keeps changed attributes of a live session (intent, cwd, state, client session id, ...).
    /// Where only `seen` or `state` differ it stays in memory. Unknown or ended: ignored.
    async fn update_session(&self, session: Session, now: Now) -> Result<(), StoreError>;

    /// A sign of life, in memory: renews the session's locks.
    fn seen(&self, session: SessionId, now: Now);

    /// Ends a session as `ended` or `lost`: its locks and waits go, its tasks come back.
    async fn end_session(
        &self,
        session: SessionId,
        state: State,
        why: &str,
        now: Now,
    ) -> Result<Freed, StoreError>;

    async fn acquire(
        &self,
        request: lock::Request,
        wait: bool,
        now: Now,
        retry: Option<Retry<'_, Granted>>,
    ) -> Judged<Acquired>;

    /// Leaves the queue; the refusal that a time-out is answered with, if it still waited.
    /// Whoever stood behind it gets what is free with the next [`Store::expire`].
    fn leave(&self, ticket: Ticket, now: Now) -> Option<Refusal>;

    async fn release(
        &self,
        release: Release,
        now: Now,
        retry: Option<Retry<'_, Freed>>,
    ) -> Judged<Freed>;

    /// Ends leases that have run out, and grants what is free to those who wait. Call it also
    /// after [`Store::leave`], and after a [`StoreError`] while somebody waits: memory went back
    /// to what is on disk, and the waiting kept their places.
    async fn expire(&self, now: Now) -> Result<Freed, StoreError>;

    /// Gives every lease a full TTL: the machine woke up.
    fn renew_all(&self, now: Now);

    async fn create_task(
        &self,
        id: TaskId,
        task: NewTask,
        now: Now,
        retry: Option<Retry<'_, Changed>>,
    ) -> Judged<Changed>;

    async fn claim_next(
        &self,
        project: &str,
        owner: &Owner,
        another: bool,
        now: Now,
        retry: Option<Retry<'_, Changed>>,
    ) -> Judged<Changed>;

    async fn claim(
        &self,
        task: TaskId,
        owner: &Owner,
        now: Now,
        retry: Option<Retry<'_, Changed>>,
    ) -> Judged<Changed>;

    async fn complete(
        &self,
        task: TaskId,
        owner: &Owner,
        attempt: Option<u32>,
        result: Option<String>,
        now: Now,
        retry: Option<Retry<'_, Changed>>,
    ) -> Judged<Changed>;

    #[expect(
        clippy::too_many_arguments,
        reason = "the operation's facts, each needed"
    )]
    async fn release_task(
        &self,
        task: TaskId,
        owner: &Owner,
        attempt: Option<u32>,
        reason: Option<String>,
        failed: bool,
        now: Now,
        retry: Option<Retry<'_, Changed>>,
    ) -> Judged<Changed>;

    async fn cancel_task(
        &self,
        task: TaskId,
        reason: Option<String>,
        now: Now,
        retry: Option<Retry<'_, Changed>>,
    ) -> Judged<Changed>;

    /// The change feed after a sequence number, oldest first, at most `max`.
    async fn changes(&self, after: u64, max: usize) -> Result<Page, StoreError>;

    /// Adds to the durable counters of what was prevented ([`Ledger::tally`]).
    async fn tally(&self, add: &[(&'static str, u64)]) -> Result<(), StoreError>;

    /// Keeps or forgets documents ([`Ledger::documents`]), all or none. A repeated one does no harm.
    /// A kind that is full ([`limits::DOCUMENTS_MAX`]) or a text that is too long
    /// ([`limits::DOCUMENT_BYTES_MAX`]) is [`StoreError::Failed`]; nothing is changed then.
    async fn keep_documents(&self, documents: &[Document], now: Now) -> Result<(), StoreError>;

    /// Bytes on disk.
    fn bytes(&self) -> u64;

    /// True while the disk is full.
    fn is_full(&self) -> bool;

    /// Everything decided so far is durable when this returns; the engine is closed after it.
    async fn close(&self) -> Result<(), StoreError>;
}
