//! The working copies that a command's git calls concern, as they are before it runs.
//!
//! Most often it is the one that the command begins in. A call may go into another one (`git -C`,
//! `cd`), remove one (`git worktree remove`), or go where only the shell knows; then each linked
//! working copy is looked at.

use std::path::{Path, PathBuf};

use kite_gitcall::{Call, Reading, Verb};
use kite_undo::{Git, History, Settings};

/// Other working copies that are looked at for one command.
pub(super) const WORKTREES_MAX: usize = 8;

/// A working copy with uncommitted work, and the git calls that are about to run in it.
pub(super) struct Scene {
    pub(super) history: History,
    pub(super) top: String,
    /// Where the command begins, relative to the top.
    pub(super) here: String,
    pub(super) files: Vec<(String, kite_gitcall::DirtyState)>,
    /// Of them, those that git ignores; only where a call takes these as well.
    pub(super) ignored: Vec<PathBuf>,
    pub(super) calls: Vec<Call>,
    pub(super) unparseable: bool,
    /// The calls take the whole working copy away.
    pub(super) removed: bool,
    /// It belongs to another repository than the one that the command begins in.
    pub(super) stranger: bool,
}

/// A call in a working copy, as it will be judged there.
struct Cast {
    top: PathBuf,
    call: Call,
    removed: bool,
}

/// Looks at the working copies of a command that begins in `cwd`. Those without uncommitted work
/// are left out.
pub(super) fn look(
    home: &Path,
    cwd: &Path,
    limits: &Settings,
    reading: Reading,
) -> Option<Vec<Scene>> {
    let history = History::open(home, cwd, limits.clone()).ok()?;
    let Some(git) = history.git().cloned() else {
        let elsewhere = from_outside(cwd, reading);
        return Some(scenes(home, limits, &elsewhere, None));
    };
    let here = cwd.canonicalize().ok()?;
    let here = here.strip_prefix(history.top()).ok()?.to_str()?.to_owned();
    let (calls, unparseable) = expanded(&git, reading);
    let (mut ours, mut elsewhere) = (Vec::new(), Vec::new());
    for call in calls {
        if call.verb == Verb::Harmless {
            continue;
        }
        assign(&git, &here, call, &mut ours, &mut elsewhere);
    }
    if unparseable || ours.iter().any(|call| call.adrift) {
        let unknown = Call {
            verb: Verb::Unknown,
            adrift: true,
            certain: false,
            ..ours
                .iter()
                .find(|call| call.adrift)
                .cloned()
                .unwrap_or_else(nothing_known)
        };
        elsewhere.extend(linked(&git).into_iter().map(|top| Cast {
            top,
            call: unknown.clone(),
            removed: false,
        }));
    }
    let mut all = Vec::new();
    all.extend(scene(history, here, ours, unparseable, false));
    all.extend(scenes(home, limits, &elsewhere, Some(git.common_dir())));
    Some(all)
}

/// The calls that go into a working copy from a directory that is in none. What such a command may
/// do elsewhere, nobody knows.
fn from_outside(cwd: &Path, reading: Reading) -> Vec<Cast> {
    let (mut inside, mut others) = (Vec::new(), Vec::new());
    for mut call in reading.calls {
        let place = call.directory.as_ref().map(|directory| cwd.join(directory));
        let found = place.and_then(|place| Some((Git::open(&place).ok()?, place)));
        let Some((git, place)) = found.filter(|_| call.verb != Verb::Harmless) else {
            continue;
        };
        call.directory = Some(place.display().to_string());
        let reading = Reading {
            calls: vec![call],
            ..Reading::default()
        };
        let mut ours = Vec::new();
        for call in expanded(&git, reading).0 {
            assign(&git, "", call, &mut ours, &mut others);
        }
        inside.extend(ours.into_iter().map(|call| Cast {
            top: git.top().to_owned(),
            // What is safe there would have to be said in words for here.
            call: Call {
                certain: false,
                ..call
            },
            removed: false,
        }));
    }
    inside.extend(others);
    inside
}

/// The working copies of these calls. `common_dir`: of the repository that the command begins in.
fn scenes(
    home: &Path,
    limits: &Settings,
    elsewhere: &[Cast],
    common_dir: Option<&Path>,
) -> Vec<Scene> {
    let mut scenes = Vec::new();
    let mut done: Vec<PathBuf> = Vec::new();
    for cast in elsewhere {
        if done.contains(&cast.top) || done.len() >= WORKTREES_MAX {
            continue;
        }
        done.push(cast.top.clone());
        let Ok(history) = History::open(home, &cast.top, limits.clone()) else {
            continue;
        };
        let stranger = history
            .git()
            .is_some_and(|git| Some(git.common_dir()) != common_dir);
        let removed = |removed| {
            let casts = elsewhere.iter().filter(|it| it.top == cast.top);
            let calls = casts.filter(|it| it.removed == removed);
            calls.map(|it| it.call.clone()).collect::<Vec<Call>>()
        };
        let (calls, removed) = match removed(true) {
            none if none.is_empty() => (removed(false), false),
            removals => (removals, true),
        };
        scenes.extend(
            scene(history, String::new(), calls, false, removed)
                .map(|scene| Scene { stranger, ..scene }),
        );
    }
    scenes
}

/// The calls of a reading, with aliases of the repository replaced by what they mean.
fn expanded(git: &Git, reading: Reading) -> (Vec<Call>, bool) {
    let top = super::super::callers::text(git.top());
    let mut unparseable = reading.unparseable;
    let mut calls = Vec::new();
    for call in reading.calls {
        let call = call.relative_to(&top);
        let Verb::Alias(name) = &call.verb else {
            calls.push(call);
            continue;
        };
        let key = format!("alias.{name}");
        let said = git.call("config").args(["--get", key.as_str()]).run();
        let Some(definition) = said.ok().and_then(|said| String::from_utf8(said).ok()) else {
            continue;
        };
        let expanded = kite_gitcall::expand_alias(&call, definition.trim_end());
        unparseable |= expanded.unparseable;
        let meant = expanded.calls.into_iter();
        calls.extend(meant.map(|call| call.relative_to(&top)));
    }
    (calls, unparseable)
}

/// Finds the working copy that a call runs in, and the one that it removes.
fn assign(git: &Git, here: &str, mut call: Call, ours: &mut Vec<Call>, others: &mut Vec<Cast>) {
    let from = if call.from_top { "" } else { here };
    let place = git.top().join(from);
    let place = match &call.directory {
        Some(directory) => place.join(directory),
        None => place,
    };
    if let Some(path) = removal(&call) {
        let path = path
            .strip_prefix(":(top)")
            .map_or_else(|| place.join(path), |path| git.top().join(path));
        match Git::open(&path) {
            Ok(found) if found.top() != git.top() => others.push(Cast {
                top: found.top().to_owned(),
                call: call.clone(),
                removed: true,
            }),
            // git knows it by the last part of its path, or a link leads there.
            _ => call.adrift = true,
        }
    }
    if call.directory.is_none() {
        return ours.push(call);
    }
    match Git::open(&place) {
        Ok(found) if found.top() == git.top() => ours.push(call),
        Ok(found) => {
            // What is safe there would have to be said in words for here.
            let below = place.canonicalize().ok();
            let below = below
                .as_ref()
                .and_then(|place| place.strip_prefix(found.top()).ok());
            call.directory = below.and_then(Path::to_str).map(str::to_owned);
            call.from_top = true;
            call.certain = false;
            let top = found.top().to_owned();
            others.push(Cast {
                top,
                call,
                removed: false,
            });
        }
        // Not there yet, or no working copy: what runs there is not judged by these files.
        Err(_) => {
            call.certain = false;
            ours.push(call);
        }
    }
}

/// The working copy that `git worktree remove` takes away, as it was written. Without `--force` git
/// keeps what is uncommitted, but not what is ignored.
fn removal(call: &Call) -> Option<&str> {
    let (first, rest) = call.words.split_first()?;
    let path = || rest.iter().find(|word| !word.starts_with('-'));
    let unforced = call.verb == Verb::Worktree && first == "remove";
    call.removes_worktree()
        .or_else(|| unforced.then(path)?.map(String::as_str))
}

/// Whether `git clean` takes ignored files, as far as its words say.
fn cleans_ignored(call: &Call) -> bool {
    let says = |word: &String| {
        word.starts_with('-') && !word.starts_with("--") && word.contains(['x', 'X'])
    };
    call.verb == Verb::Clean && (!call.certain || call.words.iter().any(says))
}

/// The other working copies of the repository.
fn linked(git: &Git) -> Vec<PathBuf> {
    let said = git
        .call("worktree")
        .args(["list", "--porcelain", "-z"])
        .run();
    let said = said.ok().and_then(|said| String::from_utf8(said).ok());
    let tops = said.unwrap_or_default();
    let tops = tops
        .split('\0')
        .filter_map(|line| line.strip_prefix("worktree "));
    tops.map(PathBuf::from)
        .filter(|top| top != git.top() && top.exists())
        .take(WORKTREES_MAX)
        .collect()
}

/// A call of which nothing is known.
fn nothing_known() -> Call {
    Call {
        verb: Verb::Unknown,
        words: Vec::new(),
        sources: Vec::new(),
        directory: None,
        from_top: true,
        adrift: true,
        certain: false,
        conditional: true,
        stdin: None,
    }
}

/// The working copy with what is uncommitted in it; `None` if that is nothing.
fn scene(
    history: History,
    here: String,
    calls: Vec<Call>,
    unparseable: bool,
    removed: bool,
) -> Option<Scene> {
    let status = history.git()?.status().ok()?;
    let mut ignored = Vec::new();
    if removed || calls.iter().any(cleans_ignored) {
        ignored = history.ignored().unwrap_or_default();
    }
    let forced = calls.iter().any(|call| call.removes_worktree().is_some());
    let refused_by_git = removed && !forced && !status.files.is_empty();
    let nothing = status.files.is_empty() && ignored.is_empty();
    if nothing || refused_by_git || (calls.is_empty() && !unparseable) {
        return None;
    }
    let mut files: Vec<_> = status
        .files
        .iter()
        .filter_map(|file| Some((file.path.to_str()?.to_owned(), state(&file.state))))
        .collect();
    let names = ignored.iter().filter_map(|path| path.to_str());
    files.extend(names.map(|name| (name.to_owned(), kite_gitcall::DirtyState::Ignored)));
    Some(Scene {
        top: super::super::callers::text(history.top()),
        here,
        files,
        ignored,
        calls,
        unparseable,
        removed,
        stranger: false,
        history,
    })
}

/// What git said of a file, as the judge knows it.
fn state(state: &kite_undo::DirtyState) -> kite_gitcall::DirtyState {
    let (index, worktree) = match state {
        kite_undo::DirtyState::Untracked => (b'?', b'?'),
        kite_undo::DirtyState::Unmerged(_) => (b'U', b'U'),
        kite_undo::DirtyState::Tracked {
            head,
            index,
            changed,
            deleted,
            ..
        } => {
            let staged = match (head, index) {
                (None, Some(_)) => b'A',
                (Some(_), None) => b'D',
                (head, index) if head != index => b'M',
                _ => b'.',
            };
            let unstaged = match (deleted, changed) {
                (true, _) => b'D',
                (false, true) => b'M',
                (false, false) => b'.',
            };
            (staged, unstaged)
        }
    };
    kite_gitcall::DirtyState::from_porcelain(index, worktree)
}
