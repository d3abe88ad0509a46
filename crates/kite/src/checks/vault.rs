//! Notes that cannot be used.

use kite_wire::{reply::vault::Notes, request::VaultList};

use super::Check;
use crate::connect::Daemon;

/// Files that are named.
const NAMED_MAX: usize = 10;

pub(super) fn notes(daemon: &mut Daemon) -> Check {
    const NAME: &str = "vault";
    let list = VaultList {
        limit: Some(1),
        ..VaultList::default()
    };
    let listed: Notes = match daemon.ask(list) {
        Ok(listed) => listed,
        Err(error) => return Check::failed(NAME, &error),
    };
    let mut told: Vec<String> = listed
        .skipped
        .iter()
        .take(NAMED_MAX)
        .map(|file| format!("{} is not used: {}", file.path, file.why))
        .collect();
    let count = usize::try_from(listed.skipped_count).unwrap_or(usize::MAX);
    if count > told.len() {
        told.push(format!("{} more files are not used", count - told.len()));
    }
    told.extend(
        listed
            .unwatched
            .iter()
            .map(|folder| format!("{} is not watched: {}", folder.path, folder.why)),
    );
    told.extend(listed.incomplete);
    match told.is_empty() {
        true => Check::ok(NAME, "every note can be used"),
        false => Check::warn(
            NAME,
            told.join("; "),
            "`kite vault list` shows them; `kite vault reindex` looks at everything anew",
        ),
    }
}
