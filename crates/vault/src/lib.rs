//! The vault: folders of Markdown notes that sessions learn from and write to.
//!
//! [`Index`] keeps a full-text index of the notes of some [`Vault`]s fresh; a [`Searcher`] answers
//! questions from it. Everything blocks, and is `Send`.
//!
//! **Architecture Invariant:** depends on nothing of ours: neither the wire, nor the rules, nor
//! the daemon. It knows files, notes and words; who asks, and why, is not its business.
//!
//! **Architecture Invariant:** the notes are the person's. Nothing here deletes or renames one,
//! and nothing is read or written outside a vault's folder.

mod error;
pub mod escape;
mod frame;
mod index;
pub mod limits;
mod names;
mod note;
mod place;
mod provenance;
mod recall;
mod search;
mod vaults;
mod walk;
mod watch;
mod words;
mod write;

pub use error::Error;
pub use frame::{Nonce, Quoted, frame};
pub use index::{Index, Scan};
pub use provenance::Author;
pub use recall::{Brought, Opening, Prompt, Recalled, Seen};
pub use search::{Answer, Listed, Listing, Query, Ranking, Searcher, Skipped, Snippet};
pub use vaults::{Reach, Scope, Trust, Vault};
pub use watch::{Changes, Watch};
pub use write::{Draft, NoteText, Outcome, Target, Written};
