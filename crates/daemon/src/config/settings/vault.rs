//! The vault, and what is brought in from it.

use super::Setting;

/// What was set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Vault {}

pub(super) const SETTINGS: &[Setting] = &[];
