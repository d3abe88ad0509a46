//! How a settings file calls Kite's programs, and how such a call is recognised later.
//!
//! Two forms: with the absolute path of one home, for files that stay on this machine; and a shell
//! line without any path, for files that are shared and must do no harm where Kite is missing.

use std::path::{Path, PathBuf};

use kite_wire::home::Home;
use serde_json::{Value, json};

use super::{
    error::Error,
    events::{HookSet, Registration, SERVER, Wait},
    files,
};

/// Whom a call belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Caller {
    /// The programs of one home, by absolute path.
    Home(PathBuf),
    /// Whatever home the reader of a shared file has.
    Shared,
}

const HOOK: &str = "/bin/kite-hook";
pub(super) const PROGRAM: &str = "/bin/kite";

// No `${...}`: Claude Code replaces that in an MCP server's arguments by text of its own.
const SHARED_HOOK_START: &str = concat!(
    r#"sh -c 'h="$KITE_HOME"; [ -n "$h" ] || h="$HOME/.kite"; h="$h/bin/kite-hook"; "#,
    r#"[ -x "$h" ] || exit 0; exec "$h" "#
);

const SHARED_SERVER: &str = concat!(
    r#"k="$KITE_HOME"; [ -n "$k" ] || k="$HOME/.kite"; k="$k/bin/kite"; [ -x "$k" ] || "#,
    r#"{ echo "Kite is not installed here; the project works without it." >&2; exit 0; }; "#,
    r#"exec "$k" mcp"#
);

impl Caller {
    /// The caller for one home.
    ///
    /// # Errors
    /// Where the path cannot stand in a JSON file or a shell line.
    pub(crate) fn home(home: &Home) -> Result<Caller, Error> {
        // One home has one name, however KITE_HOME spells it.
        let path = files::resolved(home.path());
        match path.to_str() {
            Some(text) if !text.chars().any(char::is_control) => Ok(Caller::Home(path)),
            _ => Err(
                Error::new(format!("cannot wire to the home {}", path.display()))
                    .because("its path is not plain text, and a settings file could not name it")
                    .hinted("set KITE_HOME to another directory"),
            ),
        }
    }

    /// The hook handler for one registration, as it stands in the file.
    pub(crate) fn hook(&self, registration: &Registration, set: &HookSet) -> Value {
        let mut call = registration.word.to_owned();
        if let Some(client) = set.client {
            call = format!("{call} {client}");
        }
        let mut handler = json!({
            "type": "command",
            "command": self.hook_command(&call),
            "timeout": registration.timeout_s * set.units_per_s,
        });
        if set.has_names {
            handler["name"] = json!(SERVER);
        }
        if registration.wait == Wait::Async {
            handler["async"] = Value::Bool(true);
        }
        handler
    }

    /// The command for an event, with the client's name where it is not Claude Code's.
    fn hook_command(&self, event: &str) -> String {
        match self {
            Caller::Home(home) => {
                format!(
                    "{} {event}",
                    shell_quoted(&format!("{}{HOOK}", home.display()))
                )
            }
            Caller::Shared => format!("{SHARED_HOOK_START}{event}'"),
        }
    }

    /// The MCP server entry, in the shape that `claude mcp add` writes.
    pub(crate) fn server(&self) -> Value {
        match self {
            Caller::Home(home) => json!({
                "type": "stdio",
                "command": format!("{}{PROGRAM}", home.display()),
                "args": ["mcp"],
                "env": {},
            }),
            Caller::Shared => json!({
                "type": "stdio",
                "command": "sh",
                "args": ["-c", SHARED_SERVER],
                "env": {},
            }),
        }
    }
}

/// Whose hook a command is; `None` for anything that is not Kite's.
pub(crate) fn of_hook(command: &str) -> Option<Caller> {
    // Other versions of Kite may have put it in other words.
    if command.starts_with("sh -c '") && command.contains("/bin/kite-hook\"") {
        return Some(Caller::Shared);
    }
    let is_word = |word: &str| !word.is_empty() && word.chars().all(|c| c.is_ascii_alphabetic());
    let mut program = command;
    // The event, and the client where one is named.
    for _ in 0..2 {
        let (rest, word) = program.rsplit_once(' ')?;
        if !is_word(word) {
            return None;
        }
        program = rest;
        let home =
            shell_unquoted(program).and_then(|program| absolute(program.strip_suffix(HOOK)?));
        if let Some(home) = home {
            return Some(Caller::Home(home));
        }
    }
    None
}

/// Whose MCP server an entry is; `None` for anything that is not Kite's.
pub(crate) fn of_server(entry: &Value) -> Option<Caller> {
    let command = entry.get("command")?.as_str()?;
    let args: Vec<&str> = entry
        .get("args")?
        .as_array()?
        .iter()
        .filter_map(Value::as_str)
        .collect();
    match args.as_slice() {
        ["mcp"] => absolute(command.strip_suffix(PROGRAM)?).map(Caller::Home),
        ["-c", script] if command == "sh" && script.contains("/bin/kite\"") => Some(Caller::Shared),
        _ => None,
    }
}

pub(super) fn absolute(home: &str) -> Option<PathBuf> {
    let home = Path::new(home);
    home.is_absolute().then(|| home.to_owned())
}

/// The text as one word of a POSIX shell.
pub(crate) fn shell_quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+,:@%=".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// What [`shell_quoted`] was given; `None` where the text is no single word of its making.
pub(super) fn shell_unquoted(word: &str) -> Option<String> {
    let Some(inner) = word.strip_prefix('\'') else {
        return (!word.contains([' ', '\'', '"', '$', '`', ';', '|', '&']))
            .then(|| word.to_owned());
    };
    let inner = inner.strip_suffix('\'')?.replace(r"'\''", "\0");
    (!inner.contains('\'')).then(|| inner.replace('\0', "'"))
}

#[cfg(test)]
mod tests {
    use super::super::events::REGISTRATIONS;
    use super::*;

    #[test]
    fn a_command_is_recognised_whatever_the_home_is_called() {
        for home in [
            "/h/.kite",
            "/h/my home/.kite",
            "/h/it's $HOME `x`; rm/k",
            "/h/ä/k",
        ] {
            let caller = Caller::Home(home.into());
            for registration in REGISTRATIONS {
                for client in ["", " gemini"] {
                    let command = caller.hook_command(&format!("{}{client}", registration.word));
                    assert_eq!(of_hook(&command), Some(caller.clone()), "{command}");
                }
            }
            assert_eq!(of_server(&caller.server()), Some(caller));
        }
        assert_eq!(
            of_hook(&Caller::Shared.hook_command("Stop")),
            Some(Caller::Shared)
        );
        assert_eq!(of_server(&Caller::Shared.server()), Some(Caller::Shared));
    }

    #[test]
    fn what_others_wrote_is_not_ours() {
        for command in [
            "",
            "kite-hook Stop",
            "/x/bin/other Stop",
            "/x/bin/kite-hook",
            "/x/bin/kite-hook Stop codex more",
            "a; /x/bin/kite-hook Stop",
        ] {
            assert_eq!(of_hook(command), None, "{command}");
        }
    }
}
