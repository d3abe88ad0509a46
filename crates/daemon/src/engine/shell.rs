//! Shell commands with git in them: what would certainly destroy or sweep up another live
//! session's uncommitted work is refused, with the command that is safe instead. Before all else
//! that may touch uncommitted work, a snapshot of it is taken.
//!
//! Nothing here pretends to understand shell: what is not certain is let go, with the snapshot.

mod scene;

use std::{collections::BTreeSet, path::PathBuf, rc::Rc, time::Duration};

use kite_gitcall::{Call, Dirty, Effect, Judgement, Reading, Verb};
use kite_rules::session::{Owner, SessionId};
use kite_store::Store;
use kite_undo::{History, snapshot::Why};

use self::scene::Scene;
use super::{Engine, patience::Patience, prevented, secrets::clean};
use crate::{
    dialects::Verdict,
    translate::words::{inline, quoted},
};

/// A command waits at most so long to be judged, and for the snapshot; then it goes on.
const GUARD_MAX: Duration = Duration::from_millis(2_500);
/// The hook of a command's end waits at most so long for its snapshots to be noted as over.
const NOTE_MAX: Duration = Duration::from_millis(50);
/// Files named in a refusal.
const NAMED_MAX: usize = 8;
/// Characters of a command that are kept with its snapshot, and bytes that are searched for
/// secrets before that.
const COMMAND_CHARS_MAX: usize = 500;
const COMMAND_BYTES_READ_MAX: usize = 64 << 10;
/// Snapshots whose command has not ended.
const SNAPSHOTS_MAX: usize = 256;

/// Whose a file is.
#[derive(Default)]
struct Whose {
    mine: bool,
    /// The first eight digits of another live session.
    theirs: Option<String>,
}

impl<S: Store> Engine<S> {
    pub(super) async fn before_shell(
        &self,
        owner: &Owner,
        command: &str,
        call: &str,
        patience: &Patience<'_>,
    ) -> Verdict {
        if !self.settings.of(owner.session).git_guard || !kite_gitcall::mentions_git(command) {
            return Verdict::Pass;
        }
        let reading = kite_gitcall::calls(command);
        let harmless = |call: &Call| call.verb == Verb::Harmless;
        if !reading.unparseable && reading.calls.iter().all(harmless) {
            return Verdict::Pass;
        }
        let max = u64::try_from(GUARD_MAX.as_millis()).unwrap_or(u64::MAX);
        patience.extend.send(max + 500);
        let guarded = tokio::time::timeout(GUARD_MAX, self.guard(owner, command, reading, call));
        guarded.await.unwrap_or_else(|_| {
            let what = "let a git command go on: keeping a snapshot took too long";
            self.note_of("undo", what, owner.session, None, None);
            Verdict::Pass
        })
    }

    async fn guard(&self, owner: &Owner, command: &str, reading: Reading, call: &str) -> Verdict {
        let cwd = self.store.read(|ledger| {
            let session = ledger.sessions.get(&owner.session)?;
            Some(PathBuf::from(session.cwd.clone()))
        });
        let Some(cwd) = cwd else { return Verdict::Pass };
        let home = self.identity.home.path().to_owned();
        let limits = self.settings.of_home().undo();
        let look = move || scene::look(&home, &cwd, &limits, reading);
        let looked = tokio::task::spawn_blocking(look).await;
        let mut notes = Vec::new();
        for (at, scene) in looked.ok().flatten().into_iter().flatten().enumerate() {
            let judged = self.judge(owner.session, &scene);
            let touches = |judgement: &Judgement| judgement.effect != Effect::None;
            if !scene.unparseable && !judged.iter().any(touches) {
                continue;
            }
            let verbs: Vec<Verb> = scene.calls.iter().map(|call| call.verb.clone()).collect();
            let place = scene.stranger.then(|| scene.top.clone());
            let key = snapshot_key(owner.session, call, at);
            let kept = self.snapshot(owner, command, &key, scene).await;
            let hit = |judgement: &&Judgement| {
                judgement.certain
                    && judgement.effect >= Effect::SweepsUp
                    && !judgement.theirs.is_empty()
            };
            if let Some(judgement) = judged.iter().find(hit) {
                // It does not run: nothing will come of these snapshots.
                let mut snapshots = self.keeping.snapshots.borrow_mut();
                (0..=at)
                    .for_each(|at| drop(snapshots.remove(&snapshot_key(owner.session, call, at))));
                drop(snapshots);
                return self.refuse_git(judgement, kept.filter(|_| place.is_none()));
            }
            let near =
                (judged.iter().zip(verbs)).find(|(judgement, _)| !judgement.theirs.is_empty());
            if let (Some((judgement, verb)), Some(number)) = (near, kept) {
                notes.push(kept_note(judgement, &verb, number, place.as_deref()));
            }
        }
        if notes.is_empty() {
            return Verdict::Pass;
        }
        let text = notes.join("\n");
        self.prevented.borrow_mut().injected(&text);
        Verdict::Say(text)
    }

    fn judge(&self, me: SessionId, scene: &Scene) -> Vec<Judgement> {
        let whose = self.whose(me, scene);
        let dirty: Vec<Dirty<'_>> = (scene.files.iter().zip(&whose))
            .map(|((path, state), whose)| Dirty {
                path,
                state: *state,
                mine: whose.mine,
                theirs: whose.theirs.as_deref(),
            })
            .collect();
        match scene.removed {
            true => {
                let removal = |call| kite_gitcall::judge_removal(call, &dirty);
                scene.calls.iter().map(removal).collect()
            }
            false => kite_gitcall::judge_all(&scene.calls, &dirty, &scene.here),
        }
    }

    /// Who changed each file last: this session, another live one, or nobody of Kite's.
    fn whose(&self, me: SessionId, scene: &Scene) -> Vec<Whose> {
        let touches = self.touches.borrow();
        let of = |path: &String| {
            let mut whose = Whose::default();
            for changer in touches.changers(&format!("{}/{path}", scene.top)) {
                if changer.session == me {
                    whose.mine = true;
                } else if whose.theirs.is_none() && self.is_live(changer.session) {
                    whose.theirs = Some(format!("{:.8}", changer.session));
                }
            }
            whose
        };
        scene.files.iter().map(|(path, _)| of(path)).collect()
    }

    /// Keeps everything uncommitted; the number of the snapshot.
    async fn snapshot(
        &self,
        owner: &Owner,
        command: &str,
        call: &str,
        scene: Scene,
    ) -> Option<u64> {
        // A secret that is cut off looks like none: redacted first.
        let read = &command[..command.floor_char_boundary(COMMAND_BYTES_READ_MAX)];
        let words = clean(Some(read)).unwrap_or_default();
        let why = Why {
            session: Some(owner.session.to_string()),
            command: Some(words.chars().take(COMMAND_CHARS_MAX).collect()),
            at_ms: self.now().wall_ms,
        };
        let top = PathBuf::from(&scene.top);
        let rescue = move || scene.history.rescue_with(&why, scene.ignored);
        let taken = tokio::task::spawn_blocking(rescue).await;
        match taken.ok()? {
            Ok(snapshot) => {
                let snapshot = snapshot?;
                let mut snapshots = self.keeping.snapshots.borrow_mut();
                if snapshots.len() >= SNAPSHOTS_MAX {
                    snapshots.clear();
                }
                snapshots.insert(call.to_owned(), (top, snapshot.number));
                if snapshot.fresh {
                    self.count(prevented::SNAPSHOTS, 1);
                }
                Some(snapshot.number)
            }
            Err(error) => {
                let why = Some(error.to_string());
                self.note_of("undo", "snapshot failed", owner.session, None, why);
                None
            }
        }
    }

    fn refuse_git(&self, judgement: &Judgement, kept: Option<u64>) -> Verdict {
        let sessions: BTreeSet<&str> = judgement.theirs.iter().map(|(_, id)| id.as_str()).collect();
        let who: Vec<String> = sessions.into_iter().map(|id| self.about(id)).collect();
        let mut files: Vec<String> = judgement
            .theirs
            .iter()
            .take(NAMED_MAX)
            .map(|(path, _)| inline(path, 120))
            .collect();
        if judgement.theirs.len() > NAMED_MAX {
            files.push(format!("and {} more", judgement.theirs.len() - NAMED_MAX));
        }
        let does = match judgement.effect {
            Effect::Destroys => "destroy",
            _ => "sweep up",
        };
        let mut text = format!(
            "This git command would {does} uncommitted work of session {}: {}.",
            who.join(" and "),
            files.join(", "),
        );
        match &judgement.alternative {
            Some(safe) => {
                text = format!("{text} Run this instead, which leaves that work alone: {safe}")
            }
            None if judgement.mine == 0 => {
                text.push_str(
                    " Nothing that it covers is yours: leave it out and go on with your own files.",
                );
            }
            None => text.push_str(" Name your own files one by one instead."),
        }
        if let Some(number) = kept {
            text =
                format!("{text}\nEverything uncommitted is kept all the same: kite undo {number}");
        }
        self.count(prevented::GIT_REFUSED, 1);
        self.prevented.borrow_mut().injected(&text);
        Verdict::Deny(text)
    }

    /// `77ab02f1 ("Add OAuth login")`.
    fn about(&self, id: &str) -> String {
        let intent = self.store.read(|ledger| {
            let mut sessions = ledger.sessions.values();
            let session = sessions.find(|session| format!("{:.8}", session.id) == id)?;
            session.intent.clone()
        });
        match intent {
            Some(intent) => format!("{id} ({})", quoted(&intent, 60)),
            None => id.to_owned(),
        }
    }

    /// A shell command has ended: what the files of its snapshot are now tells undo what came of
    /// it, and what came later.
    pub(super) async fn after_shell(self: &Rc<Self>, owner: &Owner, call: &str) {
        let mut over = Vec::new();
        for at in 0..=scene::WORKTREES_MAX {
            let key = snapshot_key(owner.session, call, at);
            over.extend(self.keeping.snapshots.borrow_mut().remove(&key));
        }
        if over.is_empty() {
            return;
        }
        let (engine, owner) = (Rc::clone(self), owner.clone());
        let noting = tokio::task::spawn_local(async move {
            for (top, number) in over {
                engine.snapshot_over(&owner, top, number).await;
            }
        });
        // What takes longer goes on: the hook is not kept for it.
        let _ = tokio::time::timeout(NOTE_MAX, noting).await;
    }

    async fn snapshot_over(&self, owner: &Owner, top: PathBuf, number: u64) {
        let home = self.identity.home.path().to_owned();
        let at_ms = self.now().wall_ms;
        let limits = self.settings.of_home().undo();
        let note = move || match top.exists() {
            // The command has removed the working copy.
            false => Ok(()),
            true => History::open(&home, &top, limits)?.note_after(number, at_ms),
        };
        if let Ok(Err(error)) = tokio::task::spawn_blocking(note).await {
            let why = Some(error.to_string());
            let what = "end of a command not noted";
            self.note_of("undo", what, owner.session, None, why);
        }
    }
}

/// One command may need snapshots of several working copies. Not every client's ids are its own.
pub(super) fn snapshot_key(session: SessionId, call: &str, at: usize) -> String {
    format!("{session} {at} {call}")
}

/// `Kept 3 files of 77ab02f1 before your git stash: kite undo 41`. In another repository, whose
/// numbers are its own, with the directory to be in.
fn kept_note(judgement: &Judgement, verb: &Verb, number: u64, place: Option<&str>) -> String {
    let sessions: BTreeSet<&str> = judgement.theirs.iter().map(|(_, id)| id.as_str()).collect();
    let sessions: Vec<&str> = sessions.into_iter().collect();
    let files = judgement.theirs.len();
    let place = place.map(|place| format!(" (in {})", inline(place, 120)));
    format!(
        "Kept {files} file{} of {} before your git {}: kite undo {number}{}",
        if files == 1 { "" } else { "s" },
        sessions.join(", "),
        inline(verb.name(), 40),
        place.unwrap_or_default(),
    )
}
