//! The tools, one file each: what it is called and takes, which request it makes, how the reply
//! reads. Their order is fixed and they are changed by addition only.
//!
//! **Architecture Invariant:** a tool sends one request to the daemon and renders one reply; one that
//! waits sends it again when something has happened, and `kite_review` has its brief read in between
//! (`crate::review`). It keeps nothing between calls and decides nothing.

mod dispatch;
mod events;
mod file_lock;
mod file_unlock;
pub(crate) mod review;
mod sessions;
mod show;
mod spawn;
mod task_claim;
mod task_complete;
mod task_create;
mod task_list;
mod task_release;
mod task_show;
mod vault_search;
mod vault_write;

use kite_wire::{
    reply::Fault,
    request::{Request, nearest},
};
use serde_json::Value;

pub(crate) use file_lock::WAIT_SECONDS_MAX;

use crate::{arguments::Arguments, schema::Declaration};

/// A tool: its declaration and its two translations.
pub(crate) struct Tool {
    pub(crate) declaration: Declaration,
    /// Makes the request. The second argument is the directory the caller stands in. The error is
    /// the text for the model.
    pub(crate) request: fn(&Arguments, Option<&str>) -> Result<Request, String>,
    /// Renders the reply to that request as text for the model.
    pub(crate) render: fn(&Request, Value) -> Result<String, Fault>,
    /// For a tool that can wait: tells whether a reply is what was asked for.
    pub(crate) sift: Option<Sift>,
}

/// Looks at the reply to a request, with the arguments of the call.
pub(crate) type Sift = fn(&Arguments, &Request, Value) -> Result<Sifted, Fault>;

/// What a reply holds of what was asked for.
pub(crate) enum Sifted {
    /// This.
    Answer(Value),
    /// Nothing yet.
    Nothing {
        /// What is rendered where the time is over.
        reply: Value,
        /// What is asked next.
        next: Box<Request>,
        /// It can be asked at once: not everything there is has been looked at.
        has_more: bool,
    },
}

/// All tools, in the order in which they are listed.
pub(crate) static TOOLS: [Tool; 15] = [
    task_create::TOOL,
    task_list::TOOL,
    task_claim::TOOL,
    task_complete::TOOL,
    task_release::TOOL,
    sessions::TOOL,
    file_lock::TOOL,
    file_unlock::TOOL,
    task_show::TOOL,
    events::TOOL,
    review::TOOL,
    spawn::TOOL,
    vault_search::TOOL,
    vault_write::TOOL,
    dispatch::TOOL,
];

/// The tool of this name.
pub(crate) fn find(name: &str) -> Option<&'static Tool> {
    TOOLS.iter().find(|tool| tool.declaration.name == name)
}

/// The name of the tool that `name` was probably meant to be.
pub(crate) fn nearest_name(name: &str) -> Option<&'static str> {
    nearest(name, TOOLS.iter().map(|tool| tool.declaration.name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Kind;

    #[test]
    fn declarations_keep_the_house_rules() {
        for Tool { declaration, .. } in &TOOLS {
            assert!(
                declaration.name.starts_with("kite_"),
                "{}",
                declaration.name
            );
            assert!(
                declaration.description.len() <= 400,
                "{}: description",
                declaration.name
            );
            assert!(!declaration.title.is_empty(), "{}: title", declaration.name);
            let versions: Vec<u32> = declaration
                .changes
                .iter()
                .map(|change| change.version)
                .collect();
            let counted: Vec<u32> = (1..).take(versions.len()).collect();
            assert_eq!(
                versions, counted,
                "{}: versions count up from 1",
                declaration.name
            );
            for param in declaration.params {
                assert!(
                    !param.description.is_empty(),
                    "{}: {}",
                    declaration.name,
                    param.name
                );
                if let Kind::Choice { of, default } = param.kind {
                    assert!(
                        of.contains(&default),
                        "{}: {}",
                        declaration.name,
                        param.name
                    );
                }
            }
        }
    }
}
