//! What people may set, in `$KITE_HOME/config.toml`, in a repository's `.kite/config.toml`, and by
//! environment variables.
//!
//! **Architecture Invariant:** each setting is declared once, in [`settings`], and everything else
//! (reading, checking, documentation) follows from that. Bad configuration never stops the daemon:
//! a setting that cannot be read keeps its default, and a [`Problem`] says so.

mod read;
pub mod settings;
pub mod tools;

use std::{path::Path, time::Duration};

use kite_undo::{images, snapshot};

pub use read::Problem;
pub use settings::reference;

/// What a hook that finds no answer does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Guard {
    /// It lets the agent go on.
    #[default]
    Open,
    /// It refuses.
    Strict,
}

/// How long an editing tool keeps a file to its session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Hold {
    /// For the edit itself, which takes seconds.
    #[default]
    Edit,
    /// Until the end of the turn.
    Turn,
}

/// Which crash acknowledged changes survive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// The end of the daemon or of any program.
    #[default]
    Normal,
    /// Also loss of power, at the cost of a disk flush for each group of changes.
    Power,
}

/// All settings. `docs/config.md` describes them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    pub guard: Guard,
    pub hold: Hold,
    pub intent: bool,
    pub git_guard: bool,
    pub undo_max_mib: u64,
    pub undo_days: u64,
    pub undo_snapshots: u64,
    pub notes: bool,
    pub hold_wait_ms: u64,
    pub lock_ttl_s: u64,
    pub session_ttl_s: u64,
    pub durability: Durability,
    pub log_days: u64,
    pub log_max_mib: u64,
    pub log_full: Vec<String>,
    pub agents: settings::agents::Agents,
    pub reviews: settings::reviews::Reviews,
    pub vault: settings::vault::Vault,
}

impl Default for Config {
    fn default() -> Self {
        let mut config = Config::blank();
        for setting in settings::all() {
            (setting.apply)(&mut config, setting.default_value());
        }
        config
    }
}

impl Config {
    /// The limits of what is kept for undo.
    #[must_use]
    pub fn undo(&self) -> kite_undo::Settings {
        let limits = kite_undo::Settings::default();
        let age_max = Duration::from_secs(self.undo_days * 24 * 60 * 60);
        kite_undo::Settings {
            images: images::Limits {
                bytes_max: self.undo_max_mib << 20,
                age_max,
                ..limits.images
            },
            snapshots: snapshot::Options {
                keep: snapshot::Keep {
                    count_max: usize::try_from(self.undo_snapshots).unwrap_or(usize::MAX),
                    age_max,
                },
                ..limits.snapshots
            },
            ..limits
        }
    }

    /// Before the declared defaults are applied.
    fn blank() -> Config {
        Config {
            guard: Guard::default(),
            hold: Hold::default(),
            intent: false,
            git_guard: false,
            undo_max_mib: 0,
            undo_days: 0,
            undo_snapshots: 0,
            notes: false,
            hold_wait_ms: 0,
            lock_ttl_s: 0,
            session_ttl_s: 0,
            durability: Durability::default(),
            log_days: 0,
            log_max_mib: 0,
            log_full: Vec::new(),
            agents: settings::agents::Agents::default(),
            reviews: settings::reviews::Reviews::default(),
            vault: settings::vault::Vault::default(),
        }
    }
}

/// A configuration, and what was wrong with the text it was read from.
#[derive(Clone, Debug, Default)]
pub struct Loaded {
    pub config: Config,
    pub problems: Vec<Problem>,
}

/// Reads an environment variable. In the daemon: [`std::env::var`], failures as `None`.
pub type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Reads an environment variable of this process.
#[must_use]
pub fn process_environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// The configuration of a home: defaults, then its `config.toml`, then the environment.
#[must_use]
pub fn load(home: &Path, environment: Environment<'_>) -> Loaded {
    let mut loaded = Loaded::default();
    read::file(
        &home.join("config.toml"),
        settings::Place::Home,
        &mut loaded,
    );
    read::environment(environment, &mut loaded);
    loaded
}

/// The configuration for a repository: that of the home, then the repository's own
/// `.kite/config.toml` where it may speak, then the environment. The problems are the
/// repository's alone.
#[must_use]
pub fn for_repository(home: &Config, worktree: &Path, environment: Environment<'_>) -> Loaded {
    let mut loaded = Loaded {
        config: home.clone(),
        problems: Vec::new(),
    };
    read::file(
        &worktree.join(".kite/config.toml"),
        settings::Place::Repository,
        &mut loaded,
    );
    loaded.config.vault = loaded.config.vault.at_most(&home.vault);
    let mut overridden = Loaded {
        config: loaded.config,
        problems: Vec::new(),
    };
    read::environment(environment, &mut overridden);
    Loaded {
        config: overridden.config,
        problems: loaded.problems,
    }
}
