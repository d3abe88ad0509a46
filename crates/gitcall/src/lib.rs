//! Which git commands does a piece of shell text run, and what would each do to uncommitted work?
//!
//! [`calls`] reads shell text and finds the git commands in it. It does not pretend to understand
//! shell: what depends on a variable, a substitution, a glob or an unknown program is marked as
//! only possible ([`Call::certain`]). [`judge`] puts one command beside the uncommitted files of a
//! worktree and says whose work it would destroy or sweep up, and which command is safe instead.
//!
//! A command is judged certain only where git, run as written, really hits another session's file.
//! Everything else is at most possible: its caller keeps a snapshot and lets it go on.
//!
//! **Architecture Invariant:** text and facts in, findings out. No files, no processes, no clock,
//! no configuration; no other room of Kite is known here.

mod alias;
mod call;
mod dirty;
mod git;
mod judge;
mod mention;
mod options;
mod pathspec;
mod programs;
mod quote;
mod shell;
mod verb;

pub use alias::expand_alias;
pub use call::{Call, Reading, calls};
pub use dirty::{Dirty, DirtyState};
pub use judge::{Effect, Judgement, judge, judge_all, judge_removal};
pub use mention::mentions_git;
pub use verb::Verb;
