//! Kite's entry among Claude Code's MCP servers, by URL: for `kite serve` instead of `kite mcp`.
//!
//! The token does not stand there. Claude Code runs `kite serve --headers` when it connects, which
//! prints it together with whose session that is.

use kite_wire::home::Home;
use serde_json::{Value, json};

use super::{
    client_lock::ClientLock,
    command::{Caller, PROGRAM, absolute, shell_quoted, shell_unquoted},
    document::{self, Document},
    error::Error,
    events::SERVER,
    files,
    machine::Machine,
    place::{Part, Place, Scope, places},
    plan::root_of,
    project::Project,
    record::{self, Shelf},
    report::Report,
    servers,
    transaction::{self, Change},
};

const HELPER_ARGUMENTS: &str = " serve --headers";

/// Replaces the entry that [`super::init()`] wrote for a project's agents by one with the URL of
/// this port.
///
/// # Errors
/// Where the file cannot be understood or written.
pub(crate) fn wire_by_url(
    dir: &std::path::Path,
    scope: Scope,
    port: u16,
    machine: &Machine,
    report: &mut dyn Report,
) -> Result<(), Error> {
    let project = Project::holding(dir, machine)?;
    let wanted = entry(&machine.home, port)?;
    let _lock = ClientLock::take(&machine.claude_state())?;
    for place in places(scope, &project, machine) {
        let Part::Server { keys } = &place.part else {
            continue;
        };
        let change = change(&place, keys, &wanted)?;
        if change.after.is_none() {
            continue;
        }
        transaction::commit(std::slice::from_ref(&change))?;
        remember(&place, &change, scope, &project, machine)?;
        report.say(&format!("Wired by URL in {}", machine.shown(&place.path)));
    }
    Ok(())
}

/// Notes what the file holds now, so that `uninit` still knows it as Kite wrote it.
fn remember(
    place: &Place,
    change: &Change,
    scope: Scope,
    project: &Project,
    machine: &Machine,
) -> Result<(), Error> {
    let shelf = Shelf::of(&machine.home, &root_of(scope, project, machine), scope);
    let (Some(mut record), Some(before), Some(after)) =
        (shelf.load()?, &change.before.bytes, &change.after)
    else {
        return Ok(());
    };
    let written = record.files.iter_mut().find(|file| file.place == *place);
    match written.filter(|file| file.hash == record::hash(before)) {
        None => Ok(()),
        Some(written) => {
            written.hash = record::hash(after);
            shelf.save(&record)
        }
    }
}

/// Whose server an entry with a URL is; `None` for anything that is not Kite's.
pub(super) fn owner(entry: &Value) -> Option<Caller> {
    entry.get("url")?.as_str()?;
    let helper = entry.get("headersHelper")?.as_str()?;
    let program = shell_unquoted(helper.strip_suffix(HELPER_ARGUMENTS)?)?;
    absolute(program.strip_suffix(PROGRAM)?).map(Caller::Home)
}

/// The entry, in the shape that `claude mcp add --transport http` writes.
fn entry(home: &Home, port: u16) -> Result<Value, Error> {
    let Caller::Home(home) = Caller::home(home)? else {
        return Err(Error::new("shared files name no URL"));
    };
    let program = shell_quoted(&format!("{}{PROGRAM}", home.display()));
    Ok(json!({
        "type": "http",
        "url": format!("http://127.0.0.1:{port}/mcp"),
        "headersHelper": format!("{program}{HELPER_ARGUMENTS}"),
    }))
}

/// What the file becomes; `after` is `None` where nothing changes.
fn change(place: &Place, keys: &[String], wanted: &Value) -> Result<Change, Error> {
    let before = files::snapshot(&place.path, place.new_mode())?;
    let document = Document::parse(&place.path, before.bytes.as_deref().unwrap_or_default())?;
    let now = document.value();
    let mut change = Change {
        before,
        after: None,
        aside: None,
    };
    if servers::entry(&now, keys) == Some(wanted) {
        return Ok(change);
    }
    let mut servers = document.root().clone();
    for key in keys {
        servers = document::object_at(&servers, key)?;
    }
    match document::property(&servers, SERVER)? {
        Some(property) => property.set_value(document::input(wanted)),
        None => drop(servers.append(SERVER, document::input(wanted))),
    }
    change.after = Some(document.to_bytes());
    Ok(change)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_recognised_whatever_the_home_is_called_and_holds_no_token() {
        for home in ["/h/.kite", "/h/my home/.kite", "/h/it's/k"] {
            let entry = entry(&Home::at(home), 3001).expect("a plain path");
            assert_eq!(owner(&entry), Some(Caller::Home(home.into())), "{entry}");
            assert!(entry.get("headers").is_none());
        }
        for strange in [
            json!({"type": "http", "url": "http://127.0.0.1:3001/mcp"}),
            json!({"url": "http://x", "headersHelper": "/x/bin/other serve --headers"}),
            json!({"url": "http://x", "headersHelper": "rm; /x/bin/kite serve --headers"}),
        ] {
            assert_eq!(owner(&strange), None, "{strange}");
        }
    }
}
