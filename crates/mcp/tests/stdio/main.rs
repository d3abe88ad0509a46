//! The stdio server as its clients meet it: a real process, its pipes, and a stand-in for the
//! daemon at the socket.

mod calls;
mod eras;
mod exits;
mod noise;
mod project_tools;
mod prompts;
mod reconnection;
mod resources;
mod reviews;
mod server;
mod stand_in;
mod subscriptions;
mod vault;
mod waiting;
