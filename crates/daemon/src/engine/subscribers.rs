//! Who wants to know of changes.
//!
//! A push says that something changed, and is sent the moment it has: nothing here waits, polls or
//! gathers. What is only in memory (edits under way, queues) is compared with what was last told,
//! because many things move it and few change it.

use std::{
    collections::{BTreeMap, BTreeSet},
    hash::{DefaultHasher, Hash, Hasher},
    rc::Rc,
};

use kite_rules::task::{Changed, TaskId};
use kite_store::Store;
use kite_wire::{
    reply::{Done, Event, Fault, Push},
    request::{Subscribe, nearest_hint},
};

use tokio::sync::broadcast::error::{RecvError, TryRecvError};

use super::Engine;
use crate::{
    doors::{Connection, PushSender},
    translate,
};

/// What can be subscribed to. `log` is `events` without the events: that there are new ones.
const TOPICS: [&str; 5] = ["sessions", "tasks", "locks", "events", "log"];
/// Most tasks that one push names. Where more are concerned it names none, which means any.
const IDS_MAX: usize = 64;

/// Connections and their topics.
#[derive(Debug, Default)]
pub(super) struct Subscribers {
    by_connection: BTreeMap<u64, (PushSender, Vec<String>)>,
    /// Edits under way and queues, as they were last told.
    told: u64,
}

impl Subscribers {
    pub(super) fn leave(&mut self, connection: u64) {
        self.by_connection.remove(&connection);
    }

    /// Says that something of a topic changed. Whoever reads too slowly is left behind.
    pub(super) fn tell(&mut self, topic: &str, project: Option<&str>, ids: &[String]) {
        self.send(topic, || Push {
            push: topic.to_owned(),
            project: project.map(str::to_owned),
            ids: ids.to_vec(),
            ..Push::default()
        });
    }

    fn wants(&self, topic: &str) -> bool {
        let mut all = self.by_connection.values();
        all.any(|(_, topics)| topics.iter().any(|wanted| wanted == topic))
    }

    pub(super) fn tell_event(&mut self, event: &Event) {
        self.send("events", || Push {
            push: "events".to_owned(),
            event: Some(event.clone()),
            ..Push::default()
        });
    }

    fn send(&mut self, topic: &str, push: impl Fn() -> Push) {
        self.by_connection.retain(|_, (sender, topics)| {
            !topics.iter().any(|wanted| wanted == topic) || sender.try_send(push()).is_ok()
        });
    }
}

/// Hands the log's events to those who follow them. What a slow follower misses is in the log.
pub(super) async fn pass_on_events<S: Store>(engine: Rc<Engine<S>>) {
    let mut events = engine.log.follow();
    loop {
        let mut next = match events.recv().await {
            Ok(event) => Some(event),
            Err(RecvError::Lagged(_)) => None,
            Err(RecvError::Closed) => return,
        };
        // All that are there make one push for those who only want to know that there are some.
        loop {
            if let Some(event) = next.take() {
                engine.subscribers.borrow_mut().tell_event(&event);
            }
            next = match events.try_recv() {
                Ok(event) => Some(event),
                Err(TryRecvError::Lagged(_)) => None,
                Err(TryRecvError::Empty | TryRecvError::Closed) => break,
            };
        }
        engine.subscribers.borrow_mut().tell("log", None, &[]);
        // Most of what an agent does begins or ends an edit.
        engine.waits_may_have_changed();
    }
}

/// Tells of edits that end while nothing is logged: by their time, or by a later event.
pub(super) async fn pass_on_ends<S: Store>(engine: Rc<Engine<S>>) {
    loop {
        engine.hold_freed.notified().await;
        engine.waits_may_have_changed();
    }
}

impl<S: Store> Engine<S> {
    pub(super) fn subscribe(
        &self,
        connection: &Connection,
        request: &Subscribe,
    ) -> Result<Done, Fault> {
        if connection.hello.borrow().is_none() {
            return Err(
                Fault::new("hello_required", "`subscribe` needs a lasting connection")
                    .hint("begin the connection with `hello`"),
            );
        }
        if let Some(unknown) = request
            .topics
            .iter()
            .find(|topic| !TOPICS.contains(&topic.as_str()))
        {
            let shown: String = unknown.chars().take(40).collect();
            return Err(Fault::new(
                "invalid_field",
                format!("`topics`: there is no topic `{shown}`"),
            )
            .hint(nearest_hint(unknown, TOPICS.iter().copied())));
        }
        let subscription = (connection.push.clone(), request.topics.clone());
        self.subscribers
            .borrow_mut()
            .by_connection
            .insert(connection.id, subscription);
        Ok(Done {})
    }

    pub(super) fn changed(&self, topic: &str, project: &str) {
        let project = translate::project(project);
        self.subscribers
            .borrow_mut()
            .tell(topic, Some(project), &[]);
    }

    /// Tells of a task and of those it woke, and names every task that now reads differently:
    /// one shows the states of its neighbours.
    pub(super) fn tasks_changed(&self, project: &str, changed: &Changed) {
        self.agents.wake();
        if !self.subscribers.borrow().wants("tasks") {
            return;
        }
        let mut concerned: BTreeSet<TaskId> = BTreeSet::new();
        self.store.read(|ledger| {
            let records = changed.touched.iter().chain(&changed.woken);
            for id in records.chain([&changed.task]) {
                concerned.insert(*id);
                concerned.extend(ledger.tasks.dependents(*id));
                if let Some(task) = ledger.tasks.get(*id) {
                    concerned.extend(&task.depends_on);
                }
            }
        });
        let ids: Vec<String> = match concerned.len() {
            0..=IDS_MAX => concerned.iter().map(ToString::to_string).collect(),
            _ => Vec::new(),
        };
        let project = translate::project(project);
        self.subscribers
            .borrow_mut()
            .tell("tasks", Some(project), &ids);
    }

    /// Compares edits under way and queues with what was last told, and tells of a difference.
    pub(super) fn waits_may_have_changed(&self) {
        let mut subscribers = self.subscribers.borrow_mut();
        if !subscribers.wants("locks") && !subscribers.wants("sessions") {
            return;
        }
        let now = self.waits();
        if std::mem::replace(&mut subscribers.told, now) != now {
            subscribers.tell("locks", None, &[]);
            subscribers.tell("sessions", None, &[]);
        }
    }

    /// A number that differs where edits under way or queues differ.
    fn waits(&self) -> u64 {
        let mut state = DefaultHasher::new();
        let holds = self.holds.borrow();
        for hold in holds.iter() {
            (&hold.file, &hold.owner).hash(&mut state);
            holds.waiting(&hold.file).hash(&mut state);
        }
        self.store.read(|ledger| {
            for lock in ledger.locks.iter() {
                let waiting = ledger.locks.waiting_for(lock);
                if !waiting.is_empty() {
                    (lock.epoch, waiting).hash(&mut state);
                }
            }
        });
        state.finish()
    }
}
