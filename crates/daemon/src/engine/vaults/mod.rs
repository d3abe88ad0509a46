//! The vault: notes searched, written, and brought into sessions.
//!
//! **Architecture Invariant:** who may find a note is decided here, in the [`Reach`] of a
//! question; how notes are found and kept is for [`crate::hands::vaults`] and the vault itself.

use std::{cell::RefCell, collections::BTreeMap, path::PathBuf, rc::Rc};

use kite_rules::session::SessionId;
use kite_store::Store;
use kite_vault::{Reach, Scope, Trust, Vault};
use kite_wire::{
    reply::Fault,
    request::{
        Envelope, VaultList, VaultRead, VaultReindex, VaultReview, VaultSearch, VaultWhy,
        VaultWrite,
    },
};

use super::{Engine, trust::Purpose};
use crate::{doors::Connection, hands};

/// Most projects whose own vault is kept indexed: those asked for last.
const PROJECTS_MAX: usize = 32;

/// The vaults of a home.
#[derive(Debug)]
pub(super) struct Vaults {
    /// Asks, off the loop: `self.vaults.hand.ask(move |searcher| searcher.recall(..))`.
    pub(super) hand: Rc<hands::vaults::Vaults>,
    /// Trusted projects with a main worktree, and when they were last asked for.
    projects: RefCell<BTreeMap<String, (PathBuf, u64)>>,
}

impl Vaults {
    pub(super) fn new(home: &std::path::Path) -> Vaults {
        Vaults {
            hand: Rc::new(hands::vaults::Vaults::new(home.join("vault.index"))),
            projects: RefCell::default(),
        }
    }
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
        let mut vaults = vec![Vault::chosen(self.home_vault(), Scope::Person)];
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

    pub(super) async fn vault_search(
        self: &Rc<Self>,
        _connection: &Connection,
        _envelope: &Envelope,
        _request: VaultSearch,
    ) -> Result<Vec<u8>, Fault> {
        Err(Fault::new("not_built", "`vault_search` is not built yet"))
    }

    pub(super) async fn vault_write(
        self: &Rc<Self>,
        _connection: &Connection,
        _envelope: &Envelope,
        _request: VaultWrite,
    ) -> Result<Vec<u8>, Fault> {
        Err(Fault::new("not_built", "`vault_write` is not built yet"))
    }

    pub(super) async fn vault_list(
        self: &Rc<Self>,
        _connection: &Connection,
        _envelope: &Envelope,
        _request: VaultList,
    ) -> Result<Vec<u8>, Fault> {
        Err(Fault::new("not_built", "`vault_list` is not built yet"))
    }

    pub(super) async fn vault_read(
        self: &Rc<Self>,
        _connection: &Connection,
        _envelope: &Envelope,
        _request: VaultRead,
    ) -> Result<Vec<u8>, Fault> {
        Err(Fault::new("not_built", "`vault_read` is not built yet"))
    }

    pub(super) async fn vault_review(
        self: &Rc<Self>,
        _connection: &Connection,
        _envelope: &Envelope,
        _request: VaultReview,
    ) -> Result<Vec<u8>, Fault> {
        Err(Fault::new("not_built", "`vault_review` is not built yet"))
    }

    pub(super) async fn vault_reindex(
        self: &Rc<Self>,
        _connection: &Connection,
        _envelope: &Envelope,
        _request: VaultReindex,
    ) -> Result<Vec<u8>, Fault> {
        Err(Fault::new("not_built", "`vault_reindex` is not built yet"))
    }

    pub(super) async fn vault_why(
        self: &Rc<Self>,
        _connection: &Connection,
        _envelope: &Envelope,
        _request: VaultWhy,
    ) -> Result<Vec<u8>, Fault> {
        Err(Fault::new("not_built", "`vault_why` is not built yet"))
    }
}
