//! Stories of Kite's git hooks: the real daemon, the real hooks, real git, and agents that are made
//! up.

#[path = "../cli/world.rs"]
#[expect(
    dead_code,
    reason = "the stories of the command line use what these do not"
)]
mod world;

mod commits;
mod cost;
mod losses;
mod shop;
