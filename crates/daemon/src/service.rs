//! The daemon put together: store, log and engine of one home, run by the life cycle.

use std::{process::ExitCode, rc::Rc};

use kite_rules::Now;
use kite_store::sqlite::{Durability, Options, SqliteStore};
use kite_wire::home::Home;

use crate::{
    audit::{AuditLog, Retention},
    config::{self, Config},
    engine::{Engine, Identity},
    hands::{clock::Clock, processes},
    lifecycle::{self, RunOptions, Service, StartError, Surroundings},
};

/// Runs the daemon of `home` until it is told to stop.
pub fn run(home: &Home, options: RunOptions) -> ExitCode {
    lifecycle::run(home, options, open)
}

impl<S: kite_store::Store> Service for Engine<S> {
    async fn drained(self: Rc<Self>) {
        self.stop().await;
    }
}

async fn open(surroundings: Surroundings) -> Result<Rc<Engine<SqliteStore>>, StartError> {
    let Surroundings {
        home,
        options,
        stop,
        connections,
    } = surroundings;
    let loaded = config::load(home.path(), &config::process_environment);
    let log = open_log(&home, &loaded.config)?;
    for problem in &loaded.problems {
        log.record(kite_wire::reply::Event {
            kind: "daemon".into(),
            what: "configuration".into(),
            outcome: Some(problem.to_string()),
            ..kite_wire::reply::Event::default()
        });
    }
    let store = open_store(&home, &loaded.config)?;
    let identity = Identity {
        home,
        build: options.build,
        fingerprint: options.fingerprint,
    };
    let engine = Engine::new(store, log, loaded.config, identity, stop);
    engine.show_connections(connections);
    engine.start().await;
    Ok(engine)
}

fn open_log(home: &Home, config: &Config) -> Result<AuditLog, StartError> {
    let directory = home.path().join("log");
    let retention = Retention {
        days_max: config.log_days,
        bytes_max: config.log_max_mib << 20,
    };
    AuditLog::open(&directory, retention).map_err(|error| StartError {
        code: "log_not_writable".to_owned(),
        message: format!("cannot open the log in {}: {error}", directory.display()),
        hint: "make the directory writable for you".to_owned(),
    })
}

fn open_store(home: &Home, config: &Config) -> Result<SqliteStore, StartError> {
    let now = Clock::default().now();
    let options = Options {
        path: home.path().join("state"),
        durability: match config.durability {
            config::Durability::Normal => Durability::Process,
            config::Durability::Power => Durability::Power,
        },
        boot_id: processes::boot_id(),
        now: Now {
            wall_ms: now.wall_ms,
            mono_ms: now.mono_ms,
        },
        max_pages: None,
    };
    SqliteStore::open(options).map_err(|error| StartError {
        code: "store_not_opened".to_owned(),
        message: error.to_string(),
        hint: "nothing was changed; `kite doctor` says more".to_owned(),
    })
}
