//! Four sessions edit different lines of one file at the same moment, eight times over.

use std::time::{Duration, Instant};

use kite_scenes::{
    model::{Call, Script},
    stage::{Fault, SESSION_MAX, Scene, Stage, tell},
};

const SESSIONS: usize = 4;
const ROUNDS: usize = 8;

#[test]
fn four_sessions_edit_one_file_at_the_same_moment() -> Scene {
    let files = [("notes.txt", lines())];
    let files = files.each_ref().map(|(name, text)| (*name, text.as_str()));
    let Some(stage) = Stage::set_with_kite(&files)? else {
        return Ok(());
    };
    let with = race(&stage)?;
    drop(stage);
    let Some(stage) = Stage::set(&files)? else {
        return Ok(());
    };
    let without = race(&stage)?;

    tell(&format!("racing edits without Kite: {}", without.summary()));
    tell(&format!("racing edits with Kite:    {}", with.summary()));
    assert_eq!(with.refused, Vec::<String>::new(), "an edit was refused");
    assert_eq!(with.kept, SESSIONS * ROUNDS, "an edit was lost");
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
    let file = stage.project.file("notes.txt");
    let sessions = (0..SESSIONS)
        .map(|s| {
            stage
                .session(&format!("Close column {s}"), editor(s, &file))
                .start()
        })
        .collect::<Result<Vec<_>, _>>()?;
    for session in sessions {
        session.finish(SESSION_MAX)?;
    }
    let took = start.elapsed();
    stage.check_model()?;
    let results = (0..SESSIONS).flat_map(|session| stage.model.results(&name(session)));
    let refused = results
        .filter(|result| result.is_error)
        .map(|result| result.text)
        .collect();
    let kept = stage.project.read("notes.txt")?.matches(": closed").count();
    Ok(Race {
        kept,
        refused,
        took,
    })
}

/// Reads once; then, together with the others, closes one of its own lines in each round.
fn editor(session: usize, file: &str) -> Script {
    let script = Script::new(&name(session)).call(Call::read(file));
    (0..ROUNDS).fold(script, |script, round| {
        let (open, closed) = (line(session, round, "open"), line(session, round, "closed"));
        script
            .meet(&format!("round {round}"), SESSIONS)
            .call(Call::edit(file, &open, &closed))
    })
}

fn name(session: usize) -> String {
    format!("editor-{session}")
}

fn line(session: usize, round: usize, state: &str) -> String {
    format!("column {session}, row {round}: {state}")
}

fn lines() -> String {
    let rows = (0..ROUNDS).flat_map(|row| (0..SESSIONS).map(move |s| line(s, row, "open") + "\n"));
    rows.collect()
}
