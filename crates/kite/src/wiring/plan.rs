//! What has to change so that a scope is wired: worked out in full before anything is written.

use super::{
    clients::Client,
    command::Caller,
    error::Error,
    exclude, files, git_hooks,
    machine::Machine,
    place::{self, Part, Place, Scope},
    project::Project,
    record::{self, Record, Shelf, Written},
    transaction::Change,
};

/// A wiring that has been thought through.
pub(crate) struct Plan {
    pub(crate) changes: Vec<Change>,
    /// What there is to say of git's hooks.
    pub(crate) notes: Vec<String>,
    scope: Scope,
    root: std::path::PathBuf,
    /// Every file of the scope, with its original text and what it will hold.
    entries: Vec<Entry>,
    /// What is remembered of files that this plan leaves alone.
    others: Vec<Written>,
}

struct Entry {
    place: Place,
    /// Before Kite; `None` where there was no file.
    original: Option<Vec<u8>>,
    will_hold: Vec<u8>,
    made_dirs: Vec<std::path::PathBuf>,
}

impl Plan {
    /// Reads every file of the scope and works out its new text.
    ///
    /// # Errors
    /// Where one of them cannot be understood, followed or written. Nothing has been changed.
    pub(crate) fn make(
        scope: Scope,
        project: &Project,
        machine: &Machine,
        git_hooks: bool,
    ) -> Result<Plan, Error> {
        let caller = scope.caller(machine)?;
        let root = root_of(scope, project, machine);
        let shelf = Shelf::of(&machine.home, &root, scope);
        let record = shelf.load()?;
        let mut plan = Plan {
            changes: Vec::new(),
            notes: Vec::new(),
            scope,
            root,
            entries: Vec::new(),
            others: Vec::new(),
        };
        for place in place::places(scope, project, machine) {
            if place.part == Part::Exclude && !needs_line(project, machine, record.as_ref(), &place)
            {
                continue;
            }
            let known = record.as_ref().and_then(|record| record.written(&place));
            plan.add(place, known, &shelf, &caller)?;
        }
        let hooks = git_hooks::install(project, machine, git_hooks)?;
        plan.changes.extend(hooks.changes);
        plan.notes = hooks.notes;
        for change in &plan.changes {
            files::check_writable(&change.before)?;
        }
        Ok(plan)
    }

    /// The plan for the clients beside Claude Code that this machine has. One whose files cannot be
    /// wired is left out, all of it, and the notes say why.
    ///
    /// # Errors
    /// Where Kite's own record cannot be read.
    pub(crate) fn of_clients(project: &Project, machine: &Machine) -> Result<Plan, Error> {
        let scope = Scope::Clients;
        let caller = scope.caller(machine)?;
        let root = root_of(scope, project, machine);
        let shelf = Shelf::of(&machine.home, &root, scope);
        let record = shelf.load()?;
        let empty = || Plan {
            changes: Vec::new(),
            notes: Vec::new(),
            scope,
            root: root.clone(),
            entries: Vec::new(),
            others: Vec::new(),
        };
        let mut plan = empty();
        for client in Client::found(machine) {
            let mut own = empty();
            let wired = client.places(machine).into_iter().try_for_each(|place| {
                let known = record.as_ref().and_then(|record| record.written(&place));
                own.add(place, known, &shelf, &caller)
            });
            let wired = wired.and_then(|()| {
                let mut changes = own.changes.iter();
                changes.try_for_each(|change| files::check_writable(&change.before))
            });
            match wired {
                Ok(()) => {
                    let is_new = !own.changes.is_empty();
                    plan.notes
                        .extend(client.next_step().filter(|_| is_new).map(str::to_owned));
                    plan.changes.extend(own.changes);
                    plan.entries.extend(own.entries);
                }
                Err(error) => {
                    let (name, what) = (client.name(), error.what);
                    let why = error.why.map(|why| format!(": {why}")).unwrap_or_default();
                    plan.notes.push(format!("{name} is left out: {what}{why}"));
                }
            }
        }
        let known = record.into_iter().flat_map(|record| record.files);
        plan.others = known
            .filter(|known| plan.entries.iter().all(|entry| entry.place != known.place))
            .collect();
        Ok(plan)
    }

    /// Keeps the originals and remembers what will be written.
    ///
    /// # Errors
    /// Names the file that could not be written.
    pub(crate) fn remember(&self, machine: &Machine) -> Result<(), Error> {
        let shelf = Shelf::of(&machine.home, &self.root, self.scope);
        let mut files = self.others.clone();
        for entry in &self.entries {
            let backup = entry
                .original
                .as_ref()
                .map(|bytes| shelf.back_up(bytes))
                .transpose()?;
            files.push(Written {
                place: entry.place.clone(),
                backup,
                hash: record::hash(&entry.will_hold),
                made_dirs: entry.made_dirs.clone(),
            });
        }
        let record = Record {
            root: self.root.clone(),
            scope: self.scope,
            files,
        };
        if self.scope == Scope::Clients && record.files.is_empty() {
            return Ok(());
        }
        if shelf.load().ok().flatten().as_ref() == Some(&record) {
            return Ok(());
        }
        shelf.save(&record)
    }

    fn add(
        &mut self,
        place: Place,
        known: Option<&Written>,
        shelf: &Shelf,
        caller: &Caller,
    ) -> Result<(), Error> {
        let now = files::snapshot(&place.path, place.new_mode())?;
        let wired = place.wired(now.bytes.as_deref(), caller)?;
        let untouched = |written: &&Written| {
            now.bytes
                .as_deref()
                .is_some_and(|bytes| record::hash(bytes) == written.hash)
        };
        let known_original = known.map(|written| shelf.original(written)).transpose()?;
        let mut made_dirs = known
            .map(|written| written.made_dirs.clone())
            .unwrap_or_default();
        let (original, wired) = match (known.filter(untouched), known_original) {
            // Exactly what Kite wrote: an upgrade starts from the original again.
            (Some(_), Some(original)) => {
                let again = place.wired(original.as_deref(), caller)?;
                (original, wired.and(again))
            }
            (_, known_original) => {
                let before = known_original.flatten();
                let (original, was_made) = without_kite(
                    &place,
                    now.bytes.as_deref(),
                    caller,
                    before.as_deref(),
                    known,
                )?;
                if !was_made {
                    made_dirs.clear();
                }
                (original, wired)
            }
        };
        if now.bytes.is_none() {
            made_dirs.clone_from(&now.missing_dirs);
        }
        let will_hold = wired
            .clone()
            .or_else(|| now.bytes.clone())
            .unwrap_or_default();
        if let Some(after) = wired {
            self.changes.push(Change {
                before: now,
                after: Some(after),
                aside: None,
            });
        }
        self.entries.push(Entry {
            place,
            original,
            will_hold,
            made_dirs,
        });
        Ok(())
    }
}

/// The directory under whose name a scope is remembered.
pub(crate) fn root_of(scope: Scope, project: &Project, machine: &Machine) -> std::path::PathBuf {
    match scope {
        Scope::User | Scope::Clients => machine.user_home.clone(),
        Scope::Personal | Scope::Team => project.root.clone(),
    }
}

/// What the file would be, had Kite never been there, and whether Kite made it.
fn without_kite(
    place: &Place,
    now: Option<&[u8]>,
    caller: &Caller,
    original: Option<&[u8]>,
    known: Option<&Written>,
) -> Result<(Option<Vec<u8>>, bool), Error> {
    let Some(now) = now else {
        return Ok((None, true));
    };
    // Where the record is lost, a file with nothing else in it counts as made by Kite.
    let made_by_kite = known.is_none_or(|written| written.backup.is_none());
    match place.unwired(now, caller, original)? {
        None => Ok((Some(now.to_vec()), false)),
        Some(remains) if remains.empty && made_by_kite => Ok((None, true)),
        Some(remains) => Ok((Some(remains.bytes), made_by_kite)),
    }
}

fn needs_line(
    project: &Project,
    machine: &Machine,
    record: Option<&Record>,
    place: &Place,
) -> bool {
    record.is_some_and(|record| record.written(place).is_some())
        || !exclude::is_covered(&project.root, machine)
}
