//! Before a commit: an agent's does not take in what another live session changed.
//!
//! Whose a file is, is the daemon's word, and the same as in front of the agent's own shell
//! commands. This hook is for what is not seen there: a commit by a script, a Makefile or an agent
//! without hooks.

use std::{env, path::PathBuf, time::Duration};

use kite_wire::{
    client::Client,
    reply::{ChangedFile, FileChangers},
    request::{self, Envelope},
};

use super::{committing::Committing, message, within};
use crate::{
    ancestry, connect,
    error::{Error, Exit},
    render::{self, Terminal},
    wiring::{BUILD, shell_quoted},
};

/// How long git, and then the daemon, may take. Then the commit is made.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(1);

/// Paths of one question: the daemon takes a line of 1 MiB.
const QUESTION_BYTES_MAX: usize = 256 * 1024;

/// A safe command with more files than this is not written out.
const WRITTEN_OUT_MAX: usize = 200;

/// Why a commit is not made.
pub(crate) struct Refusal {
    /// Each other session: its id, what it is about, its files.
    pub(crate) others: Vec<Other>,
    /// What to run instead.
    pub(crate) way_on: WayOn,
}

/// Another session whose files would have been taken in.
pub(crate) struct Other {
    pub(crate) session: String,
    pub(crate) intent: Option<String>,
    pub(crate) files: Vec<String>,
}

/// How the committer goes on.
pub(crate) enum WayOn {
    /// Commits the rest.
    Commit(String),
    /// There is no rest: takes the others' files out of the index, if they are in it.
    Unstage(String),
    /// There are too many files to name.
    NameYourOwn,
}

pub(super) fn run(terminal: &mut Terminal) -> Result<Exit, Error> {
    // A person's commit is a person's business.
    if ancestry::agent().is_none() {
        return Ok(Exit::Success);
    }
    match within(ANSWER_TIME_MAX, judge) {
        None => Ok(Exit::Success),
        Some(refusal) => {
            render::git_hook::print(terminal, &refusal)?;
            Ok(Exit::Error)
        }
    }
}

fn judge() -> Option<Refusal> {
    let committing = Committing::read()?;
    if committing.files.is_empty() {
        return None;
    }
    let changed = changers(&committing)?;
    let theirs = |file: &PathBuf| {
        let key = committing.key(file);
        changed.iter().find(|changed| changed.path == key)
    };
    let mut others: Vec<Other> = Vec::new();
    let (mut their_files, mut own) = (Vec::new(), Vec::new());
    for file in &committing.files {
        let Some(changed) = theirs(file) else {
            own.push(file);
            continue;
        };
        their_files.push(file);
        let shown = file.to_string_lossy().into_owned();
        match others.iter_mut().find(|it| it.session == changed.session) {
            Some(other) => other.files.push(shown),
            None => others.push(Other {
                session: changed.session.clone(),
                intent: changed.intent.clone(),
                files: vec![shown],
            }),
        }
    }
    if others.is_empty() {
        return None;
    }
    let way_on = match (own.len(), their_files.len()) {
        (1..=WRITTEN_OUT_MAX, _) => {
            let message = message::of_calling_git().join(" ");
            WayOn::Commit(format!("git commit --only {message} --{}", words(&own)))
        }
        (0, ..=WRITTEN_OUT_MAX) => {
            WayOn::Unstage(format!("git restore --staged --{}", words(&their_files)))
        }
        _ => WayOn::NameYourOwn,
    };
    Some(Refusal { others, way_on })
}

/// The files of the commit that are another live session's and not the caller's, too.
fn changers(committing: &Committing) -> Option<Vec<ChangedFile>> {
    let socket = connect::home().ok()?.socket();
    let caller = connect::caller();
    let envelope = Envelope {
        // The process says more, where it is known.
        session_id: caller
            .client_session_id
            .clone()
            .filter(|_| caller.pid.is_none()),
        ..Envelope::default()
    };
    let mut client = Client::connect(&socket, "git-hook", BUILD, Some(caller)).ok()?;
    let mut found = Vec::new();
    let mut paths: Vec<String> = committing
        .files
        .iter()
        .map(|file| committing.key(file))
        .collect();
    while !paths.is_empty() {
        let mut bytes = 0;
        let rest = paths.iter().position(|path| {
            bytes += path.len();
            bytes > QUESTION_BYTES_MAX
        });
        let later = paths.split_off(rest.unwrap_or(paths.len()).max(1));
        let question = request::FileChangers { paths };
        let said: FileChangers = client.ask_with(question, envelope.clone()).ok()?;
        if !said.guarded {
            return None;
        }
        found.extend(
            said.files
                .into_iter()
                .filter(|file| file.live && !file.yours),
        );
        paths = later;
    }
    Some(found)
}

/// The files as words of a shell, each with a blank before it, as git takes them from where it was
/// called.
fn words(files: &[&PathBuf]) -> String {
    let below = env::var_os("GIT_PREFIX").is_some_and(|prefix| !prefix.is_empty());
    let words = files.iter().map(|file| {
        let file = file.to_string_lossy();
        let magic = file.starts_with(':') || file.contains(['*', '?', '[', '\\']);
        let word = match (below, magic) {
            (true, _) => format!(":(top,literal){file}"),
            (false, true) => format!(":(literal){file}"),
            (false, false) => file.into_owned(),
        };
        format!(" {}", shell_quoted(&word))
    });
    words.collect()
}
