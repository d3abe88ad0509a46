//! Worktrees are made, kept and removed: stories at the crate's border.

mod crashes;
mod full_disk;
mod hostile;
mod making;
mod parallel;
mod removing;
mod support;
