//! One session has read a file; another changes what that file exports. The reader's model is told
//! at its next step, once; what it then writes with the old name is refused once.

use kite_scenes::{
    model::{Call, ToolResult},
    stage::{Fault, Player, Scene, Stage, within},
};
use serde_json::Value;

use super::LIMIT;

const SCHEMA: &str = "export interface User {\n  email: string;\n}\n\n\
    export function find(id: number): User {\n  return users[id];\n}\n";
const APP: &str = "import { User, find } from \"./schema\";\n\nsend();\n";

/// What stands in the schema, and what takes its place: another body, and another signature.
const BODY: (&str, &str) = ("return users[id];", "return all.get(id);");
const EMAILS: (&str, &str) = ("email: string", "emails: string[]");

#[test]
fn a_changed_signature_is_told_once_and_an_edit_with_the_old_name_is_refused_once() -> Scene {
    let Some(stage) = Stage::set_with_kite(&[("schema.ts", SCHEMA), ("app.ts", APP)])? else {
        return Ok(());
    };
    let (schema, app) = (
        stage.project.file("schema.ts"),
        stage.project.file("app.ts"),
    );
    let mut reader = Player::new(&stage, "reader", "Send mails");
    let mut other = Player::new(&stage, "other", "Many addresses");
    accepted(reader.plays([Call::read(&schema), Call::read(&app)])?)?;
    accepted(other.plays([Call::read(&schema)])?)?;
    within(LIMIT, "what was read is known", || {
        Ok(hooks(&stage, "PostToolUse", "Read")? == 3)
    })?;

    accepted(other.plays([Call::edit(&schema, BODY.0, BODY.1)])?)?;
    changes(&stage, 1)?;
    accepted(reader.plays([Call::bash("true")])?)?;
    assert_eq!(notes(&reader), Vec::<String>::new(), "a body says nothing");

    accepted(other.plays([Call::edit(&schema, EMAILS.0, EMAILS.1)])?)?;
    changes(&stage, 2)?;
    let told = hears(&mut reader)?;
    let [note] = told.as_slice() else {
        return Err(format!("not told in one line: {told:?}").into());
    };
    let session = other.session().ok_or("it was started")?;
    let id = stage.shown(session)?["id"].as_str().unwrap_or_default()[..8].to_owned();
    let expected =
        format!("schema.ts changed since you read it ({id}): User.email -> User.emails[]");
    assert!(note.contains(&expected), "{note}");
    accepted(reader.plays([Call::bash("true")])?)?;
    assert_eq!(notes(&reader), Vec::<String>::new(), "told once");

    let edit = Call::edit(&app, "send();", "send(find(1).email);");
    let results = reader.plays([edit.clone()])?;
    let [refusal] = results.as_slice() else {
        return Err(format!("one result expected: {results:?}").into());
    };
    assert!(refusal.is_error, "{refusal:?}");
    for words in [expected.as_str(), "\"email\"", "repeat this same edit"] {
        assert!(refusal.text.contains(words), "{words}: {}", refusal.text);
    }
    accepted(reader.plays([edit])?)?;
    assert!(stage.project.read("app.ts")?.contains("find(1).email"));
    reader.finish()?;
    other.finish()?;
    stage.check_model()
}

#[test]
fn what_a_shell_command_changed_is_told_too() -> Scene {
    let Some(stage) = Stage::set_with_kite(&[("schema.ts", SCHEMA)])? else {
        return Ok(());
    };
    let mut reader = Player::new(&stage, "reader", "Send mails");
    let mut other = Player::new(&stage, "other", "Many addresses");
    accepted(reader.plays([Call::read(&stage.project.file("schema.ts"))])?)?;
    within(LIMIT, "what was read is known", || {
        Ok(hooks(&stage, "PostToolUse", "Read")? == 1)
    })?;
    let command = "sed -i.old 's/find(id: number)/find(id: string)/' schema.ts && rm schema.ts.old";
    accepted(other.plays([Call::bash(command)])?)?;
    within(LIMIT, "what the command changed is known", || {
        let log = stage.kite_json(&["log", "--limit", "1000"])?;
        let events = log["events"].as_array().ok_or("no events")?;
        let edited = |line: &Value| line["what"] == "edited" && line["target"] == "schema.ts";
        Ok(events.iter().any(edited))
    })?;
    let told = hears(&mut reader)?;
    let [note] = told.as_slice() else {
        return Err(format!("not told in one line: {told:?}").into());
    };
    assert!(
        note.ends_with(": find(id: number) -> find(id: string)"),
        "{note}"
    );
    reader.finish()?;
    other.finish()?;
    stage.check_model()
}

/// What the reader is told of the schema. On a busy machine the look takes longer than a step
/// waits for it, and a later step tells.
fn hears(reader: &mut Player<'_>) -> Result<Vec<String>, Fault> {
    const STEPS_MAX: usize = 5;
    for _ in 0..STEPS_MAX {
        accepted(reader.plays([Call::bash("true")])?)?;
        let told = notes(reader);
        if !told.is_empty() {
            return Ok(told);
        }
    }
    Ok(Vec::new())
}

fn accepted(results: Vec<ToolResult>) -> Scene {
    match results.iter().find(|result| result.is_error) {
        Some(failed) => Err(format!("its own work failed: {failed:?}").into()),
        None => Ok(()),
    }
}

/// Lines about the schema that the model was told with its last results.
fn notes(player: &Player<'_>) -> Vec<String> {
    let told = player.news().into_iter();
    told.filter(|line| line.contains("since you read it"))
        .collect()
}

/// Waits until the daemon knows of so many edits.
fn changes(stage: &Stage, number: usize) -> Scene {
    within(LIMIT, "the edit is known", || {
        Ok(hooks(stage, "PostToolUse", "Edit")? == number)
    })?;
    Ok(())
}

/// How often this hook of this tool was answered. Most hooks are told while the session goes on.
fn hooks(stage: &Stage, event: &str, tool: &str) -> Result<usize, Fault> {
    let log = stage.kite_json(&["log", "--limit", "1000"])?;
    let events = log["events"].as_array().ok_or("no events")?;
    let of = |line: &&Value| line["what"] == event && line["tool"] == tool;
    Ok(events.iter().filter(of).count())
}
