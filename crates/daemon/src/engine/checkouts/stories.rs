//! Worktrees, as those who ask for them see it.
