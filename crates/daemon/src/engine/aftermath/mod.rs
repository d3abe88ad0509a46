//! What a shell command changed: found after it ran, attributed to who ran it, kept for undo, and
//! told to those whose work it was.
//!
//! Nothing is done before a command but noting when it began. What its files were must therefore
//! be known from earlier: from looks at the start of turns and after commands, and from edits.
//!
//! **Architecture Invariant:** nobody waits for a look longer than [`LOOK_MAX`], and nothing is
//! ever put back from here: what a person's editor writes at the same moment cannot be told apart.

mod commands;
mod looking;
mod reading;
mod telling;

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    rc::Rc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use kite_rules::{
    session::{Owner, SessionId},
    touch::Content,
};
use kite_store::Store;
use kite_undo::look::{Known, Sight};
use tokio::sync::oneshot;

use self::commands::{Command, Commands, Edited, End, LastEdit};
use super::{Engine, shell::snapshot_key};
use crate::hands::files::{File, Fingerprint};

/// The news of a command's end is answered after so long at most; a look that takes longer goes on
/// behind.
const LOOK_MAX: Duration = Duration::from_millis(50);
/// Working copies whose files are known; the one that comes first by name makes room.
const COPIES_MAX: usize = 32;
/// Edits remembered of one working copy, for their times.
const EDITED_MAX: usize = 4_096;
/// News of files that wait for a look to end.
const NEWS_MAX: usize = 4_096;

/// What is known of the working copies' files, and of the commands that run.
#[derive(Debug, Default)]
pub(super) struct Aftermath {
    copies: RefCell<BTreeMap<String, WorkingCopy>>,
    commands: RefCell<Commands>,
    /// Whom a command of whom has been told to have changed a locked file: once for each lock.
    told_of_locks: RefCell<BTreeSet<(SessionId, String)>>,
}

/// One working copy.
#[derive(Debug, Default)]
struct WorkingCopy {
    /// `None` while a look has it.
    known: Option<Known>,
    /// What was learnt meanwhile.
    news: Vec<News>,
    edited: Edited,
    looking: bool,
    /// Somebody asked for a look while one was under way.
    again: bool,
    waiting: Vec<oneshot::Sender<()>>,
}

/// What was learnt of a file without a look.
#[derive(Debug)]
enum News {
    /// It was looked at.
    Seen(PathBuf, Sight),
    /// It holds this.
    Holds(PathBuf, Option<u128>),
}

impl<S: Store> Engine<S> {
    /// A shell command is about to run. Costs the command nothing.
    pub(super) fn shell_begins(self: &Rc<Self>, owner: &Owner, command: &str, call: &str) {
        if reading::only_reads(command) {
            return;
        }
        let Some(top) = self.top_of(owner.session) else {
            return;
        };
        let snapshots = self.keeping.snapshots.borrow();
        let key = snapshot_key(owner.session, call, 0);
        let snapshot = snapshots.get(&key).map(|(_, number)| *number);
        drop(snapshots);
        self.aftermath.commands.borrow_mut().begin(Command {
            owner: owner.clone(),
            top: top.clone(),
            call: call.to_owned(),
            text: command.to_owned(),
            begin_ns: now_ns(),
            end: End::Running,
            snapshot,
        });
        let known = self.aftermath.copies.borrow().contains_key(&top);
        if !known {
            // This daemon has just come, and knows nothing of these files yet.
            self.ask_for_look(&top);
        }
    }

    /// A shell command has run, or failed half-way: what it changed is looked for.
    pub(super) async fn shell_ended(
        self: &Rc<Self>,
        owner: &Owner,
        command: &str,
        call: &str,
        input: Option<&str>,
    ) {
        if reading::only_reads(command) {
            return;
        }
        let goes_on = reading::goes_on(command, input);
        let ended =
            self.aftermath
                .commands
                .borrow_mut()
                .end(owner.session, call, goes_on, now_ns());
        let text = ended.map(|command| command.text).unwrap_or_default();
        let mut looks = Vec::new();
        if let Some(top) = self.top_of(owner.session) {
            looks.push(self.ask_for_look(&top));
            let copies = self.aftermath.copies.borrow();
            let others = copies.keys().filter(|it| **it != top && text.contains(*it));
            let others: Vec<String> = others.cloned().collect();
            drop(copies);
            looks.extend(others.iter().map(|top| self.ask_for_look(top)));
        }
        let all = async {
            for look in looks {
                // A look that failed has said so in the log.
                let _ = look.await;
            }
        };
        let _ = tokio::time::timeout(LOOK_MAX, all).await;
    }

    /// A turn begins, or a session: what is uncommitted is looked at, while nobody waits for it.
    pub(super) fn look_at_turn(self: &Rc<Self>, owner: &Owner) {
        self.aftermath
            .commands
            .borrow_mut()
            .presume_over(owner, now_ns());
        if let Some(top) = self.top_of(owner.session) {
            drop(self.ask_for_look(&top));
        }
    }

    /// A file's content is known to be this now.
    pub(super) fn last_known(&self, file: &File, content: Content) {
        let print = match content {
            Content::Absent => None,
            Content::Hash(print) => Some(print),
        };
        let mut copies = self.aftermath.copies.borrow_mut();
        if let Some((copy, path)) = copy_of(&mut copies, &file.shown) {
            copy.learn(News::Holds(path, print));
        }
    }

    /// An editing tool has left a file like this.
    pub(super) fn edit_left(&self, owner: &Owner, file: &Path, sight: Sight) {
        let mut copies = self.aftermath.copies.borrow_mut();
        if let Some((copy, path)) = copy_of(&mut copies, file) {
            if copy.edited.len() >= EDITED_MAX {
                copy.edited.clear();
            }
            let edit = LastEdit {
                owner: owner.clone(),
                at_ns: now_ns(),
                over_ns: None,
            };
            copy.edited.insert(path.clone(), edit);
            copy.learn(News::Seen(path, sight));
        }
    }

    /// All edits of this owner are over, and the hooks behind them.
    pub(super) fn edits_are_over(&self, owner: &Owner) {
        let now_ns = now_ns();
        for copy in self.aftermath.copies.borrow_mut().values_mut() {
            let own = copy.edited.values_mut().filter(|it| it.owner == *owner);
            for edit in own {
                edit.over_ns.get_or_insert(now_ns);
            }
        }
    }

    /// The working copy that a session stands in.
    fn top_of(&self, session: SessionId) -> Option<String> {
        self.store
            .read(|ledger| ledger.sessions.get(&session)?.worktree.clone())
    }
}

#[cfg(test)]
impl<S: Store> Engine<S> {
    pub(super) fn is_looking(&self) -> bool {
        self.aftermath
            .copies
            .borrow()
            .values()
            .any(|copy| copy.looking)
    }
}

#[cfg(test)]
impl Aftermath {
    pub(super) fn known_files(&self) -> usize {
        let copies = self.copies.borrow();
        let known = copies.values().filter_map(|copy| copy.known.as_ref());
        known.map(Known::len).sum()
    }
}

impl WorkingCopy {
    fn learn(&mut self, news: News) {
        match &mut self.known {
            Some(known) => news.tell(known),
            None if self.news.len() < NEWS_MAX => self.news.push(news),
            None => {}
        }
    }
}

impl News {
    fn tell(self, known: &mut Known) {
        match self {
            News::Seen(path, sight) => known.learn(path, sight),
            News::Holds(path, print) => known.expect(&path, print),
        }
    }

    fn path(&self) -> &Path {
        match self {
            News::Seen(path, _) | News::Holds(path, _) => path,
        }
    }
}

/// The working copy that a file lies in, and its path there: of several within each other, the
/// innermost.
fn copy_of<'a>(
    copies: &'a mut BTreeMap<String, WorkingCopy>,
    file: &Path,
) -> Option<(&'a mut WorkingCopy, PathBuf)> {
    let mut within: Vec<_> = copies
        .iter_mut()
        .filter_map(|(top, copy)| Some((copy, file.strip_prefix(top).ok()?.to_owned())))
        .collect();
    within.sort_by_key(|(_, path)| path.as_os_str().len());
    let nearest = within.into_iter().next();
    nearest.filter(|(_, path)| !path.as_os_str().is_empty())
}

/// The fingerprint that the touch log knows contents by.
pub(super) fn print(bytes: &[u8]) -> u128 {
    match Fingerprint::of_content(bytes) {
        Fingerprint::Content(print) | Fingerprint::Outside(print) => print,
        Fingerprint::Absent => 0,
    }
}

/// Files are dated by the wall clock.
fn now_ns() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    u64::try_from(since.unwrap_or_default().as_nanos()).unwrap_or(u64::MAX)
}
