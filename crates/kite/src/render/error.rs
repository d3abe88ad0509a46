//! Failures, on stderr: what, why, what now.

use super::{Line, Role, Terminal};
use crate::error::{Error, Kind};

/// Tells of a failure. Where stderr is gone too, the exit code has to do.
pub(crate) fn print(terminal: &mut Terminal, error: &Error) {
    if error.kind == Kind::ReaderGone {
        return;
    }
    let what = Line::new()
        .with(Role::Bad, "error:")
        .plain(" ")
        .plain(&error.what);
    let why = error.why.as_ref().map(|why| {
        Line::new()
            .with(Role::Heading, "  why:")
            .plain(" ")
            .plain(why)
    });
    let hint = error.hint.as_ref().map(|hint| {
        Line::new()
            .with(Role::Heading, " hint:")
            .plain(" ")
            .plain(hint)
    });
    for line in [Some(what), why, hint].into_iter().flatten() {
        let _ = terminal.note(line);
    }
}
