//! `kite_file_unlock`.

use kite_wire::{
    reply::{self, Fault, Locks},
    request::{Request, Unlock},
};
use serde_json::Value;

use super::{
    Tool,
    file_lock::{NAME_CHARS_MAX, spelled},
    show,
};
use crate::{
    arguments::Arguments,
    schema::{Declaration, Effect, FIRST, Kind, PATH_CHARS_MAX, PATHS_MAX, Param},
};

/// Characters of an epoch, `generation.counter`.
const EPOCH_CHARS_MAX: usize = 64;

const PARAMS: &[Param] = &[
    Param::optional(
        "file",
        Kind::Text {
            chars_max: PATH_CHARS_MAX,
        },
        "A file, directory or glob, as it was locked.",
    ),
    Param::optional(
        "files",
        Kind::List {
            items_max: PATHS_MAX,
            chars_max: PATH_CHARS_MAX,
        },
        "Several of those.",
    ),
    Param::optional(
        "name",
        Kind::Text {
            chars_max: NAME_CHARS_MAX,
        },
        "A named lock.",
    ),
    Param::optional(
        "epoch",
        Kind::Text {
            chars_max: EPOCH_CHARS_MAX,
        },
        "Only the lock of this epoch.",
    ),
    Param::optional("all", Kind::Flag, "Everything you have locked."),
];

pub(super) const TOOL: Tool = Tool {
    declaration: Declaration {
        name: "kite_file_unlock",
        title: "Unlock files",
        description: "Release locks you hold, as soon as the change they were for is done: others wait. Unlocking \
                      what is free is no error. Returns what was released.",
        effect: Effect::Once,
        params: PARAMS,
        changes: FIRST,
    },
    request,
    render,
    sift: None,
};

fn request(given: &Arguments, _here: Option<&str>) -> Result<Request, String> {
    let paths: Vec<String> = given
        .text("file")
        .into_iter()
        .chain(given.list("files"))
        .collect();
    let name = given.text("name");
    let epoch = given.text("epoch");
    let all = given.flag("all");
    if paths.is_empty() && name.is_none() && epoch.is_none() && !all {
        return Err(
            "kite_file_unlock was not called: it needs `file`, `files`, `name`, `epoch` or `all`. \
                    all=true releases everything you have locked."
                .to_owned(),
        );
    }
    Ok(Unlock {
        paths,
        name,
        epoch,
        all,
        force: false,
    }
    .into())
}

fn render(request: &Request, reply: Value) -> Result<String, Fault> {
    let Locks { locks, outcome, .. } = reply::read(reply)?;
    let asked = match request {
        Request::Unlock(unlock) => spelled(&unlock.paths, unlock.name.as_ref()),
        _ => String::new(),
    };
    let released = show::names(locks.iter().map(|lock| &lock.target));
    let what = [asked, released].into_iter().find(|what| !what.is_empty());
    Ok(match (outcome.as_str(), what) {
        ("not_held", Some(what)) => format!("Not locked by you: {what}. Nothing to release."),
        ("not_held", None) => "You hold no lock. Nothing to release.".to_owned(),
        (_, Some(what)) => format!("Unlocked: {what}"),
        (_, None) => "Unlocked.".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn unlocking_says_what_was_released_and_free_is_no_error() {
        let unlock = |paths: &[&str], outcome: &str, targets: &[&str]| {
            let locks: Vec<Value> = targets
                .iter()
                .map(|target| json!({"target": target, "kind": "lock", "session": "", "project": "", "since": "", "until": ""}))
                .collect();
            let paths = paths.iter().map(|path| (*path).to_owned()).collect();
            let request = Unlock {
                paths,
                ..Unlock::default()
            }
            .into();
            render(
                &request,
                json!({"ok": true, "outcome": outcome, "locks": locks}),
            )
            .expect("a reply")
        };
        assert_eq!(
            unlock(&["a.rs"], "released", &["/p/a.rs"]),
            "Unlocked: a.rs"
        );
        assert_eq!(
            unlock(&[], "released", &["/p/a.rs", "/p/b.rs"]),
            "Unlocked: /p/a.rs, /p/b.rs"
        );
        assert_eq!(
            unlock(&["a.rs"], "not_held", &[]),
            "Not locked by you: a.rs. Nothing to release."
        );
    }
}
