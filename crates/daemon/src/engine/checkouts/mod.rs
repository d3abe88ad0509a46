//! Worktrees that Kite makes and removes.
//!
//! A worktree is a document of the kind `checkout`: written before git is asked for anything, and
//! again when it is there, so that none is forgotten whatever dies in between. Git runs off the loop;
//! `kite_worktree` sees to it that it is one at a time for each repository.

mod faults;
mod reconcile;
mod record;
mod requests;
#[cfg(test)]
mod stories;

use std::{
    path::{Path, PathBuf},
    rc::Rc,
};

use kite_rules::session::SessionId;
use kite_store::{Document, Store};
use kite_undo::snapshot::Why;
use kite_wire::reply::{Event, Fault, checkouts::CheckoutRemoved};
use kite_worktree::{Disposable, Plan, Removed, Rescue};

use self::{
    faults::{broken, fault},
    record::{KIND, Record, State},
};
use super::{
    Engine,
    callers::{random, text},
    storage, to_its_end,
};

/// The worktree that is wanted.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    /// Full id of the agent that is to work in it.
    pub(super) agent: Option<String>,
    /// What it is for, in a few words: a task's title. They become part of the branch's name.
    pub(super) about: String,
    /// The branch, tag or commit to begin with; otherwise what is checked out in the directory.
    pub(super) base: Option<String>,
}

/// A worktree that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Checkout {
    /// 32 hexadecimal digits.
    pub(super) id: String,
    /// Absolute and canonical.
    pub(super) path: PathBuf,
    /// `kite/<words>-<first 8 of id>`.
    pub(super) branch: String,
    /// The commit that it began with.
    pub(super) base: String,
}

pub(super) use kite_worktree::Removal;

impl<S: Store> Engine<S> {
    /// Makes a worktree of the repository that `directory` is in, with a branch of its own. Done to its
    /// end although whoever waits goes away; takes as long as the checkout of the repository does.
    ///
    /// # Errors
    /// `not_a_repository`, `invalid_field` (the base), `worktree_failed`: in each case nothing is
    /// left behind.
    pub(super) async fn make_checkout(
        self: &Rc<Self>,
        directory: &Path,
        wanted: Wanted,
    ) -> Result<Checkout, Fault> {
        let (engine, directory) = (Rc::clone(self), directory.to_owned());
        to_its_end(async move { engine.make(directory, wanted).await }).await
    }

    async fn make(&self, directory: PathBuf, wanted: Wanted) -> Result<Checkout, Fault> {
        let id = format!("{:032x}", random());
        let worktrees = self.identity.home.path().join("worktrees");
        let Wanted { agent, about, base } = wanted;
        let plan = blocking(move || {
            Plan::of(&kite_worktree::Wanted {
                id: &id,
                directory: &directory,
                worktrees: &worktrees,
                about: &about,
                base: base.as_deref(),
            })
        })
        .await?;
        let mut record = Record {
            agent,
            project: text(plan.common_dir()),
            made_ms: self.now().wall_ms,
            state: State::Making,
            plan,
        };
        self.keep_checkout(&record).await?;
        let plan = record.plan.clone();
        if let Err(fault) = blocking(move || kite_worktree::make(&plan)).await {
            self.give_up(&record).await;
            return Err(fault);
        }
        record.state = State::Made;
        if let Err(fault) = self.keep_checkout(&record).await {
            self.give_up(&record).await;
            return Err(fault);
        }
        self.note_checkout("made", &record, None);
        Ok(shown(&record))
    }

    /// The worktree with this id, where it is there.
    pub(super) fn checkout(&self, id: &str) -> Option<Checkout> {
        let record = self.checkout_record(id)?;
        let is_there = record.state == State::Made && record.plan.path().is_dir();
        is_there.then(|| shown(&record))
    }

    /// The worktree that was made for this agent, where it is there.
    pub(super) fn checkout_of_agent(&self, agent: &str) -> Option<Checkout> {
        let mut records = self.checkout_records().into_iter();
        let is_its =
            |record: &Record| record.agent.as_deref() == Some(agent) && record.state == State::Made;
        let record = records.find(is_its)?;
        record.plan.path().is_dir().then(|| shown(&record))
    }

    /// Whether everything in it is committed, and its commits are in the branch it came from or in an
    /// upstream: it can be removed and nothing is lost. False where it is gone, or cannot be asked.
    #[cfg(test)]
    pub(super) async fn checkout_is_merged_and_clean(self: &Rc<Self>, id: &str) -> bool {
        let Some(record) = self.checkout_record(id) else {
            return false;
        };
        let disposable = self.disposable();
        let looked = blocking(move || kite_worktree::look(&record.plan, &disposable)).await;
        looked.is_ok_and(|look| look.is_merged_and_clean())
    }

    /// Removes a worktree where nothing is lost, but what `removal` allows. Done to its end although
    /// whoever waits goes away.
    ///
    /// # Errors
    /// `unknown_worktree`, `worktree_in_use`, `work_would_be_lost`, `worktree_failed`.
    pub(super) async fn remove_checkout(
        self: &Rc<Self>,
        id: &str,
        removal: Removal,
    ) -> Result<CheckoutRemoved, Fault> {
        let record = self.checkout_record(id).ok_or_else(|| unknown(id))?;
        if record.state == State::Removing {
            return Err(in_use("it is being removed"));
        }
        let engine = Rc::clone(self);
        to_its_end(async move { engine.remove(record, removal).await }).await
    }

    async fn remove(&self, mut record: Record, removal: Removal) -> Result<CheckoutRemoved, Fault> {
        if record.state == State::Making {
            return Err(in_use("it is being made"));
        }
        let sessions = self.sessions_in_checkout(&record);
        if let Some(session) = sessions.first() {
            let session = session.to_string();
            return Err(in_use(&format!("session {} works in it", &session[..8])));
        }
        if let Some(agent) = self.agent_in_checkout(&record.plan.id) {
            return Err(in_use(&format!("agent {agent:.8} is at work in it")));
        }
        record.state = State::Removing;
        self.keep_checkout(&record).await?;
        let (plan, disposable) = (record.plan.clone(), self.disposable());
        let home = self.identity.home.path().to_owned();
        let settings = self.settings.of_home().undo();
        let why = Why {
            session: None,
            command: Some("kite worktree remove".to_owned()),
            at_ms: self.now().wall_ms,
        };
        let removed = blocking(move || {
            let rescue = Rescue {
                home: &home,
                settings,
                why,
            };
            kite_worktree::remove(&plan, removal, &disposable, &rescue)
        })
        .await;
        match removed {
            Ok(removed) => {
                self.forget_checkout(&record).await?;
                self.note_checkout("removed", &record, None);
                Ok(told(&record, removed))
            }
            Err(fault) => {
                record.state = State::Made;
                self.keep_checkout(&record).await?;
                self.note_checkout("kept", &record, Some(fault.code.clone()));
                Err(fault)
            }
        }
    }

    /// Clears up after a worktree that could not be made. What cannot be cleared now is when the next
    /// daemon starts.
    async fn give_up(&self, record: &Record) {
        let plan = record.plan.clone();
        if blocking(move || kite_worktree::abandon(&plan))
            .await
            .is_ok()
        {
            let _ = self.forget_checkout(record).await;
        }
    }

    fn checkout_record(&self, id: &str) -> Option<Record> {
        self.store.read(|ledger| {
            let body = ledger.documents.get(KIND, id)?;
            serde_json::from_str(body).ok()
        })
    }

    /// All of them that can be read.
    fn checkout_records(&self) -> Vec<Record> {
        self.store.read(|ledger| {
            let bodies = ledger.documents.of(KIND).map(|(_, body)| body);
            bodies
                .filter_map(|body| serde_json::from_str(body).ok())
                .collect()
        })
    }

    async fn keep_checkout(&self, record: &Record) -> Result<(), Fault> {
        let body = serde_json::to_string(record)
            .map_err(|error| Fault::new("storage_error", error.to_string()))?;
        let document = Document::put(KIND, &record.plan.id, body);
        let kept = self.store.keep_documents(&[document], self.now()).await;
        kept.map_err(|error| storage(&error))
    }

    async fn forget_checkout(&self, record: &Record) -> Result<(), Fault> {
        let document = Document::forget(KIND, &record.plan.id);
        let kept = self.store.keep_documents(&[document], self.now()).await;
        kept.map_err(|error| storage(&error))
    }

    /// Live sessions that work there.
    fn sessions_in_checkout(&self, record: &Record) -> Vec<SessionId> {
        let path = record.plan.path();
        self.store.read(|ledger| {
            let live = ledger.sessions.values().filter(|it| it.state.is_live());
            let inside = live.filter(|session| {
                let worktree = session.worktree.as_deref();
                worktree.is_some_and(|it| Path::new(it) == path)
                    || Path::new(&session.cwd).starts_with(path)
            });
            inside.map(|session| session.id).collect()
        })
    }

    fn disposable(&self) -> Disposable {
        Disposable::named(&self.settings.of_home().agents.worktree_disposable)
    }

    fn note_checkout(&self, what: &str, record: &Record, outcome: Option<String>) {
        self.note(Event {
            kind: "worktree".into(),
            what: what.to_owned(),
            target: Some(format!(
                "{} ({})",
                text(record.plan.path()),
                record.plan.branch
            )),
            outcome,
            ..Event::default()
        });
    }
}

/// Runs git beside the loop.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, kite_worktree::Error> + Send + 'static,
) -> Result<T, Fault> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done.map_err(|error| fault(&error)),
        Err(_) => Err(broken()),
    }
}

fn shown(record: &Record) -> Checkout {
    Checkout {
        id: record.plan.id.clone(),
        path: record.plan.path().to_owned(),
        branch: record.plan.branch.clone(),
        base: record.plan.base.to_string(),
    }
}

fn told(record: &Record, removed: Removed) -> CheckoutRemoved {
    let note = "its directory had been deleted before; it is forgotten now";
    CheckoutRemoved {
        worktree: record.plan.id.clone(),
        path: text(record.plan.path()),
        branch: record.plan.branch.clone(),
        branch_kept: removed.branch_kept,
        rescue: removed.rescue,
        disposed: removed.disposed.iter().map(|path| text(path)).collect(),
        note: removed.was_missing.then(|| note.to_owned()),
    }
}

fn unknown(given: &str) -> Fault {
    let given = crate::translate::words::quoted(given, 100);
    Fault::new(
        "unknown_worktree",
        format!("Kite made no worktree {given}."),
    )
    .hint("`kite worktree list` shows those that it made.")
}

fn in_use(why: &str) -> Fault {
    Fault::new("worktree_in_use", format!("The worktree is kept: {why}."))
        .hint("Ask again when it is done.")
}
