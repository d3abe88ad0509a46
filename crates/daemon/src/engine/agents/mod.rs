//! Agents that Kite runs: queued, started, adopted, ended.
//!
//! A run is a document, a directory below `$KITE_HOME/agents`, a supervisor and a session. What is
//! about to happen is written into the document first, so that a daemon that comes after this one
//! knows where to go on, whatever died in between.
//!
//! **Architecture Invariant:** no process is started or signalled but through `kite_supervisor`, and
//! none that Kite did not start. What may take time runs off the loop.

mod adopt;
mod budget;
mod end;
mod limits;
mod prompt;
mod queue;
pub(super) mod reader;
mod record;
mod register;
mod requests;
mod shown;
mod spawn;
mod start;
mod who;

pub(super) use queue::run;
pub(super) use register::Agents;
