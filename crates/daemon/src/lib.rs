//! What is done: the one process that judges and remembers, and the life around it.
//!
//! Doors take questions in, the engine answers them, hands reach out to the machine.

pub mod audit;
pub mod config;
pub mod doors;
pub mod hands;
pub mod lifecycle;
