//! Having a brief read by a model that the client asks (MCP sampling), in both eras of the protocol.
//!
//! **Architecture Invariant:** what a client says here is data: an answer is only ever the text of a
//! review, and a state that comes back is one that was given, to the same caller, for the same
//! call, and once.

mod pending;
mod sampling;

pub(crate) use pending::{Given, Key, Pending};
pub(crate) use sampling::{Answer, Question, asks_for};
