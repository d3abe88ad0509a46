//! Runs as their starter sees them: real supervisors, real processes. What they run is `sh`, or
//! `program.rs` beside this file, which is also the supervisor.

mod endings;
mod gate;
mod lost;
mod output;
mod stage;
