//! Kite's entry among the MCP servers of a file.

use serde_json::Value;

use super::{
    command::{self, Caller, PROGRAM},
    document::{self, Document},
    error::Error,
    events::SERVER,
    url,
};

/// Whose server stands under Kite's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Owner {
    Kite(Caller),
    /// A server that has the same name and is not Kite's.
    Stranger,
}

/// The `kite` entry below `keys` (the keys that lead to `mcpServers`, itself included).
pub(crate) fn entry<'a>(file: &'a Value, keys: &[String]) -> Option<&'a Value> {
    keys.iter()
        .try_fold(file, |value, key| value.get(key))?
        .get(SERVER)
}

pub(crate) fn owner(entry: &Value) -> Owner {
    command::of_server(entry)
        .or_else(|| url::owner(entry))
        .map_or(Owner::Stranger, Owner::Kite)
}

/// Whether the entry leads to that caller's server as it is now.
pub(crate) fn is_whole(entry: &Value, caller: &Caller) -> bool {
    *entry == caller.server() || url::owner(entry).as_ref() == Some(caller)
}

/// Adds the entry, or corrects one of the same caller; says whether anything was changed.
///
/// # Errors
/// Where a stranger has the name, or a key on the way holds something of another kind.
pub(crate) fn wire(document: &Document, keys: &[String], caller: &Caller) -> Result<bool, Error> {
    let wanted = caller.server();
    let now = document.value();
    if let Some(found) = entry(&now, keys) {
        // One with a URL stays: that is for `kite init --http` to change.
        if is_whole(found, caller) {
            return Ok(false);
        }
        if owner(found) != Owner::Kite(caller.clone()) {
            return Err(is_taken());
        }
    }
    let mut servers = document.root().clone();
    for key in keys {
        servers = document::object_at(&servers, key)?;
    }
    match document::property(&servers, SERVER)? {
        Some(property) => property.set_value(document::input(&wanted)),
        None => drop(servers.append(SERVER, document::input(&wanted))),
    }
    Ok(true)
}

/// Removes the entry of `caller`, and the containers on the way that are empty now and were not
/// there in `original`.
///
/// # Errors
/// Where a key stands there twice.
pub(crate) fn unwire(
    document: &Document,
    keys: &[String],
    caller: &Caller,
    original: &Value,
) -> Result<bool, Error> {
    remove(document, keys, original, |found| {
        owner(found) == Owner::Kite(caller.clone())
    })
}

fn is_taken() -> Error {
    Error::new(format!("another MCP server is called \"{SERVER}\" there"))
        .hinted("rename or remove it, then run it again; nothing has been changed")
}

fn remove(
    document: &Document,
    keys: &[String],
    original: &Value,
    is_ours: impl Fn(&Value) -> bool,
) -> Result<bool, Error> {
    let now = document.value();
    if !entry(&now, keys).is_some_and(is_ours) {
        return Ok(false);
    }
    let mut way = vec![document.root().clone()];
    for key in keys {
        let last = way.last().unwrap_or(document.root());
        let Some(next) = document::property(last, key)?.and_then(|found| found.object_value())
        else {
            return Ok(false);
        };
        way.push(next);
    }
    if let Some(property) = way
        .last()
        .map(|servers| document::property(servers, SERVER))
        .transpose()?
    {
        property.into_iter().for_each(|property| property.remove());
    }
    for depth in (0..keys.len()).rev() {
        let before = keys[..=depth]
            .iter()
            .try_fold(original, |value, key| value.get(key));
        let was_there = before.is_some_and(|before| !holds_only_kite(before));
        if was_there || !way[depth + 1].properties().is_empty() {
            break;
        }
        if let Some(property) = document::property(&way[depth], &keys[depth])? {
            property.remove();
        }
    }
    Ok(true)
}

/// An object that wiring made: for another project, as this one's record cannot tell.
fn holds_only_kite(value: &Value) -> bool {
    let Some(object) = value.as_object() else {
        return false;
    };
    !object.is_empty()
        && object.iter().all(|(key, value)| {
            (key == SERVER && matches!(owner(value), Owner::Kite(_))) || holds_only_kite(value)
        })
}

/// Kite's entry in the form of one client.
pub(crate) struct Entry {
    /// The keys that lead to the client's servers.
    pub(crate) keys: &'static [&'static str],
    /// The entry for a program.
    pub(crate) value: fn(&str) -> Value,
    /// The program of an entry that calls it as Kite is called.
    pub(crate) program: fn(&Value) -> Option<&str>,
}

impl Entry {
    fn keys(&self) -> Vec<String> {
        self.keys.iter().map(|key| (*key).to_owned()).collect()
    }

    fn owner(&self, found: &Value) -> Option<Caller> {
        let home = (self.program)(found)?.strip_suffix(PROGRAM)?;
        command::absolute(home).map(Caller::Home)
    }
}

/// As [`wire`], in that client's form. An entry that calls Kite stays as the person has it, with
/// whatever they have added.
///
/// # Errors
/// As [`wire`].
pub(crate) fn wire_entry(
    document: &Document,
    form: &Entry,
    caller: &Caller,
) -> Result<bool, Error> {
    let Caller::Home(home) = caller else {
        return Err(Error::new("shared files name no path"));
    };
    if let Some(found) = entry(&document.value(), &form.keys()) {
        return match form.owner(found).as_ref() == Some(caller) {
            true => Ok(false),
            false => Err(is_taken()),
        };
    }
    let mut servers = document.root().clone();
    for key in form.keys {
        servers = document::object_at(&servers, key)?;
    }
    let value = (form.value)(&format!("{}{PROGRAM}", home.display()));
    servers.append(SERVER, document::input(&value));
    Ok(true)
}

/// As [`unwire`], in that client's form.
///
/// # Errors
/// As [`unwire`].
pub(crate) fn unwire_entry(
    document: &Document,
    form: &Entry,
    caller: &Caller,
    original: &Value,
) -> Result<bool, Error> {
    let is_ours = |found: &Value| form.owner(found).as_ref() == Some(caller);
    remove(document, &form.keys(), original, is_ours)
}
