//! Every limit of the rules, with its unit in its name.

/// Paths, globs and names in one lock request.
pub const LOCK_TARGETS_MAX: usize = 64;
/// Locks one session may hold at once.
pub const LOCKS_PER_SESSION_MAX: usize = 1_024;
/// Characters of a path, glob or lock name.
pub const TARGET_CHARS_MAX: usize = 4_096;
/// Characters of a glob's pattern part; keeps the exact overlap test small.
pub const GLOB_CHARS_MAX: usize = 512;
/// Braces within braces of a glob.
pub const GLOB_DEPTH_MAX: usize = 8;
/// States of all automata of one glob, braces expanded.
pub const GLOB_STATES_MAX: usize = 4_096;
/// Requests waiting for locks at once.
pub const WAITERS_MAX: usize = 256;
/// Of those in the way of a refused request, so many are named.
pub const LOCKED_NAMED_MAX: usize = 16;
/// Longest life of a lock without a sign of life of its session.
pub const LOCK_TTL_MS_MAX: u64 = 24 * 3_600_000;
/// Usual life of a lock.
pub const LOCK_TTL_MS: u64 = 30 * 60_000;
/// Longest wait in a lock's queue.
pub const LOCK_WAIT_MS_MAX: u64 = 45_000;
/// A hold lasts so long past the end of its tool, so that formatter hooks finish.
pub const HOLD_GRACE_MS: u64 = 1_000;
/// The same where the client tells of no end of a step: nothing would end the hold earlier, and each
/// who waits for the file would wait for this.
pub const HOLD_GRACE_UNTOLD_MS: u64 = 150;
/// A hold that nothing confirmed or ended.
pub const HOLD_TTL_MS: u64 = 90_000;
/// An edit waits so long for another session's edit of the same file.
pub const HOLD_WAIT_MS: u64 = 2_000;
/// A session with no process to watch lives so long without a sign of life.
pub const SESSION_TTL_MS: u64 = 60_000;
/// Characters of a session's intent.
pub const INTENT_CHARS_MAX: usize = 80;
/// Characters of a task's title.
pub const TITLE_CHARS_MAX: usize = 200;
/// Characters of a task's description, and of a result.
pub const TEXT_CHARS_MAX: usize = 8_000;
/// Characters of a reason; longer ones are cut.
pub const REASON_CHARS_MAX: usize = 500;
/// Dependencies of one task.
pub const DEPENDENCIES_MAX: usize = 64;
/// Paths a task may declare.
pub const TASK_PATHS_MAX: usize = 64;
/// Unfinished tasks of one project.
pub const OPEN_TASKS_MAX: usize = 1_000_000;
/// Attempts that may end with the holder's death before a task fails.
pub const ATTEMPTS_MAX: u32 = 3;
/// Reasons and late results kept with a task; older ones make room.
pub const NOTES_PER_TASK_MAX: usize = 16;
/// Ready tasks that claim-next looks at for one whose paths are free.
pub const CLAIM_LOOKAHEAD: usize = 64;
/// Files whose touches are remembered; the longest untouched make room.
pub const TOUCHED_FILES_MAX: usize = 20_000;
/// Owners whose last change of a file is remembered; the oldest change makes room.
pub const CHANGES_PER_FILE_MAX: usize = 8;
/// Owners of whom it is remembered what they saw of a file; the longest ago makes room.
pub const READERS_PER_FILE_MAX: usize = 64;
/// A change that is older than this is not told to whoever edits the file.
pub const NOTE_AGE_MS_MAX: u64 = 24 * 3_600_000;

/// The text, cut to so many characters.
pub(crate) fn cut(mut text: alloc::string::String, chars_max: usize) -> alloc::string::String {
    if let Some((end, _)) = text.char_indices().nth(chars_max) {
        text.truncate(end);
    }
    text
}
