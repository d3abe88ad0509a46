//! Which git is installed.

use std::path::Path;

use super::{Call, config};
use crate::error::Error;

/// The first two numbers of git's version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(pub u32, pub u32);

impl Version {
    /// Asks the installed git.
    ///
    /// # Errors
    /// Where there is no git, or it does not say.
    pub fn installed() -> Result<Version, Error> {
        let said = Call::new(Path::new("/"), &config::always(), "version").run()?;
        Version::parse(&String::from_utf8_lossy(&said)).ok_or_else(|| Error::Unexpected {
            command: "version".to_owned(),
            why: "it names no version".to_owned(),
        })
    }

    /// `git version 2.47.3`, with whatever a vendor adds.
    fn parse(said: &str) -> Option<Version> {
        let mut numbers = said.strip_prefix("git version ")?.split(['.', ' ', '\n']);
        Some(Version(
            numbers.next()?.parse().ok()?,
            numbers.next()?.parse().ok()?,
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::Version;

    #[test]
    fn vendors_versions_are_understood() {
        for (said, version) in [
            ("git version 2.47.3\n", Some(Version(2, 47))),
            ("git version 2.39.5 (Apple Git-154)\n", Some(Version(2, 39))),
            ("git version 3.0\n", Some(Version(3, 0))),
            ("hub version 1\n", None),
        ] {
            assert_eq!(Version::parse(said), version, "{said}");
        }
    }
}
