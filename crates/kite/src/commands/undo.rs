//! `kite undo`: the way back from what agents changed or lost. It needs no daemon.

use std::{
    collections::BTreeSet,
    env,
    path::{Component, Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use clap::Args;
use kite_daemon::config;
use kite_undo::{
    BroughtBack, History,
    journal::{EntryKind, Filter, Record},
    restore::{Outcome, Report, Selection, UndoOptions},
};
use kite_wire::home::Home;

use super::lock::person_at_terminal;
use crate::{
    connect,
    error::{Error, Exit, Kind},
    render::{self, Terminal},
};

/// Most entries that are tried to find the latest one whose undo changes anything.
const TRIED_MAX: usize = 20;

/// Bring back what an agent changed or lost.
///
/// Each edit of an agent is kept with what the file was before, and everything uncommitted is kept
/// before a git command that may lose it. Undo merges with what came later, never overwrites work
/// without keeping it first, and can itself be undone. It works without the daemon.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  kite undo                     the latest; it is shown first, and asks
  kite undo --list              what can be undone here
  kite undo --show 41           what it was, file by file
  kite undo 41                  bring it back
  kite undo 41 --path src/a.rs  only this file of it
  kite undo --session 3f2a91bc --dry-run

Exit codes:
  0 all is back   3 something needs a person: conflicts, or a path that could not come back
  5 nothing has this number, or fits")]
pub(crate) struct UndoArgs {
    /// The number of an edit, a snapshot or an undo. Without it, the latest that changes anything.
    #[arg(value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    number: Option<u64>,
    /// List what is kept of this working copy, newest first.
    #[arg(long, conflicts_with_all = ["number", "show"])]
    list: bool,
    /// Show the files of this number, before and after.
    #[arg(long, value_name = "N", conflicts_with = "number", value_parser = clap::value_parser!(u64).range(1..))]
    show: Option<u64>,
    /// Only this file, or what is below this directory.
    #[arg(long, value_name = "PATH")]
    path: Option<PathBuf>,
    /// All edits of this session that are not undone yet (id or unique prefix).
    #[arg(short, long, value_name = "ID")]
    session: Option<String>,
    /// Only say what would happen.
    #[arg(long, conflicts_with_all = ["list", "show"])]
    dry_run: bool,
    /// Do not ask.
    #[arg(short, long, conflicts_with_all = ["list", "show"])]
    yes: bool,
    /// With --list: the newest so many.
    #[arg(short = 'n', long, default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=1_000))]
    limit: u16,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &UndoArgs, terminal: &mut Terminal) -> Result<Exit, Error> {
    let history = open(&connect::home()?)?;
    let wanted = Wanted::of(args, &history)?;
    match args.show {
        Some(number) => show(number, args, &wanted, &history, terminal),
        None if args.list => list(args, &wanted, &history, terminal),
        None => undo(args, &wanted, &history, terminal),
    }
}

/// The history of the working copy that this is called in. Outside git: of the nearest directory
/// with a `.kite`, as the daemon has it.
fn open(home: &Home) -> Result<History, Error> {
    if !home.path().is_dir() {
        let what = format!("there is no Kite home at {}", home.path().display());
        return Err(Error::failed(what)
            .because("what agents change is kept there")
            .hinted(
                "set KITE_HOME to where it is; with a new one, made by `kite init`, the snapshots \
                 that `git for-each-ref refs/kite/rescue` lists can still be undone by number",
            ));
    }
    let here = here()?;
    // What is wrong in the configuration is for `kite doctor` to say.
    let limits = config::load(home.path(), &config::process_environment)
        .config
        .undo();
    let open = |directory: &Path| History::open(home.path(), directory, limits.clone());
    let history = open(&here)?;
    let marked = |directory: &&Path| {
        let dot_kite = Home::at(directory.join(".kite"));
        dot_kite.path().is_dir() && !dot_kite.marker().exists()
    };
    match here.ancestors().find(marked) {
        Some(project) if history.git().is_none() && project != here => Ok(open(project)?),
        _ => Ok(history),
    }
}

fn here() -> Result<PathBuf, Error> {
    env::current_dir()
        .map_err(|cause| Error::failed("the current directory is gone").because(cause))
}

/// What was asked for, as the history names it.
struct Wanted {
    /// Relative to the working copy's top.
    path: Option<PathBuf>,
    /// The whole id.
    session: Option<String>,
}

impl Wanted {
    fn of(args: &UndoArgs, history: &History) -> Result<Wanted, Error> {
        let path = match &args.path {
            Some(path) => relative(history, path)?,
            None => None,
        };
        let session = match &args.session {
            Some(prefix) => Some(session(history, prefix)?),
            None => None,
        };
        Ok(Wanted { path, session })
    }

    fn filter(&self, history: &History) -> Filter {
        Filter {
            session: self.session.clone(),
            path: self.path.clone(),
            worktree: Some(history.top().to_owned()),
            ..Filter::default()
        }
    }

    fn selection(&self, number: Option<u64>) -> Selection {
        Selection {
            number,
            session: self.session.clone(),
            path: self.path.clone(),
            ..Selection::default()
        }
    }
}

/// A path as it was typed, relative to the top; `None` for the top itself, which is everything.
fn relative(history: &History, typed: &Path) -> Result<Option<PathBuf>, Error> {
    let mut path = PathBuf::new();
    for part in here()?.join(typed).components() {
        match part {
            Component::ParentDir => {
                path.pop();
            }
            Component::CurDir => {}
            part => path.push(part),
        }
    }
    if path == history.top() {
        return Ok(None);
    }
    Ok(Some(history.relative(&path)?))
}

/// The id that begins with `prefix`, of the sessions that anything is kept of.
fn session(history: &History, prefix: &str) -> Result<String, Error> {
    let records = history.list(&Filter::default())?;
    let ids: BTreeSet<&str> = records
        .iter()
        .filter_map(|record| record.entry.session.as_deref())
        .filter(|id| !prefix.is_empty() && id.starts_with(prefix))
        .collect();
    let mut ids = ids.into_iter();
    match (ids.next(), ids.next()) {
        (Some(id), None) => Ok(id.to_owned()),
        (None, _) => Err(Error::new(
            Kind::NotFound,
            format!("nothing is kept of a session {prefix:?}"),
        )
        .hinted("`kite undo --list` shows whose changes there are")),
        (Some(_), Some(_)) => Err(Error::new(
            Kind::NotFound,
            format!("{prefix:?} fits several sessions"),
        )
        .hinted("give more of its digits")),
    }
}

fn list(
    args: &UndoArgs,
    wanted: &Wanted,
    history: &History,
    terminal: &mut Terminal,
) -> Result<Exit, Error> {
    let mut records = history.list(&wanted.filter(history))?;
    let more = records.len().saturating_sub(usize::from(args.limit));
    records.truncate(usize::from(args.limit));
    if args.json {
        terminal.json(&render::undo::json::list(&records, more))?;
    } else {
        render::undo::print_list(terminal, &records, history.top(), more)?;
    }
    Ok(Exit::Success)
}

fn show(
    number: u64,
    args: &UndoArgs,
    wanted: &Wanted,
    history: &History,
    terminal: &mut Terminal,
) -> Result<Exit, Error> {
    let record = record(history, number, wanted)?;
    let mut files = history.show(number)?;
    if let Some(path) = &wanted.path {
        files.retain(|file| file.path.starts_with(path));
    }
    if args.json {
        terminal.json(&render::undo::json::show(number, record.as_ref(), &files))?;
    } else {
        let top = record
            .as_ref()
            .map(|record| record.entry.worktree.as_path());
        let top = top.unwrap_or(history.top());
        render::undo::print_shown(terminal, number, record.as_ref(), &files, top)?;
    }
    Ok(Exit::Success)
}

fn record(history: &History, number: u64, wanted: &Wanted) -> Result<Option<Record>, Error> {
    let filter = Filter {
        number: Some(number),
        session: wanted.session.clone(),
        ..Filter::default()
    };
    Ok(history.list(&filter)?.into_iter().next())
}

fn undo(
    args: &UndoArgs,
    wanted: &Wanted,
    history: &History,
    terminal: &mut Terminal,
) -> Result<Exit, Error> {
    let mut options = UndoOptions {
        dry_run: true,
        session: None,
        at_ms: now_ms(),
    };
    let number = match args.number {
        // All edits of a session are one undo.
        None if wanted.session.is_none() => Some(latest(history, wanted, &options)?),
        number => number,
    };
    let selection = wanted.selection(number);
    let record = match number {
        Some(number) => record(history, number, wanted)?,
        None => None,
    };
    if let (Some(number), Some(EntryKind::Lost { .. })) =
        (number, record.as_ref().map(|record| &record.entry.kind))
    {
        return bring_back(number, args, history, terminal);
    }
    if args.number.is_none() && !args.dry_run && !args.yes {
        let planned = history.undo(&selection, &options)?;
        if args.json || !person_at_terminal() {
            return Err(which(number));
        }
        render::undo::print_report(terminal, record.as_ref(), &planned, history.top(), true)?;
        if !terminal.confirm("Undo this?")? {
            terminal.note("Nothing was changed.")?;
            return Ok(Exit::Error);
        }
    }
    options.dry_run = args.dry_run;
    let report = history.undo(&selection, &options)?;
    if args.json {
        terminal.json(&render::undo::json::report(&report, args.dry_run))?;
    } else {
        let dry = args.dry_run;
        render::undo::print_report(terminal, record.as_ref(), &report, history.top(), dry)?;
    }
    Ok(match needs_a_person(&report) {
        true => Exit::Refused,
        false => Exit::Success,
    })
}

/// Commits that went out of reach come back as the branch that had them, where its name is free.
fn bring_back(
    number: u64,
    args: &UndoArgs,
    history: &History,
    terminal: &mut Terminal,
) -> Result<Exit, Error> {
    let back = history.bring_back(number, now_ms(), args.dry_run)?;
    if args.json {
        terminal.json(&render::undo::json::brought_back(
            number,
            &back,
            args.dry_run,
        ))?;
    } else {
        render::undo::print_brought_back(terminal, number, &back, args.dry_run)?;
    }
    Ok(match back {
        BroughtBack::Branch { .. } => Exit::Success,
        BroughtBack::Taken { .. } | BroughtBack::Nameless { .. } => Exit::Refused,
    })
}

/// The latest entry of this working copy whose undo changes anything. Called again and again it
/// goes back step by step: what is undone already is passed over, and so are undos themselves and
/// the snapshots before them, which hold what was undone.
fn latest(history: &History, wanted: &Wanted, dry: &UndoOptions) -> Result<u64, Error> {
    let records = history.list(&wanted.filter(history))?;
    let mut undone_since = false;
    let open = records.iter().filter(|record| match record.entry.kind {
        EntryKind::Undo { .. } => {
            undone_since |= record.undone_by.is_none();
            false
        }
        EntryKind::Snapshot { .. } => !record.is_undone(wanted.path.as_deref()) && !undone_since,
        _ => !record.is_undone(wanted.path.as_deref()),
    });
    for record in open.take(TRIED_MAX) {
        let number = record.entry.number;
        match history.undo(&wanted.selection(Some(number)), dry) {
            Ok(report) if changes(&report) => return Ok(number),
            Ok(_) | Err(kite_undo::Error::NothingFits { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(Error::new(
        Kind::NotFound,
        "there is nothing to undo in this working copy",
    )
    .hinted("`kite undo --list` shows what is kept; any of it can be undone by number"))
}

fn changes(report: &Report) -> bool {
    !report.staged.is_empty() || report.paths.iter().any(|it| it.outcome.is_change())
}

fn needs_a_person(report: &Report) -> bool {
    report.index_failed.is_some()
        || report.paths.iter().any(|path| {
            matches!(
                path.outcome,
                Outcome::Conflict | Outcome::Beside(_) | Outcome::LeftAlone(_)
            )
        })
}

/// Nobody is there to be asked, and an agent never is.
fn which(number: Option<u64>) -> Error {
    let error = Error::new(
        Kind::Usage,
        "say which number is to be undone, or add --yes",
    );
    match number {
        Some(number) => error
            .because(format!("the latest is {number}"))
            .hinted(format!(
                "`kite undo --show {number}`, then `kite undo {number}`"
            )),
        None => error
            .because("these are all edits of a session")
            .hinted("look at them with --dry-run first"),
    }
}

fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    u64::try_from(since.unwrap_or_default().as_millis()).unwrap_or(u64::MAX)
}
