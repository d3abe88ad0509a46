//! Carries out a plan: keeps what is there, writes what comes back, and journals it.

use std::{
    collections::{HashMap, HashSet},
    path::{Path, PathBuf},
};

use super::{
    LeftAlone, Outcome, PathReport, Report, UndoOptions,
    content::{Content, Loader, Now, Source, now},
    merge::{self, Result3},
    plan::{FilePlan, IndexPlan, Plan},
};
use crate::{
    error::Error,
    git::{Git, Side},
    history::History,
    journal::{Change, Entry, EntryKind, IndexChange, Version, Writer},
    path_text::PathText,
    place::Place,
    snapshot::{self, Snapshot, Why},
};

/// Files whose contents are read at once.
const FILES_AT_ONCE: usize = 64;

/// Names tried for a content that is put beside its file.
const BESIDE_MAX: u32 = 20;

pub(super) fn apply(
    history: &History,
    plan: &Plan,
    options: &UndoOptions,
) -> Result<Report, Error> {
    if options.dry_run {
        let mut undoing = Undoing::new(history, plan, options, None)?;
        undoing.files()?;
        undoing.would_stage()?;
        return Ok(undoing.report);
    }
    // Held to the end: nobody else undoes at the same time, and the number stays ours.
    let mut writer = history.journal.hold()?;
    let safety = Safety::take(history, plan, options, writer.next_number()?)?;
    let (number, fresh) = (safety.number, safety.fresh.clone());
    // Also if this process dies in the middle: the number is the safety snapshot's, and no other
    // entry may have it.
    writer.reserve(number)?;
    let mut undoing = Undoing::new(history, plan, options, Some(safety))?;
    let ended = undoing.files().and_then(|()| undoing.index(&plan.index));
    // What was changed before a fault can be undone, too.
    if !undoing.changes.is_empty() || !undoing.index_changes.is_empty() {
        undoing.journal(&mut writer, number)?;
        undoing.report.number = Some(number);
    } else if let (Some(git), Some(fresh)) = (&history.git, &fresh) {
        // Nothing changed, so there is nothing to go back to; old snapshots are worth more.
        snapshot::discard(git, fresh)?;
    }
    ended?;
    Ok(undoing.report)
}

/// The snapshot of what was there before the undo.
struct Safety {
    /// The undo's own number.
    number: u64,
    snapshot: Option<u64>,
    /// Unless it is one that was there before.
    fresh: Option<Snapshot>,
    left_out: HashSet<PathBuf>,
    complete: bool,
}

impl Safety {
    fn take(
        history: &History,
        plan: &Plan,
        options: &UndoOptions,
        number_min: u64,
    ) -> Result<Safety, Error> {
        let Some(git) = &history.git else {
            return Ok(Safety {
                number: number_min,
                snapshot: None,
                fresh: None,
                left_out: HashSet::new(),
                complete: false,
            });
        };
        let of: Vec<String> = plan.of.iter().take(10).map(u64::to_string).collect();
        let why = Why {
            session: options.session.clone(),
            command: Some(format!("kite undo {}", of.join(" "))),
            at_ms: options.at_ms,
        };
        let snapshot_options = snapshot::Options {
            also: plan.files.iter().map(|file| file.path.clone()).collect(),
            number_min,
            stands_for_later: false,
            ..history.settings.snapshots.clone()
        };
        let taken = snapshot::take_of(git, &why, &snapshot_options)?;
        Ok(match taken {
            None => Safety {
                number: number_min,
                snapshot: None,
                fresh: None,
                left_out: HashSet::new(),
                complete: true,
            },
            Some(taken) => Safety {
                number: taken.number.max(number_min),
                snapshot: Some(taken.number),
                complete: taken.left_out_count == taken.left_out.len(),
                left_out: taken
                    .left_out
                    .iter()
                    .map(|it| it.path.clone().into())
                    .collect(),
                fresh: taken.fresh.then_some(taken),
            },
        })
    }

    fn has(&self, path: &Path) -> bool {
        self.complete && !self.left_out.contains(path)
    }
}

/// An undo that is under way.
struct Undoing<'a> {
    history: &'a History,
    plan: &'a Plan,
    options: &'a UndoOptions,
    place: Place,
    /// `None` in a dry run.
    safety: Option<Safety>,
    report: Report,
    changes: Vec<Change>,
    index_changes: Vec<IndexChange>,
}

impl<'a> Undoing<'a> {
    fn new(
        history: &'a History,
        plan: &'a Plan,
        options: &'a UndoOptions,
        safety: Option<Safety>,
    ) -> Result<Undoing<'a>, Error> {
        Ok(Undoing {
            place: Place::open(&history.top)?,
            history,
            plan,
            options,
            safety,
            report: Report {
                of: plan.of.clone(),
                head_then: plan.head_then.clone(),
                ..Report::default()
            },
            changes: Vec::new(),
            index_changes: Vec::new(),
        })
    }

    fn files(&mut self) -> Result<(), Error> {
        let mut loader = Loader::new(self.history);
        // What goes away first makes room for what comes back: a file may have become a directory.
        let removes = |file: &&FilePlan| file.layers.iter().any(|it| it.theirs == Source::Absent);
        let (first, then): (Vec<_>, Vec<_>) = self.plan.files.iter().partition(removes);
        let files: Vec<&FilePlan> = first.into_iter().chain(then).collect();
        for files in files.chunks(FILES_AT_ONCE) {
            let layers = files.iter().flat_map(|file| &file.layers);
            loader.fetch(layers.flat_map(|layer| layer.bases.iter().chain([&layer.theirs])))?;
            for file in files {
                let outcome = self.file(&loader, file)?;
                self.report.paths.push(PathReport {
                    path: file.path.clone(),
                    outcome,
                });
            }
        }
        self.report.paths.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(())
    }

    fn file(&mut self, loader: &Loader<'_>, file: &FilePlan) -> Result<Outcome, Error> {
        let path = &file.path;
        let bytes_max = self.history.settings.snapshots.file_bytes_max;
        let before = match now(&self.place, path, bytes_max)? {
            Now::Absent => None,
            Now::Content(content) => Some(content),
            Now::InTheWay => return Ok(Outcome::LeftAlone(LeftAlone::InTheWay)),
        };
        let Result3 {
            content,
            mut outcome,
            beside,
        } = self.merged(loader, file, before.clone())?;
        if content != before
            && let Some(why) = self.put(path, before.as_ref(), content.as_ref())?
        {
            return Ok(Outcome::LeftAlone(why));
        }
        if let Some(beside) = beside {
            outcome = match self.put_beside(path, &beside)? {
                Some(at) => Outcome::Beside(at),
                None => Outcome::LeftAlone(LeftAlone::InTheWay),
            };
        }
        Ok(outcome)
    }

    /// Takes one change after the other back, until one conflicts.
    fn merged(
        &self,
        loader: &Loader<'_>,
        file: &FilePlan,
        before: Option<Content>,
    ) -> Result<Result3, Error> {
        let mut result = Result3 {
            content: before,
            outcome: Outcome::Unchanged,
            beside: None,
        };
        let number = self.plan.of.first().copied().unwrap_or_default();
        let scratch = self.history.directory.join("scratch");
        for layer in &file.layers {
            let bases: Result<Vec<_>, Error> = layer
                .bases
                .iter()
                .map(|base| loader.load(base, &file.path))
                .collect();
            let theirs = loader.load(&layer.theirs, &file.path)?;
            let next = merge::merge(result.content.as_ref(), &bases?, &theirs, number, &scratch)?;
            let ends = matches!(next.outcome, Outcome::Conflict | Outcome::LeftAlone(_));
            result = Result3 {
                outcome: match (result.outcome, next.outcome) {
                    (earlier, Outcome::Unchanged) => earlier,
                    // What was merged before is not simply restored any more.
                    (Outcome::Merged, Outcome::Restored) => Outcome::Merged,
                    (earlier, Outcome::LeftAlone(_)) if earlier.is_change() => earlier,
                    (_, later) => later,
                },
                ..next
            };
            if ends {
                break;
            }
        }
        Ok(result)
    }

    /// Writes a path and notes the change, or says why it cannot be. A file that cannot be written
    /// does not keep the others from coming back.
    fn put(
        &mut self,
        path: &Path,
        before: Option<&Content>,
        after: Option<&Content>,
    ) -> Result<Option<LeftAlone>, Error> {
        let Some(safety) = &self.safety else {
            return Ok(None);
        };
        let kept_before = self.keep(path, before)?;
        let saved = match &kept_before {
            Version::File { hash, .. } => self.history.images.has(hash) || safety.has(path),
            Version::Absent | Version::Unknown => true,
        };
        if !saved {
            return Ok(Some(LeftAlone::NotSaved));
        }
        // Somebody may have written it while it was merged. What nobody has kept stays.
        if !self.is_still(path, before)? {
            return Ok(Some(LeftAlone::NotSaved));
        }
        let change = Change {
            path: PathText::from(path),
            before: kept_before,
            after: self.keep(path, after)?,
        };
        let written = match after {
            Some(content) => self.place.write(path, &content.bytes, content.shape),
            None => self.place.remove(path),
        };
        match written {
            Ok(()) => {
                self.changes.push(change);
                Ok(None)
            }
            Err(Error::Io { .. } | Error::Escapes { .. }) => Ok(Some(LeftAlone::InTheWay)),
            Err(error) => Err(error),
        }
    }

    fn is_still(&self, path: &Path, before: Option<&Content>) -> Result<bool, Error> {
        let bytes_max = self.history.settings.snapshots.file_bytes_max;
        Ok(match now(&self.place, path, bytes_max)? {
            Now::Absent => before.is_none(),
            Now::Content(there) => before == Some(&there),
            Now::InTheWay => false,
        })
    }

    fn keep(&self, path: &Path, content: Option<&Content>) -> Result<Version, Error> {
        match content {
            None => Ok(Version::Absent),
            Some(content) => self
                .history
                .keep_content(path, &content.bytes, content.shape),
        }
    }

    /// Puts a content beside its file, under a name that is free or has it already.
    fn put_beside(&mut self, path: &Path, content: &Content) -> Result<Option<PathBuf>, Error> {
        let number = self.plan.of.first().copied().unwrap_or_default();
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".kite-undo-{number}"));
        for attempt in 1..=BESIDE_MAX {
            let mut at = name.clone();
            if attempt > 1 {
                at.push(format!("-{attempt}"));
            }
            let at = PathBuf::from(at);
            let bytes_max = self.history.settings.snapshots.file_bytes_max;
            match now(&self.place, &at, bytes_max)? {
                Now::Absent => {
                    let failed = self.put(&at, None, Some(content))?;
                    return Ok(failed.is_none().then_some(at));
                }
                Now::Content(there) if there == *content => return Ok(Some(at)),
                _ => {}
            }
        }
        Ok(None)
    }

    /// What [`Undoing::index`] would stage.
    fn would_stage(&mut self) -> Result<(), Error> {
        if let Some(git) = self
            .history
            .git
            .as_ref()
            .filter(|_| !self.plan.index.is_empty())
        {
            let changes = entries_to_stage(git, &self.plan.index)?;
            self.report.staged = changes.into_iter().map(|it| it.path.into()).collect();
        }
        Ok(())
    }

    /// Stages again what was staged, where nobody staged anything else since.
    fn index(&mut self, plans: &[IndexPlan]) -> Result<(), Error> {
        let Some(git) = self.history.git.as_ref().filter(|_| !plans.is_empty()) else {
            return Ok(());
        };
        let changes = entries_to_stage(git, plans)?;
        let entries: Vec<_> = changes
            .iter()
            .map(|change| (change.path.as_path().to_owned(), change.after.clone()))
            .collect();
        let written = git.stage(&entries);
        match written {
            Ok(()) => {}
            Err(Error::Git { said, .. }) => {
                self.report.index_failed = Some(said);
                return Ok(());
            }
            Err(error) => return Err(error),
        }
        self.report.staged = entries.into_iter().map(|entry| entry.0).collect();
        self.index_changes = changes;
        Ok(())
    }

    fn journal(&mut self, writer: &mut Writer, number: u64) -> Result<(), Error> {
        writer.append(&Entry {
            number,
            at_ms: self.options.at_ms,
            worktree: PathText::from(self.history.top.as_path()),
            session: self.options.session.clone(),
            kind: EntryKind::Undo {
                of: self.plan.of.clone(),
                only: self.plan.only.as_deref().map(PathText::from),
                safety: self.safety.as_ref().and_then(|safety| safety.snapshot),
                changes: std::mem::take(&mut self.changes),
                index: std::mem::take(&mut self.index_changes),
            },
        })
    }
}

/// Those whose entry is still as expected, and not as wanted already. A path in conflict has
/// several entries, and is none of ours.
fn entries_to_stage(git: &Git, plans: &[IndexPlan]) -> Result<Vec<IndexChange>, Error> {
    let paths: Vec<PathBuf> = plans.iter().map(|plan| plan.path.clone()).collect();
    let mut staged: HashMap<PathBuf, Vec<Side>> = HashMap::new();
    for (path, side) in git.staged(&paths)? {
        staged.entry(path).or_default().push(side);
    }
    let mut changes = Vec::new();
    for plan in plans {
        let now = match staged.get(&plan.path).map(Vec::as_slice) {
            None => None,
            Some([one]) => Some(one.clone()),
            Some(_) => continue,
        };
        if now != plan.back && plan.expected.contains(&now) {
            changes.push(IndexChange {
                path: PathText::from(plan.path.as_path()),
                before: now,
                after: plan.back.clone(),
            });
        }
    }
    Ok(changes)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::{history::Settings, place::Shape};

    #[test]
    fn what_was_written_at_the_last_moment_stays() {
        let directory = tempfile::tempdir().expect("a directory");
        let top = directory.path().canonicalize().expect("it");
        let home = top.join("home");
        let history = History::recorder(&home, &top, &top, Settings::default());
        let plan = Plan {
            top: top.clone(),
            of: vec![1],
            only: None,
            files: Vec::new(),
            index: Vec::new(),
            head_then: None,
        };
        let safety = Safety {
            number: 2,
            snapshot: None,
            fresh: None,
            left_out: HashSet::new(),
            complete: false,
        };
        let options = UndoOptions::default();
        let undoing = Undoing::new(&history, &plan, &options, Some(safety));
        let mut undoing = undoing.expect("an undo");
        let content = |text: &str| Content {
            bytes: text.as_bytes().to_vec(),
            shape: Shape::Regular,
        };
        let (before, back) = (content("as it was read\n"), content("as it was before\n"));
        let mut put = |there: Option<&str>, before: Option<&Content>| {
            match there {
                Some(there) => fs::write(top.join("a.txt"), there).expect("written"),
                None => fs::remove_file(top.join("a.txt")).expect("removed"),
            }
            let path = Path::new("a.txt");
            let outcome = undoing.put(path, before, Some(&back)).expect("an outcome");
            (outcome, fs::read_to_string(top.join("a.txt")).ok())
        };
        let newer = (Some(LeftAlone::NotSaved), Some("newer\n".to_owned()));
        assert_eq!(put(Some("newer\n"), Some(&before)), newer);
        assert_eq!(put(Some("newer\n"), None), newer);
        let gone = (Some(LeftAlone::NotSaved), None);
        assert_eq!(put(None, Some(&before)), gone);
        let done = (None, Some("as it was before\n".to_owned()));
        assert_eq!(put(Some("as it was read\n"), Some(&before)), done);
    }
}
