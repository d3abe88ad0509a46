//! The table of git commands: each verb in six spellings, run by one real session while another
//! has work that is changed, new, and staged. The same commands without Kite stand beside it.
//!
//! After each, the other's work is there, or comes back whole by one `kite undo`; what a refusal
//! says instead is done to the letter, succeeds, and leaves that work alone.

mod checkout;
mod rows;
mod table;

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use kite_scenes::{
    model::{Call, ToolResult},
    stage::{Fault, Player, Repository, Scene, Stage, tell},
};

use self::{
    checkout::{COMMITTED, Checkout, Fate, Fates, MINE},
    rows::{Row, Served},
    table::{Line, With, is_there},
};

/// Sessions are begun anew after so many rows: a model's request grows with each turn.
const ROWS_OF_A_SESSION: usize = 40;

/// How often a row is played until each of its hooks was answered in time.
const TRIES_MAX: usize = 6;

/// Only rows whose command or label contains this.
const ONLY: &str = "KITE_GIT_TABLE";

#[test]
fn no_git_command_costs_another_session_its_work() -> Scene {
    let only = std::env::var(ONLY).unwrap_or_default();
    let mut rows = rows::rows();
    rows.retain(|row| row.command.contains(&only) || row.label == only || row.verb == only);
    let names = checkout::files(&rows);
    let files: Vec<(&str, &str)> = names.iter().map(|name| (&**name, COMMITTED)).collect();
    let Some(stage) = Stage::set_with_kite(&files)? else {
        return Ok(());
    };
    let plain = stage.add_repository("plain", &files)?;
    let without = Checkout::prepare(&plain, &rows)?;
    let with = Checkout::prepare(&stage.project, &rows)?;
    let (mut lines, mut faults) = (Vec::new(), Vec::new());
    let (began, mut plain_took) = (Instant::now(), Duration::ZERO);
    for (number, rows) in rows.chunks(ROWS_OF_A_SESSION).enumerate() {
        let mut pair = Pair::new(&stage, &with, number);
        for row in rows {
            let before = Instant::now();
            let without = alone(&without, &plain, row)?;
            plain_took += before.elapsed();
            match pair.play(row, without) {
                Ok((line, found)) => {
                    let what = format!("{} ({})", row.command, row.spelling);
                    faults.extend(found.into_iter().map(|it| format!("{what}: {it}")));
                    lines.push(line);
                }
                Err(fault) => return Err(format!("{} {}: {fault}", row.label, row.command).into()),
            }
        }
        pair.finish()?;
    }
    let text = table::rendered(&lines);
    tell(&text);
    keep(&text)?;
    let took = began.elapsed().saturating_sub(plain_took).as_secs();
    tell(&format!(
        "{took} s with Kite, {} s without",
        plain_took.as_secs()
    ));
    stage.check_model()?;
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    Ok(())
}

/// The command where there is no Kite.
fn alone(checkout: &Checkout<'_>, repository: &Repository, row: &Row) -> Result<Fates, Fault> {
    checkout.reset(row)?;
    checkout.work(row)?;
    let mine = format!("{}/mine.txt", row.label);
    repository.write(&mine, MINE)?;
    repository.write(&format!("{}/mine-new.txt", row.label), MINE)?;
    repository.shell(&row.command)?;
    checkout.fates(row)
}

/// Where the documentation's author finds it.
fn keep(text: &str) -> Scene {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("ci");
    fs::create_dir_all(&target)?;
    Ok(fs::write(target.join("git-table.md"), text)?)
}

/// Two sessions in one checkout: one has work, the other runs commands.
struct Pair<'a> {
    stage: &'a Stage,
    checkout: &'a Checkout<'a>,
    owner: Player<'a>,
    other: Player<'a>,
    /// The newest number of `kite undo` that the rows before have used.
    number: u64,
}

impl<'a> Pair<'a> {
    fn new(stage: &'a Stage, checkout: &'a Checkout<'a>, number: usize) -> Pair<'a> {
        Pair {
            stage,
            checkout,
            owner: Player::new(stage, &format!("owner {number}"), "Add OAuth login"),
            other: Player::new(stage, &format!("other {number}"), "Tidy up"),
            number: 0,
        }
    }

    /// Plays one row, and says what was not as it should be.
    ///
    /// A hook that is not answered in time lets go, as Kite promises; on a busy machine that
    /// happens. What is shown here is what an answered hook does, so such a row is played again.
    fn play(&mut self, row: &Row, without: Fates) -> Result<(Line, Vec<String>), Fault> {
        for _ in 0..TRIES_MAX {
            let home = self.stage.kite_home();
            for name in ["hook-timeout", "stand-aside"] {
                let _ = fs::remove_file(home.join(name));
            }
            let faults = home.join("hook-faults");
            let before = fs::read_to_string(&faults).unwrap_or_default();
            let played = self.play_once(row, without);
            let after = fs::read_to_string(&faults).unwrap_or_default();
            let fresh = after.strip_prefix(&before).unwrap_or(&after);
            if !fresh.contains("PreToolUse") && !home.join("stand-aside").exists() {
                return played;
            }
            tell(&format!("{}: not answered in time: {fresh}", row.command));
        }
        Err("the machine is too busy for hooks to be answered in time".into())
    }

    fn play_once(&mut self, row: &Row, without: Fates) -> Result<(Line, Vec<String>), Fault> {
        self.checkout.reset(row)?;
        self.work(row)?;
        let before = self.checkout.fates(row)?;
        if before != [Fate::Whole; 3] {
            return Err(format!("the other's work was not done: {before:?}").into());
        }
        self.number = self.newest()?.0;
        let result = self.runs(&row.command)?;
        let with = self.what_kite_did(row, &result)?;
        let mut faults = Vec::new();
        if let With::Refused(safe) = &with {
            let untouched = self.checkout.fates(row)?;
            if untouched != before {
                faults.push(format!("refused, and yet: {untouched:?}"));
            }
            faults.extend(self.follow(row, safe.as_deref())?);
        }
        let after = self.checkout.fates(row)?;
        let mut back = None;
        match with {
            With::Refused(_) if after != before => {
                faults.push(format!("after the alternative: {after:?}"));
            }
            With::Kept(number) | With::Silent(number) if !is_there(&after) => {
                back = Some(self.undo(row, number, &mut faults)?);
            }
            With::Passed if !is_there(&after) => {
                faults.push(format!("let go, and nothing was kept: {after:?}"));
            }
            _ => {}
        }
        if row.command.starts_with("cd ") {
            // The shell of a session stays where it went.
            self.runs(&format!("cd '{}'", self.stage.project.path().display()))?;
        }
        let line = Line {
            command: row.command.clone(),
            without,
            with,
            after,
            back,
        };
        Ok((line, faults))
    }

    /// Both sessions change their files, through their tools, at the same time.
    fn work(&mut self, row: &Row) -> Scene {
        let project = &self.stage.project;
        let [tracked, new, staged] = self.checkout.theirs(row);
        let file = project.file(&tracked.0);
        self.owner.begins([
            Call::read(&file),
            Call::edit(&file, COMMITTED, &tracked.1),
            Call::write(&project.file(&new.0), &new.1),
            Call::write(&project.file(&staged.0), &staged.1),
            Call::bash(&self.checkout.add(row)),
        ])?;
        let mine = project.file(&format!("{}/mine.txt", row.label));
        let new = project.file(&format!("{}/mine-new.txt", row.label));
        self.other.begins([
            Call::read(&mine),
            Call::write(&mine, MINE),
            Call::write(&new, MINE),
        ])?;
        for results in [self.owner.ends()?, self.other.ends()?] {
            if let Some(failed) = results.iter().find(|result| result.is_error) {
                return Err(format!("work failed: {failed:?}").into());
            }
        }
        Ok(())
    }

    fn runs(&mut self, command: &str) -> Result<ToolResult, Fault> {
        let mut results = self.other.plays([Call::bash(command)])?;
        Ok(results.pop().ok_or("no result")?)
    }

    fn what_kite_did(&self, row: &Row, result: &ToolResult) -> Result<With, Fault> {
        if result.is_error && result.text.contains("This git command would") {
            let safe = result.text.split_once("leaves that work alone: ");
            let safe = safe.and_then(|(_, after)| after.lines().next());
            return Ok(With::Refused(safe.map(str::to_owned)));
        }
        let news = self.other.news();
        let note = news.iter().find_map(|line| {
            let (_, after) = line.split_once("Kept ")?;
            let (_, number) = after.split_once("kite undo ")?;
            let digits = number.split(|c: char| !c.is_ascii_digit()).next()?;
            digits.parse().ok()
        });
        if let Some(number) = note {
            return Ok(With::Kept(number));
        }
        let (newest, command) = self.newest()?;
        Ok(match newest > self.number && command == row.command {
            true => With::Silent(newest),
            false => With::Passed,
        })
    }

    /// Does what the refusal said, to the letter.
    fn follow(&mut self, row: &Row, safe: Option<&str>) -> Result<Option<String>, Fault> {
        let Some(safe) = safe else {
            let none = (row.served != Served::Nothing).then(|| "no alternative".to_owned());
            return Ok(none);
        };
        let done = self.runs(safe)?;
        let failed = done.is_error && row.served != Served::NotForced;
        Ok(match failed {
            true => Some(format!("{safe} failed: {}", done.text)),
            false if !self.checkout.is_served(row)? => {
                Some(format!("{safe} did not do it for its own files"))
            }
            false => None,
        })
    }

    fn undo(&self, row: &Row, number: u64, faults: &mut Vec<String>) -> Result<Fates, Fault> {
        let number = number.to_string();
        let output = self.stage.try_kite(["undo", &*number])?;
        let fates = self.checkout.fates(row)?;
        if !is_there(&fates) {
            let said = String::from_utf8_lossy(&output.stdout).into_owned()
                + &String::from_utf8_lossy(&output.stderr);
            faults.push(format!("kite undo {number}: {fates:?}: {said}"));
        }
        Ok(fates)
    }

    /// The newest number in the list, and the command of a snapshot.
    fn newest(&self) -> Result<(u64, String), Fault> {
        let listed = self.stage.kite_json(&["undo", "--list", "-n", "1"])?;
        let entry = &listed["entries"][0];
        let command = entry["command"].as_str().unwrap_or_default().to_owned();
        Ok((entry["number"].as_u64().unwrap_or(0), command))
    }

    fn finish(self) -> Scene {
        for player in [self.owner, self.other] {
            player.finish()?;
        }
        Ok(())
    }
}
