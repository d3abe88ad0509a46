//! Scenes: Kite with real clients, offline.
//!
//! Real Claude Code processes work in a real git repository, wired by the real `kite init`. Only
//! the language model is ours: a scripted server on loopback, so that a scene plays the same way
//! each time and costs nothing.
//!
//! - [`model`]: the scripted model server, and a record of what each session's model received.
//! - [`stage`]: temporary homes, a repository, client processes and the `kite` command.
//!
//! The scenes themselves are in `tests/scenes/`. They play where `KITE_CLAUDE` names a Claude Code
//! program; elsewhere each says in one line why it does not. `.ci/run` installs a pinned one.
//!
//! **Architecture Invariant:** this crate links no other room of Kite. It meets Kite as a user and
//! an agent do: through its commands, its JSON and what a model is shown.

pub mod model;
pub mod stage;
