//! Reviews.

use super::Setting;

/// What was set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reviews {}

pub(super) const SETTINGS: &[Setting] = &[];
