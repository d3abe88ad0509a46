//! Who calls. Over a pipe that is the agent process at its other end, known from what it says of
//! itself and from the environment it started this program in; over HTTP each request says it.
//!
//! The environment can be inherited (an agent started from within another agent's shell), the
//! client's own word in the handshake cannot: where the two differ, the word wins and the other
//! client's variables are not read.

use std::{collections::BTreeSet, env, sync::Arc};

use kite_wire::request::Caller;
use rmcp::{RoleServer, model::Extensions, service::RequestContext};
use rustix::process::{Pid, getppid};
use serde_json::{Map, Value};

use crate::{
    catalogue,
    http::{
        handles::{HANDLE_PARAM, Handle, Handles},
        identity,
        presence::Presence,
        store::Store,
    },
    tools::Tool,
};

/// Ancestors looked at when an environment variable names the agent's process.
const ANCESTORS_MAX: usize = 16;
/// Characters of a client's name.
const CLIENT_CHARS_MAX: usize = 64;

const CLAUDE_CODE: &str = "claude-code";

/// What names a client in its handshake or in `AI_AGENT`, and how Kite calls it.
const KNOWN_CLIENTS: &[(&str, &str)] = &[
    ("claude", CLAUDE_CODE),
    ("codex", "codex"),
    ("gemini", "gemini"),
    ("opencode", "opencode"),
];

/// What one call says of its sender, beside the environment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Introduction {
    /// Name and version from the handshake or the request's metadata.
    pub(crate) client: Option<(String, String)>,
    /// The client's session id, where it comes with the call.
    pub(crate) session_id: Option<String>,
}

/// Whom a process serves.
pub(crate) enum Clients {
    /// One, at the other end of a pipe.
    Pipe(Surroundings),
    /// Any number, over HTTP.
    Http(Handles, Arc<Presence>, Arc<Store>),
}

impl Clients {
    /// The caller, as the daemon is told of it.
    pub(crate) fn caller(
        &self,
        introduction: &Introduction,
        context: &RequestContext<RoleServer>,
    ) -> Caller {
        match self {
            Clients::Pipe(surroundings) => {
                surroundings.caller(introduction, catalogue::fingerprint())
            }
            Clients::Http(..) => identity::caller(introduction, context),
        }
    }

    /// Takes the handle out of a tool call's arguments, where there are handles. A tool that only
    /// reads may have an argument of that name itself, and is given the handle all the same by who
    /// was told to give it with every call: no id looks like one.
    pub(crate) fn take_handle(
        &self,
        tool: Option<&Tool>,
        given: &mut Map<String, Value>,
    ) -> Option<Value> {
        let Clients::Http(handles, ..) = self else {
            return None;
        };
        let is_its_own = tool.is_some_and(|tool| tool.declaration.takes(HANDLE_PARAM));
        let is_handle = |value: &Value| {
            value
                .as_str()
                .is_some_and(|text| handles.read(text).is_some())
        };
        if is_its_own && !given.get(HANDLE_PARAM).is_some_and(is_handle) {
            return None;
        }
        given.shift_remove(HANDLE_PARAM)
    }

    /// The caller of a tool call. Where it `acts` and nothing says who it is, it is given a handle,
    /// which is to be told. The error is the text for the model.
    pub(crate) fn identify(
        &self,
        introduction: &Introduction,
        context: &RequestContext<RoleServer>,
        handle: Option<Value>,
        acts: bool,
    ) -> Result<(Caller, Option<Handle>), String> {
        match self {
            Clients::Pipe(_) => Ok((self.caller(introduction, context), None)),
            Clients::Http(handles, presence, _) => {
                let found = identity::identify(handles, introduction, context, handle, acts)?;
                presence.note(&found.0, acts);
                Ok(found)
            }
        }
    }

    /// Notes that a client's session follows a resource, or no longer does, so that it may outlive
    /// this process.
    pub(crate) fn follow(&self, context: &RequestContext<RoleServer>, uri: &str, follows: bool) {
        if let Clients::Http(_, _, store) = self
            && let Some(id) = identity::session_id(context)
        {
            store.follow(id, uri, follows);
        }
    }

    /// What a session followed that comes back with these extensions of its handshake.
    pub(crate) fn followed(&self, extensions: &Extensions) -> BTreeSet<String> {
        match (self, identity::restored(extensions)) {
            (Clients::Http(_, _, store), Some(id)) => store.followed(id),
            _ => BTreeSet::new(),
        }
    }

    /// Whether this client has to say who it is with each call.
    pub(crate) fn needs_handle(&self, context: &RequestContext<RoleServer>) -> bool {
        matches!(self, Clients::Http(..)) && identity::needs_handle(context)
    }
}

/// Where this program was started, and by whom. Taken at the start: a parent that dies later
/// is no longer found.
#[derive(Clone, Debug)]
pub(crate) struct Surroundings {
    parent: Option<u32>,
    working_directory: Option<String>,
    variable: fn(&str) -> Option<String>,
}

impl Surroundings {
    pub(crate) fn observe() -> Surroundings {
        Surroundings {
            parent: getppid().map(|pid| pid.as_raw_nonzero().get().unsigned_abs()),
            working_directory: env::current_dir()
                .ok()
                .and_then(|path| path.into_os_string().into_string().ok()),
            variable: |name| env::var(name).ok().filter(|value| !value.is_empty()),
        }
    }

    /// The caller, as the daemon is told of it.
    pub(crate) fn caller(&self, introduction: &Introduction, fingerprint: String) -> Caller {
        let client = self.client(introduction);
        let claude = client == CLAUDE_CODE;
        let of_claude = |name: &str| claude.then(|| (self.variable)(name)).flatten();
        let named_pid = match client.as_str() {
            CLAUDE_CODE => (self.variable)("CLAUDE_PID"),
            "opencode" => (self.variable)("OPENCODE_PID"),
            _ => None,
        };
        let named_pid = named_pid
            .and_then(|pid| pid.parse().ok())
            .filter(|pid| self.descends_from(*pid));
        Caller {
            client,
            pid: named_pid.or(self.parent),
            client_session_id: introduction
                .session_id
                .clone()
                .or_else(|| of_claude("CLAUDE_CODE_SESSION_ID")),
            cwd: of_claude("CLAUDE_PROJECT_DIR").or_else(|| self.working_directory.clone()),
            client_version: introduction
                .client
                .as_ref()
                .map(|(_, version)| clipped(version)),
            fingerprint: Some(fingerprint),
            agent: (self.variable)("KITE_AGENT"),
        }
    }

    fn client(&self, introduction: &Introduction) -> String {
        let said = introduction.client.as_ref().map(|(name, _)| name.as_str());
        if let Some(known) = said.and_then(known_client) {
            return known.to_owned();
        }
        // A client that says nothing Kite knows: its environment may.
        if let Some(known) = (self.variable)("AI_AGENT")
            .as_deref()
            .and_then(known_client)
        {
            return known.to_owned();
        }
        if (self.variable)("CLAUDECODE").is_some() {
            return CLAUDE_CODE.to_owned();
        }
        client_name(said.unwrap_or_default())
    }

    fn descends_from(&self, pid: u32) -> bool {
        let mut ancestor = self.parent;
        for _ in 0..ANCESTORS_MAX {
            match ancestor {
                Some(found) if found == pid => return true,
                Some(found) if found > 1 => ancestor = parent_of(found),
                _ => return false,
            }
        }
        false
    }
}

/// How Kite calls a client that names itself so.
pub(crate) fn client_name(said: &str) -> String {
    match known_client(said) {
        Some(known) => known.to_owned(),
        None if said.is_empty() => "unknown".to_owned(),
        None => clipped(said),
    }
}

fn known_client(name: &str) -> Option<&'static str> {
    let name = name.to_ascii_lowercase();
    KNOWN_CLIENTS
        .iter()
        .find(|(part, _)| name.contains(part))
        .map(|(_, client)| *client)
}

pub(crate) fn clipped(text: &str) -> String {
    text.chars().take(CLIENT_CHARS_MAX).collect()
}

/// The parent of a process. Linux only; elsewhere a variable must name the direct parent.
fn parent_of(pid: u32) -> Option<u32> {
    Pid::from_raw(i32::try_from(pid).ok()?)?;
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The command, in parentheses, may itself hold spaces and parentheses.
    let (_, after_command) = stat.rsplit_once(')')?;
    after_command.split_ascii_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn surroundings(variable: fn(&str) -> Option<String>) -> Surroundings {
        Surroundings {
            parent: Some(4_000_000),
            working_directory: Some("/here".to_owned()),
            variable,
        }
    }

    fn introduced(name: &str) -> Introduction {
        Introduction {
            client: Some((name.to_owned(), "1.0".to_owned())),
            session_id: None,
        }
    }

    fn claude_environment(name: &str) -> Option<String> {
        let value = match name {
            "CLAUDECODE" => "1",
            "AI_AGENT" => "claude-code_2-1-330_harness",
            "CLAUDE_CODE_SESSION_ID" => "5b0c",
            "CLAUDE_PROJECT_DIR" => "/project",
            "CLAUDE_PID" => "4000000",
            _ => return None,
        };
        Some(value.to_owned())
    }

    #[test]
    fn claude_code_is_known_by_its_word_and_its_environment() {
        let caller =
            surroundings(claude_environment).caller(&introduced("claude-code"), "f".to_owned());
        assert_eq!(caller.client, "claude-code");
        assert_eq!(caller.pid, Some(4_000_000));
        assert_eq!(caller.client_session_id.as_deref(), Some("5b0c"));
        assert_eq!(caller.cwd.as_deref(), Some("/project"));
        let unnamed =
            surroundings(claude_environment).caller(&Introduction::default(), String::new());
        assert_eq!(unnamed.client, "claude-code");
    }

    #[test]
    fn a_client_started_inside_claude_code_does_not_take_its_identity() {
        let caller =
            surroundings(claude_environment).caller(&introduced("opencode"), String::new());
        assert_eq!(caller.client, "opencode");
        assert_eq!(caller.client_session_id, None);
        assert_eq!(caller.cwd.as_deref(), Some("/here"));
    }

    #[test]
    fn codex_names_its_session_with_the_call() {
        let introduction = Introduction {
            session_id: Some("thread-1".to_owned()),
            ..introduced("codex-mcp-client")
        };
        let caller = surroundings(|_| None).caller(&introduction, String::new());
        assert_eq!(
            (caller.client.as_str(), caller.client_session_id.as_deref()),
            ("codex", Some("thread-1"))
        );
    }

    #[test]
    fn a_named_process_that_is_no_ancestor_is_not_believed() {
        let named = surroundings(|name| (name == "CLAUDE_PID").then(|| "4000001".to_owned()));
        assert_eq!(
            named.caller(&introduced("claude-code"), String::new()).pid,
            Some(4_000_000)
        );
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn ancestors_are_found() {
        let observed = Surroundings::observe();
        let parent = observed.parent.expect("a parent");
        assert!(observed.descends_from(parent));
        assert!(!observed.descends_from(std::process::id()));
    }
}
