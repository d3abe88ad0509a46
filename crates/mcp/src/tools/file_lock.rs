//! `kite_file_lock`.

use kite_wire::{
    reply::{self, Fault, Locks},
    request::{Lock, Request},
};
use serde_json::Value;

use super::{Tool, show};
use crate::{
    arguments::Arguments,
    schema::{
        Declaration, Effect, FIRST, Kind, PATH_CHARS_MAX, PATHS_MAX, Param, REASON_CHARS_MAX,
    },
    text::{one_line, time_of_day},
};

/// Longest wait for a lock, in seconds. Hosts give up on a tool call after about a minute.
pub(crate) const WAIT_SECONDS_MAX: u64 = 45;
/// Characters of a lock's name.
pub(super) const NAME_CHARS_MAX: usize = 200;
/// Characters shown of an epoch.
const EPOCH_CHARS_MAX: usize = 64;

const PARAMS: &[Param] = &[
    Param::optional(
        "file",
        Kind::Text {
            chars_max: PATH_CHARS_MAX,
        },
        "A file, a directory (dir/: everything below) or a glob.",
    ),
    Param::optional(
        "files",
        Kind::List {
            items_max: PATHS_MAX,
            chars_max: PATH_CHARS_MAX,
        },
        "Several of those, all or none.",
    ),
    Param::optional(
        "reason",
        Kind::Text {
            chars_max: REASON_CHARS_MAX,
        },
        "What for; others read it.",
    ),
    Param::optional(
        "ttl_seconds",
        Kind::Integer {
            min: 1,
            max: 86_400,
            default: Some(1_800),
        },
        "It ends after so long without activity of yours.",
    ),
    Param::optional(
        "wait_seconds",
        Kind::Integer {
            min: 0,
            max: WAIT_SECONDS_MAX,
            default: Some(0),
        },
        "Wait in the queue for so long where it is taken.",
    ),
    Param::optional("keep", Kind::Flag, "Keep it past the end of this turn."),
    Param::optional(
        "name",
        Kind::Text {
            chars_max: NAME_CHARS_MAX,
        },
        "Lock a name of the project instead, such as deploy:prod.",
    ),
];

pub(super) const TOOL: Tool = Tool {
    declaration: Declaration {
        name: "kite_file_lock",
        title: "Lock files",
        description: "Acquire an exclusive lock on files before a change that takes several edits and must not mix \
                      with another session's. A single edit needs no lock: Kite keeps those apart. Until you unlock, \
                      other sessions' edits of these files are refused. Returns the lock's epoch and end, or who \
                      has it and what to do.",
        effect: Effect::Once,
        params: PARAMS,
        changes: FIRST,
    },
    request,
    render,
    sift: None,
};

fn request(given: &Arguments, _here: Option<&str>) -> Result<Request, String> {
    let mut paths: Vec<String> = given.text("file").into_iter().collect();
    for path in given.list("files") {
        if !paths.contains(&path) {
            paths.push(path);
        }
    }
    let name = given.text("name");
    if paths.is_empty() && name.is_none() {
        return Err(
            "kite_file_lock was not called: it needs `file`, `files` or `name`. \
                    For example file=\"src/main.rs\"."
                .to_owned(),
        );
    }
    Ok(Lock {
        paths,
        name,
        ttl_s: given.integer("ttl_seconds"),
        wait_s: given.integer("wait_seconds"),
        keep: given.flag("keep"),
        reason: given.text("reason"),
    }
    .into())
}

/// What was asked for, in the caller's own spelling.
pub(super) fn spelled<'a>(paths: &'a [String], name: Option<&'a String>) -> String {
    show::names(paths.iter().chain(name))
}

fn render(request: &Request, reply: Value) -> Result<String, Fault> {
    let Locks {
        locks,
        outcome,
        waited_ms,
    } = reply::read(reply)?;
    let (what, keep) = match request {
        Request::Lock(lock) => (spelled(&lock.paths, lock.name.as_ref()), lock.keep),
        _ => (String::new(), false),
    };
    let mut answer = if outcome == "already_held" {
        format!("Lock already held: {what}")
    } else if waited_ms > 0 {
        format!(
            "Locked after {:.1} s in the queue: {what}",
            waited_ms as f64 / 1_000.0
        )
    } else {
        format!("Locked: {what}")
    };
    if let Some(lock) = locks.first() {
        let epoch = one_line(&lock.epoch, EPOCH_CHARS_MAX);
        answer.push_str(&format!(
            " (epoch {epoch}, until {} at the latest)",
            time_of_day(&lock.until)
        ));
    }
    answer.push_str("\nOther sessions' edits of it are refused meanwhile. kite_file_unlock gives it back; do that as soon as the change is done");
    answer.push_str(if keep {
        ", it outlives this turn."
    } else {
        ". It ends with your turn."
    });
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rendered(outcome: &str, waited_ms: u64) -> String {
        let reply = json!({"ok": true, "outcome": outcome, "waited_ms": waited_ms, "locks": [{"target": "/p/src/a.rs",
            "kind": "lock", "session": "3f2a91bc00", "project": "/p", "epoch": "17.3", "since": "",
            "until": "2026-11-22T14:32:11+01:00"}]});
        let request = Lock {
            paths: vec!["src/a.rs".to_owned()],
            ..Lock::default()
        }
        .into();
        render(&request, reply).expect("a lock")
    }

    #[test]
    fn a_repeated_lock_reads_as_in_the_blog() {
        assert!(
            rendered("already_held", 0)
                .starts_with("Lock already held: src/a.rs (epoch 17.3, until 14:32")
        );
    }

    #[test]
    fn a_granted_lock_says_until_when_and_how_it_ends() {
        let text = rendered("granted", 0);
        assert!(
            text.starts_with("Locked: src/a.rs (epoch 17.3, until 14:32 at the latest)"),
            "{text}"
        );
        assert!(text.ends_with("It ends with your turn."), "{text}");
        assert!(
            rendered("granted", 2_300).starts_with("Locked after 2.3 s in the queue: src/a.rs")
        );
    }

    #[test]
    fn nothing_to_lock_is_said_before_the_daemon_is_asked() {
        let error = request(&Arguments::default(), None).expect_err("nothing given");
        assert!(error.contains("`file`, `files` or `name`"), "{error}");
    }
}
