//! The thread that keeps the index: what it is to do, and how far it is.

use std::{
    collections::BTreeSet,
    fs,
    os::unix::fs::MetadataExt,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use kite_vault::{Changes, Error, Index, Scan, Trust, Vault, Watch};
use tokio::sync::{oneshot, watch};

/// Everything is looked at again after so long, whatever the watch tells: it may miss something.
const RESCAN: Duration = Duration::from_secs(300);
/// A folder that came, or went, or was exchanged for another is noticed after so long.
const LOOK_AT_FOLDERS: Duration = Duration::from_secs(10);
/// After so long without work, the index is closed and its memory let go.
const IDLE: Duration = Duration::from_secs(10);
/// A damaged index is not made anew more often than this.
const REBUILD_AT_MOST: Duration = Duration::from_secs(60);
/// Most changed notes that are remembered one by one. More: everything is looked at.
const CHANGED_MAX: usize = 1_000;

/// How the index is.
#[derive(Clone, Debug, Default)]
pub struct State {
    /// Of the orders, how many have been carried out.
    pub(super) done: u64,
    /// It has been made.
    pub(super) made: bool,
    /// Notes in it, at the last look at everything.
    pub notes: usize,
    /// Why it is not up to date.
    pub fault: Option<String>,
    /// Folders of which changes are found by looking only, and why.
    pub unwatched: Vec<(PathBuf, String)>,
}

/// What is to be done. What comes again while it waits is done once.
#[derive(Debug)]
pub(super) struct Orders {
    waiting: Mutex<Waiting>,
    more: Condvar,
    state: watch::Sender<State>,
}

#[derive(Debug, Default)]
struct Waiting {
    /// Orders given so far.
    given: u64,
    named: Vec<Vault>,
    renamed: bool,
    everything: bool,
    paths: BTreeSet<PathBuf>,
    rebuild: Vec<oneshot::Sender<Result<Scan, String>>>,
    damaged: bool,
    ended: bool,
}

impl Default for Orders {
    fn default() -> Self {
        Orders {
            waiting: Mutex::default(),
            more: Condvar::new(),
            state: watch::Sender::default(),
        }
    }
}

impl Orders {
    pub(super) fn name(&self, vaults: Vec<Vault>) {
        // The same as before is no order: nobody would carry it out.
        if self.lock().named != vaults {
            self.give(|waiting| {
                waiting.renamed = true;
                waiting.named = vaults;
            });
        }
    }

    pub(super) fn named(&self) -> Vec<Vault> {
        self.lock().named.clone()
    }

    pub(super) fn changed(&self, paths: impl IntoIterator<Item = PathBuf>) {
        self.give(|waiting| {
            waiting.paths.extend(paths);
            if waiting.paths.len() > CHANGED_MAX {
                waiting.everything = true;
                waiting.paths.clear();
            }
        });
    }

    pub(super) fn rebuild(&self, tell: oneshot::Sender<Result<Scan, String>>) {
        self.give(|waiting| waiting.rebuild.push(tell));
    }

    /// A reader found the index damaged.
    pub(super) fn damaged(&self) {
        self.give(|waiting| waiting.damaged = true);
    }

    pub(super) fn end(&self) {
        self.give(|waiting| waiting.ended = true);
    }

    /// The number of the last order, and how far they are carried out.
    pub(super) fn progress(&self) -> (u64, watch::Receiver<State>) {
        (self.lock().given, self.state.subscribe())
    }

    pub(super) fn is_made(&self) -> bool {
        self.state.borrow().made
    }

    /// Everything is to be looked at; an index that is not there is made.
    pub(super) fn everything(&self) {
        self.give(|waiting| waiting.everything = true);
    }

    fn give(&self, order: impl FnOnce(&mut Waiting)) {
        let mut waiting = self.lock();
        order(&mut waiting);
        waiting.given += 1;
        self.more.notify_all();
    }

    /// Waits for orders, at most so long, and takes them.
    fn take(&self, patience: Duration) -> Waiting {
        let waiting = self.lock();
        let nothing = |waiting: &mut Waiting| !waiting.is_something();
        let (mut waiting, _) = self
            .more
            .wait_timeout_while(waiting, patience, nothing)
            .unwrap_or_else(PoisonError::into_inner);
        let kept = Waiting {
            given: waiting.given,
            named: waiting.named.clone(),
            ended: waiting.ended,
            ..Waiting::default()
        };
        std::mem::replace(&mut waiting, kept)
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    fn is_something(&self) -> bool {
        self.ended
            || self.renamed
            || self.everything
            || self.damaged
            || !self.paths.is_empty()
            || !self.rebuild.is_empty()
    }
}

/// Starts the thread; false where the system gives none.
pub(super) fn start(index: &Path, orders: &Arc<Orders>) -> bool {
    let mut keeper = Keeper {
        path: index.to_owned(),
        index: None,
        vaults: Vec::new(),
        watch: None,
        folders: Vec::new(),
        rescanned: None,
        rebuilt: None,
        orders: Arc::clone(orders),
    };
    let thread = thread::Builder::new().name("vault-index".to_owned());
    let started = thread.spawn(move || keeper.run());
    if let Err(fault) = &started {
        orders
            .state
            .send_modify(|state| state.fault = Some(format!("no thread to index: {fault}")));
    }
    started.is_ok()
}

struct Keeper {
    path: PathBuf,
    index: Option<Index>,
    vaults: Vec<Vault>,
    watch: Option<Watch>,
    /// The folders as they were when the watch was started.
    folders: Vec<Option<(u64, u64)>>,
    rescanned: Option<Instant>,
    rebuilt: Option<Instant>,
    orders: Arc<Orders>,
}

impl Keeper {
    fn run(&mut self) {
        loop {
            let waiting = self.orders.take(LOOK_AT_FOLDERS.min(IDLE));
            if waiting.ended {
                return;
            }
            let idle = !waiting.is_something() && !self.is_stale();
            if idle {
                self.index = None;
                continue;
            }
            let given = waiting.given;
            let working = AssertUnwindSafe(|| self.work(waiting).map_err(|it| told(&it)));
            let worked = catch_unwind(working).unwrap_or_else(|_| {
                self.index = None;
                self.rescanned = Some(Instant::now());
                Err("indexing failed by a fault of Kite's own".to_owned())
            });
            let unwatched = self.watch.as_ref().map(|it| it.unwatched().to_vec());
            self.orders.state.send_modify(|state| {
                state.done = given;
                state.unwatched = unwatched.unwrap_or_default();
                match worked {
                    Ok(Some(scan)) => {
                        state.notes = scan.notes;
                        state.fault = None;
                    }
                    Ok(None) => {}
                    Err(fault) => state.fault = Some(fault),
                }
            });
        }
    }

    /// Whether everything is due to be looked at, or the folders are others than those watched.
    fn is_stale(&self) -> bool {
        let rescanned = self.rescanned.map(|at| at.elapsed());
        rescanned.is_none_or(|ago| ago >= RESCAN) || identities(&self.vaults) != self.folders
    }

    /// Carries out what waits. What was found, where everything was looked at.
    fn work(&mut self, waiting: Waiting) -> Result<Option<Scan>, Error> {
        let stale = self.is_stale();
        if waiting.renamed || identities(&self.vaults) != self.folders {
            self.vaults = waiting.named;
            self.watch_folders();
        }
        let rebuild = !waiting.rebuild.is_empty() || (waiting.damaged && self.may_rebuild());
        let everything = rebuild || waiting.renamed || waiting.everything || stale;
        let paths: Vec<PathBuf> = waiting.paths.into_iter().collect();
        let done = self.look(rebuild, everything, &paths);
        if everything {
            // Also where it failed: the next look comes in its time.
            self.rescanned = Some(Instant::now());
        }
        for tell in waiting.rebuild {
            let _ = tell.send(done.as_ref().map(|scan| *scan).map_err(told));
        }
        done.map(|scan| everything.then_some(scan))
    }

    fn look(&mut self, rebuild: bool, everything: bool, paths: &[PathBuf]) -> Result<Scan, Error> {
        let vaults = self.vaults.clone();
        let index = match self.index.take() {
            Some(mut index) => {
                if index.vaults() != vaults {
                    index.set_vaults(vaults)?;
                }
                self.index.insert(index)
            }
            None => self.index.insert(Index::open(&self.path, vaults)?),
        };
        // Of what was there before, only the vaults that are used are left in it.
        self.orders.state.send_modify(|state| state.made = true);
        let looked = match (rebuild, everything) {
            (true, _) => index.rebuild(),
            (false, true) => index.rescan(),
            (false, false) => index.changed(paths),
        };
        match looked {
            // One that turns out damaged is made anew.
            Err(fault) if fault.is_damage() && self.may_rebuild() => {
                self.index = None;
                let mut index = Index::open(&self.path, self.vaults.clone())?;
                let scan = index.rebuild();
                self.index = Some(index);
                scan
            }
            looked => looked,
        }
    }

    fn may_rebuild(&mut self) -> bool {
        let may = self
            .rebuilt
            .is_none_or(|at| at.elapsed() >= REBUILD_AT_MOST);
        if may {
            self.rebuilt = Some(Instant::now());
        }
        may
    }

    /// Watches the folders that are there. Before they are looked at: nothing falls in between.
    fn watch_folders(&mut self) {
        self.folders = identities(&self.vaults);
        // The old one first: two would take twice the watches that a system gives.
        self.watch = None;
        let orders = Arc::downgrade(&self.orders);
        self.watch = Some(Watch::start(&self.vaults, move |changes| {
            let Some(orders) = orders.upgrade() else {
                return;
            };
            match changes {
                Changes::Paths(paths) => orders.changed(paths),
                Changes::Everything => orders.everything(),
            }
        }));
    }
}

/// Which directory each folder is; `None` where there is none, or it may not be looked at.
fn identities(vaults: &[Vault]) -> Vec<Option<(u64, u64)>> {
    let used = vaults.iter().filter(|it| it.trust() == Trust::Trusted);
    used.map(|vault| {
        let found = fs::metadata(vault.folder()).ok()?;
        found.is_dir().then(|| (found.dev(), found.ino()))
    })
    .collect()
}

/// A fault with its cause, on one line.
fn told(fault: &Error) -> String {
    match std::error::Error::source(fault) {
        Some(cause) => format!("{fault}: {cause}"),
        None => fault.to_string(),
    }
}
