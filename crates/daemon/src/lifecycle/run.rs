//! The daemon's own life: becomes the one, serves, drains, ends.

use std::{
    fs,
    future::Future,
    io,
    process::ExitCode,
    rc::Rc,
    thread,
    time::{Duration, Instant},
};

use kite_wire::home::Home;
use rustix::process::Signal;
use tokio::{
    net::UnixListener,
    runtime,
    signal::unix::{SignalKind, signal},
    task::LocalSet,
};

use super::{
    PATIENCE, Record, RunOptions, Service, StartError, Stop, Surroundings,
    address::{self, Address},
    descriptors, directory, find,
    readiness::{Report, Reporter},
    singleton::{self, Singleton},
    vigil::Vigil,
};
use crate::{
    config::{self, Guard},
    doors::{Connections, socket::Door},
};

/// How long requests under way may take to finish when the daemon ends.
pub const DRAIN_PATIENCE: Duration = Duration::from_secs(2);
/// How long the store and the logs may take to be flushed.
const FLUSH_PATIENCE: Duration = Duration::from_secs(10);
/// How long to wait before trying again to become the daemon.
const RETRY_EVERY: Duration = Duration::from_millis(5);
/// Most threads for what must not hold up the loop.
const BLOCKING_THREADS_MAX: usize = 16;

/// Runs the daemon of `home` until it is told to stop. `open` makes the service; its error is
/// reported to whoever starts the daemon. Must be the first thing the process does.
pub fn run<S, F>(home: &Home, options: RunOptions, open: impl FnOnce(Surroundings) -> F) -> ExitCode
where
    S: Service,
    F: Future<Output = Result<Rc<S>, StartError>>,
{
    let mut reporter = Reporter::take(options.ready_fd);
    descriptors::leave_starter(reporter.as_file(), reporter.is_awaited());
    let lived = match become_the_one(home) {
        Ok(Some(singleton)) => live(home, options, open, &mut reporter, singleton),
        Ok(None) => {
            reporter.report(&Report::Served);
            return ExitCode::SUCCESS;
        }
        Err(error) => Err(error),
    };
    match lived {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            reporter.report(&error.into());
            ExitCode::FAILURE
        }
    }
}

/// `None` where another daemon serves the home. One that is about to end is waited for, so that a
/// restart never fails for being too quick.
fn become_the_one(home: &Home) -> Result<Option<Singleton>, StartError> {
    directory::prepare(home)?;
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(singleton) = singleton::try_become(home)? {
            return Ok(Some(singleton));
        }
        if find::listens(&home.socket()) {
            return Ok(None);
        }
        if Instant::now() > deadline {
            return Err(StartError::new(
                "timeout",
                "another daemon holds the lock of this home but does not listen",
                "it may be starting or ending: try again, or see `kite doctor`",
            ));
        }
        thread::sleep(RETRY_EVERY);
    }
}

/// Everything between taking the lock and letting go of it.
fn live<S, F>(
    home: &Home,
    options: RunOptions,
    open: impl FnOnce(Surroundings) -> F,
    reporter: &mut Reporter,
    singleton: Singleton,
) -> Result<(), StartError>
where
    S: Service,
    F: Future<Output = Result<Rc<S>, StartError>>,
{
    let runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(BLOCKING_THREADS_MAX)
        .build()
        .map_err(|e| StartError::new("failed", format!("cannot run: {e}"), "free some memory"))?;
    let stop = Stop::default();
    let build = options.build.clone();
    let connections_max = descriptors::connections_allowed();
    let local = LocalSet::new();
    let lived = local.block_on(&runtime, async {
        hear_signals(&stop).map_err(|e| {
            StartError::new(
                "failed",
                format!("cannot listen to signals: {e}"),
                "see `ulimit -n`",
            )
        })?;
        keep_strict_in_step(home).map_err(|e| directory::unusable(&home.strict(), &e))?;
        let connections = Connections::default();
        let surroundings = Surroundings {
            home: home.clone(),
            options,
            stop: stop.clone(),
            connections: connections.clone(),
        };
        let service = open(surroundings).await?;
        let (listener, address) = address::bind(home)?;
        let vigil = Vigil::over(&singleton, &address)
            .map_err(|e| directory::unusable(&home.daemon_lock(), &e))?;
        let door = Door::new(Rc::clone(&service), connections_max, connections);
        let record = Record::of_this_process(&build, &address.path);
        record
            .write(home)
            .map_err(|e| directory::unusable(home.path(), &e))?;
        reporter.report(&Report::Ready);
        let ending = async {
            tokio::select! {
                () = stop.requested() => {}
                () = vigil.until_gone() => {}
            }
        };
        door.accept(&listener, ending).await;
        drain(&door, listener, &address).await;
        // A flush that hangs must not keep the next daemon from starting.
        let _ = tokio::time::timeout(FLUSH_PATIENCE, service.drained()).await;
        Ok(())
    });
    drop(local);
    runtime.shutdown_timeout(Duration::from_millis(200));
    drop(singleton);
    lived
}

/// Nobody new is let in; who is in is answered.
async fn drain<S: Service>(door: &Door<S>, listener: UnixListener, address: &Address) {
    address.unlink();
    door.accept_waiting(&listener).await;
    drop(listener);
    door.drain(DRAIN_PATIENCE).await;
}

/// SIGTERM and SIGINT drain. A terminal that goes away or stops its jobs is nothing to a daemon.
fn hear_signals(stop: &Stop) -> io::Result<()> {
    for ending in [Signal::TERM, Signal::INT] {
        let mut heard = signal(SignalKind::from_raw(ending.as_raw()))?;
        let stop = stop.clone();
        tokio::task::spawn_local(async move {
            while heard.recv().await.is_some() {
                stop.request();
            }
        });
    }
    for harmless in [Signal::HUP, Signal::TSTP, Signal::TTOU, Signal::TTIN] {
        // The handler stays for the life of the process; nobody needs to hear it.
        drop(signal(SignalKind::from_raw(harmless.as_raw()))?);
    }
    Ok(())
}

/// Hooks read no configuration: they look whether this file exists.
fn keep_strict_in_step(home: &Home) -> io::Result<()> {
    let guard = config::load(home.path(), &config::process_environment)
        .config
        .guard;
    match guard {
        Guard::Strict => fs::write(home.strict(), ""),
        Guard::Open => match fs::remove_file(home.strict()) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
            _ => Ok(()),
        },
    }
}
