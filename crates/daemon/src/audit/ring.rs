//! The newest events, in memory.

use std::{
    collections::VecDeque,
    path::{Path, PathBuf},
    sync::Arc,
};

use kite_wire::reply::Event;

use super::{Filter, query::Needed};

/// Most events in memory.
pub(super) const EVENTS_MAX: usize = 5_000;
/// Most bytes of events in memory, as they are on disk.
pub(super) const BYTES_MAX: usize = 16 << 20;

#[derive(Debug)]
pub(super) struct Ring {
    events: VecDeque<(usize, Arc<Event>)>,
    bytes: usize,
    directory: PathBuf,
    /// Older events exist, or may exist, on disk.
    has_older: bool,
}

impl Ring {
    pub(super) fn new(directory: &Path, has_older: bool) -> Ring {
        Ring {
            events: VecDeque::new(),
            bytes: 0,
            directory: directory.to_owned(),
            has_older,
        }
    }

    pub(super) fn push(&mut self, event: Arc<Event>, bytes: usize) {
        self.events.push_back((bytes, event));
        self.bytes += bytes;
        while self.events.len() > EVENTS_MAX || self.bytes > BYTES_MAX {
            let Some((bytes, _)) = self.events.pop_front() else {
                break;
            };
            self.bytes -= bytes;
            self.has_older = true;
        }
    }

    /// The events that `filter` asks for; or what memory has of them, where files have more.
    pub(super) fn find(&self, filter: &Filter) -> Result<Vec<Arc<Event>>, Box<Needed>> {
        let newest_first = self.events.iter().rev().map(|(_, event)| event);
        let mut found = filter.collector();
        for event in newest_first {
            if !found.take(event) {
                return Ok(found.finish());
            }
        }
        if !self.has_older || found.is_full() {
            return Ok(found.finish());
        }
        let before_seq = self.events.front().map_or(u64::MAX, |(_, event)| event.seq);
        Err(Box::new(Needed {
            found,
            before_seq,
            directory: self.directory.clone(),
        }))
    }
}
