//! Who acts in the histories, and when.

use kite_rules::{
    Now,
    session::{Owner, SessionId},
};
use proptest::prelude::*;

/// Two sessions with two subagents each, and one alone.
pub(crate) fn owner() -> impl Strategy<Value = Owner> {
    prop_oneof![
        (1..=3_u128).prop_map(|id| Owner::session(SessionId(id))),
        (1..=2_u128, "[xy]").prop_map(|(id, agent)| Owner {
            session: SessionId(id),
            agent: Some(agent),
        }),
    ]
}

pub(crate) fn session() -> impl Strategy<Value = SessionId> {
    (1..=3_u128).prop_map(SessionId)
}

/// The monotonic clock at this time, the wall clock somewhere else.
pub(crate) fn at(mono_ms: u64) -> Now {
    Now {
        wall_ms: u64::from(u32::MAX) * 8 - mono_ms,
        mono_ms,
    }
}
