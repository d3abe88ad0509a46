//! Which project a directory belongs to, and where its wiring goes.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{error::Error, files, git::Checkout, machine::Machine};

/// A project as Claude Code sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Project {
    /// Where `.claude/` and `.mcp.json` stand. In a linked worktree this is the main checkout,
    /// whose personal settings Claude Code applies to all worktrees.
    pub(crate) root: PathBuf,
    /// The project's name in Claude Code's own file. It differs from `root` only for the
    /// worktrees of a bare repository, which share the entry of the repository.
    pub(crate) client_key: PathBuf,
    pub(crate) checkout: Option<Checkout>,
}

impl Project {
    /// The project that holds `dir`.
    ///
    /// # Errors
    /// Where `dir` is missing, no directory, the root directory, inside Kite's home, or inside a
    /// bare repository.
    pub(crate) fn holding(dir: &Path, machine: &Machine) -> Result<Project, Error> {
        let start = directory(dir)?;
        refuse_odd_places(&start, machine)?;
        let checkout = Checkout::holding(&start)?;
        if checkout.is_none() {
            refuse_bare(&start)?;
        }
        let (root, client_key) = match &checkout {
            None => (start.clone(), start),
            Some(checkout) => match checkout.main_top() {
                Some(main) => (main.clone(), main),
                None => (checkout.top.clone(), checkout.common_dir.clone()),
            },
        };
        for path in [&root, &client_key] {
            if path.to_str().is_none() {
                return Err(Error::new(format!("cannot wire {}", path.display()))
                    .because("its path is not UTF-8, and Claude Code's files are"));
            }
        }
        Ok(Project {
            root,
            client_key,
            checkout,
        })
    }
}

fn directory(dir: &Path) -> Result<PathBuf, Error> {
    let dir = fs::canonicalize(dir).map_err(|cause| {
        Error::io("find", dir, &cause).hinted("name the directory of a project")
    })?;
    if !dir.is_dir() {
        return Err(Error::new(format!("{} is not a directory", dir.display()))
            .hinted("name the directory of a project"));
    }
    Ok(dir)
}

/// A bare repository holds git's own files, and nobody edits those.
fn refuse_bare(dir: &Path) -> Result<(), Error> {
    let bare = dir.ancestors().find(|dir| {
        dir.join("HEAD").is_file() && dir.join("objects").is_dir() && dir.join("refs").is_dir()
    });
    match bare {
        None => Ok(()),
        Some(bare) => Err(
            Error::new(format!("{} is a bare repository", bare.display()))
                .because("it has no files to edit")
                .hinted("name one of its worktrees, or a clone"),
        ),
    }
}

fn refuse_odd_places(dir: &Path, machine: &Machine) -> Result<(), Error> {
    if dir.parent().is_none() {
        return Err(Error::new("the root directory is no project")
            .hinted("name the directory of a project"));
    }
    if dir.starts_with(files::resolved(machine.home.path())) {
        return Err(
            Error::new(format!("{} is inside Kite's own home", dir.display()))
                .because("Kite keeps its state there, not projects")
                .hinted("name the directory of a project"),
        );
    }
    Ok(())
}
