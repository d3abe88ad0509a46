//! A run's turn: its named lock, through the same table as every other lock.

use std::{rc::Rc, time::Duration};

use kite_rules::{
    limits::LOCK_TTL_MS_MAX,
    lock::{self, Granted},
    pattern::Target,
    session::Owner,
};
use kite_store::{Release, Store};
use kite_wire::{
    reply::{Fault, Push},
    request::Envelope,
};
use tokio::time::{Instant, timeout_at};

use super::{Record, State};
use crate::{doors::Connection, engine::Engine, translate};

/// A run's lock outlasts its time by so much, for its end to be kept.
const LOCK_SLACK_MS: u64 = 300_000;

impl<S: Store> Engine<S> {
    /// Waits for the run's lock and takes it; from then on the run is there.
    pub(super) async fn take_turn(
        self: &Rc<Self>,
        connection: &Rc<Connection>,
        envelope: &Envelope,
        owner: &Owner,
        mut run: Record,
        wait: Duration,
    ) -> Result<Record, Fault> {
        let until = Instant::now() + wait;
        let Some(name) = run.lock.clone() else {
            self.project_tools.put(run.clone());
            return Ok(run);
        };
        // The grant must not be taken for the answer to the request itself.
        let plain = Envelope {
            op_id: None,
            ..envelope.clone()
        };
        loop {
            let mut moved = std::pin::pin!(self.project_tools.moved.notified());
            moved.as_mut().enable();
            if let Some(fault) = self.in_the_way(&run, owner, &name) {
                tell_place(connection, envelope);
                if fault.code == "uncertain" || timeout_at(until, moved).await.is_err() {
                    return Err(fault);
                }
                continue;
            }
            let asked = asked(&run, owner, &name);
            let left = until.saturating_duration_since(Instant::now());
            let (granted, _) = self.take_locks(connection, &plain, asked, left).await?;
            // From here to the entry nothing is awaited: of two runs of one session one is first.
            if self.in_the_way(&run, owner, &name).is_none() {
                run.epoch = (!granted.already_held)
                    .then(|| Some(granted.locks.first()?.epoch.to_string()))
                    .flatten();
                self.project_tools.put(run.clone());
                return Ok(run);
            }
            if !granted.already_held {
                self.give_locks_back(&granted).await;
            }
        }
    }

    /// Another run under that lock, whoever's.
    fn in_the_way(&self, run: &Record, owner: &Owner, name: &str) -> Option<Fault> {
        let other = |other: &Record| other.has_lock(&run.project, name) && other.id != run.id;
        let other = self.project_tools.find(other)?;
        // Of a session that lives, the table's queue is the place to wait.
        let queued = other.state == State::Running
            && other.epoch.is_some()
            && other
                .session_id()
                .is_some_and(|it| it != owner.session && self.is_live(it));
        (!queued).then(|| self.kept_by(&other, owner.session))
    }

    /// Releases what was granted and is not wanted after all.
    pub(in crate::engine) async fn give_locks_back(&self, granted: &Granted) {
        for lock in &granted.locks {
            let release = Release::Targets {
                owner: lock.owner.clone(),
                targets: vec![lock.target.clone()],
                epoch: Some(lock.epoch),
            };
            // Where that fails, the lock ends with its session or its time.
            if let Ok(Ok(freed)) = self.store.release(release, self.now(), None).await {
                self.freed(&freed, "released: a run goes on under it");
            }
        }
    }

    /// Gives the lock back that a run took for itself.
    pub(super) async fn end_turn(&self, run: &Record) {
        let (Some(name), Some(epoch), Some(owner)) = (&run.lock, &run.epoch, run.owner()) else {
            return;
        };
        let release = Release::Targets {
            owner,
            targets: vec![target(run, name)],
            epoch: translate::epoch(epoch).ok(),
        };
        // It may have ended with its session.
        if let Ok(Ok(freed)) = self.store.release(release, self.now(), None).await {
            self.freed(&freed, "released: its run ended");
        }
    }
}

fn asked(run: &Record, owner: &Owner, name: &str) -> lock::Request {
    lock::Request {
        owner: owner.clone(),
        project: run.project.clone(),
        targets: vec![(target(run, name), name.to_owned())],
        reason: Some(format!("runs {}", run.tool)),
        ttl_ms: (run.timeout_s * 1_000 + LOCK_SLACK_MS).min(LOCK_TTL_MS_MAX),
        keep: true,
    }
}

fn target(run: &Record, name: &str) -> Target {
    Target::Name {
        project: run.project.clone(),
        name: name.to_owned(),
    }
}

fn tell_place(connection: &Connection, envelope: &Envelope) {
    // Where it cannot be told, the wait goes on all the same.
    let _ = connection.push.try_send(Push {
        push: "place".into(),
        request: envelope.id,
        place: Some(1),
        ..Push::default()
    });
}
