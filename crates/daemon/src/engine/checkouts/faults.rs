//! What stands in the way of a worktree, as clients are told it.

use kite_wire::reply::Fault;
use kite_worktree::Error;

use crate::translate::words::inline;

/// Longest text of a fault: twenty long paths.
const TEXT_CHARS_MAX: usize = 4_000;

pub(super) fn fault(error: &Error) -> Fault {
    let code = match error {
        Error::NotARepository { .. } | Error::Bare { .. } | Error::NoCommit { .. } => {
            "not_a_repository"
        }
        Error::Base { .. } => "invalid_field",
        Error::WouldLose { .. } => "work_would_be_lost",
        _ => "worktree_failed",
    };
    // Names of files are anybody's.
    Fault::new(code, inline(&error.to_string(), TEXT_CHARS_MAX))
        .hint(inline(&error.hint(), TEXT_CHARS_MAX))
}

/// A helper thread that ended without an answer.
pub(super) fn broken() -> Fault {
    Fault::new(
        "worktree_failed",
        "Kite's own work on the worktree broke off.",
    )
    .hint("Ask again; `kite daemon restart` clears up what was left.")
}
