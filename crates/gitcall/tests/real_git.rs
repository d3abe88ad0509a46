//! The judgement against git itself: each command of the table is run in real repositories in
//! which two sessions have uncommitted work of every kind.
//!
//! * What is judged certain really hits every file that is named, and no other of theirs.
//! * What is judged to do nothing does nothing to theirs.
//! * A command that hits theirs, and stands in the table as decidable, is judged certain.
//! * The alternative succeeds, does something, and leaves every file of theirs as it was: in the
//!   work tree, in the index, in the last commit.

mod world;

use kite_gitcall::{Effect, Judgement, calls, judge, judge_all};
use world::{Situation, World};

/// How well a row can be judged from its words.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Row {
    /// Whatever hits theirs is known beforehand.
    Decidable,
    /// git refuses, or what happens depends on more than the words and the files' states.
    Guarded,
}
use Row::{Decidable, Guarded};

/// Commands, where they run, and how well they can be judged.
const TABLE: &[(&str, &str, Row)] = &[
    ("git stash", "", Decidable),
    ("git stash -u", "", Decidable),
    ("git stash --all", "", Decidable),
    (
        "git stash push --include-untracked -m 'wip: \"it'",
        "",
        Decidable,
    ),
    ("git stash save -u wip", "", Decidable),
    ("git stash -k", "", Decidable),
    ("git stash push --staged", "", Decidable),
    ("git stash push -- src", "", Decidable),
    ("git stash push .", "src", Decidable),
    ("git stash push -u -- .", "src", Decidable),
    ("git -C src stash", "", Decidable),
    ("git stash list", "", Decidable),
    ("git stash push -- nowhere theirs.txt", "", Decidable),
    ("git reset --hard", "", Decidable),
    ("git reset --har HEAD", "", Decidable),
    ("git reset --hard HEAD~1", "", Decidable),
    ("git reset --hard topic", "src", Decidable),
    ("git reset --merge", "", Decidable),
    ("git reset --keep HEAD", "", Guarded),
    ("git reset --keep HEAD~1", "", Guarded),
    ("git reset --soft HEAD~1", "", Guarded),
    ("git reset", "", Guarded),
    ("git reset -- theirs.txt", "", Guarded),
    ("git reset --hard -- theirs.txt", "", Decidable),
    ("git checkout .", "", Decidable),
    ("git checkout .", "src", Decidable),
    ("git checkout -- src", "", Decidable),
    ("git checkout src/", "", Decidable),
    ("git checkout theirs.txt", "", Decidable),
    ("git checkout -- theirs.txt mine.txt", "", Guarded),
    ("git checkout HEAD -- .", "", Decidable),
    ("git checkout HEAD .", "", Decidable),
    ("git checkout -f", "", Decidable),
    ("git checkout -f topic", "", Decidable),
    ("git checkout -qfB side", "", Decidable),
    ("git checkout topic", "", Guarded),
    ("git checkout -b new", "", Decidable),
    ("git checkout -- ':!src' .", "", Decidable),
    ("git checkout -- ':/*.rs'", "", Decidable),
    ("git switch topic", "", Guarded),
    ("git switch -f topic", "", Decidable),
    ("git switch --discard-changes topic", "", Decidable),
    ("git switch -fc new", "", Decidable),
    ("git switch -c new", "", Decidable),
    ("git restore .", "", Decidable),
    ("git restore -- src theirs.txt", "", Decidable),
    ("git restore ':(top)'", "src", Decidable),
    ("git restore --staged .", "", Guarded),
    ("git restore -SW .", "", Decidable),
    (
        "git restore -s HEAD --staged --worktree :/",
        "src",
        Decidable,
    ),
    ("git restore --source=HEAD .", "", Guarded),
    (
        "git restore --source HEAD~1 --staged --worktree .",
        "",
        Decidable,
    ),
    ("git clean -f", "", Guarded),
    ("git clean -fd", "", Decidable),
    ("git clean -fdx", "", Decidable),
    ("git clean -fdX", "", Decidable),
    ("git clean -f -d src", "", Decidable),
    ("git clean -ffdq", "src", Decidable),
    ("git clean -nd", "", Decidable),
    ("git clean -d", "", Decidable),
    ("git rm -rf .", "", Decidable),
    ("git rm -f theirs.txt", "", Decidable),
    ("git rm -rf --quiet src", "", Decidable),
    ("git rm -f src", "", Decidable),
    ("git rm theirs.txt", "", Guarded),
    ("git rm -r --cached .", "", Guarded),
    ("git add -A", "", Decidable),
    ("git add --all", "src", Decidable),
    ("git add .", "", Decidable),
    ("git add .", "src", Decidable),
    ("git add -u", "", Decidable),
    ("git add -u .", "src", Decidable),
    ("git add src", "", Decidable),
    ("git add -A src", "", Decidable),
    ("git add '*.rs'", "", Decidable),
    ("git add -f .", "", Decidable),
    ("git add -An", "", Decidable),
    ("git add tnew.txt mnew.txt", "", Decidable),
    ("git add nowhere tnew.txt", "", Decidable),
    ("git stage .", "", Decidable),
    ("git commit -am \"it's done\"", "", Decidable),
    ("git commit -a -m x --no-verify --signoff", "", Decidable),
    ("git commit --all -m x", "src", Decidable),
    ("git commit -m x", "", Decidable),
    ("git commit -m x", "src", Decidable),
    ("git commit --amend --no-edit", "", Decidable),
    ("git commit -a --amend --no-edit", "", Decidable),
    ("git commit -m x -- src", "", Decidable),
    ("git commit -m x .", "", Decidable),
    ("git commit -im x -- mine.txt", "", Guarded),
    ("git commit -m x -- mine.txt", "", Decidable),
    ("git commit --dry-run -am x", "", Decidable),
    (
        "git commit -qam \"$(cat <<'EOF'\nfix: it's\n\ngit stash\nEOF\n)\"",
        "",
        Decidable,
    ),
    ("git commit -a -F - <<'EOF'\nfix: it's\nEOF", "", Decidable),
    ("git checkout-index -fa", "", Decidable),
    ("git checkout-index -f -- theirs.txt mine.txt", "", Guarded),
    ("git checkout-index -f -a", "src", Decidable),
    ("git checkout-index -a", "", Guarded),
    ("git read-tree -u --reset HEAD", "", Decidable),
    ("git read-tree HEAD", "", Guarded),
    ("git merge topic", "", Guarded),
    ("git rebase topic", "", Guarded),
    ("git rebase --autostash topic", "", Guarded),
    ("git cherry-pick topic", "", Guarded),
    ("git revert --no-edit HEAD", "", Guarded),
    ("git mv -f mine.txt theirs.txt", "", Guarded),
    ("git branch -D topic", "", Guarded),
    ("git status", "", Decidable),
    ("git log --oneline", "", Decidable),
    ("git diff HEAD", "", Decidable),
    ("git fetch", "", Decidable),
    ("git gc --prune=now", "", Guarded),
];

#[test]
fn judgement_and_alternative_hold_against_git() {
    let situations = Situation::all();
    let (mut certain, mut alternatives, mut faults) = (0, 0, Vec::new());
    let half = TABLE.len().div_ceil(2);
    std::thread::scope(|scope| {
        let parts = TABLE.chunks(half).map(|rows| {
            let situations = &situations;
            scope.spawn(move || {
                let mut tally = Tally::default();
                for (command, here, row) in rows {
                    let some = if *row == Guarded { 3 } else { situations.len() };
                    for situation in &situations[..some] {
                        tally.try_out(situation, command, here, *row);
                    }
                }
                tally
            })
        });
        for part in parts.collect::<Vec<_>>() {
            let tally = part.join().expect("a thread");
            certain += tally.certain;
            alternatives += tally.alternatives;
            faults.extend(tally.faults);
        }
    });
    assert!(
        faults.is_empty(),
        "{}:\n{}",
        faults.len(),
        faults.join("\n")
    );
    assert!(certain > 250, "only {certain} were certain");
    assert!(alternatives > 200, "only {alternatives} had an alternative");
}

/// Texts of several commands: their first refusal's alternative does all of it for one's own files.
const CHAINS: &[(&str, &str)] = &[
    ("git add -A && git commit -m x", ""),
    ("git add . && git commit -qm \"it's done\"", "src"),
    ("git add -u; git commit -m x", ""),
    ("git add mine.txt mnew.txt && git commit -m x", ""),
    (
        "git add mnew.txt && git add -u && git commit --amend --no-edit",
        "",
    ),
    ("git add -A && git commit -am x", ""),
    ("cd src && git add . && git commit -m x", ""),
    ("git add m* && git add -A && git commit -m x", ""),
];

#[test]
fn the_alternative_of_a_chain_does_all_of_it() {
    let mut followed = 0;
    for situation in Situation::all() {
        for (text, here) in CHAINS {
            let reading = calls(text);
            let dirty = situation.dirty();
            let judged = judge_all(&reading.calls, &dirty, here);
            let hit = |it: &&Judgement| it.certain && !it.theirs.is_empty();
            let Some(refused) = judged.iter().find(hit) else {
                continue;
            };
            let Some(safe) = &refused.alternative else {
                assert_eq!(refused.mine, 0, "{}: {text}: {refused:?}", situation.name);
                continue;
            };
            let world = World::copy_of(&situation);
            if let Err(what) = world.shell(safe, here) {
                panic!("{}: {text}: {safe}: {what}", situation.name);
            }
            let changed = world.changed_since(&situation);
            assert!(
                !changed.iter().any(|path| world::is_theirs(path)),
                "{}: {text}: {safe} hits {changed:?}",
                situation.name
            );
            let committed = safe.contains("git commit --only");
            assert!(!changed.is_empty() && committed, "{text}: {safe}");
            followed += 1;
        }
    }
    assert!(followed > 20, "only {followed} were followed");
}

#[derive(Default)]
struct Tally {
    certain: usize,
    alternatives: usize,
    faults: Vec<String>,
}

impl Tally {
    fn try_out(&mut self, situation: &Situation, command: &str, here: &str, row: Row) {
        let judgement = judged(situation, command, here);
        let changed = run(situation, command, here).1;
        self.certain += usize::from(judgement.certain);
        let mut fault = |what: String| {
            self.faults.push(format!(
                "{}: `{command}` in {here:?}: {what}\n    {judgement:?}\n    changed {changed:?}",
                situation.name
            ));
        };
        let named: Vec<&str> = judgement
            .theirs
            .iter()
            .map(|(path, _)| path.as_str())
            .collect();
        if judgement.certain {
            for path in named
                .iter()
                .filter(|path| !changed.iter().any(|hit| hit == *path))
            {
                fault(format!("{path} was not hit"));
            }
        }
        if judgement.effect == Effect::None || (judgement.certain && row == Decidable) {
            for path in changed
                .iter()
                .filter(|path| !named.contains(&path.as_str()))
            {
                fault(format!("{path} was hit unforeseen"));
            }
        }
        if row == Decidable && !changed.is_empty() && !judgement.certain {
            fault("not certain".to_owned());
        }
        if judgement.certain && judgement.mine > 0 && judgement.alternative.is_none() {
            fault("no alternative".to_owned());
        }
        let Some(alternative) = &judgement.alternative else {
            return;
        };
        self.alternatives += 1;
        if let Err(what) = follow(situation, alternative, here, judgement.mine) {
            self.faults.push(format!(
                "{}: `{command}` in {here:?}: {alternative}\n    {what}",
                situation.name
            ));
        }
    }
}

fn judged(situation: &Situation, command: &str, here: &str) -> Judgement {
    let dirty = situation.dirty();
    let reading = calls(command);
    assert_eq!(reading.calls.len(), 1, "{command}");
    judge(&reading.calls[0], &dirty, here)
}

/// Runs a command in a copy; whether it succeeded, and which files of theirs are not as before.
fn run(situation: &Situation, command: &str, here: &str) -> (Result<(), String>, Vec<String>) {
    let world = World::copy_of(situation);
    let outcome = world.shell(command, here);
    let changed = world.changed_since(situation);
    let theirs = changed
        .into_iter()
        .filter(|path| situation.is_dirty(path) && world::is_theirs(path));
    (outcome, theirs.collect())
}

fn follow(situation: &Situation, alternative: &str, here: &str, mine: usize) -> Result<(), String> {
    let world = World::copy_of(situation);
    world.shell(alternative, here)?;
    let changed = world.changed_since(situation);
    let theirs: Vec<&String> = changed
        .iter()
        .filter(|path| world::is_theirs(path))
        .collect();
    if !theirs.is_empty() {
        return Err(format!("hits {theirs:?}"));
    }
    if mine > 0
        && !changed
            .iter()
            .any(|path| world::is_mine(path) && situation.is_dirty(path))
    {
        return Err("does nothing".to_owned());
    }
    Ok(())
}
