//! The way out: what the daemon asks of the machine it runs on.
//!
//! **Architecture Invariant:** a hand reports facts and decides nothing. Whatever can be slow (a
//! file system, a foreign process) runs off the loop and under a time limit.

pub mod clock;
pub mod files;
pub mod processes;
pub mod trust;
pub mod vaults;
