//! What goes wrong with notes, as it is answered.

use std::error::Error as _;

use kite_vault::Error;
use kite_wire::reply::Fault;

use crate::hands::vaults::Unanswered;

/// Why nothing was written or read.
pub(super) fn of_vault(error: &Error) -> Fault {
    match error {
        Error::Refused { what } => {
            Fault::new("invalid_field", format!("{what}; nothing was written"))
        }
        Error::Escapes { .. } => Fault::new("invalid_field", error.to_string())
            .hint("give a title without a path, or have the person look at the folder"),
        Error::NoNote { .. } => Fault::new("unknown_note", error.to_string())
            .hint("kite_vault_search gives the paths of notes"),
        Error::Busy { .. } | Error::Contended { .. } => {
            Fault::new("busy", error.to_string()).hint("Try the same again in a moment.")
        }
        Error::Io { .. } | Error::Index { .. } => broken(told(error)),
    }
}

/// Why a question was not answered. `None`: there is nothing to look in yet.
pub(super) fn of_question(unanswered: &Unanswered) -> Option<Fault> {
    match unanswered {
        Unanswered::NotYet => None,
        Unanswered::Busy => Some(
            Fault::new("limit_reached", "too many questions to the vault wait")
                .hint("Ask again in a moment."),
        ),
        Unanswered::Failed(error) => Some(of_vault(error)),
    }
}

pub(super) fn broken(why: String) -> Fault {
    Fault::new("vault_error", why).hint(
        "`kite doctor` looks into it; `kite vault reindex` makes the index anew and touches no note",
    )
}

/// An error with its cause, on one line.
fn told(error: &Error) -> String {
    match error.source() {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}
