//! What the build put into this program.

/// The bytes of `kite-hook`, built for the same target.
pub(crate) const HOOK: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/kite-hook"));

/// `<version>+<unix seconds>` of this build.
pub(crate) const BUILD: &str = env!("KITE_BUILD");
