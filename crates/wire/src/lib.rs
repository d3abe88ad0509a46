//! What is said: the words and frames that Kite's programs exchange.
//!
//! Two forms travel over the daemon's Unix socket, told apart by the first byte:
//!
//! * JSON lines (`{`...): every face but the hook. One request a line, one reply a line,
//!   at most [`frame::LINE_BYTES_MAX`] each. See `docs/protocol.md`.
//! * The hook frame (`hook`...): one header line, then the hook's raw input, unread.
//!   See [`frame`].
//!
//! **Architecture Invariant:** this crate knows neither rules nor storage nor rmcp, and does
//! no IO except in [`client`] and [`home`]. Without the `messages` feature it is std alone, so
//! that the hook stays small.

pub mod frame;
pub mod home;

#[cfg(feature = "messages")]
pub mod client;
#[cfg(feature = "messages")]
pub mod reply;
#[cfg(feature = "messages")]
pub mod request;

/// The protocol versions this build speaks, lowest and highest.
pub const PROTOCOL: (u32, u32) = (1, 1);
