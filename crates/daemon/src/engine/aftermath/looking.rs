//! Looks at working copies: one at a time for each, off the loop, and what follows from them.

use std::{
    collections::{BTreeMap, BTreeSet},
    mem,
    path::{Path, PathBuf},
    rc::Rc,
};

use kite_rules::touch::Content;
use kite_store::Store;
use kite_undo::{
    Edit, Error, History, Oid, PathText, Shape,
    journal::{Change, EntryKind, Filter, Version},
    look::{Changed, Known, Look, Was},
};
use tokio::sync::oneshot;

use super::{
    COPIES_MAX, News, WorkingCopy,
    commands::{Command, Moment, Origin},
    now_ns, print,
    telling::{Share, Shared},
};
use crate::{
    engine::{Engine, callers::text, edits::content, secrets::clean},
    hands::files::{File, Keys},
    translate::words::inline,
};

/// Files that one command is taken to have changed; of more, the uncommitted ones come first.
const CHANGED_MAX: usize = 500;
/// The newest undos that are looked through for one that a command made.
const UNDOS_MAX: usize = 50;
/// Characters of a command that are kept with what it changed.
const COMMAND_CHARS_MAX: usize = 500;

/// A change, the file it is of, and what it was.
pub(super) struct Found {
    pub(super) changed: Changed,
    pub(super) file: File,
    /// The command's text names it.
    pub(super) named: bool,
    was: Was,
}

/// What one command changed.
struct Made {
    command: Command,
    found: Vec<Found>,
    /// The commits that were checked out between the look before and the command.
    commits: Vec<Oid>,
}

/// What was kept of it.
#[derive(Default)]
struct Kept {
    /// The entry that undoes it.
    number: Option<u64>,
    /// What it did not change after all.
    same: BTreeSet<PathBuf>,
    /// Paths that the command brought back by an undo, and that undo's number.
    undone: BTreeMap<PathBuf, u64>,
    /// What is not kept as it was.
    lost: BTreeSet<PathBuf>,
    /// What was not committed before.
    dirty: BTreeSet<PathBuf>,
}

impl<S: Store> Engine<S> {
    /// Has a working copy looked at. Answers when a look that began after this has ended.
    pub(super) fn ask_for_look(self: &Rc<Self>, top: &str) -> oneshot::Receiver<()> {
        let (tell, told) = oneshot::channel();
        let mut copies = self.aftermath.copies.borrow_mut();
        if !copies.contains_key(top) {
            self.forget_copies(&mut copies);
        }
        let copy = copies.entry(top.to_owned()).or_insert_with(|| WorkingCopy {
            known: Some(Known::default()),
            ..WorkingCopy::default()
        });
        copy.waiting.push(tell);
        copy.again = true;
        if !mem::replace(&mut copy.looking, true) {
            let (engine, top) = (Rc::clone(self), top.to_owned());
            tokio::task::spawn_local(async move { while engine.look(&top).await {} });
        }
        told
    }

    /// Forgets working copies that nobody live stands in.
    fn forget_copies(&self, copies: &mut BTreeMap<String, WorkingCopy>) {
        let stood_in: BTreeSet<String> = self.store.read(|ledger| {
            let live = ledger.sessions.values().filter(|it| it.state.is_live());
            live.filter_map(|session| session.worktree.clone())
                .collect()
        });
        copies.retain(|top, copy| copy.looking || stood_in.contains(top));
        let idle = copies.iter().find(|(_, copy)| !copy.looking);
        if copies.len() >= COPIES_MAX
            && let Some(top) = idle.map(|(top, _)| top.clone())
        {
            copies.remove(&top);
        }
    }

    /// One look. False where nobody asked for another meanwhile.
    async fn look(self: &Rc<Self>, top: &str) -> bool {
        let taken = self.aftermath.copies.borrow_mut().get_mut(top).map(|copy| {
            copy.again = false;
            let known = copy.known.take().unwrap_or_default();
            (known, mem::take(&mut copy.waiting))
        });
        let Some((mut known, waiting)) = taken else {
            return false;
        };
        let (home, identity) = (self.identity.home.path().to_owned(), self.project_at(top));
        let (place, limits) = (PathBuf::from(top), self.settings.of_home().undo());
        let looked = tokio::task::spawn_blocking(move || {
            let looked = History::of_copy(&home, &place, identity.as_deref(), limits)
                .and_then(|history| known.look(&history, print));
            let files = looked.as_ref().map(|look| files(&place, look));
            let files = files.unwrap_or_default();
            (known, looked, files)
        });
        let Ok((mut known, looked, files)) = looked.await else {
            return self.looked(top, None, waiting);
        };
        let made = match looked {
            Ok(look) => self.trace(top, &mut known, &look, files),
            Err(error) => {
                self.look_failed(top, &error);
                Vec::new()
            }
        };
        if let Some(copy) = self.aftermath.copies.borrow_mut().get_mut(top) {
            for news in copy.news.drain(..) {
                news.tell(&mut known);
            }
            copy.known = Some(known);
        }
        for made in made {
            self.attribute(top, made).await;
        }
        self.looked(top, Some(()), waiting)
    }

    /// Ends a look: those who wait are told. Whether another one is due.
    fn looked(&self, top: &str, went_well: Option<()>, waiting: Vec<oneshot::Sender<()>>) -> bool {
        for waiter in waiting {
            // Who hung up does not wait any more.
            let _ = waiter.send(());
        }
        let mut copies = self.aftermath.copies.borrow_mut();
        let Some(copy) = copies.get_mut(top) else {
            return false;
        };
        copy.looking = copy.again && went_well.is_some();
        copy.looking
    }

    fn look_failed(&self, top: &str, error: &Error) {
        self.note(kite_wire::reply::Event {
            kind: "undo".into(),
            what: "working copy not looked at".into(),
            target: Some(top.to_owned()),
            outcome: Some(error.to_string()),
            ..kite_wire::reply::Event::default()
        });
    }

    /// The identity of the project that a working copy belongs to.
    fn project_at(&self, top: &str) -> Option<PathBuf> {
        self.store.read(|ledger| {
            let mut sessions = ledger.sessions.values();
            let here = sessions.find(|it| it.worktree.as_deref() == Some(top))?;
            Some(PathBuf::from(&here.project))
        })
    }

    /// Which command each change comes from. What comes from none is only known from now on.
    fn trace(&self, top: &str, known: &mut Known, look: &Look, files: Vec<File>) -> Vec<Made> {
        let mut commands = self.aftermath.commands.borrow_mut();
        commands.forget(now_ns(), |session| self.is_live(session));
        let copies = self.aftermath.copies.borrow();
        let Some(copy) = copies.get(top) else {
            return Vec::new();
        };
        let held: BTreeSet<String> = (self.holds.borrow().iter())
            .map(|hold| hold.file.clone())
            .collect();
        let learnt: BTreeSet<&Path> = copy.news.iter().map(News::path).collect();
        let mut made: BTreeMap<String, Made> = BTreeMap::new();
        for (changed, file) in look.changed.iter().zip(files) {
            let key = text(&file.key);
            if learnt.contains(changed.path.as_path()) {
                continue;
            }
            let moment = changed.at_ns.map(|at_ns| Moment {
                top,
                file: &changed.path,
                from_ns: changed.from_ns,
                at_ns,
                edited: copy.edited.get(&changed.path),
            });
            let origin = match moment {
                _ if held.contains(&key) => Origin::NotYetOver,
                Some(moment) => commands.origin(&moment),
                None => Origin::Nobody,
            };
            let (call, named) = match origin {
                Origin::NotYetOver => {
                    known.defer(changed);
                    continue;
                }
                Origin::Nobody => {
                    known.accept(changed);
                    if look.is_new(changed) && !changed.was_dirty {
                        // What agents did to it is committed; what it holds now is no agent's.
                        self.touches.borrow_mut().disown(&key);
                    }
                    continue;
                }
                Origin::Call { call, named } => (call, named),
            };
            known.accept(changed);
            let Some(command) = commands.get(&call) else {
                continue;
            };
            let made = made.entry(call).or_insert_with(|| Made {
                command: command.clone(),
                found: Vec::new(),
                commits: look.commits_until(command.begin_ns),
            });
            made.found.push(Found {
                was: look.was_at(changed, command.begin_ns),
                changed: changed.clone(),
                file,
                named,
            });
        }
        made.into_values().collect()
    }

    /// Keeps what a command changed, remembers whose doing it was, and has it told.
    async fn attribute(&self, top: &str, mut made: Made) {
        // What was committed can be had from git; what was not is somebody's work.
        made.found
            .sort_by_key(|found| (!found.changed.was_dirty, !found.changed.is_dirty()));
        made.found.truncate(CHANGED_MAX);
        let (home, identity) = (self.identity.home.path().to_owned(), self.project_at(top));
        let (place, at_ms) = (PathBuf::from(top), self.now().wall_ms);
        let limits = self.settings.of_home().undo();
        let keeping = tokio::task::spawn_blocking(move || {
            let kept = History::of_copy(&home, &place, identity.as_deref(), limits)
                .and_then(|history| keep(&history, &made, at_ms));
            (made, kept)
        });
        let Ok((made, kept)) = keeping.await else {
            return;
        };
        let kept = kept.unwrap_or_else(|error| {
            let (what, why) = ("changes of a command not kept for undo", error.to_string());
            self.note_of("undo", what, made.command.owner.session, None, Some(why));
            Kept::default()
        });
        let command = made.command;
        let mut shares: BTreeMap<_, Share> = BTreeMap::new();
        let mut changed = 0_usize;
        for found in &made.found {
            let path = &found.changed.path;
            if kept.same.contains(path) {
                continue;
            }
            let was_dirty = kept.dirty.contains(path);
            let covered = was_dirty.then_some(command.snapshot).flatten();
            let undone = kept.undone.get(path).copied();
            let number = undone.or(covered).or(kept.number);
            for (whom, why) in self.concerned(&command, found, was_dirty) {
                let share = shares.entry(whom).or_default();
                share.doer_knows |= undone.is_some();
                share.unnamed |= !found.named;
                share.number = share
                    .number
                    .or(number.filter(|_| !kept.lost.contains(path)));
                share.files.push(Shared::of(found, why));
            }
            let content = match (&found.changed.now, found.changed.print) {
                (Version::Absent, _) => Some(Content::Absent),
                (_, Some(print)) => Some(Content::Hash(print)),
                (_, None) => content(&found.file).await,
            };
            if let Some(content) = content {
                self.file_changed(&command.owner, &found.file, content);
                changed += 1;
            }
        }
        if changed > 0 {
            let words = Some(shown(&command));
            let what = match changed {
                1 => "a shell command changed a file".to_owned(),
                _ => format!("a shell command changed {changed} files"),
            };
            let undo = kept.number.map(|number| format!("kite undo {number}"));
            self.note_of("shell", &what, command.owner.session, words, undo);
        }
        self.tell_shares(&command, top, shares);
    }
}

/// Keeps what the files were, and records what the command made of them.
fn keep(history: &History, made: &Made, at_ms: u64) -> Result<Kept, Error> {
    let mut kept = Kept::default();
    let was: Vec<(PathBuf, Was)> = (made.found.iter())
        .map(|found| (found.changed.path.clone(), found.was.clone()))
        .collect();
    let begin_ms = made.command.begin_ns / 1_000_000;
    let from_ns = made.found.iter().map(|found| found.changed.from_ns);
    let from_ms = from_ns.min().unwrap_or_default() / 1_000_000;
    let undone = undone(history, from_ms.min(begin_ms))?;
    let mut changes = Vec::new();
    let before = history.versions(&was)?;
    kept.dirty = dirty(history, made, &before)?;
    for (before, found) in before.into_iter().zip(&made.found) {
        let (path, after) = (&found.changed.path, &found.changed.now);
        if before == *after && before != Version::Unknown {
            kept.same.insert(path.clone());
            continue;
        }
        let by_undo = undone
            .iter()
            .find(|it| it.path == *path && it.after == *after);
        if let Some(undone) = by_undo {
            // One before the command was not the command's: only when a file went is not certain.
            if undone.at_ms < begin_ms {
                kept.same.insert(path.clone());
            } else {
                kept.undone.insert(path.clone(), undone.number);
            }
            continue;
        }
        if before == Version::Unknown {
            kept.lost.insert(path.clone());
        }
        // Only committed before and after: git moved it, and has both.
        let was_dirty = kept.dirty.contains(path);
        let committed = !was_dirty && !found.changed.is_dirty();
        let in_snapshot = was_dirty && made.command.snapshot.is_some();
        if !committed && !in_snapshot {
            changes.push(Change {
                path: PathText::from(path.as_path()),
                before,
                after: after.clone(),
            });
        }
    }
    if changes.is_empty() {
        return Ok(kept);
    }
    kept.number = history.record(&Edit {
        changes,
        command: Some(shown(&made.command)),
        session: Some(made.command.owner.session.to_string()),
        tool: Some("Bash".to_owned()),
        tool_use_id: Some(made.command.call.clone()),
        at_ms,
    })?;
    Ok(kept)
}

/// What was not committed before the command: what the last look called so may have been
/// committed since.
fn dirty(history: &History, made: &Made, before: &[Version]) -> Result<BTreeSet<PathBuf>, Error> {
    let found = made.found.iter().zip(before);
    let mut dirty: BTreeMap<&PathBuf, &Version> = found
        .filter(|(found, _)| found.changed.was_dirty)
        .map(|(found, before)| (&found.changed.path, before))
        .collect();
    for commit in &made.commits {
        let was = |path: &&PathBuf| ((*path).clone(), Was::Committed(Some(commit.clone())));
        let then: Vec<(PathBuf, Was)> = dirty.keys().map(was).collect();
        for ((path, _), version) in then.iter().zip(history.versions(&then)?) {
            dirty.retain(|it, before| *it != path || **before != version);
        }
    }
    Ok(dirty.into_keys().cloned().collect())
}

/// A file that an undo has brought back.
struct Undone {
    number: u64,
    at_ms: u64,
    path: PathBuf,
    after: Version,
}

/// What undos since then have brought back: they are entries of their own.
fn undone(history: &History, since_ms: u64) -> Result<Vec<Undone>, Error> {
    let filter = Filter {
        worktree: Some(history.top().to_owned()),
        count_max: Some(UNDOS_MAX),
        ..Filter::default()
    };
    let mut undone = Vec::new();
    for record in history.list(&filter)? {
        let entry = record.entry;
        if let EntryKind::Undo { changes, .. } = entry.kind
            && entry.at_ms >= since_ms
        {
            let changes = changes.into_iter();
            undone.extend(changes.map(|it| Undone {
                number: entry.number,
                at_ms: entry.at_ms,
                path: it.path.into(),
                after: it.after,
            }));
        }
    }
    Ok(undone)
}

/// A command as people are shown it.
fn shown(command: &Command) -> String {
    let text = clean(Some(&command.text)).unwrap_or_default();
    inline(&text, COMMAND_CHARS_MAX)
}

/// The files that changed, by their keys. A link is a file of its own here: what it leads to has
/// not changed.
fn files(top: &Path, look: &Look) -> Vec<File> {
    let resolve = |changed: &Changed| {
        let link = matches!(
            changed.now,
            Version::File {
                shape: Shape::Symlink,
                ..
            }
        );
        match (changed.path.parent(), changed.path.file_name()) {
            (Some(above), Some(name)) if link => {
                let above = Keys::default().resolve(top, above);
                File {
                    key: above.key.join(name),
                    shown: above.shown.join(name),
                }
            }
            _ => Keys::default().resolve(top, &changed.path),
        }
    };
    look.changed.iter().map(resolve).collect()
}
