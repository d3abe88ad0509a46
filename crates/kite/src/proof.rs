//! The proof that enforcement works here: a refusal, through the installed hook, of an edit that
//! nobody meant.

use std::fs;

use kite_wire::{
    home::Home,
    reply::{Locks, Sessions},
    request::{Caller, Lock, Register, SessionEnd},
};
use serde_json::json;

use crate::{
    connect::{Daemon, op_id},
    error::Error,
    hook::{Agent, Answer, Verdict},
};

/// The client's name of the made-up session that locks.
const CLIENT: &str = "kite-proof";

/// What the dry refusal showed.
#[derive(Debug)]
pub(crate) struct Proof {
    /// The first sentence that the refused session was told.
    pub(crate) refusal: String,
    /// How long the whole hook call took.
    pub(crate) took_ms: f64,
}

/// Lets one made-up session lock a file in a throw-away directory, another try to write it through
/// the installed hook, and expects the refusal. Both sessions are gone afterwards.
///
/// # Errors
/// Where no daemon runs, the hook cannot be run, or the write was *not* refused.
pub(crate) fn prove_enforcement(home: &Home) -> Result<Proof, Error> {
    let cannot = |cause| Error::failed("cannot make a throw-away directory").because(cause);
    let dir = tempfile::Builder::new()
        .prefix("kite-proof-")
        .tempdir()
        .map_err(cannot)?;
    let place = fs::canonicalize(dir.path()).map_err(cannot)?;
    let file = place.join("proof.txt");
    fs::write(&file, "nothing\n").map_err(cannot)?;
    let (file, place_text) = (
        file.to_string_lossy().into_owned(),
        place.to_string_lossy().into_owned(),
    );

    let caller = Caller {
        client: CLIENT.to_owned(),
        cwd: Some(place_text.clone()),
        ..Caller::default()
    };
    let mut daemon = Daemon::connect_as(home.clone(), caller)?;
    let holder = format!("kite-proof-holder-{}", op_id()?);
    let writer = Agent::new(
        home,
        std::process::id(),
        &format!("kite-proof-writer-{}", op_id()?),
        &place,
    );

    let answer = refuse(&mut daemon, &holder, &place_text, &file, &writer);

    // Both end whatever came of it. A session that was never opened cannot end: no harm.
    let _ = writer.event("SessionEnd", json!({ "reason": "other" }));
    let _ = daemon.ask_for::<Sessions>(Some(&holder), SessionEnd {});
    judge(answer?)
}

fn refuse(
    daemon: &mut Daemon,
    holder: &str,
    place: &str,
    file: &str,
    writer: &Agent,
) -> Result<Answer, Error> {
    let register = Register {
        client: Some(CLIENT.to_owned()),
        cwd: Some(place.to_owned()),
        intent: Some("proof that enforcement works".to_owned()),
        ..Register::default()
    };
    daemon.ask_for::<Sessions>(Some(holder), register)?;
    let lock = Lock {
        paths: vec![file.to_owned()],
        ..Lock::default()
    };
    daemon.ask_for::<Locks>(Some(holder), lock)?;
    writer.before(
        "Write",
        "toolu_kite_proof",
        &json!({ "file_path": file, "content": "something else\n" }),
    )
}

fn judge(answer: Answer) -> Result<Proof, Error> {
    match answer.verdict {
        Verdict::Denied(text) => Ok(Proof {
            refusal: first_sentence(&text),
            took_ms: answer.took.as_secs_f64() * 1_000.0,
        }),
        Verdict::Allowed => Err(Error::failed("a write to a locked file was not refused")
            .because("the installed hook let it pass")
            .hinted("`kite doctor` looks for the cause; `kite init` installs the hook anew")),
    }
}

/// Up to the first full stop that ends a sentence.
fn first_sentence(text: &str) -> String {
    match text.find(". ") {
        Some(end) => text[..=end].to_owned(),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_sentence_ends_at_its_full_stop() {
        assert_eq!(
            first_sentence("File locked by 3f2a. Go on. Or wait."),
            "File locked by 3f2a."
        );
        assert_eq!(first_sentence("a.rs is locked"), "a.rs is locked");
    }
}
