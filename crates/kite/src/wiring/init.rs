//! `kite init`: from a machine with nothing on it to a wired project.

use std::path::{Path, PathBuf};

use super::{
    client_lock::ClientLock,
    diff,
    error::Error,
    exclude, files, git, git_hooks,
    inspect::{Inspection, inspect},
    install::{self, Installed},
    machine::Machine,
    place::Scope,
    plan::Plan,
    project::Project,
    record,
    report::Report,
    transaction::{self, Change},
};

/// What is asked of [`init`].
#[derive(Debug, Clone)]
pub(crate) struct InitArgs {
    /// Any directory of the project.
    pub(crate) dir: PathBuf,
    pub(crate) scope: Scope,
    /// Install git hooks, too.
    pub(crate) git_hooks: bool,
    /// Show the diffs and change nothing.
    pub(crate) dry_run: bool,
    /// Replace a newer installed build without asking.
    pub(crate) allow_downgrade: bool,
}

/// What [`init`] did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) root: PathBuf,
    pub(crate) scope: Scope,
    /// Files that were changed, or would be in a dry run.
    pub(crate) changed: Vec<PathBuf>,
    /// `None` in a dry run.
    pub(crate) installed: Option<Installed>,
    /// Whether a program called `claude` is on the path.
    pub(crate) has_agent: bool,
    /// What to do next, at most three lines.
    pub(crate) next: Vec<String>,
}

/// Installs the programs and wires the project that holds `args.dir`.
///
/// # Errors
/// Whatever is in the way. No file of the project, the agent or git has been changed then.
pub(crate) fn init(
    args: &InitArgs,
    machine: &Machine,
    report: &mut dyn Report,
) -> Result<Outcome, Error> {
    let project = Project::holding(&args.dir, machine)?;
    let inspection = inspect(&project, machine);
    check(args.scope, &project, &inspection)?;
    let covered = covering_scope(args.scope, &inspection);
    let mut outcome = Outcome {
        root: project.root.clone(),
        scope: args.scope,
        changed: Vec::new(),
        installed: None,
        has_agent: machine.has_claude(),
        next: next_steps(args.scope, machine),
    };
    if let Some(wider) = covered {
        report.say(&format!(
            "{} is wired by {} already",
            machine.shown(&project.root),
            machine.shown(wider)
        ));
        if !args.dry_run {
            outcome.installed = Some(install_and_say(args, machine, report)?);
        }
        outcome.changed = write_beside(args, &project, machine, report)?;
        return Ok(outcome);
    }
    let plans = plans(args, &project, machine)?;
    if args.dry_run {
        let (changes, notes) = together(&plans);
        show(&changes, &notes, machine, report);
        outcome.changed = changed(&changes);
        return Ok(outcome);
    }
    outcome.installed = Some(install_and_say(args, machine, report)?);
    outcome.changed = write(args, &project, machine, report)?;
    say_notes(args.scope, machine, report);
    if !outcome.has_agent {
        report.say("No `claude` on PATH: the wiring takes effect once Claude Code is installed");
    }
    Ok(outcome)
}

/// What the files that are there forbid.
fn check(scope: Scope, project: &Project, inspection: &Inspection) -> Result<(), Error> {
    if scope != Scope::Team
        && let Some(other) = inspection.other_home()
    {
        return Err(Error::new(format!(
            "this project is wired to another home, {}",
            other.display()
        ))
        .hinted(format!(
            "run `KITE_HOME={} kite uninit` there first",
            other.display()
        )));
    }
    if scope == Scope::Team && inspection.personal.present {
        return Err(Error::new("this project is wired for you alone")
            .because("with shared files beside that, every hook would run twice")
            .hinted("run `kite uninit` first, then `kite init --team`"));
    }
    let committed = |checkout: &git::Checkout| {
        let git_dir = if checkout.main_top().is_some() {
            &checkout.common_dir
        } else {
            &checkout.git_dir
        };
        git::is_tracked(git_dir, exclude::SETTINGS)
    };
    if scope == Scope::Personal && project.checkout.as_ref().is_some_and(committed) {
        return Err(Error::new(format!(
            "{} is committed in this repository",
            exclude::SETTINGS
        ))
        .because("personal wiring there would show in `git status`")
        .hinted("take it out (git rm --cached), or use `kite init --user` or `--team`"));
    }
    Ok(())
}

/// The settings file of a wider scope that wires this project completely.
fn covering_scope(scope: Scope, inspection: &Inspection) -> Option<&Path> {
    let wider = [&inspection.team, &inspection.user];
    let covers = |w: &&&super::inspect::Wiring| w.present && w.is_complete();
    (scope == Scope::Personal && !inspection.personal.present)
        .then(|| {
            wider
                .iter()
                .find(covers)
                .map(|wiring| wiring.settings.as_path())
        })
        .flatten()
}

fn install_and_say(
    args: &InitArgs,
    machine: &Machine,
    report: &mut dyn Report,
) -> Result<Installed, Error> {
    let installed = install::install(machine, args.allow_downgrade, report)?;
    let (build, bin) = (&machine.programs.build, machine.shown(&machine.home.bin()));
    match &installed {
        Installed::Same => {}
        Installed::New | Installed::Replaced(None) => {
            report.say(&format!("Installed kite {build} in {bin}"));
        }
        Installed::Replaced(Some(old)) => {
            report.say(&format!("Replaced kite {old} by {build} in {bin}"));
        }
    }
    Ok(installed)
}

/// Plans again under the client's lock, since its file may have changed meanwhile, and writes.
fn write(
    args: &InitArgs,
    project: &Project,
    machine: &Machine,
    report: &mut dyn Report,
) -> Result<Vec<PathBuf>, Error> {
    let lock = match args.scope {
        Scope::Team => None,
        _ => ClientLock::take(&machine.claude_state())?,
    };
    let plans = plans(args, project, machine)?;
    for plan in &plans {
        plan.remember(machine)?;
    }
    let (changes, notes) = together(&plans);
    transaction::commit(&changes)?;
    drop(lock);
    say_written(&changes, &notes, machine, report);
    if changes.is_empty() {
        report.say(&format!(
            "{} is wired already; nothing to change",
            machine.shown(&project.root)
        ));
    }
    Ok(changed(&changes))
}

/// That of the scope, and that of the clients beside Claude Code. Shared files are for Claude Code
/// alone.
fn plans(args: &InitArgs, project: &Project, machine: &Machine) -> Result<Vec<Plan>, Error> {
    let mut plans = vec![Plan::make(args.scope, project, machine, args.git_hooks)?];
    if args.scope != Scope::Team {
        plans.push(Plan::of_clients(project, machine)?);
    }
    Ok(plans)
}

fn together(plans: &[Plan]) -> (Vec<Change>, Vec<String>) {
    let changes = plans.iter().flat_map(|plan| plan.changes.iter().cloned());
    let notes = plans.iter().flat_map(|plan| plan.notes.iter().cloned());
    (changes.collect(), notes.collect())
}

/// Where a wider scope wires the project, its git hooks and the other clients are left to do.
fn write_beside(
    args: &InitArgs,
    project: &Project,
    machine: &Machine,
    report: &mut dyn Report,
) -> Result<Vec<PathBuf>, Error> {
    let hooks = git_hooks::install(project, machine, args.git_hooks)?;
    let clients = Plan::of_clients(project, machine)?;
    let changes = [hooks.changes, clients.changes.clone()].concat();
    let notes = [hooks.notes, clients.notes.clone()].concat();
    if args.dry_run {
        show(&changes, &notes, machine, report);
    } else {
        clients.remember(machine)?;
        transaction::commit(&changes)?;
        say_written(&changes, &notes, machine, report);
    }
    Ok(changed(&changes))
}

fn say_written(changes: &[Change], notes: &[String], machine: &Machine, report: &mut dyn Report) {
    for change in changes {
        let verb = if change.before.bytes.is_some() {
            "Changed"
        } else {
            "Created"
        };
        report.say(&format!("{verb} {}", described(&change.before, machine)));
    }
    for note in notes {
        report.say(note);
    }
}

fn changed(changes: &[Change]) -> Vec<PathBuf> {
    changes
        .iter()
        .map(|change| change.before.named.clone())
        .collect()
}

fn show(changes: &[Change], notes: &[String], machine: &Machine, report: &mut dyn Report) {
    for change in changes {
        report.diff(&diff::unified(change, machine));
    }
    for note in notes {
        report.say(note);
    }
    report.say(&match changes.len() {
        0 => "Nothing to change".to_owned(),
        1 => "1 file would change; nothing has been changed".to_owned(),
        count => format!("{count} files would change; nothing has been changed"),
    });
}

fn described(file: &files::Snapshot, machine: &Machine) -> String {
    let named = machine.shown(&file.named);
    let is_link = std::fs::symlink_metadata(&file.named).is_ok_and(|meta| meta.is_symlink());
    if is_link {
        format!("{named} (a link to {})", machine.shown(&file.real))
    } else {
        named
    }
}

fn say_notes(scope: Scope, machine: &Machine, report: &mut dyn Report) {
    if scope == Scope::Team && machine.home.path() != machine.user_home.join(".kite") {
        report.say("Shared files look for Kite in $KITE_HOME, else ~/.kite: keep KITE_HOME set");
    }
    if scope == Scope::User {
        let single = record::all(&machine.home)
            .into_iter()
            .filter(|r| r.scope == Scope::Personal);
        for other in single {
            report.say(&format!(
                "{} is wired on its own, too: run `kite uninit` there, or its hooks run twice",
                machine.shown(&other.root)
            ));
        }
    }
}

fn next_steps(scope: Scope, machine: &Machine) -> Vec<String> {
    let mut next = Vec::new();
    if scope == Scope::Team {
        next.push(
            "Commit .claude/settings.json and .mcp.json; they do no harm without Kite".to_owned(),
        );
    }
    next.push(match scope {
        Scope::Team => {
            "Start `claude` once and agree to trust this folder and its MCP server".to_owned()
        }
        _ => {
            "Start `claude` as always; sessions that run already must be restarted once".to_owned()
        }
    });
    let on_path = std::env::split_paths(&machine.path).any(|dir| dir == machine.home.bin());
    let program = machine.home.bin().join("kite");
    let kite = if on_path {
        "kite".to_owned()
    } else {
        machine.shown(&program)
    };
    let undo = if scope == Scope::User {
        "uninit --user"
    } else {
        "uninit"
    };
    next.push(format!(
        "`{kite} status` shows who does what; `{kite} {undo}` undoes all this"
    ));
    next
}
