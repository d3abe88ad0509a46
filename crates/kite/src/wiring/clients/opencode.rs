//! Kite's plugin for opencode: a file of its own in opencode's plugin directory.

use super::super::{
    command::{self, Caller, shell_quoted},
    error::Error,
    place::Remains,
};

/// The first line, by which the file is known as Kite's.
const MARK: &str = "// Written by `kite init`, removed by `kite uninit`.";
const HOOK: &str = "const HOOK = ";
const TEXT: &str = include_str!("opencode_plugin.js");

pub(super) fn wire(bytes: &[u8], caller: &Caller) -> Result<Option<Vec<u8>>, Error> {
    let wanted = text(caller)?;
    if bytes == wanted.as_bytes() {
        return Ok(None);
    }
    if !bytes.is_empty() && owner(bytes).as_ref() != Some(caller) {
        return Err(Error::new("another plugin has this name")
            .hinted("rename or remove it, then run it again; nothing has been changed"));
    }
    Ok(Some(wanted.into_bytes()))
}

/// Nothing of the file is anybody else's.
pub(super) fn unwire(bytes: &[u8], caller: &Caller) -> Option<Remains> {
    (owner(bytes).as_ref() == Some(caller)).then(|| Remains {
        bytes: Vec::new(),
        empty: true,
    })
}

/// The shell command that does what the plugin does before a tool.
pub(super) fn hook(bytes: &[u8]) -> Option<String> {
    Some(format!(
        "{} PreToolUse opencode",
        shell_quoted(&program(bytes)?)
    ))
}

fn text(caller: &Caller) -> Result<String, Error> {
    let Caller::Home(home) = caller else {
        return Err(Error::new("shared files hold no plugin"));
    };
    let program = format!("{}/bin/kite-hook", home.display());
    let quoted = serde_json::Value::String(program).to_string();
    Ok(format!("{MARK}\n{HOOK}{quoted}\n\n{TEXT}"))
}

fn owner(bytes: &[u8]) -> Option<Caller> {
    command::of_hook(&format!("{} PreToolUse", shell_quoted(&program(bytes)?)))
}

/// The hook that the plugin calls.
fn program(bytes: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(bytes).ok()?;
    let mut lines = text.lines();
    let second = lines
        .next()
        .filter(|line| *line == MARK)
        .and(lines.next())?;
    serde_json::from_str(second.strip_prefix(HOOK)?).ok()
}
