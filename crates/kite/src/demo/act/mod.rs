//! The acts, in the order in which they are played.

pub(super) mod death;
pub(super) mod race;
pub(super) mod refusal;
pub(super) mod tasks;
