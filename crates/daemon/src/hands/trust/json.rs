//! Settings of Claude Code without what Kite and the person's own clicks put there.

use std::{fs, path::Path};

use serde_json::{Map, Value};

/// Keys of the local settings by which a person answers Claude Code's questions.
const ANSWERS: &[&str] = &[
    "enabledMcpjsonServers",
    "disabledMcpjsonServers",
    "enableAllProjectMcpServers",
];

/// The keys of a handler of Kite's.
const HANDLER: &[&str] = &["type", "command", "timeout", "async", "name"];

/// How Kite's programs are called from files that stay on this machine.
pub(super) struct Own {
    program: String,
    hooks: Vec<String>,
}

impl Own {
    pub(super) fn of(home: &Path) -> Own {
        let home = fs::canonicalize(home).unwrap_or_else(|_| home.to_owned());
        let hook = format!("{}/bin/kite-hook", home.display());
        let quoted = format!("'{}'", hook.replace('\'', r"'\''"));
        // A path that a shell would take apart is always written between quotes.
        let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+,:@%=".contains(c);
        let hooks = match hook.chars().all(plain) {
            true => vec![hook, quoted],
            false => vec![quoted],
        };
        Own {
            program: format!("{}/bin/kite", home.display()),
            hooks,
        }
    }

    /// Settings without Kite's hooks and permissions. Of local ones the lists of permissions and the
    /// answers about servers go, too: those are the person's.
    pub(super) fn without(&self, mut settings: Value, is_local: bool) -> Value {
        if let Some(hooks) = settings.get_mut("hooks") {
            self.drop_hooks(hooks);
        }
        if let Some(Value::Object(permissions)) = settings.get_mut("permissions") {
            for list in ["allow", "ask", "deny"] {
                match permissions.get_mut(list) {
                    Some(_) if is_local => drop(permissions.remove(list)),
                    Some(Value::Array(rules)) => {
                        rules.retain(|rule| !rule.as_str().is_some_and(is_kites_permission));
                    }
                    _ => {}
                }
            }
        }
        if let Value::Object(settings) = &mut settings
            && is_local
        {
            settings.retain(|name, _| !ANSWERS.contains(&name.as_str()));
        }
        settings
    }

    /// Servers without Kite's own.
    pub(super) fn without_server(&self, mut file: Value) -> Value {
        if let Some(Value::Object(servers)) = file.get_mut("mcpServers") {
            servers.retain(|name, server| name != "kite" || !self.is_server(server));
        }
        file
    }

    fn is_server(&self, server: &Value) -> bool {
        server["command"] == self.program.as_str()
            && server["args"] == serde_json::json!(["mcp"])
            && server.get("env").is_none_or(is_empty)
    }

    fn drop_hooks(&self, hooks: &mut Value) {
        let Value::Object(events) = hooks else {
            return;
        };
        for groups in events.values_mut() {
            let Value::Array(groups) = groups else {
                continue;
            };
            for group in groups.iter_mut() {
                if let Some(Value::Array(handlers)) = group.get_mut("hooks") {
                    handlers.retain(|handler| !self.is_hook(handler));
                }
            }
            groups.retain(|group| !group.get("hooks").is_some_and(is_empty));
        }
    }

    /// The hook's path and one or two words of letters: nothing that a shell could make more of.
    fn is_hook(&self, handler: &Value) -> bool {
        let is_known = |key: &String| HANDLER.contains(&key.as_str());
        if !handler
            .as_object()
            .is_some_and(|it| it.keys().all(is_known))
        {
            return false;
        }
        let Some(command) = handler.get("command").and_then(Value::as_str) else {
            return false;
        };
        let is_word = |word: &str| {
            !word.is_empty() && word.chars().all(|c| c.is_ascii_alphabetic() || c == '-')
        };
        self.hooks.iter().any(|hook| {
            command.strip_prefix(hook.as_str()).is_some_and(|words| {
                let mut words = words.split(' ');
                words.next() == Some("") && words.clone().count() <= 2 && words.all(is_word)
            })
        })
    }
}

fn is_kites_permission(rule: &str) -> bool {
    rule.starts_with("mcp__kite__kite_") && rule.chars().all(|c| c.is_ascii_lowercase() || c == '_')
}

/// True where nothing is said: empty objects and lists, whatever they are in.
pub(super) fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.iter().all(is_empty),
        Value::Object(fields) => all_empty(fields),
        _ => false,
    }
}

fn all_empty(fields: &Map<String, Value>) -> bool {
    fields.values().all(is_empty)
}
