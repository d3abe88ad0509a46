//! What is allowed: pure judgements over the facts they are given.
//!
//! A *hold* is what an editing tool takes by itself for seconds ([`hold`]); a *lock* is asked
//! for, exclusive, fenced by an epoch ([`lock`]); *touches* say who last saw and changed which
//! content of a file ([`touch`]); *tasks* form a graph with claims and attempts ([`task`]).
//!
//! **Architecture Invariant:** this crate is `no_std` with `alloc` and has no dependencies. IO,
//! clocks, threads and random hashing cannot be written here. Time and identity are arguments.
//! Same facts, same request, same time: same verdict.
//!
//! **Architecture Invariant:** rules do not fail; they refuse. Every [`Refusal`] carries who,
//! since when, and until when, so that the reader can be told what to do instead.
//!
//! **Architecture Invariant:** nothing here is serializable. What is said (`wire`) and what is
//! kept (`store`) have types of their own.

#![no_std]

extern crate alloc;

pub mod hold;
pub mod limits;
pub mod lock;
pub mod pattern;
pub mod refusal;
pub mod session;
pub mod task;
pub mod touch;

pub use refusal::Refusal;

/// The time at which something is judged. Stamped by the shell, never read here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Now {
    /// Wall clock, milliseconds since 1970. For showing only: no lease depends on it.
    pub wall_ms: u64,
    /// Monotonic clock, milliseconds since an arbitrary start. Stands still while the machine
    /// sleeps. All leases are judged by it.
    pub mono_ms: u64,
}

impl Now {
    /// The wall-clock time of a moment of the monotonic clock, as seen from now.
    #[must_use]
    pub fn wall_at(self, mono_ms: u64) -> u64 {
        if mono_ms >= self.mono_ms {
            self.wall_ms.saturating_add(mono_ms - self.mono_ms)
        } else {
            self.wall_ms.saturating_sub(self.mono_ms - mono_ms)
        }
    }
}
