//! The throw-away home, its daemon, and the little project that is worked on.

use std::{
    fs,
    path::{Path, PathBuf},
};

use kite_wire::{home::Home, request::Caller};
use tempfile::TempDir;

use super::actor::Actor;
use crate::{
    connect::{self, Daemon},
    error::Error,
    wiring::{self, Machine, Report},
};

pub(super) struct Stage {
    home: Home,
    project: PathBuf,
    /// Last, so that the daemon has ended before its home goes.
    dir: Option<TempDir>,
}

impl Stage {
    /// Makes the home, installs the programs there, and starts the daemon.
    pub(super) fn build() -> Result<Stage, Error> {
        let cannot = |cause| Error::failed("cannot set up a throw-away home").because(cause);
        let dir = tempfile::Builder::new()
            .prefix("kite-demo-")
            .tempdir()
            .map_err(cannot)?;
        let place = fs::canonicalize(dir.path()).map_err(cannot)?;
        let project = place.join("shop");
        fs::create_dir(&project).map_err(cannot)?;
        let machine = Machine {
            home: Home::at(place.join("home")),
            user_home: place,
            ..Machine::this()?
        };
        wiring::install(&machine, false, &mut Nobody)?;
        let stage = Stage {
            home: machine.home,
            project,
            dir: Some(dir),
        };
        connect::start(&stage.home)?;
        Ok(stage)
    }

    /// A file of the project, with a first content.
    pub(super) fn file(&self, name: &str, content: &str) -> Result<PathBuf, Error> {
        let path = self.project.join(name);
        fs::write(&path, content)
            .map_err(|cause| Error::failed(format!("cannot write {name}")).because(cause))?;
        Ok(path)
    }

    /// A new session at work in the project.
    pub(super) fn enter(&self, name: &'static str, intent: &str) -> Result<Actor, Error> {
        Actor::enter(name, intent, &self.home, &self.project)
    }

    /// A connection of somebody who only looks on.
    pub(super) fn onlooker(&self) -> Result<Daemon, Error> {
        let cwd = Some(self.project.to_string_lossy().into_owned());
        Daemon::connect_as(
            self.home.clone(),
            Caller {
                client: "person".to_owned(),
                cwd,
                ..Caller::default()
            },
        )
    }

    /// Ends the daemon and removes everything.
    pub(super) fn strike(&mut self) -> Result<(), Error> {
        let Some(dir) = self.dir.take() else {
            return Ok(());
        };
        connect::stop(&self.home)?;
        dir.close()
            .map_err(|cause| Error::failed("cannot remove the throw-away home").because(cause))
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        let _ = self.strike();
    }
}

/// What a file holds now.
pub(super) fn read(path: &Path) -> Result<String, Error> {
    fs::read_to_string(path)
        .map_err(|cause| Error::failed(format!("cannot read {}", path.display())).because(cause))
}

/// Changes one line of a file, as an editing tool does: reads all, replaces, writes all.
pub(super) fn replace(path: &Path, old: &str, new: &str) -> Result<(), Error> {
    let text = read(path)?.replace(old, new);
    fs::write(path, text)
        .map_err(|cause| Error::failed(format!("cannot write {}", path.display())).because(cause))
}

/// Nobody has to be told of an installation that is gone in a minute.
struct Nobody;

impl Report for Nobody {
    fn say(&mut self, _line: &str) {}

    fn diff(&mut self, _diff: &str) {}

    fn ask(&mut self, _question: &str) -> Option<bool> {
        None
    }
}
