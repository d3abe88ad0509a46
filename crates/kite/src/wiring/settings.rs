//! Kite's part of a settings file: its hooks, and the permissions of its coordination tools.

use jsonc_parser::cst::{CstArray, CstObject};
use serde_json::{Value, json};

use super::{
    command::{self, Caller},
    document::{self, Document},
    error::Error,
    events::{HookSet, PERMISSIONS},
};

/// One of Kite's hooks, as found in a file.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Hook {
    pub(crate) event: String,
    pub(crate) matcher: Option<String>,
    pub(crate) handler: Value,
    pub(crate) caller: Caller,
}

/// What a settings file lacks of the wiring that [`wire`] would write.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Gaps {
    /// Events whose registration is missing or not the expected one.
    pub(crate) events: Vec<&'static str>,
    /// Hooks of the same caller that this version does not register.
    pub(crate) surplus: Vec<String>,
    /// Coordination tools that are not allowed by name.
    pub(crate) permissions: Vec<&'static str>,
}

impl Gaps {
    pub(crate) fn none(&self) -> bool {
        self.events.is_empty() && self.surplus.is_empty() && self.permissions.is_empty()
    }
}

/// All hooks of Kite in a settings file, whoever they belong to.
pub(crate) fn hooks(settings: &Value) -> Vec<Hook> {
    let mut found = Vec::new();
    let Some(events) = settings.get("hooks").and_then(Value::as_object) else {
        return found;
    };
    for (event, groups) in events {
        for group in groups.as_array().into_iter().flatten() {
            let matcher = group.get("matcher").and_then(Value::as_str);
            for handler in group
                .get("hooks")
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
            {
                if let Some(caller) = caller_of(handler) {
                    let (event, matcher) = (event.clone(), matcher.map(str::to_owned));
                    found.push(Hook {
                        event,
                        matcher,
                        handler: handler.clone(),
                        caller,
                    });
                }
            }
        }
    }
    found
}

/// What is missing for `caller` in a settings file.
pub(crate) fn gaps(settings: &Value, caller: &Caller, set: &HookSet) -> Gaps {
    let mut found: Vec<Hook> = hooks(settings)
        .into_iter()
        .filter(|hook| hook.caller == *caller)
        .collect();
    let mut gaps = Gaps::default();
    for expected in expected(caller, set) {
        match found.iter().position(|hook| *hook == expected.1) {
            Some(at) => drop(found.swap_remove(at)),
            None => gaps.events.push(expected.0),
        }
    }
    gaps.surplus = found.into_iter().map(|hook| hook.event).collect();
    // The parser's order of keys is no order.
    gaps.surplus.sort();
    let allowed = allowed(settings);
    gaps.permissions = set
        .permissions
        .iter()
        .copied()
        .filter(|name| !allowed.contains(name))
        .collect();
    gaps
}

/// Adds what is missing and says whether anything was.
///
/// # Errors
/// Where a key that Kite needs holds something of another kind.
pub(crate) fn wire(document: &Document, caller: &Caller, set: &HookSet) -> Result<bool, Error> {
    let now = document.value();
    let gaps = gaps(&now, caller, set);
    if !gaps.events.is_empty() || !gaps.surplus.is_empty() {
        remove_hooks(document, caller, &now)?;
        let events = document::object_at(document.root(), "hooks")?;
        for (event, hook) in expected(caller, set) {
            let mut group = json!({});
            if let Some(matcher) = hook.matcher {
                group["matcher"] = Value::String(matcher);
            }
            group["hooks"] = Value::Array(vec![hook.handler]);
            document::array_at(&events, event)?.append(document::input(&group));
        }
    }
    if !gaps.permissions.is_empty() {
        let permissions = document::object_at(document.root(), "permissions")?;
        let allow = document::array_at(&permissions, "allow")?;
        for name in &gaps.permissions {
            allow.append((*name).into());
        }
    }
    Ok(!gaps.none())
}

/// Removes Kite's entries and the containers they leave empty, but keeps whatever `original`
/// (the file before Kite, [`Value::Null`] if there was none) had.
///
/// # Errors
/// Where a key stands there twice.
pub(crate) fn unwire(
    document: &Document,
    caller: &Caller,
    original: &Value,
) -> Result<bool, Error> {
    let hooks_gone = remove_hooks(document, caller, original)?;
    // Permissions do not say who wrote them: without hooks and without an original beside them
    // they are taken for the user's own.
    if !hooks_gone && original.is_null() {
        return Ok(false);
    }
    let permissions_gone = remove_permissions(document, original)?;
    Ok(hooks_gone || permissions_gone)
}

fn expected<'a>(
    caller: &'a Caller,
    set: &'a HookSet,
) -> impl Iterator<Item = (&'static str, Hook)> + 'a {
    set.registrations.iter().map(|registration| {
        let hook = Hook {
            event: registration.event.to_owned(),
            matcher: registration.matcher.map(str::to_owned),
            handler: caller.hook(registration, set),
            caller: caller.clone(),
        };
        (registration.event, hook)
    })
}

fn caller_of(handler: &Value) -> Option<Caller> {
    command::of_hook(handler.get("command")?.as_str()?)
}

fn allowed(settings: &Value) -> Vec<&str> {
    let allow = settings
        .pointer("/permissions/allow")
        .and_then(Value::as_array);
    allow
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect()
}

fn remove_hooks(document: &Document, caller: &Caller, original: &Value) -> Result<bool, Error> {
    let root = document.root();
    let Some(events) = document::property(root, "hooks")?.and_then(|hooks| hooks.object_value())
    else {
        return Ok(false);
    };
    let before = original.get("hooks");
    let mut removed = false;
    for property in events.properties() {
        let Some(groups) = property.array_value() else {
            continue;
        };
        if !remove_from_groups(&groups, caller)? {
            continue;
        }
        removed = true;
        let name = property.decoded_name().unwrap_or_default();
        let was_there = before.is_some_and(|events| events.get(&name).is_some());
        if groups.elements().is_empty() && !was_there {
            property.remove();
        }
    }
    if removed && events.properties().is_empty() && before.is_none() {
        remove_property(root, "hooks")?;
    }
    Ok(removed)
}

fn remove_from_groups(groups: &CstArray, caller: &Caller) -> Result<bool, Error> {
    let mut removed = false;
    let mut emptied = Vec::new();
    for group in groups.elements() {
        let Some(object) = group.as_object() else {
            continue;
        };
        let Some(handlers) = document::property(&object, "hooks")?.and_then(|p| p.array_value())
        else {
            continue;
        };
        let is_ours = |handler: &Value| caller_of(handler).as_ref() == Some(caller);
        if document::remove_elements(&handlers, is_ours) {
            removed = true;
            if handlers.elements().is_empty() {
                emptied.push(document::value_of(&group));
            }
        }
    }
    document::remove_elements(groups, |group| emptied.contains(group));
    Ok(removed)
}

fn remove_permissions(document: &Document, original: &Value) -> Result<bool, Error> {
    let root = document.root();
    let Some(permissions) =
        document::property(root, "permissions")?.and_then(|found| found.object_value())
    else {
        return Ok(false);
    };
    let Some(allow) =
        document::property(&permissions, "allow")?.and_then(|found| found.array_value())
    else {
        return Ok(false);
    };
    let kept = allowed(original);
    let is_ours = |name: &str| PERMISSIONS.contains(&name) && !kept.contains(&name);
    let removed = document::remove_elements(&allow, |value| value.as_str().is_some_and(is_ours));
    if removed {
        let before = original.get("permissions");
        if allow.elements().is_empty() && before.is_none_or(|p| p.get("allow").is_none()) {
            remove_property(&permissions, "allow")?;
        }
        if permissions.properties().is_empty() && before.is_none() {
            remove_property(root, "permissions")?;
        }
    }
    Ok(removed)
}

fn remove_property(object: &CstObject, name: &str) -> Result<(), Error> {
    if let Some(property) = document::property(object, name)? {
        property.remove();
    }
    Ok(())
}
