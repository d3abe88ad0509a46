//! Ties Kite to a coding agent: installs the programs, and writes, checks and removes Kite's part
//! of the agent's configuration.
//!
//! Every file that is touched belongs to somebody else. So all of them are read and understood
//! before the first is written; what was there is kept; and what is removed is Kite's own.
//!
//! **Architecture Invariant:** wiring knows files, not the daemon, and prints nothing.

mod build_id;
mod client_lock;
mod command;
mod diff;
mod document;
mod embedded;
mod error;
mod events;
mod exclude;
mod files;
mod git;
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

pub use build_id::BuildId;
pub use embedded::BUILD;
pub use error::Error;
pub use events::{PERMISSIONS, REGISTRATIONS, Registration, Wait};
pub use init::{InitArgs, Outcome, init};
pub use inspect::{Inspection, Wiring, inspect};
pub use install::{Installed, install, installed_build};
pub use machine::{Machine, Programs};
pub use place::Scope;
pub use project::Project;
pub use report::Report;
pub use uninit::{Restored, UninitArgs, uninit};
