//! Choosing events, from the newest back.

use std::{collections::VecDeque, fs, path::PathBuf, sync::Arc};

use kite_wire::reply::Event;

use super::{Filter, files};

/// What memory could not answer.
#[derive(Debug)]
pub(super) struct Needed {
    pub(super) found: Collector,
    /// Events from this number on have been looked at.
    pub(super) before_seq: u64,
    pub(super) directory: PathBuf,
}

/// Takes events, newest first, as long as they can matter.
#[derive(Debug)]
pub(super) struct Collector {
    filter: Filter,
    since: Option<jiff::Timestamp>,
    /// Oldest first.
    found: VecDeque<Arc<Event>>,
}

impl Filter {
    pub(super) fn collector(&self) -> Collector {
        let since = self.since_wall_ms.and_then(|ms| i64::try_from(ms).ok());
        let since = since.and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
        Collector {
            filter: self.clone(),
            since,
            found: VecDeque::new(),
        }
    }

    fn matches(&self, event: &Event) -> bool {
        let of_session = self.session.as_ref().is_none_or(|prefix| {
            event
                .session
                .as_ref()
                .is_some_and(|id| id.starts_with(prefix))
        });
        of_session
            && self
                .tool
                .as_ref()
                .is_none_or(|tool| event.tool.as_ref() == Some(tool))
    }
}

impl Collector {
    /// False where neither this event nor any older one can matter.
    pub(super) fn take(&mut self, event: &Arc<Event>) -> bool {
        if self.filter.after.is_some_and(|after| event.seq <= after) || self.is_full() {
            return false;
        }
        if let Some(since) = self.since
            && event
                .at
                .parse::<jiff::Timestamp>()
                .is_ok_and(|at| at < since)
        {
            return false;
        }
        if self.filter.matches(event) {
            self.found.push_front(Arc::clone(event));
            if self.found.len() > self.filter.limit {
                self.found.pop_back();
            }
        }
        true
    }

    /// The newest ones were asked for, and they are there. (After a number, the oldest count.)
    pub(super) fn is_full(&self) -> bool {
        self.filter.after.is_none() && self.found.len() >= self.filter.limit
    }

    pub(super) fn finish(self) -> Vec<Arc<Event>> {
        self.found.into()
    }
}

/// Goes on where memory ended. Blocks.
pub(super) fn with_files(needed: Needed) -> Vec<Arc<Event>> {
    let Needed {
        mut found,
        before_seq,
        directory,
    } = needed;
    for file in files::newest_first(&directory) {
        // A file that retention has just deleted has no more to say.
        let Ok(content) = fs::read(&file.path) else {
            continue;
        };
        for line in content.split(|byte| *byte == b'\n').rev() {
            // A line torn by a loss of power is passed over.
            let Ok(event) = serde_json::from_slice::<Event>(line) else {
                continue;
            };
            if event.seq < before_seq && !found.take(&Arc::new(event)) {
                return found.finish();
            }
        }
    }
    found.finish()
}
