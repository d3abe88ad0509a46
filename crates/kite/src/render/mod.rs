//! How things look. The only place that writes to stdout and stderr.
//!
//! **Architecture Invariant:** text from the daemon reaches a stream only through [`Line`] or
//! JSON, and both escape it. Nothing here decides anything.

pub(crate) mod agents;
pub(crate) mod checkouts;
pub(crate) mod daemon;
pub(crate) mod demo;
pub(crate) mod dispatches;
pub(crate) mod doctor;
pub(crate) mod error;
pub(crate) mod events;
pub(crate) mod git_hook;
pub(crate) mod line;
pub(crate) mod locks;
pub(crate) mod moment;
pub(crate) mod place;
pub(crate) mod reviews;
pub(crate) mod serve;
pub(crate) mod sessions;
pub(crate) mod status;
pub(crate) mod table;
pub(crate) mod tasks;
mod terminal;
pub(crate) mod text;
pub(crate) mod tools;
pub(crate) mod trust;
pub(crate) mod undo;
pub(crate) mod vault;
pub(crate) mod wiring;

pub(crate) use line::{Line, Role};
pub(crate) use terminal::Terminal;
