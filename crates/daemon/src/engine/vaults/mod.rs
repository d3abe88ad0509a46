//! The vault: notes searched, written, and brought into sessions.
//!
//! **Architecture Invariant:** who may find a note is decided here, in the [`Reach`] of a
//! question; how notes are found and kept is for [`crate::hands::vaults`] and the vault itself.

mod asker;
mod faults;
mod learning;
mod looking;
mod memory;
mod reviewing;
#[cfg(test)]
mod stories;
mod writing;

use std::{
    cell::RefCell,
    collections::BTreeMap,
    path::{Path, PathBuf},
    rc::Rc,
};

use kite_rules::session::SessionId;
use kite_store::Store;
use kite_vault::{Reach, Scope, Trust, Vault};

use super::{Engine, trust::Purpose};
use crate::hands;

/// Most projects whose own vault is kept indexed: those asked for last.
const PROJECTS_MAX: usize = 32;
/// Most folders of the person's configuration.
const FOLDERS_MAX: usize = 24;

/// The vaults of a home.
#[derive(Debug)]
pub(super) struct Vaults {
    /// Asks, off the loop: `self.vaults.hand.ask(move |searcher| searcher.recall(..))`.
    pub(super) hand: Rc<hands::vaults::Vaults>,
    /// Folders that the person named.
    folders: Vec<PathBuf>,
    /// What they wrote that is no folder to be used, and why.
    not_folders: Vec<(String, &'static str)>,
    /// Trusted projects with a main worktree, and when they were last asked for.
    projects: RefCell<BTreeMap<String, (PathBuf, u64)>>,
    /// What sessions were given, unasked.
    memory: memory::Memory,
}

impl Vaults {
    /// The vaults of this home, with these folders of the person's beside.
    pub(super) fn new(home: &Path, named: &[String]) -> Vaults {
        let (mut folders, mut not_folders) = (Vec::new(), Vec::new());
        for name in named {
            match folder(name) {
                Some(_) if folders.len() >= FOLDERS_MAX => {
                    not_folders.push((name.clone(), "`vaults` names too many folders"));
                }
                Some(folder) => folders.push(folder),
                None => not_folders.push((
                    name.clone(),
                    "folders in `vaults` are absolute, or begin with ~/",
                )),
            }
        }
        Vaults {
            hand: Rc::new(hands::vaults::Vaults::new(home.join("vault.index"))),
            folders,
            not_folders,
            projects: RefCell::default(),
            memory: memory::Memory::default(),
        }
    }
}

/// The folder that a person means.
fn folder(named: &str) -> Option<PathBuf> {
    let path = match named.strip_prefix("~/") {
        Some(below) => Path::new(&std::env::var_os("HOME")?).join(below),
        None => PathBuf::from(named),
    };
    path.is_absolute().then_some(path)
}

impl<S: Store> Engine<S> {
    /// What a session may find, by what is known of its project's vault without a look: see
    /// [`Engine::know_vault`].
    pub(super) fn vault_reach(&self, session: SessionId) -> Reach {
        let project = self
            .store
            .read(|ledger| Some(ledger.sessions.get(&session)?.project.clone()));
        project.map_or_else(Reach::no_project, |it| self.reach_in(&it))
    }

    fn reach_in(&self, project: &str) -> Reach {
        match self.vaults.projects.borrow().contains_key(project) {
            true => Reach::project(project),
            false => Reach::project_without_vault(project),
        }
    }

    /// Begins to index for a session, where there is anything to index. It goes on in the
    /// background.
    pub(super) fn begin_vaults(self: &Rc<Self>, session: SessionId) {
        let engine = Rc::clone(self);
        tokio::task::spawn_local(async move {
            let of_session = |id: SessionId| {
                engine.store.read(|ledger| {
                    let session = ledger.sessions.get(&id)?;
                    Some((session.project.clone(), session.worktree.clone()))
                })
            };
            if let Some((project, worktree)) = of_session(session)
                && engine.has_notes(&project, worktree.as_deref()).await
            {
                engine.know_vault(&project, worktree.as_deref()).await;
            }
        });
    }

    /// Whether there is any folder that could have notes for this project.
    async fn has_notes(&self, project: &str, worktree: Option<&str>) -> bool {
        if !self.vaults.folders.is_empty() {
            return true;
        }
        let (home, main) = (
            self.home_vault(),
            self.main_worktree(project, worktree).await,
        );
        let look = move || home.is_dir() || main.is_some_and(|it| it.join(".kite/vault").is_dir());
        tokio::task::spawn_blocking(look).await.unwrap_or(false)
    }

    /// Looks whether a project has a vault that may be used, and has the vaults indexed. Where
    /// trust was taken back, its notes are out of reach when this returns.
    pub(super) async fn know_vault(&self, project: &str, worktree: Option<&str>) {
        let now = self.now().mono_ms;
        let main = match self.trusts(project, Purpose::Vault).await {
            Ok(()) => self.main_worktree(project, worktree).await,
            Err(_) => None,
        };
        {
            let mut projects = self.vaults.projects.borrow_mut();
            match main {
                Some(main) => projects.insert(project.to_owned(), (main, now)),
                None => projects.remove(project),
            };
            while projects.len() > PROJECTS_MAX {
                let oldest = projects.iter().min_by_key(|(_, (_, asked))| *asked);
                let Some(oldest) = oldest.map(|(key, _)| key.clone()) else {
                    break;
                };
                projects.remove(&oldest);
            }
        }
        self.name_vaults();
    }

    async fn main_worktree(&self, project: &str, worktree: Option<&str>) -> Option<PathBuf> {
        let key = PathBuf::from(project);
        let worktree = PathBuf::from(worktree?);
        let look = move || hands::vaults::main_worktree(&key, &worktree);
        tokio::task::spawn_blocking(look).await.ok().flatten()
    }

    /// The person's vaults, then those of projects.
    fn name_vaults(&self) {
        let person = [self.home_vault()]
            .into_iter()
            .chain(self.vaults.folders.clone());
        let mut vaults: Vec<Vault> = person
            .map(|folder| Vault::chosen(folder, Scope::Person))
            .collect();
        let projects = self.vaults.projects.borrow();
        vaults.extend(
            projects
                .iter()
                .map(|(key, (main, _))| Vault::of_project(main, key, Trust::Trusted)),
        );
        self.vaults.hand.name(vaults);
    }

    /// The folder of the person's own vault.
    fn home_vault(&self) -> PathBuf {
        self.identity.home.path().join("vault")
    }
}
