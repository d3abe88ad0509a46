//! Which changes a resource has to do with, and when its content counts as changed.

use std::hash::{DefaultHasher, Hash, Hasher};

use kite_wire::reply::Push;
use serde_json::Value;

use super::{ReadError, Reader, Uri, events};
use crate::daemon::Topics;

/// Fields that move by themselves. A change of these alone is none.
const MOVING: [&str; 2] = ["last_seen", "until"];

/// What a change means for a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Concern {
    /// Nothing.
    None,
    /// It may have changed.
    Perhaps,
    /// It has.
    Certain,
}

impl Uri {
    /// The changes that may be changes of it. A session shows its locks and tasks, too.
    pub(crate) fn topics(&self) -> Topics {
        Topics::of(match self {
            Uri::Tasks(_) | Uri::Task(_) => &["tasks"],
            Uri::Sessions(_) | Uri::Session(_) => &["sessions", "tasks", "locks"],
            Uri::Locks(_) => &["locks"],
            Uri::Events(_) => &["log"],
            // Of notes nothing is told; the feed stands all the same.
            Uri::Vault(_) => &["tasks"],
        })
    }

    /// What this change means for it. `project` is the one that it shows, where that is known.
    pub(crate) fn concern(&self, push: &Push, project: Option<&str>) -> Concern {
        let topic = Topics::of(&[push.push.as_str()]);
        if topic == Topics::default() || !self.topics().contain(topic) {
            return Concern::None;
        }
        let is_here = match (project, push.project.as_deref()) {
            (Some(shown), Some(changed)) => Some(shown == changed),
            _ => None,
        };
        match self {
            Uri::Vault(_) => Concern::None,
            _ if is_here == Some(false) => Concern::None,
            Uri::Tasks(tasks) if tasks.are_all() && is_here == Some(true) => Concern::Certain,
            Uri::Task(_) if push.ids.is_empty() => Concern::Perhaps,
            Uri::Task(task) if push.ids.iter().any(|id| id.starts_with(&task.id)) => {
                Concern::Certain
            }
            Uri::Task(_) => Concern::None,
            Uri::Events(events) if events.session.is_none() => Concern::Certain,
            _ => Concern::Perhaps,
        }
    }

    /// A number that differs where the content does, and the project that it shows, where it shows
    /// one and that can be seen.
    pub(crate) async fn digest(
        &self,
        reader: &Reader<'_>,
    ) -> Result<(u64, Option<String>), ReadError> {
        let mut state = DefaultHasher::new();
        let content = match self {
            // The newest one stands for all: none comes without a new number.
            Uri::Events(events) => {
                let newest = events::Events {
                    after: None,
                    limit: 1,
                    ..events.clone()
                };
                newest
                    .read(reader)
                    .await
                    .map(|mut content| content["events"].take())
            }
            other => other.read(reader).await,
        };
        let mut project = None;
        match content {
            Ok(content) => {
                project = self.project(&content);
                hash(&content, &mut state);
            }
            // That there is no such thing is a state of it.
            Err(ReadError::NotFound(_)) => 0.hash(&mut state),
            Err(error) => return Err(error),
        }
        Ok((state.finish(), project))
    }

    fn project(&self, content: &Value) -> Option<String> {
        let (list, page) = match self {
            Uri::Tasks(tasks) => ("tasks", &tasks.page),
            Uri::Sessions(sessions) => ("sessions", &sessions.page),
            Uri::Locks(locks) => ("locks", &locks.page),
            _ => return None,
        };
        let is_one = page.project.as_deref() != Some("*");
        let entry = &content[list][0]["project"];
        let shown = content["project"].as_str().or_else(|| entry.as_str());
        shown.filter(|_| is_one).map(str::to_owned)
    }
}

fn hash(value: &Value, state: &mut DefaultHasher) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields
                .iter()
                .filter(|(name, _)| !MOVING.contains(&name.as_str()))
            {
                name.hash(state);
                hash(value, state);
            }
        }
        Value::Array(items) => {
            items.len().hash(state);
            items.iter().for_each(|item| hash(item, state));
        }
        other => other.to_string().hash(state),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(uri: &str, push: Value) -> Concern {
        let push: Push = serde_json::from_value(push).expect("a push");
        Uri::parse(uri).expect("ours").concern(&push, None)
    }

    #[test]
    fn another_project_is_no_concern() {
        let in_project = |uri: &str, project: &str| {
            let push: Push =
                serde_json::from_value(json!({"push": "tasks", "project": "/p"})).expect("a push");
            Uri::parse(uri).expect("ours").concern(&push, Some(project))
        };
        assert_eq!(in_project("kite://tasks", "/p"), Concern::Certain);
        assert_eq!(in_project("kite://tasks/ready", "/p"), Concern::Perhaps);
        assert_eq!(in_project("kite://tasks", "/q"), Concern::None);
        assert_eq!(in_project("kite://sessions", "/q"), Concern::None);
        let everywhere = Uri::parse("kite://tasks?project=*").expect("ours");
        assert_eq!(
            everywhere.project(&json!({"tasks": [{"project": "/p"}]})),
            None
        );
    }

    #[test]
    fn a_change_concerns_what_shows_it() {
        let named = json!({"push": "tasks", "project": "/p", "ids": ["1a2b3c4d00"]});
        assert_eq!(of("kite://task/1a2b3c4d", named.clone()), Concern::Certain);
        assert_eq!(of("kite://task/77aa", named.clone()), Concern::None);
        assert_eq!(of("kite://tasks/done", named.clone()), Concern::Perhaps);
        assert_eq!(of("kite://sessions", named.clone()), Concern::Perhaps);
        assert_eq!(of("kite://locks", named.clone()), Concern::None);
        assert_eq!(of("kite://events", named), Concern::None);
        let unnamed = json!({"push": "tasks"});
        assert_eq!(of("kite://task/77aa", unnamed), Concern::Perhaps);
        let log = json!({"push": "log"});
        assert_eq!(of("kite://events", log.clone()), Concern::Certain);
        assert_eq!(
            of("kite://events?session=77aa", log.clone()),
            Concern::Perhaps
        );
        assert_eq!(of("kite://locks", log), Concern::None);
        assert_eq!(
            of("kite://locks", json!({"push": "weather"})),
            Concern::None
        );
    }

    #[test]
    fn what_moves_by_itself_is_no_change() {
        let digest = |content: &Value| {
            let mut state = DefaultHasher::new();
            hash(content, &mut state);
            state.finish()
        };
        let session = |seen: &str, state: &str| json!({"sessions": [{"id": "1", "last_seen": seen, "state": state}]});
        assert_eq!(digest(&session("1", "idle")), digest(&session("2", "idle")));
        assert_ne!(
            digest(&session("1", "idle")),
            digest(&session("1", "active"))
        );
    }
}
