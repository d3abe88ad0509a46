//! One session has work that is not committed; another one's model runs shell commands that change
//! it, in all the ways that no edit hook sees. Each is noticed, attributed to who ran it, told to
//! both models once, and `kite undo N` brings every byte back.

use kite_scenes::{
    model::{Call, ToolResult},
    stage::{Fault, Player, Scene, Stage, within},
};
use serde_json::Value;

use super::LIMIT;

/// The owner's files, one tracked and one not, as it leaves them.
const FILES: [(&str, &str); 2] = [
    ("owner.txt", "by the owner\n"),
    ("notes/new.txt", "only here\n"),
];

/// A formatter of the project: it rewrites what it finds, and names none of it.
const FORMATTER: (&str, &str) = (
    "fmt.sh",
    "for f in *.txt notes/*.txt; do tr a-z A-Z <\"$f\" >.fmt && mv .fmt \"$f\"; done\n",
);

/// What the other session runs, and whether it names the file that it changes.
const COMMANDS: [(&str, bool); 6] = [
    ("sed -i 's/owner/other/' owner.txt", true),
    ("cat > owner.txt <<'EOF'\nfrom a heredoc\nEOF", true),
    ("mv owner.txt gone.txt", true),
    ("rm owner.txt notes/new.txt", true),
    ("sh fmt.sh", false),
    ("rm notes/new.txt && false", true),
];

#[test]
fn what_a_shell_command_does_to_anothers_work_is_told_once_and_comes_back() -> Scene {
    let files = [("owner.txt", "one\n"), ("mine.txt", "one\n"), FORMATTER];
    let Some(stage) = Stage::set_with_kite(&files)? else {
        return Ok(());
    };
    let mut owner = Player::new(&stage, "owner", "Add OAuth login");
    let mut other = Player::new(&stage, "other", "Tidy up");
    other.plays([Call::bash("true")])?;
    for (round, (command, names)) in COMMANDS.into_iter().enumerate() {
        works(&mut owner, &stage, round)?;
        let kept = stage.kite_json(&["undo", "--list"])?["entries"][0]["number"].as_u64();
        other.plays([Call::bash(command)])?;
        let number = entry(&stage, kept, command)?;

        let back = format!("kite undo {number}");
        let doer = heard(&mut other, &back)?;
        let begins = match names {
            true => "Your command ",
            false => "Changed while your command ran",
        };
        assert!(doer.contains(begins), "{command}: {doer}");
        assert!(doer.contains("Add OAuth login"), "{command}: {doer}");
        let told = heard(&mut owner, &back)?;
        assert!(told.contains("shell command of"), "{command}: {told}");
        for player in [&mut owner, &mut other] {
            let more = news(player)?;
            let again: Vec<_> = more.iter().filter(|line| line.contains(&back)).collect();
            assert!(again.is_empty(), "{command}: told again: {again:?}");
        }

        let said = stage.kite(["undo", &number.to_string()])?;
        for (name, text) in FILES {
            assert_eq!(
                stage.project.read(name)?,
                text,
                "{name} after {command}: {said}"
            );
        }
        assert_eq!(
            stage.project.read("mine.txt")?,
            "one\n",
            "{command}: {said}"
        );
    }
    owner.finish()?;
    other.finish()?;
    stage.check_model()
}

/// The owner leaves its files as they are to be, and the last to have changed them.
fn works(owner: &mut Player<'_>, stage: &Stage, round: usize) -> Scene {
    let [file, new] = FILES.map(|(name, _)| stage.project.file(name));
    let before = if round == 0 { "one\n" } else { FILES[0].1 };
    let mut calls = vec![
        Call::read(&file),
        Call::edit(&file, before, "draft\n"),
        Call::edit(&file, "draft\n", FILES[0].1),
    ];
    if round > 0 {
        calls.push(Call::read(&new));
    }
    calls.push(Call::write(&new, FILES[1].1));
    for call in calls {
        done(&owner.plays([call])?)?;
    }
    within(LIMIT, "what it wrote is known to be its own", || {
        let touched = stage.kite(["log"])?;
        Ok(touched.matches("notes/new.txt").count() > round)
    })?;
    for (name, text) in FILES {
        assert_eq!(stage.project.read(name)?, text);
    }
    Ok(())
}

fn done(results: &[ToolResult]) -> Scene {
    match results.iter().find(|result| result.is_error) {
        Some(failed) => Err(format!("its own work failed: {failed:?}").into()),
        None => Ok(()),
    }
}

/// The number of the entry that the command made, which `kite log` shows with it, too.
fn entry(stage: &Stage, newest: Option<u64>, command: &str) -> Result<u64, Fault> {
    let mut number = None;
    let first = command.lines().next().unwrap_or_default();
    within(LIMIT, "the command is in the list", || {
        let list = stage.kite_json(&["undo", "--list"])?;
        let entries = list["entries"].as_array().cloned().unwrap_or_default();
        let newer = |entry: &&Value| entry["number"].as_u64() > newest;
        let of_shell = |entry: &&Value| entry["tool"] == "Bash";
        number = entries.iter().filter(newer).find(of_shell).map(|entry| {
            let kept = entry["command"].as_str().unwrap_or_default();
            assert!(kept.starts_with(first), "{command}: {kept}");
            entry["number"].as_u64().unwrap_or_default()
        });
        Ok(number.is_some())
    })?;
    let number = number.ok_or("no entry")?;
    within(LIMIT, "the command is in the log", || {
        Ok(stage
            .kite(["log"])?
            .contains(&format!("kite undo {number}")))
    })?;
    Ok(number)
}

/// What a model is told at its next step.
fn news(player: &mut Player<'_>) -> Result<Vec<String>, Fault> {
    player.plays([Call::bash("true")])?;
    Ok(player.news())
}

/// The one line of it with the way back.
fn heard(player: &mut Player<'_>, back: &str) -> Result<String, Fault> {
    let news = news(player)?;
    let mut lines = news.iter().filter(|line| line.contains(back));
    match (lines.next(), lines.next()) {
        (Some(line), None) => Ok(line.clone()),
        (Some(_), Some(_)) => Err(format!("told twice: {news:?}").into()),
        (None, _) => Err(format!("not told of {back}: {news:?}").into()),
    }
}
