//! The store's own limits, with their units in their names.

/// Entries waiting for the writer; a caller beyond them waits for room.
pub const QUEUE_MAX: usize = 4_096;
/// Entries of one commit.
pub const BATCH_MAX: usize = 256;
/// Time after which a batch takes no more entries, in milliseconds.
pub const BATCH_MS: u64 = 2;
/// Answers kept for repeated requests.
pub const ANSWERS_MAX: usize = 65_536;
/// Age up to which an answer is kept.
pub const ANSWER_AGE_MS: u64 = 24 * 3_600_000;
/// Answers whose text is held in memory; older ones are read from disk.
pub const ANSWERS_IN_MEMORY: usize = 1_024;
/// Rows of the change feed that are kept.
pub const CHANGES_MAX: u64 = 1_000_000;
/// Age up to which rows of the change feed are kept.
pub const CHANGE_AGE_MS: u64 = 7 * 24 * 3_600_000;
/// Rows of one page of the change feed.
pub const PAGE_MAX: usize = 1_000;
/// Ended sessions that are remembered.
pub const ENDED_SESSIONS_MAX: usize = 1_000;
/// Age up to which ended sessions are remembered.
pub const ENDED_SESSION_AGE_MS: u64 = 7 * 24 * 3_600_000;
/// Finished tasks that are kept when the store is opened; older ones go unless unfinished work
/// depends on them.
pub const FINISHED_TASKS_MAX: usize = 100_000;
/// Bytes set aside so that releases succeed on a full disk.
pub const BALLAST_BYTES: u64 = 4 << 20;
/// Free bytes at which writing goes on after the disk was full.
pub const ROOM_BYTES: u64 = 16 << 20;
/// How often free space is looked at while the disk is full.
pub const ROOM_PROBE_MS: u64 = 2_000;
/// Pages in the write-ahead log at which a checkpoint starts beside the writer.
pub const CHECKPOINT_PAGES: u32 = 4_096;
/// Pages at which the writer itself makes the checkpoint: the log grows no further unless another
/// program holds a read open.
pub const LOG_PAGES_MAX: u32 = 16_384;
/// The writer was idle so long: a checkpoint is made.
pub const IDLE_MS: u64 = 1_000;
/// Size up to which the whole file is checked after an unclean end.
pub const CHECK_BYTES_MAX: u64 = 64 << 20;
/// Documents of one kind.
pub const DOCUMENTS_MAX: usize = 10_000;
/// Text of one document.
pub const DOCUMENT_BYTES_MAX: usize = 256 << 10;
