//! The HTTP server as a process, and whoever may talk to it.

mod clients;
mod ending;
mod hostile;
mod limits;
mod port;
mod raw;
mod server;
mod sessions;
#[expect(dead_code, reason = "the tests of stdio use more of it")]
#[path = "../stdio/stand_in.rs"]
mod stand_in;
