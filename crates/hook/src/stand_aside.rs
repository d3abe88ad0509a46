//! The breaker: two time-outs in short order of hooks that an agent waited for, and hooks let
//! everything pass for a minute, rather than cost every step of every session a time-out.

use std::time::Duration;

use kite_wire::home::Home;

use crate::stamp::{self, Stamp};

/// Two time-outs within this stand the hooks aside.
const TIMEOUT_WINDOW: Duration = Duration::from_secs(30);

/// How long they stand aside, in milliseconds.
const STAND_ASIDE_MS: u64 = 60_000;

/// What the person is told, once, by the call that stood the hooks aside.
pub(crate) const MESSAGE: &str = concat!(
    r#"{"systemMessage":"Kite is not answering: edits are not guarded for the next 60 s. "#,
    r#"`kite doctor` tells why."}"#,
    "\n"
);

/// True while hooks let everything pass. In the usual case one failed `open`.
pub(crate) fn is_on(home: &Home) -> bool {
    let Some(until) = stamp::read(&home.stand_aside()) else {
        return false;
    };
    let now = stamp::now_ms();
    // A moment further off was written before the clock was set back: it would never end.
    now < until && until <= now + STAND_ASIDE_MS
}

/// Remembers a time-out. True for the one call that this stands the hooks aside.
pub(crate) fn after_timeout(home: &Home) -> bool {
    let Some(last_timeout) = Stamp::take(&home.hook_timeout()) else {
        return false;
    };
    let now = stamp::now_ms();
    let again = last_timeout
        .read()
        .is_some_and(|last| stamp::is_recent(last, now, TIMEOUT_WINDOW));
    last_timeout.write(now);
    again
        && !is_on(home)
        && Stamp::take(&home.stand_aside()).is_some_and(|until| until.write(now + STAND_ASIDE_MS))
}
