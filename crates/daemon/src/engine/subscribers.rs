//! Who wants to know of changes.

use std::{collections::BTreeMap, rc::Rc};

use kite_store::Store;
use kite_wire::{
    reply::{Done, Event, Fault, Push},
    request::{Subscribe, nearest_hint},
};

use tokio::sync::broadcast::error::RecvError;

use super::Engine;
use crate::{
    doors::{Connection, PushSender},
    translate,
};

/// What can be subscribed to.
const TOPICS: [&str; 4] = ["sessions", "tasks", "locks", "events"];

/// Connections and their topics.
#[derive(Debug, Default)]
pub(super) struct Subscribers {
    by_connection: BTreeMap<u64, (PushSender, Vec<String>)>,
}

impl Subscribers {
    pub(super) fn leave(&mut self, connection: u64) {
        self.by_connection.remove(&connection);
    }

    /// Says that something of a topic changed. Whoever reads too slowly is left behind.
    pub(super) fn tell(&mut self, topic: &str, project: Option<&str>) {
        self.send(topic, || Push {
            push: topic.to_owned(),
            project: project.map(str::to_owned),
            ..Push::default()
        });
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
        match events.recv().await {
            Ok(event) => engine.subscribers.borrow_mut().tell_event(&event),
            Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => return,
        }
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
        self.subscribers.borrow_mut().tell(topic, Some(project));
    }
}
