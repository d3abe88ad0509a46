//! Four sessions edit different lines of one file at the same moment, eight times over.

use std::time::{Duration, Instant};

use kite_scenes::{
    model::Script,
    stage::{Fault, Scene, Stage, tell},
};
use serde_json::json;

const SESSIONS: usize = 4;
const ROUNDS: usize = 8;

#[test]
fn four_sessions_edit_one_file_at_the_same_moment() -> Scene {
    let Some(stage) = Stage::set(&[("notes.txt", &lines("open"))])? else {
        return Ok(());
    };
    let without = race(&stage)?;
    tell(&format!("racing edits without Kite: {}", without.summary()));
    drop(stage);
    if std::env::var_os("NATIVE_ONLY").is_some() {
        return Ok(());
    }

    let Some(stage) = Stage::set_with_kite(&[("notes.txt", &lines("open"))])? else {
        return Ok(());
    };
    let with = race(&stage)?;
    tell(&format!("racing edits with Kite: {}", with.summary()));
    assert_eq!(with.kept, SESSIONS * ROUNDS, "an edit was lost");
    assert_eq!(with.refused, Vec::<String>::new(), "an edit was refused");
    Ok(())
}

struct Race {
    kept: usize,
    refused: Vec<String>,
    took: Duration,
}

impl Race {
    fn summary(&self) -> String {
        let (all, refused) = (SESSIONS * ROUNDS, self.refused.len());
        format!(
            "{} of {all} kept, {refused} refused, {:.1} s",
            self.kept,
            self.took.as_secs_f32()
        )
    }
}

fn race(stage: &Stage) -> Result<Race, Fault> {
    let start = Instant::now();
    let sessions = (0..SESSIONS)
        .map(|session| {
            let script = editor(session, &stage.project.file("notes.txt"));
            stage
                .session(&format!("Close the lines of column {session}"), script)
                .start()
        })
        .collect::<Result<Vec<_>, _>>()?;
    for session in sessions {
        session.finish(Duration::from_secs(60))?;
    }
    stage.check_model()?;
    let refused = (0..SESSIONS)
        .flat_map(|session| stage.model.results(&name(session)))
        .filter(|result| result.is_error)
        .map(|result| result.text)
        .collect();
    let kept = stage.project.read("notes.txt")?.matches(": closed").count();
    Ok(Race {
        kept,
        refused,
        took: start.elapsed(),
    })
}

/// Reads once; then, together with the others, closes one of its own lines in each round.
fn editor(session: usize, file: &str) -> Script {
    let script = Script::new(&name(session)).call("Read", json!({"file_path": file}));
    (0..ROUNDS).fold(script, |script, round| {
        let edit = json!({
            "file_path": file,
            "old_string": line(session, round, "open"),
            "new_string": line(session, round, "closed"),
        });
        script
            .meet(&format!("round-{round}"), SESSIONS)
            .call("Edit", edit)
    })
}

fn name(session: usize) -> String {
    format!("editor-{session}")
}

fn line(session: usize, round: usize, state: &str) -> String {
    format!("column {session}, row {round}: {state}")
}

fn lines(state: &str) -> String {
    let all =
        (0..ROUNDS).flat_map(|round| (0..SESSIONS).map(move |s| line(s, round, state) + "\n"));
    all.collect()
}
