//! Worktrees of one project whose uncommitted or unmerged changes would conflict.
//!
//! Each change that is attributed to a session is noted here with its directory, which costs a step
//! next to nothing. Only where two live sessions have changed something in two worktrees of one
//! project, git is asked, beside the loop, with low priority, one pair at a time, and a pair at most
//! once a minute: what changes within the minute is compared at its end. A pair in conflict is
//! looked at again after a sign of life of its sessions, for a merge changes no file of theirs.
//!
//! Limit: a worktree is known by the changes of its sessions. What nobody of Kite's has changed
//! since the daemon started is not compared until somebody does.

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    rc::Rc,
    time::Duration,
};

use kite_rules::session::{Kind, Owner, SessionId};
use kite_store::Store;
use kite_undo::worktrees::Comparison;
use kite_wire::reply::{Event, Worktree, WorktreeConflict};
use tokio::{sync::Notify, time::Instant};

use super::{Engine, callers::text};
use crate::{
    hands::files::{self, File},
    translate::words::{inline, quoted, rfc3339},
};

/// A pair is compared at most once in so long.
const EVERY: Duration = Duration::from_secs(60);
/// A comparison that takes longer came to nothing.
const COMPARE_MAX: Duration = Duration::from_secs(60);
/// Directories with changes whose worktree was not asked for yet.
const CHANGED_MAX: usize = 1_024;
/// Worktrees with changes of live sessions.
const TREES_MAX: usize = 64;
/// Files of a conflict that a note names.
const NAMED_MAX: usize = 5;
/// Files of a conflict that are shown.
const SHOWN_MAX: usize = 50;

/// Worktrees that live sessions have changed, and what came of comparing them.
#[derive(Debug)]
pub(super) struct Worktrees {
    changed: RefCell<BTreeSet<(PathBuf, SessionId)>>,
    trees: RefCell<BTreeMap<String, Tree>>,
    pairs: RefCell<BTreeMap<Names, Pair>>,
    moved: Notify,
    pub(super) every: Cell<Duration>,
    /// How often git was asked.
    pub(super) compared: Cell<u64>,
}

/// The worktrees of a pair, in order.
pub(super) type Names = (String, String);

#[derive(Debug, Default)]
struct Tree {
    project: String,
    /// Who has changed something in it.
    sessions: BTreeSet<SessionId>,
    changes: u64,
}

#[derive(Debug)]
struct Pair {
    compared: Instant,
    compared_mono_ms: u64,
    /// How many changes there had been.
    seen: (u64, u64),
    conflict: Option<Conflict>,
    /// Why it could not be compared, the last time.
    fault: Option<String>,
}

#[derive(Clone, Debug)]
struct Conflict {
    files: Vec<String>,
    since_wall_ms: u64,
    told: BTreeSet<String>,
}

impl Default for Worktrees {
    fn default() -> Self {
        Worktrees {
            changed: RefCell::default(),
            trees: RefCell::default(),
            pairs: RefCell::default(),
            moved: Notify::new(),
            every: Cell::new(EVERY),
            compared: Cell::default(),
        }
    }
}

#[cfg(test)]
impl Worktrees {
    /// How many worktrees live sessions are known to have changed.
    pub(super) fn known(&self) -> usize {
        self.trees.borrow().len()
    }
}

/// Compares what is due, until the daemon ends.
pub(super) async fn run<S: Store>(engine: Rc<Engine<S>>) {
    loop {
        engine.find_worktrees().await;
        match engine.next_pair() {
            Some((due, pair)) if due <= Instant::now() => engine.compare(&pair).await,
            Some((due, _)) => {
                // Early where something moved: another pair may be due before this one.
                let moved = engine.worktrees.moved.notified();
                let _ = tokio::time::timeout_at(due, moved).await;
            }
            None => engine.worktrees.moved.notified().await,
        }
    }
}

impl<S: Store> Engine<S> {
    /// A session has changed this file.
    pub(super) fn worktree_changed(&self, owner: &Owner, file: &File) {
        let Some(directory) = file.key.parent() else {
            return;
        };
        {
            let mut changed = self.worktrees.changed.borrow_mut();
            if changed.len() >= CHANGED_MAX {
                changed.pop_first();
            }
            changed.insert((directory.to_owned(), owner.session));
        }
        if self.settings.of_home().notes && self.is_one_of_several(owner.session) {
            self.worktrees.moved.notify_one();
        }
    }

    /// A session has shown itself: where it is in a conflict, that may be over.
    pub(super) fn worktree_may_be_merged(&self, session: SessionId) {
        let trees = self.worktrees.trees.borrow();
        let pairs = self.worktrees.pairs.borrow();
        let has =
            |name: &String| (trees.get(name)).is_some_and(|tree| tree.sessions.contains(&session));
        let mut in_conflict = pairs.iter().filter(|(_, pair)| pair.conflict.is_some());
        if in_conflict.any(|((a, b), _)| has(a) || has(b)) {
            self.worktrees.moved.notify_one();
        }
    }

    /// Conflicts as shown, of those whose sessions are alive.
    pub(super) fn worktree_conflicts(&self) -> Vec<WorktreeConflict> {
        let trees = self.worktrees.trees.borrow();
        let pairs = self.worktrees.pairs.borrow();
        let shown = pairs.iter().filter_map(|((a, b), pair)| {
            let conflict = pair.conflict.as_ref()?;
            let worktrees = [a, b].map(|path| Worktree {
                path: path.clone(),
                sessions: (self.sessions_in(path).iter().map(ToString::to_string)).collect(),
            });
            let alive = worktrees.iter().all(|tree| !tree.sessions.is_empty());
            alive.then(|| WorktreeConflict {
                project: trees
                    .get(a)
                    .map(|tree| tree.project.clone())
                    .unwrap_or_default(),
                worktrees: worktrees.into(),
                files: conflict.files.iter().take(SHOWN_MAX).cloned().collect(),
                files_count: conflict.files.len() as u64,
                since: rfc3339(conflict.since_wall_ms),
            })
        });
        shown.collect()
    }

    fn is_one_of_several(&self, session: SessionId) -> bool {
        self.store.read(|ledger| {
            let Some(me) = ledger.sessions.get(&session) else {
                return false;
            };
            let beside = |other: &kite_rules::session::Session| {
                other.id != me.id
                    && other.state.is_live()
                    && other.kind != Kind::Person
                    && other.project == me.project
            };
            ledger.sessions.values().any(beside)
        })
    }

    /// Finds the worktrees of the directories that were changed.
    async fn find_worktrees(&self) {
        let changed = self.worktrees.changed.take();
        let mut known: BTreeMap<PathBuf, Option<(String, String)>> = BTreeMap::new();
        for (directory, session) in changed {
            if !known.contains_key(&directory) {
                let found = files::project(directory.clone()).await;
                let found = found.filter(|project| project.git);
                let found = found.map(|it| (text(&it.worktree), text(&it.key)));
                known.insert(directory.clone(), found);
            }
            let Some(Some((worktree, project))) = known.get(&directory) else {
                continue;
            };
            let mut trees = self.worktrees.trees.borrow_mut();
            if trees.len() >= TREES_MAX && !trees.contains_key(worktree) {
                continue;
            }
            let tree = trees.entry(worktree.clone()).or_default();
            tree.project.clone_from(project);
            tree.changes += 1;
            tree.sessions.insert(session);
        }
        let mut trees = self.worktrees.trees.borrow_mut();
        for tree in trees.values_mut() {
            tree.sessions.retain(|session| self.is_live(*session));
        }
        trees.retain(|_, tree| !tree.sessions.is_empty());
        let mut pairs = self.worktrees.pairs.borrow_mut();
        pairs.retain(|(a, b), _| trees.contains_key(a) && trees.contains_key(b));
    }

    /// The pair that is compared next, and when.
    pub(super) fn next_pair(&self) -> Option<(Instant, Names)> {
        let trees = self.worktrees.trees.borrow();
        let pairs = self.worktrees.pairs.borrow();
        let mut next: Option<(Instant, Names)> = None;
        for (at, (a, left)) in trees.iter().enumerate() {
            for (b, right) in trees.iter().skip(at + 1) {
                let one = left.sessions.len() == 1 && left.sessions == right.sessions;
                if left.project != right.project || one {
                    continue;
                }
                let names = (a.clone(), b.clone());
                let due = match pairs.get(&names) {
                    None => Instant::now(),
                    Some(pair) if self.may_have_moved(pair, left, right) => {
                        pair.compared + self.worktrees.every.get()
                    }
                    Some(_) => continue,
                };
                if next.as_ref().is_none_or(|(first, _)| due < *first) {
                    next = Some((due, names));
                }
            }
        }
        next
    }

    fn may_have_moved(&self, pair: &Pair, left: &Tree, right: &Tree) -> bool {
        if pair.seen != (left.changes, right.changes) {
            return true;
        }
        let mut sessions = left.sessions.union(&right.sessions);
        pair.conflict.is_some()
            && self.store.read(|ledger| {
                let seen = |id| ledger.sessions.get(id).map(|session| session.seen.mono_ms);
                sessions.any(|id| seen(id).is_some_and(|at| at > pair.compared_mono_ms))
            })
    }

    async fn compare(&self, names: &Names) {
        let began = (Instant::now(), self.now().mono_ms);
        let seen = {
            let trees = self.worktrees.trees.borrow();
            let changes = |name| trees.get(name).map_or(0, |tree: &Tree| tree.changes);
            (changes(&names.0), changes(&names.1))
        };
        let (a, b) = (PathBuf::from(&names.0), PathBuf::from(&names.1));
        let compare = tokio::task::spawn_blocking(move || kite_undo::worktrees::compare(&a, &b));
        let compared = match tokio::time::timeout(COMPARE_MAX, compare).await {
            Ok(Ok(Ok(comparison))) => Ok(comparison),
            Ok(Ok(Err(error))) => Err(error.to_string()),
            Ok(Err(_)) | Err(_) => Err(format!("no answer within {} s", COMPARE_MAX.as_secs())),
        };
        self.worktrees
            .compared
            .set(self.worktrees.compared.get() + 1);
        let before = self.worktrees.pairs.borrow_mut().remove(names);
        let (conflict, fault) = before.map_or((None, None), |it| (it.conflict, it.fault));
        let (conflict, fault) = match compared {
            Ok(Comparison::Merged(files)) => (self.found(names, files, conflict), None),
            Ok(Comparison::UnderWay) => (conflict, None),
            Ok(Comparison::Unrelated) => (None, None),
            Err(why) => {
                if fault.as_ref() != Some(&why) {
                    self.log_pair(names, "not compared", Some(why.clone()));
                }
                (None, Some(why))
            }
        };
        let pair = Pair {
            compared: began.0,
            compared_mono_ms: began.1,
            seen,
            conflict,
            fault,
        };
        self.worktrees
            .pairs
            .borrow_mut()
            .insert(names.clone(), pair);
    }

    /// What came of a comparison, told where it is new.
    fn found(
        &self,
        names: &Names,
        files: Vec<PathBuf>,
        before: Option<Conflict>,
    ) -> Option<Conflict> {
        if files.is_empty() {
            if before.is_some() {
                self.log_pair(names, "no conflict any more", None);
            }
            return None;
        }
        let mut conflict = before.unwrap_or_else(|| Conflict {
            files: Vec::new(),
            since_wall_ms: self.now().wall_ms,
            told: BTreeSet::new(),
        });
        conflict.files = files.iter().map(|path| text(path)).collect();
        let new: Vec<&String> = (conflict.files.iter())
            .filter(|file| !conflict.told.contains(*file))
            .collect();
        if !new.is_empty() {
            self.tell_of_conflict(names, &new);
            self.log_pair(names, "would conflict", Some(listed(&conflict.files)));
            conflict.told.extend(conflict.files.iter().cloned());
        }
        Some(conflict)
    }

    fn tell_of_conflict(&self, (a, b): &Names, files: &[&String]) {
        let (in_a, in_b) = (self.sessions_in(a), self.sessions_in(b));
        for (mine, others, theirs) in [(&in_a, &in_b, b), (&in_b, &in_a, a)] {
            for session in mine {
                // Who works in both hears it once, as of the first.
                if mine == &in_b && in_a.contains(session) {
                    continue;
                }
                let Some(other) = others.iter().find(|other| *other != session) else {
                    continue;
                };
                let note = format!(
                    "Your changes and those of {} in {} would conflict in {}, were they merged now. \
                     Look at theirs there; leave those lines to one of you, or commit and merge soon.",
                    self.named(*other),
                    inline(theirs, 200),
                    listed(files),
                );
                self.tell(&Owner::session(*session), note);
            }
        }
    }

    /// Live agents that stand in a worktree, or have changed something in it.
    fn sessions_in(&self, worktree: &str) -> BTreeSet<SessionId> {
        let trees = self.worktrees.trees.borrow();
        let changers = trees.get(worktree).map(|tree| &tree.sessions);
        self.store.read(|ledger| {
            let live = ledger
                .sessions
                .values()
                .filter(|session| session.state.is_live() && session.kind != Kind::Person);
            let here = live.filter(|session| {
                session.worktree.as_deref() == Some(worktree)
                    || changers.is_some_and(|changers| changers.contains(&session.id))
            });
            here.map(|session| session.id).collect()
        })
    }

    /// `77ab02f1 ("Add OAuth login")`.
    fn named(&self, id: SessionId) -> String {
        let intent = (self.store).read(|ledger| ledger.sessions.get(&id)?.intent.clone());
        match intent {
            Some(intent) => format!("{id:.8} ({})", quoted(&intent, 60)),
            None => format!("{id:.8}"),
        }
    }

    fn log_pair(&self, (a, b): &Names, what: &str, outcome: Option<String>) {
        self.note(Event {
            kind: "worktrees".into(),
            what: what.to_owned(),
            target: Some(format!("{a}, {b}")),
            outcome,
            ..Event::default()
        });
    }
}

fn listed<T: AsRef<str>>(files: &[T]) -> String {
    let mut named: Vec<String> = files
        .iter()
        .take(NAMED_MAX)
        .map(|file| inline(file.as_ref(), 120))
        .collect();
    if files.len() > NAMED_MAX {
        named.push(format!("and {} more", files.len() - NAMED_MAX));
    }
    named.join(", ")
}
