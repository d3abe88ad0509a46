//! Commits that go out of reach: a branch is deleted, reset, rebased, or its last commit amended.
//!
//! The last of them is kept by an annotated tag at `refs/kite/rescue/<n>`. A tag has a date of its
//! own, so that an old commit is not taken for an old rescue, and git takes it for the commit
//! wherever it wants one: `git branch NAME refs/kite/rescue/41`.

use std::time::Duration;

use super::History;
use crate::{
    error::Error,
    git::{Git, Oid, TreeChange},
    journal::{Entry, EntryKind, Filter, Record},
    lock::Lock,
    path_text::PathText,
    snapshot::REFS,
};

/// References of one transaction that are looked at; git moves more at once only by scripts.
const MOVES_MAX: usize = 200;

/// How long git may look for another branch that still has a commit. Beyond it, the commit is kept.
const REACH_TIME_MAX: Duration = Duration::from_secs(3);

/// Longest first line of a commit's message that is kept, in characters.
const SUBJECT_CHARACTERS_MAX: usize = 100;

/// Where a reference is about to go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefMove {
    /// `refs/heads/side`, or `HEAD` where no branch is checked out.
    pub reference: String,
    /// The object's name; `None` where the reference is deleted.
    pub to: Option<String>,
}

/// What came of bringing a branch back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BroughtBack {
    /// The branch is there again, at this commit.
    Branch { name: String, commit: String },
    /// Its name is taken: the branch was moved, or made anew.
    Taken { name: String, commit: String },
    /// It was no branch's commit.
    Nameless { commit: String },
}

/// What one move loses.
struct Loss<'a> {
    reference: &'a str,
    commit: Oid,
    moved_to: Option<String>,
}

impl History {
    /// Keeps the commits that go out of reach by these moves, which must not have happened yet.
    /// Gives the numbers under which they are kept: none where nothing is lost, or where it is kept
    /// already.
    ///
    /// # Errors
    /// Outside git, or where git or the journal fails.
    pub fn keep_lost(&self, moves: &[RefMove], at_ms: u64) -> Result<Vec<u64>, Error> {
        let git = self.repository()?;
        let moves = &moves[..moves.len().min(MOVES_MAX)];
        let losses = losses(git, moves)?;
        if losses.is_empty() {
            return Ok(Vec::new());
        }
        let known = self.journal.query(&Filter::default())?;
        let mut numbers = Vec::new();
        for loss in losses {
            if !is_kept(git, &known, &loss)? {
                numbers.push(self.keep_loss(git, &loss, at_ms)?);
            }
        }
        Ok(numbers)
    }

    /// Makes the branch of a lost commit again, where its name is free. `dry`: only says what
    /// would come of it.
    ///
    /// # Errors
    /// [`Error::NothingFits`] where this number is no lost commit, or it is not kept any more.
    pub fn bring_back(&self, number: u64, at_ms: u64, dry: bool) -> Result<BroughtBack, Error> {
        let git = self.repository()?;
        let nothing = || Error::NothingFits {
            asked: format!("number {number}: {REFS}{number} is not there (any more)"),
        };
        let filter = Filter {
            number: Some(number),
            ..Filter::default()
        };
        let record = self.journal.query(&filter)?.into_iter().next();
        let Some(EntryKind::Lost { reference, .. }) = record.map(|record| record.entry.kind) else {
            return Err(nothing());
        };
        let oid = git
            .resolve(&format!("{REFS}{number}^{{commit}}"))?
            .ok_or_else(nothing)?;
        let commit = oid.to_string();
        let Some(name) = reference.strip_prefix("refs/heads/").map(str::to_owned) else {
            return Ok(BroughtBack::Nameless { commit });
        };
        if git.resolve(&reference)?.is_some() {
            return Ok(BroughtBack::Taken { name, commit });
        }
        if !dry {
            if !create(git, &reference, &oid)? {
                return Ok(BroughtBack::Taken { name, commit });
            }
            self.note_back(number, at_ms)?;
        }
        Ok(BroughtBack::Branch { name, commit })
    }

    /// What the last of lost commits had changed, for looking at.
    pub(crate) fn lost_changes(&self, commit: &str) -> Result<Vec<TreeChange>, Error> {
        let git = self.repository()?;
        let after = Oid::parse(commit.as_bytes()).ok_or_else(|| Error::NothingFits {
            asked: format!("commit {commit:?}"),
        })?;
        let before = match git.resolve(&format!("{after}^"))? {
            Some(parent) => parent,
            None => git.empty_tree()?,
        };
        git.changes(&before, &after)
    }

    fn repository(&self) -> Result<&Git, Error> {
        self.git.as_ref().ok_or_else(|| Error::NotAWorktree {
            directory: self.top.clone(),
            said: "there is no git here".to_owned(),
        })
    }

    fn keep_loss(&self, git: &Git, loss: &Loss<'_>, at_ms: u64) -> Result<u64, Error> {
        let subject = subject(git, &loss.commit)?;
        let mut writer = self.journal.hold()?;
        let mut lock = Lock::take(&git.common_dir().join("kite/rescue.lock"))?;
        let last = match lock.number() {
            Some(number) => number,
            None => newest(git)?,
        };
        let number = (last + 1).max(writer.next_number()?);
        // Kept before it is used: a crash leaves a gap, never a number used twice.
        lock.keep_number(number)?;
        let tag = tag(git, number, loss, at_ms)?;
        create(git, &format!("{REFS}{number}"), &tag)?;
        drop(lock);
        let kind = EntryKind::Lost {
            reference: loss.reference.to_owned(),
            commit: loss.commit.to_string(),
            subject,
            moved_to: loss.moved_to.clone(),
        };
        writer.append(&self.entry(number, at_ms, kind))?;
        Ok(number)
    }

    fn note_back(&self, number: u64, at_ms: u64) -> Result<(), Error> {
        let mut writer = self.journal.hold()?;
        let own = writer.next_number()?;
        let kind = EntryKind::Undo {
            of: vec![number],
            only: None,
            safety: None,
            changes: Vec::new(),
            index: Vec::new(),
        };
        writer.append(&self.entry(own, at_ms, kind))
    }

    fn entry(&self, number: u64, at_ms: u64, kind: EntryKind) -> Entry {
        Entry {
            number,
            at_ms,
            worktree: PathText::from(self.top.as_path()),
            session: None,
            kind,
        }
    }
}

/// The moves after which a commit is in no branch, tag or remote branch any more.
fn losses<'a>(git: &Git, moves: &'a [RefMove]) -> Result<Vec<Loss<'a>>, Error> {
    // A branch that is only packed away is deleted as a file. While one is really deleted, git
    // keeps the packed ones locked.
    let packed = git.common_dir().join("packed-refs");
    let locked = git.common_dir().join("packed-refs.lock");
    let only_packs = packed.exists() && !locked.exists();
    let mut losses = Vec::new();
    for it in moves {
        if it.to.is_none() && only_packs {
            continue;
        }
        let Some(commit) = git.resolve(&format!("{}^{{commit}}", it.reference))? else {
            continue;
        };
        let to = it.to.as_deref().and_then(|to| Oid::parse(to.as_bytes()));
        let goes_on = match &to {
            Some(to) => *to == commit || git.is_ancestor(&commit, to)?,
            None => false,
        };
        if !goes_on && !is_elsewhere(git, &commit, to.as_ref(), moves) {
            losses.push(Loss {
                reference: &it.reference,
                commit,
                moved_to: to.map(|to| to.to_string()),
            });
        }
    }
    Ok(losses)
}

/// Whether a reference that stays has the commit. What Kite and `git stash` keep does not count:
/// it goes after a while.
fn is_elsewhere(git: &Git, commit: &Oid, to: Option<&Oid>, moves: &[RefMove]) -> bool {
    let mut args = vec!["--max-count=1".to_owned(), commit.to_string()];
    args.push("--not".to_owned());
    args.extend(to.map(Oid::to_string));
    args.extend(["--exclude=refs/kite/*", "--exclude=refs/stash"].map(str::to_owned));
    args.extend(moves.iter().map(|it| format!("--exclude={}", it.reference)));
    args.push("--glob=refs/*".to_owned());
    let said = git
        .call("rev-list")
        .args(args)
        .time_max(REACH_TIME_MAX)
        .run();
    said.is_ok_and(|said| said.is_empty())
}

/// Git calls its hook twice for one branch, and one commit may be lost again and again.
fn is_kept(git: &Git, known: &[Record], loss: &Loss<'_>) -> Result<bool, Error> {
    for record in known {
        let EntryKind::Lost {
            reference, commit, ..
        } = &record.entry.kind
        else {
            continue;
        };
        let same = reference == loss.reference && commit == loss.commit.as_str();
        let name = || format!("{REFS}{}^{{commit}}", record.entry.number);
        if same && git.resolve(&name())?.as_ref() == Some(&loss.commit) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn subject(git: &Git, commit: &Oid) -> Result<Option<String>, Error> {
    let said = git
        .call("log")
        .args(["-1", "--no-show-signature", "--format=%s", commit.as_str()])
        .run()?;
    let text: String = String::from_utf8_lossy(&said)
        .trim_end()
        .chars()
        .take(SUBJECT_CHARACTERS_MAX)
        .collect();
    Ok(Some(text).filter(|text| !text.is_empty()))
}

fn tag(git: &Git, number: u64, loss: &Loss<'_>, at_ms: u64) -> Result<Oid, Error> {
    let text = format!(
        "object {}\ntype commit\ntag kite-rescue-{number}\ntagger Kite <kite@localhost> {} +0000\n\n\
         kite: the commit that {} had\n",
        loss.commit,
        at_ms / 1000,
        loss.reference,
    );
    let said = git.call("mktag").input(text.into_bytes()).run()?;
    Oid::parse(said.trim_ascii_end()).ok_or_else(|| Error::Unexpected {
        command: "mktag".to_owned(),
        why: "it named no object".to_owned(),
    })
}

/// Makes a reference; false where it is there already.
fn create(git: &Git, reference: &str, object: &Oid) -> Result<bool, Error> {
    let nothing = "0".repeat(object.as_str().len());
    let made = git
        .call("update-ref")
        .args([reference, object.as_str(), &nothing])
        .run();
    match made {
        Ok(_) => Ok(true),
        Err(Error::Git { .. }) if git.resolve(reference)?.is_some() => Ok(false),
        Err(error) => Err(error),
    }
}

/// The largest number that is in use, where the lock's file does not say it.
fn newest(git: &Git) -> Result<u64, Error> {
    let said = git
        .call("for-each-ref")
        .args(["--format=%(refname:lstrip=3)", REFS])
        .run()?;
    let text = String::from_utf8_lossy(&said);
    let numbers = text.lines().filter_map(|line| line.parse().ok());
    Ok(numbers.max().unwrap_or(0))
}
