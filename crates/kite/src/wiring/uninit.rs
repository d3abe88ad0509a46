//! `kite uninit`: puts back what was there before `kite init`.

use std::path::PathBuf;

use super::{
    client_lock::ClientLock,
    command::Caller,
    diff,
    error::Error,
    exclude, files, git_hooks,
    machine::Machine,
    place::{self, Part, Place, Scope},
    plan,
    project::Project,
    record::{self, Record, Shelf},
    report::Report,
    transaction::{self, Change},
};

/// What is asked of [`uninit`].
#[derive(Debug, Clone)]
pub(crate) struct UninitArgs {
    /// Any directory of the project.
    pub(crate) dir: PathBuf,
    /// `None`: the personal wiring, and the shared files if they were written from here.
    pub(crate) scope: Option<Scope>,
    /// Show the diffs and change nothing.
    pub(crate) dry_run: bool,
}

/// What [`uninit`] did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Restored {
    pub(crate) root: PathBuf,
    /// Files that were changed or removed, or would be in a dry run.
    pub(crate) changed: Vec<PathBuf>,
    /// Those that somebody edited since: only Kite's entries were taken out of them.
    pub(crate) edited_since: Vec<PathBuf>,
}

/// Unwires the project that holds `args.dir`.
///
/// # Errors
/// Whatever is in the way. Nothing has been changed then.
pub(crate) fn uninit(
    args: &UninitArgs,
    machine: &Machine,
    report: &mut dyn Report,
) -> Result<Restored, Error> {
    let project = Project::holding(&args.dir, machine)?;
    let mut scopes = scopes(args.scope, &project, machine)?;
    if is_last(&scopes, &project, machine) {
        scopes.push(Scope::Clients);
    }
    let lock = if args.dry_run {
        None
    } else {
        ClientLock::take(&machine.claude_state())?
    };
    let mut removal = Removal::default();
    for scope in &scopes {
        removal.add(*scope, &project, machine)?;
    }
    let hooks = git_hooks::remove(&project, machine)?;
    removal.changes.extend(hooks.changes);
    if args.dry_run {
        for change in &removal.changes {
            report.diff(&diff::unified(change, machine));
        }
    } else {
        transaction::commit(&removal.changes)?;
        drop(lock);
        transaction::remove_empty_dirs(&removal.made_dirs);
        transaction::remove_empty_dirs(&hooks.made_dirs);
        for scope in &scopes {
            let root = plan::root_of(*scope, &project, machine);
            Shelf::of(&machine.home, &root, *scope).clear()?;
        }
    }
    say(&removal, args.dry_run, &project, machine, report);
    for note in &hooks.notes {
        report.say(note);
    }
    Ok(Restored {
        root: project.root,
        changed: removal
            .changes
            .into_iter()
            .map(|change| change.before.named)
            .collect(),
        edited_since: removal.edited_since,
    })
}

#[derive(Default)]
struct Removal {
    changes: Vec<Change>,
    made_dirs: Vec<PathBuf>,
    edited_since: Vec<PathBuf>,
}

impl Removal {
    fn add(&mut self, scope: Scope, project: &Project, machine: &Machine) -> Result<(), Error> {
        let caller = scope.caller(machine)?;
        let shelf = Shelf::of(
            &machine.home,
            &plan::root_of(scope, project, machine),
            scope,
        );
        let record = shelf.load()?;
        let mut places = match (scope, &record) {
            // Of the other clients' files only those count that Kite has written.
            (Scope::Clients, Some(_)) => Vec::new(),
            _ => place::places(scope, project, machine),
        };
        for written in record.iter().flat_map(|record| &record.files) {
            if !places.contains(&written.place) {
                places.push(written.place.clone());
            }
        }
        // The settings go before the line that hides them.
        places.reverse();
        for place in places {
            // The line does not say who wrote it: without a record it goes with the settings.
            let settings_change = || {
                self.changes
                    .iter()
                    .any(|c| c.before.named.ends_with(exclude::SETTINGS))
            };
            if place.part == Part::Exclude && record.is_none() && !settings_change() {
                continue;
            }
            let is_a_guess = scope == Scope::Clients && record.is_none();
            match self.add_place(place, &caller, &shelf, record.as_ref()) {
                // What cannot be understood was left out when the others were wired.
                Err(_) if is_a_guess => {}
                added => added?,
            }
        }
        Ok(())
    }

    fn add_place(
        &mut self,
        place: Place,
        caller: &Caller,
        shelf: &Shelf,
        record: Option<&Record>,
    ) -> Result<(), Error> {
        let now = files::snapshot(&place.path, place.new_mode())?;
        let written = record.and_then(|record| record.written(&place));
        let made_dirs = written
            .map(|written| written.made_dirs.clone())
            .unwrap_or_default();
        let Some(bytes) = &now.bytes else {
            self.made_dirs.extend(made_dirs);
            return Ok(());
        };
        let original = written.map(|written| shelf.original(written)).transpose()?;
        let untouched = written.is_some_and(|written| written.hash == record::hash(bytes));
        let after = match (&original, untouched) {
            (Some(original), true) => original.clone(),
            _ => {
                let before = original.as_ref().and_then(|bytes| bytes.as_deref());
                let Some(remains) = place.unwired(bytes, caller, before)? else {
                    return Ok(());
                };
                // Also where the record is lost: nothing else is in it.
                let made_by_kite = original.as_ref().is_none_or(Option::is_none);
                if written.is_some() {
                    self.edited_since.push(place.path.clone());
                }
                (!(remains.empty && made_by_kite)).then_some(remains.bytes)
            }
        };
        if after.is_none() {
            self.made_dirs.extend(made_dirs);
        }
        if after.as_ref() != Some(bytes) {
            self.changes.push(Change {
                before: now,
                after,
                aside: None,
            });
        }
        Ok(())
    }
}

/// Shared files are left alone unless they were written from here, or it is asked for: they
/// belong to the repository.
fn scopes(asked: Option<Scope>, project: &Project, machine: &Machine) -> Result<Vec<Scope>, Error> {
    if let Some(scope) = asked {
        return Ok(vec![scope]);
    }
    let mut scopes = vec![Scope::Personal];
    if Shelf::of(&machine.home, &project.root, Scope::Team)
        .load()?
        .is_some()
    {
        scopes.push(Scope::Team);
    }
    Ok(scopes)
}

/// Whether the clients beside Claude Code go, too: with the last wiring of this user.
fn is_last(scopes: &[Scope], project: &Project, machine: &Machine) -> bool {
    let is_undone = |record: &Record| {
        scopes.contains(&record.scope)
            && record.root == plan::root_of(record.scope, project, machine)
    };
    let own = |record: &Record| matches!(record.scope, Scope::Personal | Scope::User);
    let mut records = record::all(&machine.home).into_iter();
    records.all(|record| !own(&record) || is_undone(&record))
}

fn say(
    removal: &Removal,
    dry_run: bool,
    project: &Project,
    machine: &Machine,
    report: &mut dyn Report,
) {
    if removal.changes.is_empty() {
        report.say(&format!(
            "{} is not wired; nothing to undo",
            machine.shown(&project.root)
        ));
        return;
    }
    for change in &removal.changes {
        let name = machine.shown(&change.before.named);
        let edited = removal.edited_since.contains(&change.before.named);
        let what = match (&change.after, &change.aside, edited) {
            (None, Some(_), _) | (Some(_), _, false) => "as it was before",
            (None, None, _) => "removed",
            (Some(_), _, true) => "without Kite's entries (it was edited since)",
        };
        let would = if dry_run { "would be " } else { "" };
        report.say(&format!("{name}: {would}{what}"));
    }
}
