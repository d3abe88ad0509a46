//! One process for each agent: it starts it, keeps its output, sees its end, and leaves nothing alive.
//!
//! A run is a directory. [`prepare`] says in it what is to run; [`start`] starts a supervisor, whose
//! child exists but waits at a [`Gate`]; once that is open, the supervisor alone keeps the run
//! (whoever started it may die) until `exit.json` says how it ended. [`find`], [`stop`], [`tail`]
//! and [`end_strays`] need the directory only.
//!
//! **Architecture Invariant:** depends on nothing of ours, and knows neither tasks nor sessions nor
//! any agent's format. A run is a directory: what is to run goes in, how it ended comes out.
//!
//! **Architecture Invariant:** no signal is sent to a process that is not known by its pid and its
//! start in this boot, or is the supervisor's own child that it has not yet reaped.

mod directory;
mod exit;
mod find;
mod follow;
mod gate;
mod output;
mod process;
mod run;
mod strays;
mod supervise;

pub use crate::{
    exit::{Exit, Reason},
    find::{Found, find, stop},
    follow::Follower,
    gate::{Error, Gate, START_PATIENCE, reap, start},
    output::{OUTPUT_FILE, STDOUT_BYTES_MAX, TAIL_BYTES_MAX, stdout, tail},
    process::Process,
    run::{COOKIE, INPUT_BYTES_MAX, Run, prepare},
    strays::{Strays, end_strays},
    supervise::supervise,
};
