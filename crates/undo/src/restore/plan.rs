//! From what was asked to what is to be done: for each path, what was there right after the
//! change and what is to come back.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    path::{Path, PathBuf},
};

use super::{
    Selection, Shown, ShownFile,
    content::{Loaded, Loader, Source},
};
use crate::{
    error::Error,
    git::{Git, Side},
    history::History,
    journal::{Change, EntryKind, Filter, Record, Version},
    snapshot::{self, Kept, KeptFile},
};

/// Files read at once for looking at.
const SHOWN_MAX: usize = 500;

/// Everything that one undo does.
#[derive(Debug)]
pub(super) struct Plan {
    /// The working copy it belongs to.
    pub(super) top: PathBuf,
    pub(super) of: Vec<u64>,
    /// Where it is not all of them: the path that was asked for.
    pub(super) only: Option<PathBuf>,
    pub(super) files: Vec<FilePlan>,
    pub(super) index: Vec<IndexPlan>,
    /// Of a snapshot: the commit and branch checked out then, if another commit is now.
    pub(super) head_then: Option<(String, Option<String>)>,
}

/// One path, and the changes to take back from it, newest first.
#[derive(Debug)]
pub(super) struct FilePlan {
    pub(super) path: PathBuf,
    pub(super) layers: Vec<Layer>,
}

/// One change, or several that followed each other without anybody else's between.
#[derive(Debug)]
pub(super) struct Layer {
    /// What the file was right after the change: the likeliest first, which a merge goes by.
    /// Where the file is now as in any of them, nothing came later.
    pub(super) bases: Vec<Source>,
    pub(super) theirs: Source,
}

/// An entry of the index that comes back if it is still as expected.
#[derive(Debug)]
pub(super) struct IndexPlan {
    pub(super) path: PathBuf,
    /// Any of these. No entry is `None`.
    pub(super) expected: Vec<Option<Side>>,
    pub(super) back: Option<Side>,
}

pub(super) fn make(history: &History, selection: &Selection) -> Result<Plan, Error> {
    let path = match &selection.path {
        Some(path) => Some(history.relative(path)?),
        None => None,
    };
    let mut plan = match selection {
        Selection {
            number: Some(number),
            ..
        } => of_number(history, *number, selection)?,
        Selection {
            number: None,
            session: None,
            tool_use_id: None,
            ..
        } => {
            let filter = Filter {
                path: path.clone(),
                worktree: Some(history.top.clone()),
                count_max: Some(1),
                ..Filter::default()
            };
            let latest = history.list(&filter)?;
            let record = latest.first().ok_or_else(|| nothing(selection))?;
            of_record(history, record)?
        }
        _ => of_edits(history, selection, path.as_ref())?,
    };
    if let Some(path) = path {
        let all = plan.files.len() + plan.index.len();
        plan.files.retain(|file| file.path.starts_with(&path));
        plan.index.retain(|entry| entry.path.starts_with(&path));
        plan.only = (plan.files.len() + plan.index.len() < all).then_some(path);
    }
    if plan.files.is_empty() && plan.index.is_empty() {
        return Err(nothing(selection));
    }
    Ok(plan)
}

pub(super) fn show(history: &History, number: u64) -> Result<Vec<ShownFile>, Error> {
    let mut sources = Vec::new();
    let record = by_number(history, number, &Selection::default())?;
    match record.as_ref().map(|record| &record.entry.kind) {
        Some(EntryKind::Edit { changes, .. }) => sources.extend(changes.iter().map(|change| {
            let source = |version| Source::of_version(version, None);
            let path = change.path.as_path().to_owned();
            (path, source(&change.before), source(&change.after))
        })),
        Some(EntryKind::Undo {
            changes, safety, ..
        }) => sources.extend(changes.iter().map(|change| {
            let path = change.path.as_path().to_owned();
            let before = Source::of_version(&change.before, *safety);
            (path, before, Source::of_version(&change.after, None))
        })),
        Some(EntryKind::Lost { commit, .. }) => {
            let changes = history.lost_changes(commit)?;
            sources.extend(changes.into_iter().map(|change| {
                let before = Source::of_side(change.before.as_ref());
                (change.path, before, Source::of_side(change.after.as_ref()))
            }));
        }
        _ => {
            let git = history.git.as_ref().ok_or_else(|| Error::NothingFits {
                asked: format!("number {number}"),
            })?;
            let kept = snapshot::load(git, number)?;
            sources.extend(kept.files.into_iter().map(|file| {
                let before = Source::of_side(file.head.as_ref());
                let after = match file.left_out {
                    true => Source::Unknown,
                    false => Source::of_side(file.file.as_ref()),
                };
                (file.path, before, after)
            }));
        }
    }
    sources.truncate(SHOWN_MAX);
    let mut loader = Loader::new(history);
    loader.fetch(
        sources
            .iter()
            .flat_map(|(_, before, after)| [before, after]),
    )?;
    sources
        .into_iter()
        .map(|(path, before, after)| {
            Ok(ShownFile {
                before: shown(loader.load(&before, &path)?),
                after: shown(loader.load(&after, &path)?),
                path,
            })
        })
        .collect()
}

fn shown(loaded: Loaded) -> Shown {
    match loaded {
        Loaded::Absent => Shown::Absent,
        Loaded::Content(content) => Shown::Content(content.bytes),
        Loaded::Hash(..) | Loaded::Present | Loaded::Unknown => Shown::NotKept,
    }
}

fn of_number(history: &History, number: u64, selection: &Selection) -> Result<Plan, Error> {
    if let Some(record) = by_number(history, number, selection)? {
        return of_record(history, &record);
    }
    // The journal may be gone, or another home's: the repository has its snapshots all the same.
    match &history.git {
        Some(git) if selection.session.is_none() && selection.tool_use_id.is_none() => {
            of_snapshot(git, &snapshot::load(git, number)?, &HashMap::new())
        }
        _ => Err(nothing(selection)),
    }
}

fn by_number(
    history: &History,
    number: u64,
    selection: &Selection,
) -> Result<Option<Record>, Error> {
    let filter = Filter {
        number: Some(number),
        session: selection.session.clone(),
        tool_use_id: selection.tool_use_id.clone(),
        ..Filter::default()
    };
    Ok(history.list(&filter)?.into_iter().next())
}

fn of_record(history: &History, record: &Record) -> Result<Plan, Error> {
    let entry = &record.entry;
    let top = entry.worktree.as_path().to_owned();
    let mut plan = Plan {
        top,
        of: vec![entry.number],
        only: None,
        files: Vec::new(),
        index: Vec::new(),
        head_then: None,
    };
    match &entry.kind {
        EntryKind::Edit { changes, .. } => plan.files = layers(changes.iter(), None),
        EntryKind::Undo {
            changes,
            index,
            safety,
            ..
        } => {
            plan.files = layers(changes.iter(), *safety);
            plan.index = index
                .iter()
                .map(|change| IndexPlan {
                    path: change.path.as_path().to_owned(),
                    expected: vec![change.after.clone()],
                    back: change.before.clone(),
                })
                .collect();
        }
        // Files are not what was lost: `History::bring_back`.
        EntryKind::Lost { .. } => {}
        EntryKind::Snapshot { .. } | EntryKind::After { .. } => {
            // In its own working copy: another one has another index and another `HEAD`.
            let git = match &history.git {
                Some(git) if git.top() == plan.top => git.clone(),
                _ => Git::open(&plan.top).map_err(|_| Error::WorktreeGone {
                    top: plan.top.clone(),
                    number: entry.number,
                })?,
            };
            let after = record.after.iter().flatten().cloned().collect();
            let of_snapshot = of_snapshot(&git, &snapshot::load(&git, entry.number)?, &after)?;
            return Ok(of_snapshot);
        }
    }
    Ok(plan)
}

/// All edits that fit and are not undone yet.
fn of_edits(
    history: &History,
    selection: &Selection,
    path: Option<&PathBuf>,
) -> Result<Plan, Error> {
    let filter = Filter {
        session: selection.session.clone(),
        tool_use_id: selection.tool_use_id.clone(),
        // What is not touched stays to be undone.
        path: path.cloned(),
        worktree: Some(history.top.clone()),
        ..Filter::default()
    };
    let mut records = history.list(&filter)?;
    records.retain(|record| {
        !record.is_undone(path.map(PathBuf::as_path))
            && matches!(record.entry.kind, EntryKind::Edit { .. })
    });
    let changes = records.iter().flat_map(|record| {
        let changes: &[Change] = match &record.entry.kind {
            EntryKind::Edit { changes, .. } => changes,
            _ => &[],
        };
        let open = |change: &&Change| !record.is_undone(Some(change.path.as_path()));
        changes.iter().filter(open)
    });
    Ok(Plan {
        top: history.top.clone(),
        files: layers(changes, None),
        of: records.iter().map(|record| record.entry.number).collect(),
        only: None,
        index: Vec::new(),
        head_then: None,
    })
}

/// Changes, newest first, path by path. Those that follow each other directly become one.
fn layers<'a>(changes: impl Iterator<Item = &'a Change>, snapshot: Option<u64>) -> Vec<FilePlan> {
    let mut files: BTreeMap<&Path, Vec<(&Version, &Version)>> = BTreeMap::new();
    for change in changes {
        let layers = files.entry(change.path.as_path()).or_default();
        match layers.last_mut() {
            Some((_, theirs)) if **theirs == change.after && **theirs != Version::Unknown => {
                *theirs = &change.before;
            }
            _ => layers.push((&change.after, &change.before)),
        }
    }
    files
        .into_iter()
        .map(|(path, layers)| FilePlan {
            path: path.to_owned(),
            layers: layers
                .into_iter()
                .map(|(base, theirs)| Layer {
                    bases: vec![Source::of_version(base, None)],
                    theirs: Source::of_version(theirs, snapshot),
                })
                .collect(),
        })
        .collect()
}

fn of_snapshot(git: &Git, kept: &Kept, after: &HashMap<PathBuf, Version>) -> Result<Plan, Error> {
    let status = git.status()?;
    let dirty: HashSet<&Path> = status.files.iter().map(|it| it.path.as_path()).collect();
    let paths: Vec<PathBuf> = kept.files.iter().map(|file| file.path.clone()).collect();
    let head_now: HashMap<PathBuf, Side> = match &status.head {
        Some(head) => git.entries(head, &paths)?.into_iter().collect(),
        None => HashMap::new(),
    };
    // Commits that came on top are later work, to be merged with. If `HEAD` went elsewhere, the
    // command moved it, and the files were as there right after it.
    let on_top = match (&kept.head, &status.head) {
        (Some(then), Some(now)) => then == now || git.is_ancestor(then, now)?,
        (None, _) => true,
        (Some(_), None) => false,
    };
    let bases = |file: &KeptFile| {
        let now = head_now.get(&file.path);
        let base = if on_top { file.head.as_ref() } else { now };
        let first = if let Some(version) = after.get(&file.path) {
            Source::of_version(version, None)
        } else if base == now && now.is_some() && !dirty.contains(file.path.as_path()) {
            // A clean file is what git makes of its content in `HEAD`, line ends and all.
            Source::Present
        } else {
            Source::of_side(base)
        };
        // A command may have taken the content from the index, too. Both are kept.
        let others = [&file.index, &file.head].map(|side| Source::of_side(side.as_ref()));
        let mut bases = vec![first];
        bases.extend(others.into_iter().filter(|it| *it != Source::Absent));
        bases
    };
    let files = kept
        .files
        .iter()
        .filter(|file| !file.left_out)
        .map(|file| FilePlan {
            path: file.path.clone(),
            layers: vec![Layer {
                bases: bases(file),
                theirs: Source::of_side(file.file.as_ref()),
            }],
        })
        .collect();
    let index = kept
        .files
        .iter()
        .filter_map(|file| index_plan(file, head_now.get(&file.path)))
        .collect();
    let moved = kept.head.is_some() && kept.head != status.head;
    Ok(Plan {
        top: git.top().to_owned(),
        of: vec![kept.number],
        only: None,
        files,
        index,
        head_then: kept
            .head
            .as_ref()
            .filter(|_| moved)
            .map(|head| (head.to_string(), kept.branch.clone())),
    })
}

/// When a path's entry comes back into the index, given what `HEAD` has of it now.
fn index_plan(file: &KeptFile, head_now: Option<&Side>) -> Option<IndexPlan> {
    let mut expected = Vec::new();
    let same_head = head_now == file.head.as_ref();
    // What is committed by now needs no staging.
    let committed = head_now == file.index.as_ref() || head_now == file.file.as_ref();
    if file.index != file.head && (same_head || !committed) {
        expected.push(head_now.cloned());
    }
    // An entry that is missing holds nothing that could be lost.
    if same_head && file.index.is_some() && head_now.is_some() {
        expected.push(None);
    }
    (!expected.is_empty()).then(|| IndexPlan {
        path: file.path.clone(),
        expected,
        back: file.index.clone(),
    })
}

fn nothing(selection: &Selection) -> Error {
    let mut asked = Vec::new();
    if let Some(number) = selection.number {
        asked.push(format!("number {number}"));
    }
    if let Some(session) = &selection.session {
        asked.push(format!("session {session:?}"));
    }
    if let Some(tool_use) = &selection.tool_use_id {
        asked.push(format!("tool call {tool_use:?}"));
    }
    if let Some(path) = &selection.path {
        asked.push(format!("{path:?}"));
    }
    if asked.is_empty() {
        asked.push("this working copy".to_owned());
    }
    Error::NothingFits {
        asked: asked.join(", "),
    }
}
