//! Touches and read-sets: who last saw and who last changed which content of a file. From it
//! follow compare-and-set for whole-file writes and the one-line notes about others' changes.
//!
//! **Architecture Invariant:** only what owners did is known here, in the order in which they
//! did it. What a person or an editor changed has no owner, and so is never held against anyone.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    string::{String, ToString},
    vec::Vec,
};

use crate::{
    Now, limits,
    refusal::Refusal,
    session::{Owner, SessionId},
};

/// A fingerprint of a file's content, or the absence of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Content {
    Absent,
    Hash(u128),
}

/// Another session's change that this one has not been told of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    pub file: String,
    pub shown: String,
    pub by: Owner,
    pub at: Now,
}

/// What is remembered of files, bounded by [`crate::limits::TOUCHED_FILES_MAX`].
#[derive(Clone, Debug, Default)]
pub struct TouchLog {
    files: BTreeMap<FileId, File>,
    by_name: BTreeMap<String, FileId>,
    /// Files by their last touch, longest ago first.
    by_touch: BTreeMap<Moment, FileId>,
    by_reader: BTreeSet<(SessionId, FileId)>,
    /// Files that each session's owners changed, by when each did so last.
    by_changer: BTreeMap<(SessionId, Moment), FileId>,
    last_file: FileId,
    last_moment: Moment,
}

type FileId = u64;

/// The order in which things were reported: clocks may show the same time for two of them.
type Moment = u64;

#[derive(Clone, Debug)]
struct File {
    name: String,
    touched: Moment,
    /// The last change of each owner.
    changes: BTreeMap<Owner, Change>,
    readers: BTreeMap<Owner, Reader>,
}

#[derive(Clone, Debug)]
struct Change {
    moment: Moment,
    shown: String,
    at: Now,
}

/// What one owner knows of a file.
#[derive(Clone, Debug, Default)]
struct Reader {
    /// The content it saw last; `None` before its first look.
    saw: Option<Content>,
    /// When it looked last; 0 before.
    looked: Moment,
    /// The last change of another that it was told of.
    told: Moment,
    /// The content over which a write was refused.
    refused: Option<Content>,
    /// When any of this changed.
    moment: Moment,
}

impl TouchLog {
    #[must_use]
    pub fn new() -> TouchLog {
        TouchLog::default()
    }

    /// The owner has seen this content (it read the file, or wrote it).
    pub fn saw(&mut self, file: &str, owner: &Owner, content: Content, now: Now) {
        let _ = now;
        let (id, moment) = self.touch(file);
        if let Some(reader) = self.reader(id, owner, moment) {
            reader.saw = Some(content);
            reader.looked = moment;
        }
    }

    /// The owner has changed the file and left this content. It has thereby seen it.
    pub fn changed(&mut self, file: &str, shown: &str, owner: &Owner, content: Content, now: Now) {
        self.saw(file, owner, content, now);
        let (id, moment) = self.touch(file);
        let Some(file) = self.files.get_mut(&id) else {
            return;
        };
        let change = Change {
            moment,
            shown: shown.to_string(),
            at: now,
        };
        let mut replaced = file.changes.insert(owner.clone(), change);
        let mut by = owner.session;
        if file.changes.len() > limits::CHANGES_PER_FILE_MAX {
            let oldest = file.changes.iter().min_by_key(|(_, change)| change.moment);
            if let Some(oldest) = oldest.map(|(owner, _)| owner.clone()) {
                replaced = file.changes.remove(&oldest);
                by = oldest.session;
            }
        }
        if let Some(replaced) = replaced {
            self.by_changer.remove(&(by, replaced.moment));
        }
        self.by_changer.insert((owner.session, moment), id);
    }

    /// Compare-and-set for a whole-file write over `current`: refused with
    /// [`Refusal::StaleWrite`] where another owner changed the file since this one last looked
    /// (or it never did), and what is there is not what it saw; once for each such content, so
    /// that a repeated write passes. What another left is not compared with what is there: its
    /// formatter may have run over it. A change that nobody of Kite's made (a person, an editor)
    /// never refuses, nor does one by an owner that it does not contend with (its parent, its own
    /// subagents).
    pub fn judge_overwrite(
        &mut self,
        file: &str,
        owner: &Owner,
        current: Content,
    ) -> Result<(), Refusal> {
        let Some((id, known)) = self.find(file) else {
            return Ok(());
        };
        let reader = known.readers.get(owner);
        let knows_it = reader
            .is_some_and(|reader| reader.saw == Some(current) || reader.refused == Some(current));
        let looked = reader.map_or(0, |reader| reader.looked);
        let unseen = known.latest_of_others(owner, looked);
        let Some((by, change)) = unseen.filter(|_| current != Content::Absent && !knows_it) else {
            return Ok(());
        };
        let refusal = Refusal::StaleWrite {
            file: change.shown.clone(),
            by: by.clone(),
            at_wall_ms: change.at.wall_ms,
        };
        let moment = self.next_moment();
        if let Some(reader) = self.reader(id, owner, moment) {
            reader.refused = Some(current);
        }
        Err(refusal)
    }

    /// The one note that is due when this owner is about to edit the file: the latest change by
    /// another that it has neither seen nor been told of, unless it is older than
    /// [`crate::limits::NOTE_AGE_MS_MAX`]. Given once.
    pub fn note_before_edit(&mut self, file: &str, owner: &Owner, now: Now) -> Option<Note> {
        let (id, known) = self.find(file)?;
        let reader = known.readers.get(owner);
        let aware = reader.map_or(0, |reader| reader.looked.max(reader.told));
        let (by, change) = known.latest_of_others(owner, aware)?;
        if now.mono_ms.saturating_sub(change.at.mono_ms) > limits::NOTE_AGE_MS_MAX {
            return None;
        }
        let note = Note {
            file: known.name.clone(),
            shown: change.shown.clone(),
            by: by.clone(),
            at: change.at,
        };
        let told = change.moment;
        let moment = self.next_moment();
        self.reader(id, owner, moment)?.told = told;
        Some(note)
    }

    /// Who has seen the file, and which content each saw last.
    pub fn readers(&self, file: &str) -> impl Iterator<Item = (&Owner, Content)> {
        let known = self.find(file).into_iter();
        known.flat_map(|(_, known)| {
            let readers = known.readers.iter();
            readers.filter_map(|(owner, reader)| Some((owner, reader.saw?)))
        })
    }

    /// The content of the file that this owner saw last.
    #[must_use]
    pub fn seen(&self, file: &str, owner: &Owner) -> Option<Content> {
        self.find(file)?.1.readers.get(owner)?.saw
    }

    /// Who changed the file, the latest first.
    #[must_use]
    pub fn changers(&self, file: &str) -> Vec<&Owner> {
        let Some((_, known)) = self.find(file) else {
            return Vec::new();
        };
        let mut changes: Vec<_> = known.changes.iter().collect();
        changes.sort_by_key(|(_, change)| core::cmp::Reverse(change.moment));
        changes.into_iter().map(|(owner, _)| owner).collect()
    }

    /// Who changed the file last, and when.
    #[must_use]
    pub fn latest_change(&self, file: &str) -> Option<(&Owner, Now)> {
        let (_, known) = self.find(file)?;
        let mut changes = known.changes.iter();
        let first = changes.next()?;
        let latest = changes.fold(first, |latest, it| match it.1.moment > latest.1.moment {
            true => it,
            false => latest,
        });
        Some((latest.0, latest.1.at))
    }

    /// What the file holds now is nobody's doing, and what owners had changed in it is settled
    /// (committed): from now on nobody has changed it. Who saw what stays remembered.
    pub fn disown(&mut self, file: &str) {
        let Some(id) = self.by_name.get(file) else {
            return;
        };
        let Some(file) = self.files.get_mut(id) else {
            return;
        };
        for (owner, change) in core::mem::take(&mut file.changes) {
            self.by_changer.remove(&(owner.session, change.moment));
        }
    }

    /// The files that a session and its subagents changed last, newest first, at most `max`.
    #[must_use]
    pub fn changed_by(&self, session: SessionId, max: usize) -> Vec<(String, Now)> {
        let mut seen = BTreeSet::new();
        self.by_changer
            .range((session, 0)..=(session, Moment::MAX))
            .rev()
            .filter(|(_, id)| seen.insert(**id))
            .filter_map(|((_, moment), id)| {
                let file = self.files.get(id)?;
                let mut changes = file.changes.values();
                let change = changes.find(|change| change.moment == *moment)?;
                Some((file.name.clone(), change.at))
            })
            .take(max)
            .collect()
    }

    /// The session is over: its read-set goes, its changes stay attributed to it.
    pub fn forget_reader(&mut self, session: SessionId) {
        let files: Vec<FileId> = self
            .by_reader
            .range((session, 0)..=(session, FileId::MAX))
            .map(|(_, id)| *id)
            .collect();
        for id in files {
            self.by_reader.remove(&(session, id));
            if let Some(file) = self.files.get_mut(&id) {
                file.readers.retain(|owner, _| owner.session != session);
            }
        }
    }

    fn find(&self, file: &str) -> Option<(FileId, &File)> {
        let id = *self.by_name.get(file)?;
        Some((id, self.files.get(&id)?))
    }

    fn next_moment(&mut self) -> Moment {
        self.last_moment += 1;
        self.last_moment
    }

    /// The file, now the last touched; the longest untouched makes room for a new one.
    fn touch(&mut self, name: &str) -> (FileId, Moment) {
        let moment = self.next_moment();
        let id = match self.by_name.get(name) {
            Some(id) => *id,
            None => {
                if self.files.len() >= limits::TOUCHED_FILES_MAX {
                    self.forget_oldest();
                }
                self.last_file += 1;
                self.by_name.insert(name.to_string(), self.last_file);
                self.last_file
            }
        };
        let file = self.files.entry(id).or_insert_with(|| File {
            name: name.to_string(),
            touched: moment,
            changes: BTreeMap::new(),
            readers: BTreeMap::new(),
        });
        self.by_touch.remove(&file.touched);
        file.touched = moment;
        self.by_touch.insert(moment, id);
        (id, moment)
    }

    fn forget_oldest(&mut self) {
        let Some((_, id)) = self.by_touch.pop_first() else {
            return;
        };
        let Some(file) = self.files.remove(&id) else {
            return;
        };
        self.by_name.remove(&file.name);
        for owner in file.readers.keys() {
            self.by_reader.remove(&(owner.session, id));
        }
        for (owner, change) in &file.changes {
            self.by_changer.remove(&(owner.session, change.moment));
        }
    }

    /// What this owner knows of the file; whoever knows it longest makes room.
    fn reader(&mut self, id: FileId, owner: &Owner, moment: Moment) -> Option<&mut Reader> {
        let file = self.files.get_mut(&id)?;
        if !file.readers.contains_key(owner) && file.readers.len() >= limits::READERS_PER_FILE_MAX {
            let oldest = file.readers.iter().min_by_key(|(_, reader)| reader.moment);
            if let Some(oldest) = oldest.map(|(owner, _)| owner.clone()) {
                file.readers.remove(&oldest);
                let of_session = |owner: &Owner| owner.session == oldest.session;
                if !file.readers.keys().any(of_session) {
                    self.by_reader.remove(&(oldest.session, id));
                }
            }
        }
        self.by_reader.insert((owner.session, id));
        let reader = file.readers.entry(owner.clone()).or_default();
        reader.moment = moment;
        Some(reader)
    }
}

impl File {
    /// The latest change after that moment by somebody with whom this owner contends.
    fn latest_of_others(&self, owner: &Owner, after: Moment) -> Option<(&Owner, &Change)> {
        self.changes
            .iter()
            .filter(|(by, change)| by.contends_with(owner) && change.moment > after)
            .max_by_key(|(_, change)| change.moment)
    }
}

#[cfg(test)]
mod tests;
