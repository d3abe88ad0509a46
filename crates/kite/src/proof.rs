//! The proof that enforcement works here: a refusal, through the installed hook, of an edit that
//! nobody meant.

use std::{fs, path::Path};

use kite_wire::{
    home::Home,
    reply::{Locks, Sessions},
    request::{Caller, Lock, Register, SessionEnd},
};
use serde_json::{Value, json};

use crate::{
    connect::{Daemon, op_id},
    error::Error,
    hook::{Agent, Answer, Verdict, run_command},
    wiring::Client,
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
    let session = format!("kite-proof-writer-{}", op_id()?);
    refused(home, |place, file| {
        let writer = Agent::new(home, std::process::id(), &session, place);
        let input = json!({ "file_path": file, "content": "something else\n" });
        let answer = writer.before("Write", "toolu_kite_proof", &input);
        // A session that was never opened cannot end: no harm.
        let _ = writer.event("SessionEnd", json!({ "reason": "other" }));
        answer
    })
}

/// The same through a client's own hook command, as it stands in that client's file.
///
/// # Errors
/// As [`prove_enforcement`].
pub(crate) fn prove_client(home: &Home, client: Client, command: &str) -> Result<Proof, Error> {
    let session = format!("kite-proof-writer-{}", op_id()?);
    refused(home, |place, file| {
        let (tool, arguments) = edit_of(client, file);
        let input = json!({
            "session_id": session,
            "cwd": place,
            "tool_name": tool,
            "tool_use_id": "kite_proof",
            "tool_input": arguments,
        });
        let answer = run_command(command, place, &input);
        let end = command.replace(" PreToolUse ", " SessionEnd ");
        let _ = run_command(&end, place, &json!({ "session_id": session, "cwd": place }));
        answer
    })
}

/// An edit of that file, as the client tells it to its hooks.
fn edit_of(client: Client, file: &str) -> (&'static str, Value) {
    match client {
        Client::Codex => {
            let patch = format!(
                "*** Begin Patch\n*** Update File: {file}\n-nothing\n+something else\n*** End Patch\n"
            );
            ("apply_patch", json!({ "command": patch }))
        }
        Client::Gemini => {
            let edit = json!({ "file_path": file, "content": "something else\n" });
            ("write_file", edit)
        }
        Client::Opencode => {
            let edit = json!({ "filePath": file, "content": "something else\n" });
            ("write", edit)
        }
    }
}

/// Has a made-up session lock a file, and `write` try to write it.
fn refused(
    home: &Home,
    write: impl FnOnce(&Path, &str) -> Result<Answer, Error>,
) -> Result<Proof, Error> {
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
    let answer = lock(&mut daemon, &holder, &place_text, &file).and_then(|()| write(&place, &file));
    // It ends whatever came of it.
    let _ = daemon.ask_for::<Sessions>(Some(&holder), SessionEnd {});
    judge(answer?)
}

fn lock(daemon: &mut Daemon, holder: &str, place: &str, file: &str) -> Result<(), Error> {
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
    daemon.ask_for::<Locks>(Some(holder), lock).map(drop)
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
