//! Limits of the vault. Each has a name; the messages and the documentation use the same figures.

use std::time::Duration;

/// Most vaults that one index holds.
pub const VAULTS_MAX: usize = 64;
/// Most notes of one vault that are indexed. Those after it, in the order of their paths, are not.
pub const NOTES_MAX: usize = 100_000;
/// Most files and directories looked at in one vault, notes or not.
pub const ENTRIES_MAX: usize = 400_000;
/// Deepest directory below the top of a vault.
pub const DEPTH_MAX: usize = 32;
/// Largest note that is read.
pub const NOTE_BYTES_MAX: u64 = 1 << 20;
/// Largest front matter that is read; the note of a larger one has none.
pub const FRONT_BYTES_MAX: usize = 32 << 10;
/// Deepest nesting in front matter.
pub const FRONT_DEPTH_MAX: usize = 16;
/// Most values in front matter, counted after its aliases are followed.
pub const FRONT_NODES_MAX: usize = 4_096;
/// Most aliases, tags and links that are kept of one note, each.
pub const NAMES_MAX: usize = 256;
/// Longest title, heading, alias or tag that is kept, in bytes.
pub const NAME_BYTES_MAX: usize = 512;
/// Most sections of one note that are told apart. What follows belongs to the last.
pub const SECTIONS_MAX: usize = 2_000;
/// Longest word that is indexed, in bytes. A longer one is data, not a word.
pub const WORD_BYTES_MAX: usize = 64;
/// Largest file of ignore rules; the directory of a larger one is left out.
pub const IGNORE_BYTES_MAX: u64 = 256 << 10;

/// Longest query that is looked at, in bytes. What follows is not searched for.
pub const QUERY_BYTES_MAX: usize = 8 << 10;
/// Most different words of one query that are searched for: the rarest of them.
pub const QUERY_WORDS_MAX: usize = 24;
/// Most quoted phrases of one query.
pub const QUERY_PHRASES_MAX: usize = 8;
/// Most words that one prefix (`deploy*`) stands for.
pub const PREFIX_WORDS_MAX: usize = 64;
/// Most answers of one search.
pub const ANSWERS_MAX: usize = 50;
/// Longest snippet, in bytes.
pub const SNIPPET_BYTES_MAX: usize = 400;

/// Longest text that one write brings, in bytes.
pub const TEXT_BYTES_MAX: usize = 64 << 10;
/// Most tags of one write.
pub const TAGS_MAX: usize = 32;
/// Longest file name that a title becomes, in bytes and without its suffix.
pub const FILE_NAME_BYTES_MAX: usize = 120;
/// Most writes that one note's front matter tells of. The oldest are forgotten.
pub const WRITES_TOLD_MAX: usize = 64;
/// Most files of one title (`Title`, `Title 2`, ...).
pub const SAME_TITLE_MAX: usize = 99;
/// How often a write starts anew because somebody else changed the note meanwhile.
pub const WRITE_ATTEMPTS_MAX: usize = 8;
/// How long one write waits for another writer of the same vault.
pub const WRITE_WAIT: Duration = Duration::from_secs(5);

/// Bytes that are counted as one token. An estimate: English prose has about four.
pub const BYTES_PER_TOKEN: usize = 4;
/// Default budget of what one prompt brings in.
pub const TOKENS_PER_PROMPT: usize = 200;
/// Default budget of what one session's prompts bring in.
pub const TOKENS_PER_SESSION: usize = 1_000;
/// Most notes that one prompt brings in.
pub const RECALLED_MAX: usize = 4;

/// How long a burst of changes is collected before it is told.
pub const SETTLE: Duration = Duration::from_millis(100);
/// How long a burst that does not end is collected at most.
pub const SETTLE_MAX: Duration = Duration::from_millis(500);
/// Most changed paths that are told one by one. More become "look at everything".
pub const CHANGED_MAX: usize = 1_000;
