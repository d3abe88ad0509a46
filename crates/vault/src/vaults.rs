//! What a vault is: a folder of notes, and whom its notes may reach.

use std::path::{Path, PathBuf};

use crate::{error::Error, place::Place};

/// A folder of Markdown notes.
///
/// It is used as it is: the folder of an Obsidian vault, with its front matter, tags, aliases and
/// links. Nothing is written into it but notes that were asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vault {
    /// The directory that the person named, or a project's main worktree. It may be reached
    /// through links.
    anchor: PathBuf,
    /// The vault below it, through no link: what a repository contains decides nothing.
    below: PathBuf,
    scope: Scope,
    trust: Trust,
}

/// Whom the notes of a vault may reach.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scope {
    /// Every session of the person.
    Person,
    /// Sessions of the project with this key only.
    Project(String),
}

/// Whether the notes of a vault are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    Trusted,
    /// A cloned repository's vault that the person has not looked at: not read at all.
    Untrusted,
}

impl Vault {
    /// A folder that the person chose: their own vault, or one named in their configuration.
    #[must_use]
    pub fn chosen(folder: impl Into<PathBuf>, scope: Scope) -> Vault {
        Vault {
            anchor: folder.into(),
            below: PathBuf::new(),
            scope,
            trust: Trust::Trusted,
        }
    }

    /// `.kite/vault` of a project's main worktree.
    #[must_use]
    pub fn of_project(worktree: impl Into<PathBuf>, key: impl Into<String>, trust: Trust) -> Vault {
        Vault {
            anchor: worktree.into(),
            below: PathBuf::from(".kite/vault"),
            scope: Scope::Project(key.into()),
            trust,
        }
    }

    /// Its folder.
    #[must_use]
    pub fn folder(&self) -> PathBuf {
        // `join` with an empty path would add a slash.
        if self.below.as_os_str().is_empty() {
            self.anchor.clone()
        } else {
            self.anchor.join(&self.below)
        }
    }

    #[must_use]
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    #[must_use]
    pub fn trust(&self) -> Trust {
        self.trust
    }

    /// The path of a note in this vault, relative to it; `None` for a path elsewhere.
    #[must_use]
    pub fn relative<'a>(&self, path: &'a Path) -> Option<&'a Path> {
        let folder = self.folder();
        path.strip_prefix(&folder).ok().or_else(|| {
            // Some systems tell of changes by the path without links.
            let real = std::fs::canonicalize(folder).ok()?;
            path.strip_prefix(real).ok()
        })
    }

    /// The open folder, or `None` where there is none yet.
    pub(crate) fn open(&self) -> Result<Option<Place>, Error> {
        Place::open(&self.anchor, &self.below)
    }

    /// The open folder, made if it is missing. A missing anchor is not made: whoever named it
    /// meant a folder that is there.
    pub(crate) fn open_or_make(&self) -> Result<Place, Error> {
        Place::open_or_make(&self.anchor, &self.below)
    }
}

/// Whose eyes a search has: what it may find.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reach {
    projects: Option<Projects>,
}

/// Projects by what of theirs may be found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Projects {
    /// Their vaults' notes.
    pub(crate) vaults: Vec<String>,
    /// Unreviewed notes in the person's vaults that were written there.
    pub(crate) unreviewed: Vec<String>,
}

impl Reach {
    /// A session of this project: its notes, and the person's. Notes of the person's vaults that
    /// no person has reviewed are found only where they were written.
    #[must_use]
    pub fn project(key: impl Into<String>) -> Reach {
        Reach::no_project().and_project(key)
    }

    /// A session of this project, whose own vault is not used: not even what an index still knows
    /// of it.
    #[must_use]
    pub fn project_without_vault(key: impl Into<String>) -> Reach {
        let unreviewed = vec![key.into()];
        Reach {
            projects: Some(Projects {
                unreviewed,
                ..Projects::default()
            }),
        }
    }

    /// A session that belongs to no project: the person's reviewed notes.
    #[must_use]
    pub fn no_project() -> Reach {
        Reach {
            projects: Some(Projects::default()),
        }
    }

    /// The person said that another project's notes may be found too.
    #[must_use]
    pub fn and_project(mut self, key: impl Into<String>) -> Reach {
        if let Some(projects) = &mut self.projects {
            let key = key.into();
            projects.vaults.push(key.clone());
            projects.unreviewed.push(key);
        }
        self
    }

    /// The person at a terminal: everything.
    #[must_use]
    pub fn everything() -> Reach {
        Reach { projects: None }
    }

    /// The projects whose notes may be found, or `None` for all.
    pub(crate) fn projects(&self) -> Option<&Projects> {
        self.projects.as_ref()
    }
}
