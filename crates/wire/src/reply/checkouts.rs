//! Worktrees that Kite made.
