//! Shell commands with git in them: what would certainly destroy or sweep up another live
//! session's uncommitted work is refused, with the command that is safe instead. Before all else
//! that may touch uncommitted work, a snapshot of it is taken.
//!
//! Nothing here pretends to understand shell: what is not certain is let go, with the snapshot.

use std::{collections::BTreeSet, path::PathBuf, time::Duration};

use kite_gitcall::{Call, Dirty, Effect, Judgement, Reading, Verb};
use kite_rules::session::{Owner, SessionId};
use kite_store::Store;
use kite_undo::{History, Settings, snapshot::Why};

use super::{Engine, edits::Patience, prevented, secrets::clean};
use crate::{
    dialects::Verdict,
    translate::words::{inline, quoted},
};

/// A command waits at most so long to be judged, and for the snapshot; then it goes on.
const GUARD_MAX: Duration = Duration::from_millis(2_500);
/// Files named in a refusal.
const NAMED_MAX: usize = 8;
/// Characters of a command that are kept with its snapshot.
const COMMAND_CHARS_MAX: usize = 500;
/// Snapshots whose command has not ended.
const SNAPSHOTS_MAX: usize = 256;

/// A working copy with uncommitted work, and the git commands that are about to run in it.
struct Scene {
    history: History,
    top: String,
    /// Where the command begins, relative to the top.
    here: String,
    files: Vec<(String, kite_gitcall::DirtyState)>,
    calls: Vec<Call>,
    unparseable: bool,
}

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
        let looked = tokio::task::spawn_blocking(move || look(&home, &cwd, reading)).await;
        let Ok(Some(scene)) = looked else {
            return Verdict::Pass;
        };
        let whose = self.whose(owner.session, &scene);
        let dirty: Vec<Dirty<'_>> = (scene.files.iter().zip(&whose))
            .map(|((path, state), whose)| Dirty {
                path,
                state: *state,
                mine: whose.mine,
                theirs: whose.theirs.as_deref(),
            })
            .collect();
        let judged = kite_gitcall::judge_all(&scene.calls, &dirty, &scene.here);
        let touches = |judgement: &Judgement| judgement.effect != Effect::None;
        if !scene.unparseable && !judged.iter().any(touches) {
            return Verdict::Pass;
        }
        drop(dirty);
        let verbs: Vec<Verb> = scene.calls.iter().map(|call| call.verb.clone()).collect();
        let kept = self.snapshot(owner, command, call, scene).await;
        let hit = |judgement: &&Judgement| {
            judgement.certain
                && judgement.effect >= Effect::SweepsUp
                && !judgement.theirs.is_empty()
        };
        if let Some(judgement) = judged.iter().find(hit) {
            return self.refuse_git(judgement, kept);
        }
        let near = (judged.iter().zip(verbs)).find(|(judgement, _)| !judgement.theirs.is_empty());
        match (near, kept) {
            (Some((judgement, verb)), Some(number)) => self.kept_note(judgement, &verb, number),
            _ => Verdict::Pass,
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
        let command: String = command.chars().take(COMMAND_CHARS_MAX).collect();
        let why = Why {
            session: Some(owner.session.to_string()),
            command: clean(Some(&command)),
            at_ms: self.now().wall_ms,
        };
        let top = PathBuf::from(&scene.top);
        let taken = tokio::task::spawn_blocking(move || scene.history.rescue(&why)).await;
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

    /// `Kept 3 files of 77ab02f1 before your git stash: kite undo 41`.
    fn kept_note(&self, judgement: &Judgement, verb: &Verb, number: u64) -> Verdict {
        let sessions: BTreeSet<&str> = judgement.theirs.iter().map(|(_, id)| id.as_str()).collect();
        let sessions: Vec<&str> = sessions.into_iter().collect();
        let files = judgement.theirs.len();
        let text = format!(
            "Kept {files} file{} of {} before your git {}: kite undo {number}",
            if files == 1 { "" } else { "s" },
            sessions.join(", "),
            format!("{verb:?}").to_lowercase(),
        );
        self.prevented.borrow_mut().injected(&text);
        Verdict::Say(text)
    }

    /// A shell command has ended: what the files of its snapshot are now tells undo what came of
    /// it, and what came later.
    pub(super) async fn after_shell(&self, owner: &Owner, call: &str) {
        let Some((top, number)) = self.keeping.snapshots.borrow_mut().remove(call) else {
            return;
        };
        let home = self.identity.home.path().to_owned();
        let at_ms = self.now().wall_ms;
        let note =
            move || History::open(&home, &top, Settings::default())?.note_after(number, at_ms);
        if let Ok(Err(error)) = tokio::task::spawn_blocking(note).await {
            let why = Some(error.to_string());
            self.note_of(
                "undo",
                "end of a command not noted",
                owner.session,
                None,
                why,
            );
        }
    }
}

/// Looks at the working copy. `None` where there is none, or nothing in it is uncommitted.
fn look(home: &std::path::Path, cwd: &std::path::Path, reading: Reading) -> Option<Scene> {
    let history = History::open(home, cwd, Settings::default()).ok()?;
    let git = history.git()?;
    let status = git.status().ok()?;
    if status.files.is_empty() {
        return None;
    }
    let top = super::callers::text(history.top());
    let here = cwd.canonicalize().ok()?;
    let here = here.strip_prefix(history.top()).ok()?.to_str()?.to_owned();
    let mut unparseable = reading.unparseable;
    let mut calls = Vec::new();
    for call in reading.calls {
        let call = call.relative_to(&top);
        match &call.verb {
            Verb::Alias(name) => {
                let key = format!("alias.{name}");
                let said = git.call("config").args(["--get", key.as_str()]).run();
                let Some(definition) = said.ok().and_then(|said| String::from_utf8(said).ok())
                else {
                    continue;
                };
                let expanded = kite_gitcall::expand_alias(&call, definition.trim_end());
                unparseable |= expanded.unparseable;
                calls.extend(
                    expanded
                        .calls
                        .into_iter()
                        .map(|call| call.relative_to(&top)),
                );
            }
            _ => calls.push(call),
        }
    }
    for call in &mut calls {
        // A command in another repository, or in a nested one, is not judged by this one's files.
        let from = if call.from_top { "" } else { here.as_str() };
        let elsewhere = call.directory.as_ref().is_some_and(|directory| {
            let place = history.top().join(from).join(directory);
            kite_undo::Git::open(&place).map_or(true, |git| git.top() != history.top())
        });
        call.certain &= !elsewhere;
    }
    let files = status
        .files
        .iter()
        .filter_map(|file| Some((file.path.to_str()?.to_owned(), state(&file.state))))
        .collect();
    Some(Scene {
        top,
        here,
        files,
        calls,
        unparseable,
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
