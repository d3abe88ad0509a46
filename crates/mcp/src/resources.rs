//! The resources: the state of this machine's agents as JSON, for clients that read.
//!
//! One file a noun. Each says its URI, what its JSON holds ([`Declaration::shape`], from which
//! `docs/mcp.md` is written), what is asked of the daemon, and what of the answer is shown.
//! Clients that show their model no resources lose nothing: each fact is in a tool's answer too.
//!
//! **Architecture Invariant:** reading has no side effect: it opens no session and takes nothing.
//!
//! **Architecture Invariant:** texts of agents and repositories stand in string values only, with
//! whatever does not show on a screen escaped.

mod completion;
mod events;
mod fitting;
mod locks;
mod page;
mod reader;
mod session;
mod sessions;
mod task;
mod tasks;
mod uri;
mod vault;
mod watching;

use kite_wire::request::nearest;
use rmcp::model::{Resource, ResourceTemplate};
use serde_json::Value;

pub(crate) use completion::{complete, session_ids, task_ids};
pub(crate) use page::Page;
pub(crate) use reader::{ReadError, Reader};
use uri::Parts;
pub(crate) use watching::Concern;

use crate::text;

/// Characters of a URI.
pub(crate) const URI_CHARS_MAX: usize = 2_000;
/// Bytes of one resource's JSON. A longer list is cut into pages.
pub(crate) const CONTENT_BYTES_MAX: usize = 64 << 10;
/// How the content is typed.
pub(crate) const MIME_TYPE: &str = "application/json";
/// Characters shown of a URI that is none of ours.
const SHOWN_CHARS_MAX: usize = 80;

/// A resource, or a family of them, as clients see it.
pub(crate) struct Declaration {
    /// The URI, or a template of RFC 6570.
    pub(crate) uri: &'static str,
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    pub(crate) description: &'static str,
    /// Field by field, what the JSON holds.
    pub(crate) shape: &'static [(&'static str, &'static str)],
}

/// All resources with a fixed URI, in the order in which they are listed.
pub(crate) fn fixed() -> impl Iterator<Item = &'static Declaration> {
    tasks::FIXED
        .iter()
        .chain(sessions::FIXED)
        .chain([&locks::FIXED, &events::FIXED])
}

/// All templates, in the order in which they are listed.
pub(crate) const TEMPLATES: [&Declaration; 7] = [
    &tasks::TEMPLATE,
    &task::TEMPLATE,
    &sessions::TEMPLATE,
    &session::TEMPLATE,
    &locks::TEMPLATE,
    &events::TEMPLATE,
    &vault::TEMPLATE,
];

/// `resources/list`.
pub(crate) fn list() -> Vec<Resource> {
    let listed = fixed().map(|declaration| {
        let mut resource = Resource::new(declaration.uri, declaration.name);
        resource.title = Some(declaration.title.to_owned());
        resource.description = Some(declaration.description.to_owned());
        resource.mime_type = Some(MIME_TYPE.to_owned());
        resource
    });
    listed.collect()
}

/// `resources/templates/list`.
pub(crate) fn templates() -> Vec<ResourceTemplate> {
    let listed = TEMPLATES.iter().map(|declaration| {
        let mut template = ResourceTemplate::new(declaration.uri, declaration.name);
        template.title = Some(declaration.title.to_owned());
        template.description = Some(declaration.description.to_owned());
        template.mime_type = Some(MIME_TYPE.to_owned());
        template
    });
    listed.collect()
}

/// One resource, as a URI names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Uri {
    Tasks(tasks::Tasks),
    Task(task::Task),
    Sessions(sessions::Sessions),
    Session(session::Session),
    Locks(locks::Locks),
    Events(events::Events),
    Vault(vault::Vault),
}

impl Uri {
    /// Reads a URI. The error says which there are.
    pub(crate) fn parse(given: &str) -> Result<Uri, String> {
        let parts = Parts::of(given).map_err(|why| unknown(given, &why))?;
        let path: Vec<&str> = parts.path.iter().map(String::as_str).collect();
        let fault = |why: String| {
            let shown = text::one_line(given, SHOWN_CHARS_MAX);
            format!("{shown} cannot be read: {why}.")
        };
        match path.as_slice() {
            ["tasks"] => tasks::Tasks::parse("all", &parts).map(Uri::Tasks),
            ["tasks", state] => match tasks::state(state) {
                Some(state) => tasks::Tasks::parse(state, &parts).map(Uri::Tasks),
                None => return Err(unknown(given, "there is no such state")),
            },
            ["task", id] => task::Task::parse(id, &parts).map(Uri::Task),
            ["sessions"] => sessions::Sessions::parse(false, &parts).map(Uri::Sessions),
            ["sessions", "active"] => sessions::Sessions::parse(true, &parts).map(Uri::Sessions),
            ["session", id] => session::Session::parse(id, &parts).map(Uri::Session),
            ["locks"] => locks::Locks::parse(&parts).map(Uri::Locks),
            ["events"] => events::Events::parse(&parts).map(Uri::Events),
            ["vault", note @ ..] => vault::Vault::parse(note, &parts).map(Uri::Vault),
            _ => return Err(unknown(given, "there is no such resource")),
        }
        .map_err(fault)
    }

    /// The content: an object, at most [`CONTENT_BYTES_MAX`] long as text.
    pub(crate) async fn read(&self, reader: &Reader<'_>) -> Result<Value, ReadError> {
        let mut content = match self {
            Uri::Tasks(tasks) => tasks.read(reader).await,
            Uri::Task(task) => task.read(reader).await,
            Uri::Sessions(sessions) => sessions.read(reader).await,
            Uri::Session(session) => session.read(reader).await,
            Uri::Locks(locks) => locks.read(reader).await,
            Uri::Events(events) => events.read(reader).await,
            Uri::Vault(note) => note.read(reader).await,
        }?;
        escape(&mut content);
        Ok(content)
    }
}

fn unknown(given: &str, why: &str) -> String {
    let shown = text::one_line(given, SHOWN_CHARS_MAX);
    let all = || {
        fixed()
            .map(|known| known.uri)
            .chain(TEMPLATES.iter().map(|template| template.uri))
    };
    let near = nearest(&shown, all())
        .map(|near| format!(" Did you mean {near}?"))
        .unwrap_or_default();
    let known: Vec<&str> = fixed()
        .map(|known| known.uri)
        .chain([
            "kite://task/{id}",
            "kite://session/{id}",
            "kite://vault/{path}",
        ])
        .collect();
    format!(
        "Unknown resource {shown}: {why}.{near} Resources: {}.",
        known.join(", ")
    )
}

/// Escapes in all texts what does not show on a screen. Line breaks stay: JSON marks them.
fn escape(value: &mut Value) {
    match value {
        Value::String(text) => *text = text::visible(text),
        Value::Array(items) => items.iter_mut().for_each(escape),
        Value::Object(fields) => fields.values_mut().for_each(escape),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_listed_uri_is_read_back() {
        for declaration in fixed() {
            assert!(Uri::parse(declaration.uri).is_ok(), "{}", declaration.uri);
            assert!(!declaration.shape.is_empty(), "{}", declaration.uri);
        }
        for template in TEMPLATES {
            let (path, query) = template.uri.split_once("{?").unwrap_or((template.uri, ""));
            let path = path.replace("{state}", "ready").replace("{id}", "1a2b3c4d");
            let path = path.replace("{path}", "%2Fhome%2Fann%2Fnotes%2Fa.md");
            assert!(Uri::parse(&path).is_ok(), "{path}");
            for name in query
                .trim_end_matches('}')
                .split(',')
                .filter(|n| !n.is_empty())
            {
                let uri = format!("{path}?{name}=7");
                assert!(Uri::parse(&uri).is_ok(), "{uri}");
            }
        }
    }

    #[test]
    fn an_unknown_uri_is_told_the_known_ones() {
        for wrong in [
            "kite://task",
            "kite://taskz",
            "kite://tasks/urgent",
            "kite://sessions/idle",
            "kite://tasks/",
            "kite://",
            "http://tasks",
            "file:///etc/passwd",
            "tasks",
            "",
        ] {
            let error = Uri::parse(wrong).expect_err(wrong);
            assert!(
                error.contains("kite://tasks/pending") && error.contains("kite://session/{id}"),
                "{wrong}: {error}"
            );
        }
        assert!(
            Uri::parse("kite://taskz")
                .expect_err("none")
                .contains("Did you mean kite://tasks?")
        );
        let long = format!("kite://{}", "x".repeat(5_000));
        assert!(Uri::parse(&long).expect_err("long").len() < 1_000);
    }

    #[test]
    fn a_wrong_parameter_is_named_with_what_may_stand_there() {
        for (uri, said) in [
            ("kite://tasks?limit=0", "`limit` is a number from 1 to 200"),
            (
                "kite://tasks?limit=many",
                "`limit` is a number from 1 to 200",
            ),
            ("kite://tasks?sort=up", "there is no parameter `sort`"),
            (
                "kite://locks?cursor=a&cursor=b",
                "`cursor` stands there twice",
            ),
            ("kite://events?after=x", "`after` is a number"),
            ("kite://task/1a2b?limit=3", "it takes no parameters"),
            ("kite://task/../etc", "Unknown resource"),
            ("kite://task/%zz", "Unknown resource"),
        ] {
            let error = Uri::parse(uri).expect_err(uri);
            assert!(error.contains(said), "{uri}: {error}");
        }
    }

    #[test]
    fn what_does_not_show_is_escaped_wherever_it_stands() {
        let mut content = json!({"a": ["x\u{202e}y", {"b": "line\nline"}], "n": 1});
        escape(&mut content);
        assert_eq!(
            content,
            json!({"a": ["x\\u{202e}y", {"b": "line\nline"}], "n": 1})
        );
    }
}
