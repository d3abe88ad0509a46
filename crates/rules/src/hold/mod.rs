//! Holds: what an editing tool takes by itself, for seconds, so that racing edits of one file
//! follow each other instead of overwriting each other. In memory only.
//!
//! **Architecture Invariant:** two owners who contend never hold one file at the same moment, and
//! nothing here waits: a queue is an order of tickets, and whoever holds one asks again.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    string::{String, ToString},
    vec::Vec,
};

use crate::{
    Now, limits,
    refusal::InTheWay,
    session::{Owner, SessionId},
};

/// An edit under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    /// Canonical key of the file.
    pub file: String,
    /// The path as shown.
    pub shown: String,
    pub owner: Owner,
    /// The client's id of the tool call.
    pub tool_use_id: String,
    pub since: Now,
    /// When it ends by itself, on the monotonic clock.
    pub until_mono_ms: u64,
}

/// A place in a file's queue. Never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u64);

/// All holds, and who waits for which file, first come first served.
#[derive(Clone, Debug, Default)]
pub struct HoldTable {
    holds: BTreeMap<HoldId, Entry>,
    files: BTreeMap<String, File>,
    by_session: BTreeMap<SessionId, BTreeSet<HoldId>>,
    /// When each hold ends by itself, soonest first.
    ends: BTreeSet<(u64, HoldId)>,
    /// The file that each ticket is for.
    tickets: BTreeMap<Ticket, String>,
    last_hold: HoldId,
    last_ticket: u64,
}

/// In the order of taking.
type HoldId = u64;

#[derive(Clone, Debug)]
struct Entry {
    hold: Hold,
    /// Its tool has run; only the grace is left.
    finished: bool,
}

#[derive(Clone, Debug, Default)]
struct File {
    holds: BTreeSet<HoldId>,
    queue: BTreeMap<Ticket, Owner>,
}

impl HoldTable {
    #[must_use]
    pub fn new() -> HoldTable {
        HoldTable::default()
    }

    /// Takes the file for this tool call, or says who has it. Others who wait for it come first
    /// unless `ticket` stands before them, which leaves the queue then. An owner who does not
    /// contend shares it; whoever is in the middle of an edit of it does not stand in line
    /// again. A repeated take of the same tool call renews. Lasts
    /// [`crate::limits::HOLD_TTL_MS`] unless ended.
    pub fn take(
        &mut self,
        file: &str,
        shown: &str,
        owner: &Owner,
        tool_use_id: &str,
        ticket: Option<Ticket>,
        now: Now,
    ) -> Result<(), InTheWay> {
        if let Some(way) = self.blocking(file, owner, now) {
            return Err(way);
        }
        let (mut own, mut is_inside) = (None, false);
        for (id, entry) in self.on(file, now) {
            is_inside |= !entry.finished && !entry.hold.owner.contends_with(owner);
            if entry.hold.owner == *owner && entry.hold.tool_use_id == tool_use_id {
                own = Some(id);
            }
        }
        if own.is_none()
            && !is_inside
            && let Some(first) = self.waits_before(file, owner, ticket)
        {
            return Err(InTheWay {
                target: shown.to_string(),
                owner: first.clone(),
                since_wall_ms: now.wall_ms,
                until_wall_ms: now.wall_ms.saturating_add(limits::HOLD_WAIT_MS),
                reason: None,
            });
        }
        if let Some(ticket) = ticket {
            self.leave(ticket);
        }
        let since = own.and_then(|id| self.remove(id)).map(|old| old.since);
        self.insert(Hold {
            file: file.to_string(),
            shown: shown.to_string(),
            owner: owner.clone(),
            tool_use_id: tool_use_id.to_string(),
            since: since.unwrap_or(now),
            until_mono_ms: now.mono_ms.saturating_add(limits::HOLD_TTL_MS),
        });
        Ok(())
    }

    /// Joins the file's queue.
    pub fn wait(&mut self, file: &str, owner: &Owner) -> Ticket {
        self.last_ticket += 1;
        let ticket = Ticket(self.last_ticket);
        self.tickets.insert(ticket, file.to_string());
        let queue = &mut self.files.entry(file.to_string()).or_default().queue;
        queue.insert(ticket, owner.clone());
        ticket
    }

    /// Leaves the queue, after a take or when giving up.
    pub fn leave(&mut self, ticket: Ticket) {
        if let Some(file) = self.tickets.remove(&ticket) {
            self.tidy(&file, |file| {
                file.queue.remove(&ticket);
            });
        }
    }

    /// Who waits for this file, first first.
    #[must_use]
    pub fn waiting(&self, file: &str) -> Vec<&Owner> {
        let queued = self.files.get(file).map(|file| file.queue.values());
        queued.into_iter().flatten().collect()
    }

    /// The tool has finished: the hold ends `grace_ms` from now (formatter hooks still run), or
    /// earlier by `settle`. See [`crate::limits::HOLD_GRACE_MS`].
    pub fn finished(&mut self, session: SessionId, tool_use_id: &str, grace_ms: u64, now: Now) {
        let grace_ends = now.mono_ms.saturating_add(grace_ms);
        for id in self.of_session(session, |hold| hold.tool_use_id == tool_use_id) {
            if let Some(entry) = self.holds.get_mut(&id) {
                self.ends.remove(&(entry.hold.until_mono_ms, id));
                entry.finished = true;
                entry.hold.until_mono_ms = entry.hold.until_mono_ms.min(grace_ends);
                self.ends.insert((entry.hold.until_mono_ms, id));
            }
        }
    }

    /// The tool did not run or failed: the hold ends now. Returns the freed files.
    pub fn drop_call(&mut self, session: SessionId, tool_use_id: &str) -> Vec<String> {
        let over = self.of_session(session, |hold| hold.tool_use_id == tool_use_id);
        self.end(over)
    }

    /// A later event of this owner shows that its earlier calls are over (all hooks of a batch
    /// have run, a new prompt, ...): its holds end now, but for the calls in `still_open`.
    pub fn settle(&mut self, owner: &Owner, still_open: &[&str]) -> Vec<String> {
        let over = self.of_session(owner.session, |hold| {
            hold.owner == *owner && !still_open.contains(&hold.tool_use_id.as_str())
        });
        self.end(over)
    }

    /// The turn or the session is over: everything of it and of its subagents ends now, its
    /// places in queues too.
    pub fn drop_session(&mut self, session: SessionId) -> Vec<String> {
        let is_waiting = |(ticket, file): (&Ticket, &String)| {
            let owner = self.files.get(file)?.queue.get(ticket)?;
            (owner.session == session).then_some(*ticket)
        };
        let waits: Vec<Ticket> = self.tickets.iter().filter_map(is_waiting).collect();
        for ticket in waits {
            self.leave(ticket);
        }
        let over = self.of_session(session, |_| true);
        self.end(over)
    }

    /// Ends what has run out; returns the freed files.
    pub fn expire(&mut self, now: Now) -> Vec<String> {
        let over = self
            .ends
            .iter()
            .take_while(|(until, _)| *until <= now.mono_ms)
            .map(|(_, id)| *id)
            .collect();
        self.end(over)
    }

    /// When the next hold runs out, on the monotonic clock.
    #[must_use]
    pub fn next_expiry(&self) -> Option<u64> {
        self.ends.first().map(|(until, _)| *until)
    }

    /// A hold of another owner on this file.
    #[must_use]
    pub fn blocking(&self, file: &str, owner: &Owner, now: Now) -> Option<InTheWay> {
        self.on(file, now)
            .map(|(_, entry)| &entry.hold)
            .find(|hold| hold.owner.contends_with(owner))
            .map(|hold| InTheWay {
                target: hold.shown.clone(),
                owner: hold.owner.clone(),
                since_wall_ms: hold.since.wall_ms,
                until_wall_ms: now.wall_at(hold.until_mono_ms),
                reason: None,
            })
    }

    /// All holds, by when they were taken or renewed.
    pub fn iter(&self) -> impl Iterator<Item = &Hold> {
        self.holds.values().map(|entry| &entry.hold)
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.holds.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.holds.is_empty()
    }

    /// The holds on this file that have not run out.
    fn on(&self, file: &str, now: Now) -> impl Iterator<Item = (HoldId, &Entry)> {
        let file = self.files.get(file).into_iter();
        file.flat_map(|file| &file.holds)
            .filter_map(|id| Some((*id, self.holds.get(id)?)))
            .filter(move |(_, entry)| entry.hold.until_mono_ms > now.mono_ms)
    }

    /// The first in the file's queue whom this owner, with this ticket, has to let pass.
    fn waits_before(&self, file: &str, owner: &Owner, ticket: Option<Ticket>) -> Option<&Owner> {
        let queue = &self.files.get(file)?.queue;
        let place = ticket.filter(|ticket| queue.contains_key(ticket));
        let ahead = queue
            .iter()
            .take_while(|(other, _)| place.is_none_or(|place| **other < place));
        ahead
            .map(|(_, other)| other)
            .find(|other| other.contends_with(owner))
    }

    fn of_session(&self, session: SessionId, wanted: impl Fn(&Hold) -> bool) -> Vec<HoldId> {
        let holds = self.by_session.get(&session).into_iter().flatten();
        holds
            .filter(|id| self.holds.get(id).is_some_and(|entry| wanted(&entry.hold)))
            .copied()
            .collect()
    }

    fn insert(&mut self, hold: Hold) {
        self.last_hold += 1;
        let id = self.last_hold;
        self.ends.insert((hold.until_mono_ms, id));
        let session = self.by_session.entry(hold.owner.session).or_default();
        session.insert(id);
        let file = self.files.entry(hold.file.clone()).or_default();
        file.holds.insert(id);
        let finished = false;
        self.holds.insert(id, Entry { hold, finished });
    }

    fn remove(&mut self, id: HoldId) -> Option<Hold> {
        let Entry { hold, .. } = self.holds.remove(&id)?;
        self.ends.remove(&(hold.until_mono_ms, id));
        if let Some(holds) = self.by_session.get_mut(&hold.owner.session) {
            holds.remove(&id);
            if holds.is_empty() {
                self.by_session.remove(&hold.owner.session);
            }
        }
        self.tidy(&hold.file, |file| {
            file.holds.remove(&id);
        });
        Some(hold)
    }

    /// Ends these holds; the files they were on, each once.
    fn end(&mut self, over: Vec<HoldId>) -> Vec<String> {
        let ended = over.into_iter().filter_map(|id| self.remove(id));
        let freed: BTreeSet<String> = ended.map(|hold| hold.file).collect();
        freed.into_iter().collect()
    }

    /// Changes what is known of a file, and forgets the file where nothing is left.
    fn tidy(&mut self, name: &str, change: impl FnOnce(&mut File)) {
        if let Some(file) = self.files.get_mut(name) {
            change(file);
            if file.holds.is_empty() && file.queue.is_empty() {
                self.files.remove(name);
            }
        }
    }
}

#[cfg(test)]
mod tests;
