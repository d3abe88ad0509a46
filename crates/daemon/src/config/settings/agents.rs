//! Agents that Kite runs.

use super::Setting;

/// What was set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Agents {}

pub(super) const SETTINGS: &[Setting] = &[];
