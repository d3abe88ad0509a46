//! Which settings hold for whom: the home's, and for sessions in a repository those that the
//! repository may set itself. Read when a session opens; a running session keeps what it has.

use std::{cell::RefCell, collections::BTreeMap, path::PathBuf, rc::Rc};

use kite_rules::session::{Session, SessionId};
use kite_store::Store;

use super::Engine;
use crate::config::{self, Config};

/// The settings of the home, and those of sessions whose repository has its own.
#[derive(Debug)]
pub(super) struct Settings {
    home: Rc<Config>,
    of_sessions: RefCell<BTreeMap<SessionId, Rc<Config>>>,
}

impl Settings {
    pub(super) fn new(home: Config) -> Settings {
        Settings {
            home: Rc::new(home),
            of_sessions: RefCell::default(),
        }
    }

    pub(super) fn of_home(&self) -> &Config {
        &self.home
    }

    pub(super) fn of(&self, session: SessionId) -> Rc<Config> {
        let of_sessions = self.of_sessions.borrow();
        Rc::clone(of_sessions.get(&session).unwrap_or(&self.home))
    }

    pub(super) fn forget(&self, session: SessionId) {
        self.of_sessions.borrow_mut().remove(&session);
    }
}

impl<S: Store> Engine<S> {
    /// Reads the settings of a session's repository, off the loop.
    pub(super) async fn read_settings(&self, session: &Session) {
        let Some(worktree) = session.worktree.clone().map(PathBuf::from) else {
            return;
        };
        let home = self.settings.of_home().clone();
        let reading = tokio::task::spawn_blocking(move || {
            let loaded = config::for_repository(&home, &worktree, &config::process_environment);
            (loaded.config != home || !loaded.problems.is_empty()).then_some(loaded)
        });
        let Ok(Some(loaded)) = reading.await else {
            return;
        };
        for problem in &loaded.problems {
            let outcome = Some(problem.to_string());
            self.note_of("daemon", "configuration", session.id, None, outcome);
        }
        let mut of_sessions = self.settings.of_sessions.borrow_mut();
        of_sessions.insert(session.id, Rc::new(loaded.config));
    }
}
