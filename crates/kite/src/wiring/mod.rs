//! Ties Kite to a coding agent: installs the programs, and writes, checks and removes Kite's part
//! of the agent's configuration.
//!
//! Every file that is touched belongs to somebody else. So all of them are read and understood
//! before the first is written; what was there is kept; and what is removed is Kite's own.
//!
//! **Architecture Invariant:** wiring knows files, not the daemon, and prints nothing.

mod birth;
mod build_id;
mod client_lock;
mod clients;
mod command;
mod diff;
mod document;
mod embedded;
mod error;
mod events;
mod exclude;
mod files;
mod git;
mod git_hooks;
mod hook_script;
mod init;
mod inspect;
mod install;
mod machine;
mod place;
mod plan;
mod project;
mod record;
mod report;
mod servers;
mod settings;
mod transaction;
mod uninit;
mod url;

pub(crate) use birth::write_birth_files;
pub(crate) use build_id::BuildId;
pub(crate) use clients::{Client, ClientWiring, inspect_clients};
pub(crate) use command::shell_quoted;
pub(crate) use embedded::BUILD;
pub(crate) use error::Error;
pub(crate) use events::{PERMISSIONS, REGISTRATIONS, Registration, Wait};
pub(crate) use init::{InitArgs, Outcome, init};
pub(crate) use inspect::{Inspection, Wiring, inspect};
pub(crate) use install::{Installed, install, installed_build};
pub(crate) use machine::{Machine, Programs};
pub(crate) use place::Scope;
pub(crate) use project::Project;
pub(crate) use report::Report;
pub(crate) use uninit::{Restored, UninitArgs, uninit};
pub(crate) use url::wire_by_url;
