//! Locks: asked for, waited for, released.

use std::{rc::Rc, time::Duration};

use kite_rules::{
    Refusal,
    limits::{LOCK_TARGETS_MAX, LOCK_TTL_MS_MAX, LOCK_WAIT_MS_MAX},
    lock::{self, Granted, Ticket},
    pattern::{Pattern, Target},
    refusal::InTheWay,
    session::{Kind, Owner},
};
use kite_store::{Acquired, Freed, Release, Store};
use kite_wire::{
    reply::{Fault, Locks, Push, ok_line},
    request::{Envelope, Lock, Unlock},
};
use tokio::{
    sync::oneshot,
    time::{Instant, timeout},
};

use super::{
    Engine,
    queue::Place,
    retries::{Once, retry, with_id},
    secrets::clean,
    storage, targets, to_its_end,
};
use crate::{
    doors::Connection,
    translate::{self, refusal::Reader},
};

/// A waiting request is told its place this often.
const PLACE_EVERY: Duration = Duration::from_secs(1);

/// How long a grant takes at most from its decision to its being told.
const GRANT_PATIENCE: Duration = Duration::from_secs(2);

/// What the store gave.
enum Taken<S: Store> {
    /// The locks, and the line that says so.
    Granted(Granted, Vec<u8>),
    Queued(Place<S>),
}

/// How a wait in the queue ended.
enum Waited {
    Granted(Granted),
    TimedOut,
    Cancelled,
}

impl<S: Store> Engine<S> {
    pub(super) async fn lock(
        self: &Rc<Self>,
        connection: &Rc<Connection>,
        envelope: &Envelope,
        request: Lock,
    ) -> Result<Vec<u8>, Fault> {
        let owner = self.owner(connection, envelope).await?;
        let (asked, wait) = self
            .lock_request(connection, envelope, &owner, &request)
            .await?;
        let targets = asked.targets.clone();
        self.names_are_free(&targets, owner.session)?;
        let (granted, line) = self.take_locks(connection, envelope, asked, wait).await?;
        // A run may have outlived the session whose lock this was.
        if let Err(fault) = self.names_are_free(&targets, owner.session) {
            if !granted.already_held {
                self.give_locks_back(&granted).await;
            }
            return Err(fault);
        }
        Ok(with_id(&line, envelope.id))
    }

    /// Takes locks, waiting in the queue where need be: what was granted, and the line that says so.
    pub(super) async fn take_locks(
        self: &Rc<Self>,
        connection: &Rc<Connection>,
        envelope: &Envelope,
        asked: lock::Request,
        wait: Duration,
    ) -> Result<(Granted, Vec<u8>), Fault> {
        let began = Instant::now();
        let settings = self.settings.of(asked.owner.session);
        self.not_being_edited(
            &asked,
            began + wait.max(Duration::from_millis(settings.hold_wait_ms)),
        )
        .await?;
        let engine = Rc::clone(self);
        let key = envelope.clone();
        let waits = !wait.is_zero();
        // Whoever goes away meanwhile leaves no ticket behind: the place is taken in any case.
        let taken =
            to_its_end(async move { engine.acquire_or_queue(&key, asked, waits, began).await });
        let (granted, line) = match taken.await? {
            Taken::Granted(granted, line) => (granted, line),
            Taken::Queued(place) => {
                let granted = self
                    .wait_for(connection, envelope, place, began + wait)
                    .await?;
                let line = ok_line(None, &self.granted_body(&granted, began));
                if let Some(op_id) = &envelope.op_id {
                    self.store
                        .remember(op_id, &line)
                        .await
                        .map_err(|e| storage(&e))?;
                }
                (granted, line)
            }
        };
        self.leases_changed.notify_one();
        for lock in granted.locks.iter().filter(|_| !granted.already_held) {
            self.note_of(
                "lock",
                "granted",
                lock.owner.session,
                Some(lock.shown.clone()),
                Some(lock.epoch.to_string()),
            );
            self.changed("locks", &lock.project);
        }
        Ok((granted, line))
    }

    /// Takes the locks, or a place in the queue.
    async fn acquire_or_queue(
        self: &Rc<Self>,
        envelope: &Envelope,
        asked: lock::Request,
        waits: bool,
        began: Instant,
    ) -> Result<Taken<S>, Fault> {
        let said = Once::new(|granted: &Granted| ok_line(None, &self.granted_body(granted, began)));
        let keep = |granted: &Granted| said.keep(granted);
        let retry = retry(envelope, &keep);
        let acquired = self.store.acquire(asked, waits, self.now(), retry).await;
        match acquired.map_err(|e| storage(&e))? {
            Ok(Acquired::Granted(granted)) => {
                let line = said.say(&granted, None);
                Ok(Taken::Granted(granted, line))
            }
            Ok(Acquired::Queued(ticket)) => {
                let place = self.take_place(ticket);
                self.waits_may_have_changed();
                Ok(Taken::Queued(place))
            }
            Err(refusal) => Err(self.refused(&refusal, Reader::Request)),
        }
    }

    async fn lock_request(
        &self,
        connection: &Connection,
        envelope: &Envelope,
        owner: &Owner,
        request: &Lock,
    ) -> Result<(lock::Request, Duration), Fault> {
        let count = request.paths.len() + usize::from(request.name.is_some());
        if count == 0 || count > LOCK_TARGETS_MAX {
            return Err(Fault::new(
                "invalid_field",
                format!("`paths` and `name` name {count} things to lock"),
            )
            .hint(format!(
                "name 1 to {LOCK_TARGETS_MAX}: files, directories (`dir/`), globs, or a name"
            )));
        }
        let place = self
            .place(connection, envelope, Some(owner.session), None)
            .await?;
        let mut targets = targets::resolve(&place.directory, &request.paths).await?;
        targets::not_above(&targets, &place)?;
        if let Some(name) = &request.name {
            targets.push((
                Target::Name {
                    project: place.project.clone(),
                    name: name.clone(),
                },
                name.clone(),
            ));
        }
        let ttl_ms = request
            .ttl_s
            .unwrap_or(self.settings.of(owner.session).lock_ttl_s)
            .saturating_mul(1_000);
        let wait_ms = request.wait_s.unwrap_or(0).saturating_mul(1_000);
        if ttl_ms == 0 || ttl_ms > LOCK_TTL_MS_MAX || wait_ms > LOCK_WAIT_MS_MAX {
            return Err(
                Fault::new("invalid_field", "`ttl_s` or `wait_s` is out of bounds").hint(format!(
                    "ttl_s: 1 to {}, wait_s: 0 to {}",
                    LOCK_TTL_MS_MAX / 1_000,
                    LOCK_WAIT_MS_MAX / 1_000
                )),
            );
        }
        let asked = lock::Request {
            owner: owner.clone(),
            project: place.project,
            targets,
            reason: clean(request.reason.as_deref()),
            ttl_ms,
            keep: request.keep,
        };
        Ok((asked, Duration::from_millis(wait_ms)))
    }

    /// Waits until no other session is in the middle of an edit of what is asked for.
    async fn not_being_edited(
        &self,
        asked: &lock::Request,
        deadline: Instant,
    ) -> Result<(), Fault> {
        let mut patterns = Vec::new();
        for (target, _) in &asked.targets {
            let pattern = Pattern::compile(target.clone());
            patterns.push(pattern.map_err(|refusal| self.refused(&refusal, Reader::Request))?);
        }
        loop {
            let freed = self.hold_freed.notified();
            tokio::pin!(freed);
            freed.as_mut().enable();
            let now = self.now();
            let in_the_way = self.holds.borrow().iter().find_map(|hold| {
                let theirs = hold.owner.contends_with(&asked.owner);
                (theirs && patterns.iter().any(|pattern| pattern.covers(&hold.file))).then(|| {
                    InTheWay {
                        target: hold.shown.clone(),
                        owner: hold.owner.clone(),
                        since_wall_ms: hold.since.wall_ms,
                        until_wall_ms: now.wall_at(hold.until_mono_ms),
                        reason: None,
                    }
                })
            });
            let Some(in_the_way) = in_the_way else {
                return Ok(());
            };
            if tokio::time::timeout_at(deadline, freed).await.is_err() {
                return Err(self.refused(&Refusal::Busy(in_the_way), Reader::Request));
            }
        }
    }

    /// Waits in the queue; leaves it on time-out, on `cancel`, and when the client goes away.
    async fn wait_for(
        self: &Rc<Self>,
        connection: &Rc<Connection>,
        envelope: &Envelope,
        mut place: Place<S>,
        deadline: Instant,
    ) -> Result<Granted, Fault> {
        let ticket = place.ticket;
        let (send_cancel, mut cancelled) = oneshot::channel();
        if let Some(id) = envelope.id {
            self.cancels
                .borrow_mut()
                .insert((connection.id, id), send_cancel);
        }
        let mut every = tokio::time::interval(PLACE_EVERY);
        let waited = loop {
            let Some(receive) = place.granted.as_mut() else {
                break Waited::Cancelled;
            };
            tokio::select! {
                biased;
                granted = receive => {
                    place.granted = None;
                    break granted.map_or(Waited::TimedOut, Waited::Granted);
                }
                Ok(()) = &mut cancelled => break Waited::Cancelled,
                () = tokio::time::sleep_until(deadline) => break Waited::TimedOut,
                _ = every.tick() => self.tell_place(connection, envelope, ticket),
            }
        };
        if let Some(id) = envelope.id {
            self.cancels.borrow_mut().remove(&(connection.id, id));
        }
        match waited {
            Waited::Granted(granted) => Ok(granted),
            Waited::Cancelled => Err(Fault::new(
                "cancelled",
                "The wait was cancelled; nothing was locked.",
            )),
            Waited::TimedOut => {
                let Some(refusal) = self.store.leave(ticket, self.now()) else {
                    return self.granted_late(place).await;
                };
                place.granted = None;
                self.waiter_left();
                Err(self.timed_out(&refusal))
            }
        }
    }

    /// The time is over, but the queue has been left already: the grant is on its way, unless the
    /// session is over.
    async fn granted_late(&self, mut place: Place<S>) -> Result<Granted, Fault> {
        if let Some(granted) = place.granted.as_mut()
            && let Ok(Ok(granted)) = timeout(GRANT_PATIENCE, granted).await
        {
            place.granted = None;
            return Ok(granted);
        }
        Err(self.timed_out(&Refusal::Locked(Vec::new())))
    }

    fn timed_out(&self, refusal: &Refusal) -> Fault {
        let mut fault = self.refused(refusal, Reader::Request);
        "timed_out_waiting".clone_into(&mut fault.code);
        fault.message = format!(
            "{} It did not come free in the time you waited.",
            fault.message
        );
        fault
    }

    fn tell_place(&self, connection: &Connection, envelope: &Envelope, ticket: Ticket) {
        let place = self.store.read(|ledger| ledger.locks.place(ticket));
        if let (Some(id), Some(place)) = (envelope.id, place) {
            let place = u64::try_from(place).ok();
            let _ = connection.push.try_send(Push {
                push: "place".into(),
                request: Some(id),
                place,
                ..Push::default()
            });
        }
    }

    fn granted_body(&self, granted: &Granted, began: Instant) -> Locks {
        let now = self.now();
        Locks {
            locks: granted
                .locks
                .iter()
                .map(|lock| translate::lock(lock, now, &[]))
                .collect(),
            outcome: if granted.already_held {
                "already_held"
            } else {
                "granted"
            }
            .to_owned(),
            waited_ms: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
        }
    }

    pub(super) async fn unlock(
        self: &Rc<Self>,
        connection: &Rc<Connection>,
        envelope: &Envelope,
        request: Unlock,
    ) -> Result<Vec<u8>, Fault> {
        let owner = self.owner(connection, envelope).await?;
        let release = self
            .release_of(connection, envelope, &owner, &request)
            .await?;
        let said = Once::new(|freed: &Freed| ok_line(None, &self.released_body(freed)));
        let keep = |freed: &Freed| said.keep(freed);
        let retry = retry(envelope, &keep);
        let freed = self
            .store
            .release(release, self.now(), retry)
            .await
            .map_err(|e| storage(&e))?;
        let freed = freed.map_err(|refusal| self.refused(&refusal, Reader::Request))?;
        self.freed(
            &freed,
            if request.force {
                "broken by a person"
            } else {
                "released"
            },
        );
        Ok(said.say(&freed, envelope.id))
    }

    fn released_body(&self, freed: &Freed) -> Locks {
        let now = self.now();
        Locks {
            locks: freed
                .locks
                .iter()
                .map(|lock| translate::lock(lock, now, &[]))
                .collect(),
            outcome: if freed.locks.is_empty() {
                "not_held"
            } else {
                "released"
            }
            .to_owned(),
            waited_ms: 0,
        }
    }

    async fn release_of(
        &self,
        connection: &Connection,
        envelope: &Envelope,
        owner: &Owner,
        request: &Unlock,
    ) -> Result<Release, Fault> {
        if request.all && owner.agent.is_some() {
            return Ok(Release::Agent(owner.clone()));
        }
        if request.all {
            return Ok(Release::Session {
                session: owner.session,
                unless_kept: false,
            });
        }
        let place = self
            .place(connection, envelope, Some(owner.session), None)
            .await?;
        let mut targets: Vec<Target> = targets::resolve(&place.directory, &request.paths)
            .await?
            .into_iter()
            .map(|(target, _)| target)
            .collect();
        if let Some(name) = &request.name {
            targets.push(Target::Name {
                project: place.project,
                name: name.clone(),
            });
        }
        if targets.is_empty() {
            return Err(Fault::new("invalid_field", "nothing to unlock was named")
                .hint("give `paths`, `name`, or `all`"));
        }
        if request.force {
            let kind = self.store.read(|ledger| {
                ledger
                    .sessions
                    .get(&owner.session)
                    .map(|session| session.kind)
            });
            return match kind {
                Some(Kind::Person) => Ok(Release::Broken { targets }),
                _ => Err(
                    Fault::new("not_allowed", "only a person at a terminal may do that")
                        .hint("ask the person who runs this session, or wait until the lock ends"),
                ),
            };
        }
        let epoch = request.epoch.as_deref().map(translate::epoch).transpose()?;
        Ok(Release::Targets {
            owner: owner.clone(),
            targets,
            epoch,
        })
    }
}
