//! What Kite adds to a tool call inside real Claude Code.
//!
//! Two sessions make the same edits in turn: one in a project that `kite init` has wired, one in a
//! project that has the same hooks, with `/bin/true` for each command. What is measured is the
//! time that the client takes from the model's answer, which asks for the edit, to its next
//! request, which brings the result. It is an edit because that is the call which waits for Kite.

use std::{
    io::{self, Write as _},
    thread::sleep,
    time::{Duration, Instant},
};

use kite_scenes::{
    model::{Call, Script},
    stage::{Fault, Repository, SESSION_MAX, Scene, Session, Stage, within},
};
use serde_json::Value;

/// Each with two new processes, since a process may be a slow or a quick one from its start.
const ROUNDS: usize = 10;

const PAIRS_PER_ROUND: usize = 20;

/// Calls at the start of a session that do not count. Even, as are the pairs: so each round finds
/// the file as it was.
const WARM_UP: usize = 2;

const CALLS: usize = WARM_UP + PAIRS_PER_ROUND;

/// From one call to the other session's: a model takes longer. The hooks that nobody waits for
/// have ended then, and do not count against the other side.
const PAUSE: Duration = Duration::from_millis(50);

/// What is promised, in milliseconds.
const REACH_MS: f64 = 2.0;

const FILE: &str = "file.txt";
const FILES: [(&str, &str); 1] = [(FILE, "one\n")];
const SETTINGS: &str = ".claude/settings.local.json";

#[test]
#[ignore = "a measurement of a minute: cargo xtask bench claude"]
fn an_edit_with_kite_next_to_one_with_hooks_that_do_nothing() -> Scene {
    let Some(stage) = Stage::set_with_kite(&FILES)? else {
        return Ok(());
    };
    let plain = stage.add_repository("plain", &FILES)?;
    plain.write(SETTINGS, &with_true(&stage.project.read(SETTINGS)?)?)?;

    let mut pairs = Vec::new();
    let mut of_rounds = Vec::new();
    for round in 0..ROUNDS {
        let mut played = play(&stage, &plain, round)?;
        pairs.append(&mut played.clone());
        played.sort_by(|a, b| a.added().total_cmp(&b.added()));
        of_rounds.push(played[played.len() / 2].added());
    }
    stage.check_model()?;
    report(&pairs, of_rounds)
}

/// Two calls that are compared, in milliseconds.
#[derive(Clone, Copy)]
struct Pair {
    with_kite: f64,
    with_true: f64,
}

impl Pair {
    fn added(&self) -> f64 {
        self.with_kite - self.with_true
    }
}

/// The settings, with `/bin/true` in place of each hook's command.
fn with_true(settings: &str) -> Result<String, Fault> {
    let mut settings: Value = serde_json::from_str(settings)?;
    let events = settings["hooks"].as_object_mut().ok_or("no hooks")?;
    let groups = events
        .values_mut()
        .filter_map(Value::as_array_mut)
        .flatten();
    for hook in groups
        .filter_map(|group| group["hooks"].as_array_mut())
        .flatten()
    {
        hook["command"] = "/bin/true".into();
    }
    Ok(settings.to_string())
}

/// One round: a new session on either side, and their calls one after the other, each side being
/// the first every other time.
fn play(stage: &Stage, plain: &Repository, round: usize) -> Result<Vec<Pair>, Fault> {
    let kite = Editor::start(stage, &stage.project, &format!("kite-{round}"))?;
    let truth = Editor::start(stage, plain, &format!("true-{round}"))?;
    kite.is_ready_for(0)?;
    truth.is_ready_for(0)?;
    for call in 0..CALLS {
        let order = match (round + call) % 2 {
            0 => [&kite, &truth],
            _ => [&truth, &kite],
        };
        for editor in order {
            editor.make(call)?;
        }
    }
    let known = |editor: &Editor<'_>| {
        let pid = editor.session.pid();
        Ok::<_, Fault>(stage.sessions()?.iter().any(|known| known["pid"] == pid))
    };
    assert!(known(&kite)?, "Kite does not know the session of its side");
    assert!(!known(&truth)?, "the other side is wired, too");
    let (with_kite, with_true) = (kite.finish()?, truth.finish()?);
    let pairs = with_kite.into_iter().zip(with_true);
    Ok(pairs
        .skip(WARM_UP)
        .map(|(with_kite, with_true)| Pair {
            with_kite,
            with_true,
        })
        .collect())
}

/// A session that changes its file to and fro, each time when it is told to.
struct Editor<'a> {
    stage: &'a Stage,
    session: Session,
    name: String,
}

impl<'a> Editor<'a> {
    fn start(stage: &'a Stage, project: &Repository, name: &str) -> Result<Editor<'a>, Fault> {
        let file = project.file(FILE);
        let mut script = Script::new(name).call(Call::read(&file));
        for call in 0..CALLS {
            let (old, new) = match call % 2 {
                0 => ("one", "two"),
                _ => ("two", "one"),
            };
            script = script
                .wait_for(&cue(name, call))
                .call(Call::edit(&file, old, new));
        }
        let script = script.wait_for(&cue(name, CALLS)).say("Done.");
        let session = stage
            .session("Edit to and fro", script)
            .dir(project.path())
            .start()?;
        Ok(Editor {
            stage,
            session,
            name: name.to_owned(),
        })
    }

    /// Waits until the session's model has the request that is to be answered by this call.
    fn is_ready_for(&self, call: usize) -> Scene {
        let cue = cue(&self.name, call);
        within(
            SESSION_MAX,
            &cue,
            || Ok(self.stage.model.arrived(&cue) == 1),
        )?;
        Ok(())
    }

    /// Lets it make one call, up to the result.
    fn make(&self, call: usize) -> Scene {
        sleep(PAUSE);
        self.stage.model.open(&cue(&self.name, call));
        self.is_ready_for(call + 1)
    }

    /// Ends the session. Returns how long each call took, in milliseconds.
    fn finish(self) -> Result<Vec<f64>, Fault> {
        let model = &self.stage.model;
        model.open(&cue(&self.name, CALLS));
        self.session.finish(SESSION_MAX)?;
        let refused = model.results(&self.name).into_iter().find(|r| r.is_error);
        assert_eq!(refused, None);
        let exchanges = model.exchanges(&self.name);
        let turn = |number| {
            let found = exchanges.iter().find(|exchange| exchange.turn == number);
            found.ok_or_else(|| format!("`{}` has no turn {number}", self.name))
        };
        // Turn 0 asked for the file to be read.
        (1..=CALLS)
            .map(|number| {
                let answered = turn(number)?.answered.ok_or("a turn was not answered")?;
                Ok(ms_between(answered, turn(number + 1)?.arrived))
            })
            .collect()
    }
}

/// What the model waits for before it asks for this call.
fn cue(name: &str, call: usize) -> String {
    format!("{name} makes call {call}")
}

fn ms_between(from: Instant, to: Instant) -> f64 {
    to.duration_since(from).as_secs_f64() * 1e3
}

fn report(pairs: &[Pair], of_rounds: Vec<f64>) -> Scene {
    let added = sorted(pairs.iter().map(Pair::added));
    let with_true = sorted(pairs.iter().map(|pair| pair.with_true));
    let of_rounds = sorted(of_rounds);
    let at = |of: &[f64], quarter: usize| of[(of.len() - 1) * quarter / 4];
    writeln!(
        io::stdout(),
        "\n  added to an Edit call, the call that waits for Kite: {:+.2} ms; reach: below {REACH_MS} ms\n    \
         median of {} pairs, their middle half [{:+.2} .. {:+.2}], medians of {} rounds [{:+.2} .. {:+.2}]\n    \
         next to the same hooks registered as /bin/true: {:.2} ms a call",
        at(&added, 2),
        added.len(),
        at(&added, 1),
        at(&added, 3),
        of_rounds.len(),
        at(&of_rounds, 0),
        at(&of_rounds, 4),
        at(&with_true, 2),
    )?;
    Ok(())
}

fn sorted(figures: impl IntoIterator<Item = f64>) -> Vec<f64> {
    let mut figures: Vec<f64> = figures.into_iter().collect();
    figures.sort_by(f64::total_cmp);
    figures
}
