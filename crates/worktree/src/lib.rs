//! Git worktrees for agents: made one at a time, recorded before and after, removed only when nothing
//! is lost.
//!
//! **Architecture Invariant:** knows git and files, through the one way that `undo` runs git. Who
//! works in a worktree, and why, is not its business.
