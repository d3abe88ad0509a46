//! Stale contracts: an owner has seen a file, and another has changed what that file exports.
//!
//! A change costs a step nothing but a note of who saw the file before. At the next step of who saw
//! it, what it saw is put beside what is there now ([`kite_contracts::compare`]), off the loop. What
//! takes longer than [`LOOK_MAX`] is told at the step after that.
//!
//! What was seen is known by its bytes, kept in memory from the moment somebody else is about to
//! edit the file (or from the reading, where other sessions live). Where they are not, because a
//! shell command changed the file, `HEAD` is asked for them; else nothing is said.
//!
//! **Architecture Invariant:** a finding is told once, and refuses once. Contents of files that hold
//! secrets are neither kept nor compared.

mod links;
mod looking;
mod texts;

use std::{
    cell::RefCell,
    collections::BTreeMap,
    path::{Path, PathBuf},
    rc::Rc,
    sync::Arc,
    time::Duration,
};

use kite_contracts::{Name, Subject, mentions};
use kite_redact::redact;
use kite_rules::{session::Owner, touch::Content};
use kite_store::Store;

use self::{
    links::Edit,
    looking::{Finding, Look, Sight},
    texts::Texts,
};
use super::{Engine, prevented};
use crate::{
    hands::files::File,
    translate::words::{inline, quoted},
};

/// A step waits at most so long for looks at files.
const LOOK_MAX: Duration = Duration::from_millis(50);
/// And so long for one file to be read. Together they stay below what a hook waits for its answer.
const READ_MAX: Duration = Duration::from_millis(25);
/// Files of one owner that changed since it saw them; what comes after them is not looked at.
const VIEWS_MAX: usize = 64;
/// Files that are looked at for one step; the others wait for the next.
const LOOKS_MAX: usize = 8;
/// Owners with such files.
const OWNERS_MAX: usize = 256;
/// Files that are told of at one step; the others wait for the next.
const AT_ONCE_MAX: usize = 3;
/// Characters of a file's name, and of one line about it.
const SHOWN_CHARS_MAX: usize = 120;
const LINE_CHARS_MAX: usize = 240;

/// Readers whose view of a file's exports may be out of date.
#[derive(Debug, Default)]
pub(super) struct Contracts {
    texts: RefCell<Texts>,
    views: Rc<RefCell<Views>>,
}

/// By owner, and by the file's key.
type Views = BTreeMap<Owner, BTreeMap<String, View>>;

/// A file that has changed since an owner saw it.
#[derive(Debug)]
struct View {
    file: File,
    /// The hash of what it saw.
    saw: u128,
    before: Option<Arc<str>>,
    /// Who changed it last.
    by: Owner,
    look: Look,
    /// What is wrong in its view, as far as it was looked at.
    finding: Option<Finding>,
    /// The lines that it was told.
    told: Option<Vec<String>>,
    /// An edit was refused for it.
    refused: bool,
}

#[cfg(test)]
impl Contracts {
    /// How many contents are kept, and of how many owners changed files are known.
    pub(super) fn kept(&self) -> (usize, usize) {
        let texts = self.texts.borrow().count();
        (texts, self.views.borrow().len())
    }

    /// Whether files are being looked at.
    pub(super) fn is_looking(&self) -> bool {
        let views = self.views.borrow();
        let mut all = views.values().flat_map(BTreeMap::values);
        all.any(|view| view.look == Look::UnderWay)
    }
}

impl<S: Store> Engine<S> {
    /// A file has been changed by `owner`, and holds `content` now: those who saw it before may
    /// have to be told. Called before the touch log learns of the change.
    pub(super) fn contract_may_have_changed(
        &self,
        owner: &Owner,
        key: &str,
        file: &File,
        content: Content,
    ) {
        if !is_looked_at(&file.shown) {
            return;
        }
        let readers = self.others_who_saw(owner, key);
        if readers.is_empty() {
            return;
        }
        let mut views = self.contracts.views.borrow_mut();
        views.retain(|owner, _| self.is_live(owner.session));
        for (reader, saw) in readers {
            if !views.contains_key(&reader) && views.len() >= OWNERS_MAX {
                continue;
            }
            let of_reader = views.entry(reader).or_default();
            if let Some(view) = of_reader.get_mut(key).filter(|view| view.saw == saw) {
                view.by = owner.clone();
                view.look = Look::Due;
            } else if content != Content::Hash(saw) && of_reader.len() < VIEWS_MAX {
                let view = View {
                    file: file.clone(),
                    saw,
                    before: self.contracts.texts.borrow().get(saw),
                    by: owner.clone(),
                    look: Look::Due,
                    finding: None,
                    told: None,
                    refused: false,
                };
                of_reader.insert(key.to_owned(), view);
            }
        }
    }

    /// An edit by `owner` is about to change this file: what others saw of it is kept.
    pub(super) async fn keep_what_others_saw(&self, owner: &Owner, key: &str, file: &File) {
        if !is_looked_at(&file.shown) {
            return;
        }
        let mut wanted = self.others_who_saw(owner, key);
        wanted.retain(|(_, saw)| self.contracts.texts.borrow().get(*saw).is_none());
        if !wanted.is_empty() {
            self.keep_seen(&file.shown).await;
        }
    }

    /// An owner has read this file. Beside other sessions, whose shell commands nobody announces,
    /// what it saw is kept at once.
    pub(super) async fn keep_what_was_read(&self, owner: &Owner, file: &File) {
        let is_alone = self.store.read(|ledger| {
            let mut others = ledger.sessions.values();
            !others.any(|other| other.id != owner.session && other.state.is_live())
        });
        if !is_alone && is_looked_at(&file.shown) && self.wants_notes(owner) {
            self.keep_seen(&file.shown).await;
        }
    }

    async fn keep_seen(&self, path: &Path) {
        let path = path.to_owned();
        let reading = tokio::task::spawn_blocking(move || looking::read(&path));
        let reading = tokio::time::timeout(READ_MAX, reading).await;
        if let Ok(Ok(Sight::Text { hash, text })) = reading {
            self.contracts.texts.borrow_mut().put(hash, text);
        }
    }

    /// What this owner is to be told of exports that changed since it read them; each once.
    pub(super) async fn stale_contracts(&self, owner: &Owner) -> Vec<String> {
        self.look_at_contracts(owner).await;
        let mut due = Vec::new();
        let mut views = self.contracts.views.borrow_mut();
        for view in views
            .get_mut(owner)
            .into_iter()
            .flat_map(BTreeMap::values_mut)
        {
            if due.len() >= AT_ONCE_MAX {
                break;
            }
            due.extend(self.news(owner, view));
        }
        due
    }

    /// What the owner is to be told of this file, unless it was.
    fn news(&self, owner: &Owner, view: &mut View) -> Option<String> {
        match &view.finding {
            Some(finding) if view.told.as_ref() != Some(&finding.lines) => {
                view.refused = false;
                view.told = Some(finding.lines.clone());
                Some(self.note_of_view(owner, view, finding))
            }
            None if view.look == Look::Same && view.told.take().is_some() => {
                let shown = self.shown(owner, &view.file);
                Some(format!(
                    "{} is again as you read it.",
                    inline(&shown, SHOWN_CHARS_MAX)
                ))
            }
            _ => None,
        }
    }

    /// Why this new text is refused: it uses a name that has changed since this owner read it.
    /// Once; the same edit, repeated, passes.
    ///
    /// A name says little alone: it counts only where the edit has to do with the file that changed.
    pub(super) async fn uses_stale_contract(
        &self,
        owner: &Owner,
        key: &str,
        file: &File,
        new: &str,
    ) -> Option<String> {
        // The client has a check of its own for the very file that changed; prose refuses nobody.
        Subject::of(&file.shown.to_string_lossy())?;
        self.look_at_contracts(owner).await;
        let used = self.names_used(owner, key, new);
        if used.is_empty() {
            return None;
        }
        let edit = Edit {
            path: &file.shown,
            new,
            around: &self.text_of(&file.shown).await,
        };
        let mut used = used.into_iter();
        let (stale, name, _) = used.find(|(_, name, changed)| edit.uses(name, changed))?;
        let mut views = self.contracts.views.borrow_mut();
        let view = views.get_mut(owner)?.get_mut(&stale)?;
        let note = self.note_of_view(owner, view, view.finding.as_ref()?);
        view.told = view.finding.as_ref().map(|finding| finding.lines.clone());
        view.refused = true;
        self.count(prevented::STALE_WRITES, 1);
        let name = quoted(&name.name, 80);
        Some(format!(
            "{note}\nThis edit uses {name}, which it changed. If it is meant so, repeat this same edit: it will pass."
        ))
    }

    /// The changed names that a text mentions, each with the key and the path of its file.
    fn names_used(&self, owner: &Owner, edited: &str, new: &str) -> Vec<(String, Name, PathBuf)> {
        let views = self.contracts.views.borrow();
        let of_owner = views.get(owner).into_iter().flatten();
        let open = of_owner.filter(|(key, view)| *key != edited && !view.refused);
        let mut used = Vec::new();
        for (key, view) in open {
            let names = view
                .finding
                .as_ref()
                .map(|finding| finding.names.as_slice());
            for name in names.unwrap_or_default() {
                if mentions(new, [name.name.as_str()]).is_some() {
                    used.push((key.clone(), name.clone(), view.file.shown.clone()));
                }
            }
        }
        used
    }

    /// `schema.ts changed since you read it (3f2a91bc): User.email -> User.emails[]`.
    fn note_of_view(&self, owner: &Owner, view: &View, finding: &Finding) -> String {
        let shown = inline(&self.shown(owner, &view.file), SHOWN_CHARS_MAX);
        let by = view.by.session;
        if finding.gone {
            return format!("{shown} was removed since you read it ({by:.8}).");
        }
        let lines = finding.lines.iter();
        let lines: Vec<_> = lines
            .map(|line| inline(&redact(line), LINE_CHARS_MAX))
            .collect();
        let lines = lines.join("\n  ");
        format!("{shown} changed since you read it ({by:.8}): {lines}")
    }

    /// Looks at the files that changed since this owner saw them, as far as that is done in time.
    pub(super) async fn look_at_contracts(&self, owner: &Owner) {
        if !self.wants_notes(owner) {
            self.contracts.views.borrow_mut().remove(owner);
            return;
        }
        let looks = {
            let mut views = self.contracts.views.borrow_mut();
            let Some(of_owner) = views.get_mut(owner) else {
                return;
            };
            let touches = self.touches.borrow();
            // Who has looked again knows better.
            of_owner.retain(|key, view| touches.seen(key, owner) == Some(Content::Hash(view.saw)));
            if of_owner.is_empty() {
                views.remove(owner);
                return;
            }
            let due = of_owner
                .iter_mut()
                .filter(|(_, view)| view.look == Look::Due);
            let looks = due.take(LOOKS_MAX).map(|(key, view)| {
                view.look = Look::UnderWay;
                (
                    key.clone(),
                    view.file.shown.clone(),
                    view.saw,
                    view.before.clone(),
                )
            });
            looks.collect::<Vec<_>>()
        };
        let looks: Vec<_> = looks
            .into_iter()
            .map(|(key, path, saw, before)| {
                let views = Rc::clone(&self.contracts.views);
                let owner = owner.clone();
                tokio::task::spawn_local(async move {
                    let look = move || looking::look(&path, saw, before.as_deref());
                    let seen = tokio::task::spawn_blocking(look).await.ok();
                    let mut views = views.borrow_mut();
                    let view = views.get_mut(&owner).and_then(|of| of.get_mut(&key));
                    if let Some(view) = view.filter(|view| view.saw == saw) {
                        view.looked(seen.unwrap_or_default());
                    }
                })
            })
            .collect();
        let all = async {
            for look in looks {
                let _ = look.await;
            }
        };
        // What is not done in time goes on, and is told at the next step.
        let _ = tokio::time::timeout(LOOK_MAX, all).await;
    }

    /// The live owners that contend with this one and saw the file, each with the hash of what it
    /// saw.
    fn others_who_saw(&self, owner: &Owner, key: &str) -> Vec<(Owner, u128)> {
        let touches = self.touches.borrow();
        let readers = touches.readers(key).filter_map(|(reader, saw)| match saw {
            Content::Hash(hash) if reader.contends_with(owner) => Some((reader.clone(), hash)),
            _ => None,
        });
        let mut readers: Vec<_> = readers.collect();
        readers.retain(|(reader, _)| self.is_live(reader.session) && self.wants_notes(reader));
        readers
    }

    fn wants_notes(&self, owner: &Owner) -> bool {
        self.settings.of(owner.session).notes
    }

    async fn text_of(&self, path: &Path) -> String {
        let path = path.to_owned();
        let reading = tokio::task::spawn_blocking(move || looking::read(&path));
        match tokio::time::timeout(READ_MAX, reading).await {
            Ok(Ok(Sight::Text { text, .. })) => text.to_string(),
            _ => String::new(),
        }
    }
}

/// Whether a file's content may be kept and compared at all.
fn is_looked_at(path: &Path) -> bool {
    Subject::of(&path.to_string_lossy()).is_some() && !looking::is_secret(path)
}
