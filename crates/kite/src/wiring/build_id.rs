//! Which build of Kite a program is: its version, then the second in which it was built.

use std::{fmt, str::FromStr};

/// Ordered by version, then by build time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct BuildId {
    version: [u64; 3],
    /// Unix seconds.
    built_at_s: u64,
}

impl FromStr for BuildId {
    type Err = ();

    /// Reads `<major>.<minor>.<patch>+<unix seconds>`; a suffix of the patch (`-rc.1`) is ignored.
    fn from_str(text: &str) -> Result<BuildId, ()> {
        let (version, seconds) = text.trim().split_once('+').ok_or(())?;
        let mut numbers = version.splitn(3, '.').map(|part| {
            let digits = part.split('-').next().unwrap_or_default();
            digits.parse::<u64>().map_err(|_| ())
        });
        let mut next = || numbers.next().unwrap_or(Err(()));
        let version = [next()?, next()?, next()?];
        Ok(BuildId {
            version,
            built_at_s: seconds.parse().map_err(|_| ())?,
        })
    }
}

impl fmt::Display for BuildId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [major, minor, patch] = self.version;
        write!(f, "{major}.{minor}.{patch}+{}", self.built_at_s)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_decides_before_build_time() {
        let id = |text: &str| text.parse::<BuildId>().expect(text);
        assert!(id("0.10.0+5") > id("0.9.9+9"));
        assert!(id("0.1.0+6") > id("0.1.0+5\n"));
        assert_eq!(id("0.1.0-rc.1+5").to_string(), "0.1.0+5");
        for bad in ["", "0.1.0", "0.1+5", "a.b.c+1", "0.1.0+x"] {
            assert!(bad.parse::<BuildId>().is_err(), "{bad}");
        }
    }
}
