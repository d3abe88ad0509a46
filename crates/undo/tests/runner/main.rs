//! Stories of this room, told with real git in temporary repositories.

mod canaries;
mod cost;
mod faults;
mod histories;
mod partial;
mod snapshots;
mod support;
mod undos;
mod upkeep;
mod worktrees;
