//! What a command's doer and those whose work it changed are told: each once, with the way back.

use std::{
    collections::BTreeMap,
    path::{Component, Path, PathBuf},
};

use kite_rules::session::{Owner, SessionId};
use kite_store::Store;
use kite_undo::journal::Version;

use super::{commands::Command, looking::Found};
use crate::{
    engine::{Engine, callers::text, secrets::clean},
    translate::words::{ago, inline, quoted, time_of_day},
};

/// Files that one text names; the others are counted.
const NAMED_MAX: usize = 3;
/// Characters of a path, of a command, and of what a session is about.
const PATH_CHARS: usize = 120;
const COMMAND_CHARS: usize = 80;
const INTENT_CHARS: usize = 60;
/// Locks that are remembered as told of.
const TOLD_MAX: usize = 1_024;

/// Why a change of a file concerns another session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    Locked,
    /// It changed the file last, so long before, in milliseconds.
    Edited(u64),
}

/// What of a command's changes concerns one other session.
#[derive(Debug, Default)]
pub(super) struct Share {
    pub(super) files: Vec<Shared>,
    /// The entry that brings them back.
    pub(super) number: Option<u64>,
    /// It was an undo: who made it knows what it did.
    pub(super) doer_knows: bool,
    /// The command's text does not name all of them.
    pub(super) unnamed: bool,
}

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) path: PathBuf,
    pub(super) why: Why,
    pub(super) deleted: bool,
}

impl Shared {
    pub(super) fn of(found: &Found, why: Why) -> Shared {
        Shared {
            path: found.changed.path.clone(),
            why,
            deleted: found.changed.now == Version::Absent,
        }
    }
}

impl<S: Store> Engine<S> {
    /// Other live sessions whom this change concerns: who has the file locked, and whose
    /// uncommitted work was in it last. To be asked before the touch log learns of the change.
    pub(super) fn concerned(
        &self,
        command: &Command,
        found: &Found,
        was_dirty: bool,
    ) -> Vec<(SessionId, Why)> {
        let key = text(&found.file.key);
        let mut concerned = Vec::new();
        let lock = self.store.read(|ledger| {
            let lock = ledger.locks.blocking(&command.owner, &key)?;
            Some((lock.owner.session, lock.since_wall_ms))
        });
        if let Some((session, since_ms)) = lock {
            let mut told = self.aftermath.told_of_locks.borrow_mut();
            if told.len() >= TOLD_MAX {
                told.clear();
            }
            let about = format!("{since_ms} {session} {key}");
            if told.insert((command.owner.session, about)) {
                concerned.push((session, Why::Locked));
            }
        }
        let now = self.now();
        let touches = self.touches.borrow();
        if was_dirty
            && let Some((last, at)) = touches.latest_change(&key)
            && last.contends_with(&command.owner)
            && !concerned
                .iter()
                .any(|(session, _)| *session == last.session)
        {
            let before_ms = now.mono_ms.saturating_sub(at.mono_ms);
            concerned.push((last.session, Why::Edited(before_ms)));
        }
        concerned
            .retain(|(session, _)| *session != command.owner.session && self.is_live(*session));
        concerned
    }

    /// Tells both sides of each share.
    pub(super) fn tell_shares(
        &self,
        command: &Command,
        top: &str,
        shares: BTreeMap<SessionId, Share>,
    ) {
        for (session, share) in shares {
            if !share.doer_knows {
                let doer = self.to_the_doer(command, top, session, &share);
                self.tell(&command.owner, doer);
            }
            let other = Owner::session(session);
            self.tell(&other, self.to_the_other(command, top, session, &share));
            // That is told; the next edit of the file need not tell it again.
            let mut touches = self.touches.borrow_mut();
            for file in &share.files {
                let key = format!("{top}/{}", text(&file.path));
                let _ = touches.note_before_edit(&key, &other, self.now());
            }
        }
    }

    fn to_the_doer(&self, command: &Command, top: &str, other: SessionId, share: &Share) -> String {
        let reader = self.reader(command.owner.session, top);
        let who = self.who(other);
        let back = back(share, &reader);
        let does = match (share.unnamed, share.deleted()) {
            (false, true) => "Your command deleted",
            (false, false) => "Your command changed",
            (true, true) => "Gone since your command ran:",
            (true, false) => "Changed while your command ran:",
        };
        let [only] = share.files.as_slice() else {
            let files = share.names(&reader);
            let count = share.files.len();
            return format!("{does} {count} files that {who} edited or has locked: {files}.{back}");
        };
        let file = inline(&reader.shown(&only.path), PATH_CHARS);
        match only.why {
            Why::Locked => format!("{does} {file}, which {who} has locked.{back}"),
            Why::Edited(ms) => {
                let before = ago(ms)
                    .replace("ago", "before")
                    .replace("just now", "just before");
                format!("{does} {file}, which {who} edited {before}.{back}")
            }
        }
    }

    fn to_the_other(
        &self,
        command: &Command,
        top: &str,
        other: SessionId,
        share: &Share,
    ) -> String {
        let reader = self.reader(other, top);
        let now_ms = self.now().wall_ms;
        let at = time_of_day(now_ms, now_ms, true);
        let by = format!("{:.8}", command.owner.session);
        let words = clean(Some(&command.text)).unwrap_or_default();
        let words = inline(&words, COMMAND_CHARS);
        let back = back(share, &reader);
        let verb = if share.deleted() {
            "deleted"
        } else {
            "changed"
        };
        let how = match share.unnamed {
            false => format!("a shell command of {by} {verb}"),
            true => format!("{verb} while a shell command of {by} ran"),
        };
        let [only] = share.files.as_slice() else {
            let (count, files) = (share.files.len(), share.names(&reader));
            let them = match share.unnamed {
                false => format!("{how} {count} files that you edited or have locked"),
                true => format!("{count} files that you edited or have locked {how}"),
            };
            return format!("{files}: {them}, at {at} ({words}).{back}");
        };
        let file = inline(&reader.shown(&only.path), PATH_CHARS);
        match share.unnamed {
            false => format!("{file}: {how} it at {at} ({words}).{back}"),
            true => format!("{file}: {how}, at {at} ({words}).{back}"),
        }
    }

    /// `77ab02f1 ("Add OAuth login")`.
    fn who(&self, session: SessionId) -> String {
        let intent = self.store.read(|ledger| {
            let session = ledger.sessions.get(&session)?;
            session.intent.clone()
        });
        match intent {
            Some(intent) => format!("{session:.8} ({})", quoted(&intent, INTENT_CHARS)),
            None => format!("{session:.8}"),
        }
    }

    fn reader(&self, session: SessionId, top: &str) -> Reader {
        let cwd = self
            .store
            .read(|ledger| Some(ledger.sessions.get(&session)?.cwd.clone()));
        Reader {
            cwd: PathBuf::from(cwd.unwrap_or_else(|| top.to_owned())),
            top: PathBuf::from(top),
        }
    }
}

impl Share {
    fn deleted(&self) -> bool {
        self.files.iter().all(|file| file.deleted)
    }

    /// `a.ts, b.ts, c.ts and 4 more`.
    fn names(&self, reader: &Reader) -> String {
        let named = self.files.iter().take(NAMED_MAX);
        let named: Vec<String> = named
            .map(|file| inline(&reader.shown(&file.path), PATH_CHARS))
            .collect();
        match self.files.len().saturating_sub(NAMED_MAX) {
            0 => named.join(", "),
            more => format!("{} and {more} more", named.join(", ")),
        }
    }
}

/// The way back, as the end of a text.
fn back(share: &Share, reader: &Reader) -> String {
    let Some(number) = share.number else {
        return " What was there before is not kept.".to_owned();
    };
    let only = match share.files.first() {
        Some(file) => word(&reader.shown(&file.path)),
        None => None,
    };
    match (share.files.len(), only) {
        (1, Some(file)) => format!(" As it was before: kite undo {number} --path {file}"),
        (1, None) => format!(" As it was before: kite undo {number}"),
        (_, Some(file)) => {
            format!(" As they were before: kite undo {number} (one of them: --path {file})")
        }
        (_, None) => format!(" As they were before: kite undo {number}"),
    }
}

/// Where whoever reads a text stands.
struct Reader {
    cwd: PathBuf,
    top: PathBuf,
}

impl Reader {
    /// A path as it can be typed there.
    fn shown(&self, path: &Path) -> String {
        let Ok(within) = self.cwd.strip_prefix(&self.top) else {
            return text(&self.top.join(path));
        };
        let mut steps = within.components().peekable();
        let mut rest = path.components().peekable();
        while let (Some(Component::Normal(step)), Some(Component::Normal(name))) =
            (steps.peek(), rest.peek())
            && step == name
        {
            steps.next();
            rest.next();
        }
        let up = steps.map(|_| Component::ParentDir);
        text(&up.chain(rest).collect::<PathBuf>())
    }
}

/// A path as one word for a shell; `None` where it would have to hide something.
fn word(path: &str) -> Option<String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+@%,".contains(c);
    if path.chars().all(plain) && !path.starts_with('-') {
        return Some(path.to_owned());
    }
    let harmless = !path.contains(char::is_control) && inline(path, usize::MAX) == path;
    (harmless && !path.starts_with('-')).then(|| format!("'{}'", path.replace('\'', r"'\''")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(cwd: &str, path: &str) -> String {
        let reader = Reader {
            cwd: cwd.into(),
            top: "/w".into(),
        };
        reader.shown(Path::new(path))
    }

    #[test]
    fn a_path_is_shown_as_it_can_be_typed() {
        assert_eq!(shown("/w", "src/a.rs"), "src/a.rs");
        assert_eq!(shown("/w/src", "src/a.rs"), "a.rs");
        assert_eq!(shown("/w/src/api", "src/a.rs"), "../a.rs");
        assert_eq!(shown("/w/docs", "src/a.rs"), "../src/a.rs");
        assert_eq!(shown("/elsewhere", "src/a.rs"), "/w/src/a.rs");
    }

    #[test]
    fn a_path_is_one_word_or_none() {
        assert_eq!(word("src/a.rs").as_deref(), Some("src/a.rs"));
        assert_eq!(word("it's a").as_deref(), Some(r"'it'\''s a'"));
        assert_eq!(word("$(rm)").as_deref(), Some("'$(rm)'"));
        assert_eq!(word("a\u{202e}b"), None);
        assert_eq!(word("-rf"), None);
    }
}
