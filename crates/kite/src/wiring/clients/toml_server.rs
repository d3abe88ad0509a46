//! Kite's entry among the MCP servers of Codex's `config.toml`, and whether its hooks are trusted.

use std::path::Path;

use toml_edit::{Array, DocumentMut, Item, Table, value};

use super::super::{
    command::{Caller, PROGRAM, absolute},
    error::Error,
    events::SERVER,
    files,
    place::Remains,
};

const SERVERS: &str = "mcp_servers";
/// Largest file that is edited, in bytes.
const FILE_BYTES_MAX: usize = 16 << 20;

pub(super) fn wire(bytes: &[u8], caller: &Caller) -> Result<Option<Vec<u8>>, Error> {
    let mut document = parse(bytes)?;
    let program = program(caller)?;
    if let Some(found) = document
        .get(SERVERS)
        .and_then(|servers| servers.get(SERVER))
    {
        if owner(found).as_ref() != Some(caller) {
            return Err(
                Error::new(format!("another MCP server is called \"{SERVER}\" there"))
                    .hinted("rename or remove it, then run it again; nothing has been changed"),
            );
        }
        return Ok(None);
    }
    let servers = document.entry(SERVERS).or_insert_with(|| {
        let mut table = Table::new();
        table.set_implicit(true);
        Item::Table(table)
    });
    let servers = servers.as_table_like_mut().ok_or_else(|| {
        Error::new(format!("\"{SERVERS}\" is not a table"))
            .hinted("correct it, then run it again; nothing has been changed")
    })?;
    let mut entry = Table::new();
    entry.insert("command", value(program));
    entry.insert("args", value(Array::from_iter(["mcp"])));
    servers.insert(SERVER, Item::Table(entry));
    Ok(Some(document.to_string().into_bytes()))
}

/// Codex has forgotten what was agreed to once the hooks are gone, so only the server is taken out.
pub(super) fn unwire(
    bytes: &[u8],
    caller: &Caller,
    original: Option<&[u8]>,
) -> Result<Option<Remains>, Error> {
    let mut document = parse(bytes)?;
    let had_servers = match original {
        Some(original) => parse(original)?.contains_key(SERVERS),
        None => false,
    };
    let Some(servers) = document
        .get_mut(SERVERS)
        .and_then(|servers| servers.as_table_like_mut())
    else {
        return Ok(None);
    };
    let is_ours = servers
        .get(SERVER)
        .is_some_and(|entry| owner(entry).as_ref() == Some(caller));
    if !is_ours {
        return Ok(None);
    }
    servers.remove(SERVER);
    if servers.is_empty() && !had_servers {
        document.remove(SERVERS);
    }
    let text = document.to_string();
    Ok(Some(Remains {
        empty: text.trim().is_empty(),
        bytes: text.into_bytes(),
    }))
}

/// Whether the person has agreed to hooks of this directory's `hooks.json`. Codex keeps a hash of
/// each; whether it is still the right one, only Codex can tell.
pub(super) fn trusts_hooks(directory: &Path) -> bool {
    let hooks = directory.join("hooks.json");
    let Ok(Ok(document)) = std::fs::read(directory.join("config.toml")).map(|b| parse(&b)) else {
        return false;
    };
    let state = document
        .get("hooks")
        .and_then(|hooks| hooks.get("state"))
        .and_then(Item::as_table_like);
    let names = [hooks.clone(), files::resolved(&hooks)];
    state.is_some_and(|state| {
        state.iter().any(|(key, entry)| {
            let is_before_tools = names.iter().any(|name| {
                key.strip_prefix(&*name.to_string_lossy())
                    .is_some_and(|rest| rest.starts_with(":pre_tool_use:"))
            });
            is_before_tools && entry.get("trusted_hash").is_some()
        })
    })
}

fn parse(bytes: &[u8]) -> Result<DocumentMut, Error> {
    let invalid = || {
        Error::new("is not valid TOML")
            .hinted("correct it, then run it again; nothing has been changed")
    };
    if bytes.len() > FILE_BYTES_MAX {
        return Err(Error::new(format!("has more than {FILE_BYTES_MAX} bytes")));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| invalid().because("not UTF-8"))?;
    text.parse()
        .map_err(|error: toml_edit::TomlError| invalid().because(error.message().to_owned()))
}

fn program(caller: &Caller) -> Result<String, Error> {
    match caller {
        Caller::Home(home) => Ok(format!("{}{PROGRAM}", home.display())),
        Caller::Shared => Err(Error::new("shared files name no path")),
    }
}

fn owner(entry: &Item) -> Option<Caller> {
    let args = entry.get("args")?.as_array()?;
    let is_mcp = args.len() == 1 && args.get(0)?.as_str() == Some("mcp");
    let home = entry.get("command")?.as_str()?.strip_suffix(PROGRAM)?;
    is_mcp.then(|| absolute(home).map(Caller::Home)).flatten()
}
