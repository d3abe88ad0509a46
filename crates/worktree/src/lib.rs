//! Git worktrees for agents: made one at a time, recorded before and after, removed only when nothing
//! is lost.
//!
//! A worktree begins as a [`Plan`], which says all that is going to be made. Whoever calls keeps the
//! plan before [`make`] and notes its success after it: a plan that was never confirmed is
//! [`abandon`]ed later, whatever was killed in between, and nothing of it stays.
//!
//! None of the repository's code runs: no hook, no file system monitor, no filter, no alias. So a file
//! that a filter would turn into another (Git LFS, git-crypt) stands there as the repository stores
//! it, until somebody in the worktree asks for more (`git lfs pull`).
//!
//! **Architecture Invariant:** knows git and files, through the one way that `undo` runs git. Who
//! works in a worktree, and why, is not its business.

mod disposable;
mod entry;
mod error;
mod lock;
mod look;
mod make;
mod names;
mod patience;
mod plan;
mod refs;
mod remove;

pub use disposable::Disposable;
pub use error::{Error, Loss};
pub use look::{Found, Look, look};
pub use make::{Abandoned, abandon, make};
pub use plan::{Plan, Wanted};
pub use remove::{Removal, Removed, Rescue, remove};
