//! Undo: nothing an agent does can cost anybody work.
//!
//! **Architecture Invariant:** depends on nothing of ours. It knows neither the wire, nor the
//! rules, nor the daemon: the command line uses it with the daemon down, and both may use it at
//! once, for every change is made under a lock between processes.

mod error;
mod git;
mod hash;
mod history;
pub mod images;
pub mod journal;
mod lock;
pub mod look;
mod path_text;
mod place;
pub mod restore;
pub mod snapshot;
pub mod upkeep;
pub mod worktrees;

pub use error::Error;
pub use git::{
    Call, DirtyFile, DirtyState, Git, Mode, Oid, Side, Status, TreeChange, Unmerged, Version,
};
pub use hash::Hash;
pub use history::{BroughtBack, Edit, History, RefMove, Settings};
pub use path_text::PathText;
pub use place::Shape;
