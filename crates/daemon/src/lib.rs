//! What is done: the one process that judges and remembers, and the life around it.
//!
//! [`doors`] take questions in, the [`engine`] answers them, [`hands`] reach out to the machine,
//! `dialects` know what clients' hooks look like, and `translate` stands between what is said and
//! what is judged.

pub mod audit;
pub mod config;
mod dialects;
pub mod doors;
pub mod engine;
pub mod hands;
pub mod lifecycle;
mod presets;
mod service;
mod translate;

pub use service::run;
