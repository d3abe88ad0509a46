//! Before references move: commits that would go out of reach are kept, and with them what is
//! uncommitted.
//!
//! Only a move that git has prepared and not made yet is looked at. The work tree may have moved
//! before it: `git reset --hard` and `git checkout -f` write files first. `docs/undo.md` has the
//! table.

use std::{
    env, fs,
    io::Read as _,
    path::{Path, PathBuf},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use kite_daemon::config;
use kite_undo::{
    DirtyState, Git, History, RefMove,
    snapshot::{Keep, Why},
};

use super::within;
use crate::connect;

/// How long git may be held up. What is being kept then is left to its end, or lost.
const KEEP_TIME_MAX: Duration = Duration::from_secs(5);

/// Longest list of updates that is read, in bytes. A longer one is no work of a person or an agent.
const UPDATES_BYTES_MAX: u64 = 4 << 20;

/// While one of these is in the git directory, `HEAD` moves through commits in between; the branch
/// moves at the end.
const REBASING: [&str; 2] = ["rebase-merge", "rebase-apply"];

pub(super) fn run() {
    let mut updates = Vec::new();
    let read = std::io::stdin()
        .take(UPDATES_BYTES_MAX)
        .read_to_end(&mut updates);
    if read.is_ok() {
        within(KEEP_TIME_MAX, move || {
            keep(&String::from_utf8(updates).ok()?)
        });
    }
}

/// `None` where there is nothing to do, or it cannot be done: git goes on all the same.
fn keep(updates: &str) -> Option<()> {
    let mut moves: Vec<RefMove> = updates.lines().filter_map(read).collect();
    if moves.is_empty() {
        return None;
    }
    let here = env::current_dir().ok()?;
    let home = connect::home().ok()?;
    let config = config::load(home.path(), &config::process_environment).config;
    let mut settings = config.undo();
    // Nothing is pruned from here: git holds locks that this would need.
    settings.snapshots.keep = Keep {
        count_max: usize::MAX,
        age_max: Duration::MAX,
    };
    // A push from elsewhere calls its hooks in the git directory.
    let place = match here.file_name() {
        Some(name) if name == ".git" => here.parent()?,
        _ => &here,
    };
    let history = History::open(home.path(), place, settings).ok()?;
    let git = history.git()?;
    // Called with a repository that this directory is not in: nothing is known of it.
    if let Some(named) = env::var_os("GIT_DIR").map(PathBuf::from)
        && here.join(named).canonicalize().ok()? != git.git_dir().canonicalize().ok()?
    {
        return None;
    }
    let branch = checked_out(git.git_dir());
    // With a branch checked out, `HEAD` only says again what happens to it.
    let rebasing = || {
        REBASING
            .iter()
            .any(|name| git.git_dir().join(name).exists())
    };
    if branch.is_some() || rebasing() {
        moves.retain(|it| it.reference != "HEAD");
    }
    let at_ms = now_ms();
    let kept = history.keep_lost(&moves, at_ms).ok()?;
    if kept.is_empty() {
        return None;
    }
    let moves_files = |it: &RefMove| {
        it.to.is_some() && (it.reference == "HEAD" || Some(&it.reference) == branch.as_ref())
    };
    if worth_keeping(git, moves.iter().any(moves_files))? {
        let why = Why {
            session: None,
            command: Some("git moved or deleted a branch".to_owned()),
            at_ms,
        };
        history.rescue(&why).ok()?;
    }
    Some(())
}

/// `old new reference`, for branches and `HEAD`.
fn read(update: &str) -> Option<RefMove> {
    let mut words = update.splitn(3, ' ');
    let (_, new, reference) = (words.next()?, words.next()?, words.next()?);
    if reference != "HEAD" && !reference.starts_with("refs/heads/") {
        return None;
    }
    let deleted = new.bytes().all(|byte| byte == b'0');
    // `ref:refs/heads/main`: another branch is checked out.
    let to = new.strip_prefix("ref:").unwrap_or(new);
    Some(RefMove {
        reference: reference.to_owned(),
        to: (!deleted).then(|| to.to_owned()),
    })
}

/// The branch that is checked out here.
fn checked_out(git_dir: &Path) -> Option<String> {
    let head = fs::read_to_string(git_dir.join("HEAD")).ok()?;
    head.trim_end().strip_prefix("ref: ").map(str::to_owned)
}

/// Whether there is uncommitted work. Where the checked out branch moves, git may have written the
/// index and the files before: then what differs from the old commit is git's own doing, and only
/// what differs from the index is somebody's.
fn worth_keeping(git: &Git, moves_files: bool) -> Option<bool> {
    let status = git.status().ok()?;
    Some(status.files.iter().any(|file| match &file.state {
        DirtyState::Tracked {
            changed, deleted, ..
        } => !moves_files || *changed || *deleted,
        DirtyState::Untracked => !moves_files,
        DirtyState::Unmerged(_) => true,
    }))
}

fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    u64::try_from(since.unwrap_or_default().as_millis()).unwrap_or(u64::MAX)
}
