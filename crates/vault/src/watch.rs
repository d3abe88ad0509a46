//! Watching: which paths of the vaults have changed, told in bursts.
//!
//! A watch may miss something: a system runs out of watches, a folder is on another machine. It
//! makes a change known soon; [`Index::rescan`](crate::Index::rescan) finds it in any case.

use std::{
    collections::BTreeSet,
    path::PathBuf,
    sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    thread,
    time::Instant,
};

use notify::{Config, Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};

use crate::{
    limits::{CHANGED_MAX, SETTLE, SETTLE_MAX},
    vaults::{Trust, Vault},
};

/// What has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Changes {
    /// These paths: for [`Index::changed`](crate::Index::changed).
    Paths(Vec<PathBuf>),
    /// More than can be told: for [`Index::rescan`](crate::Index::rescan).
    Everything,
}

/// A watch over vaults. It ends when it is dropped.
#[derive(Debug)]
pub struct Watch {
    _watcher: Option<RecommendedWatcher>,
    unwatched: Vec<(PathBuf, String)>,
}

impl Watch {
    /// Watches the folders of these vaults and tells of changes, on a thread of its own, once a
    /// burst of them is over. A folder that is not there is not watched.
    pub fn start(vaults: &[Vault], tell: impl FnMut(Changes) + Send + 'static) -> Watch {
        let (sender, receiver) = channel();
        let mut watch = Watch {
            _watcher: None,
            unwatched: Vec::new(),
        };
        let config = Config::default().with_follow_symlinks(false);
        let mut watcher = match RecommendedWatcher::new(sending(sender), config) {
            Ok(watcher) => watcher,
            Err(fault) => {
                let folders = vaults.iter().map(Vault::folder);
                watch.unwatched = folders.map(|it| (it, fault.to_string())).collect();
                return watch;
            }
        };
        for vault in vaults.iter().filter(|it| it.trust() == Trust::Trusted) {
            let folder = vault.folder();
            // Opened as it would be read: a folder behind a link is not watched either.
            let fault = match vault.open() {
                Ok(Some(_)) => watcher
                    .watch(&folder, RecursiveMode::Recursive)
                    .err()
                    .map(|fault| fault.to_string()),
                Ok(None) => Some("it is not there".to_owned()),
                Err(fault) => Some(fault.to_string()),
            };
            watch.unwatched.extend(fault.map(|fault| (folder, fault)));
        }
        watch._watcher = Some(watcher);
        let collecting = thread::Builder::new().name("vault-watch".to_owned());
        if let Err(fault) = collecting.spawn(move || collect(&receiver, tell)) {
            watch._watcher = None;
            let folders = vaults.iter().map(Vault::folder);
            watch.unwatched = folders.map(|it| (it, fault.to_string())).collect();
        }
        watch
    }

    /// Folders of which no change is told, and why.
    #[must_use]
    pub fn unwatched(&self) -> &[(PathBuf, String)] {
        &self.unwatched
    }
}

type Told = notify::Result<Event>;

fn sending(sender: Sender<Told>) -> impl Fn(Told) + Send + 'static {
    move |event| {
        // The receiver is gone only when the watch is being dropped.
        let _ = sender.send(event);
    }
}

/// Collects events until there is a pause, and tells them. Ends with the watcher.
fn collect(receiver: &Receiver<Told>, mut tell: impl FnMut(Changes)) {
    while let Ok(first) = receiver.recv() {
        let mut burst = Burst::default();
        burst.add(first);
        let started = Instant::now();
        let ended = loop {
            let left = SETTLE_MAX.saturating_sub(started.elapsed());
            match receiver.recv_timeout(SETTLE.min(left)) {
                Ok(event) => burst.add(event),
                Err(RecvTimeoutError::Timeout) => break false,
                Err(RecvTimeoutError::Disconnected) => break true,
            }
            if started.elapsed() >= SETTLE_MAX {
                break false;
            }
        };
        if let Some(changes) = burst.changes() {
            tell(changes);
        }
        if ended {
            break;
        }
    }
}

#[derive(Default)]
struct Burst {
    paths: BTreeSet<PathBuf>,
    everything: bool,
}

impl Burst {
    fn add(&mut self, event: Told) {
        match event {
            Ok(event) if event.need_rescan() => self.everything = true,
            // Reading is no change.
            Ok(event) if matches!(event.kind, EventKind::Access(_)) => {}
            Ok(event) => self.paths.extend(event.paths),
            Err(_) => self.everything = true,
        }
        if self.paths.len() > CHANGED_MAX {
            self.everything = true;
            self.paths.clear();
        }
    }

    fn changes(self) -> Option<Changes> {
        if self.everything {
            return Some(Changes::Everything);
        }
        let paths: Vec<PathBuf> = self.paths.into_iter().collect();
        (!paths.is_empty()).then_some(Changes::Paths(paths))
    }
}
