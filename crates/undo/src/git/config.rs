//! Which settings of a repository could run code, and the overrides that stop them.

use std::{ffi::OsString, os::unix::ffi::OsStringExt, path::Path};

use super::run::Call;
use crate::error::Error;

/// Most names of settings read from one repository, in bytes.
const NAMES_BYTES_MAX: usize = 4 << 20;

/// Settings that are the same for every repository.
const ALWAYS: &[(&str, &str)] = &[
    ("core.fsmonitor", "false"),
    ("core.hooksPath", "/dev/null"),
    ("core.pager", "cat"),
    ("core.untrackedCache", "keep"),
    ("core.quotePath", "false"),
    // What is only kept in a tree is checked out by nobody. A file named `git~1` must not stop a
    // snapshot of everything else.
    ("core.protectNTFS", "false"),
    ("core.protectHFS", "false"),
    ("diff.external", ""),
    ("protocol.allow", "never"),
    // A setting for one protocol counts before that for all.
    ("protocol.ext.allow", "never"),
    ("protocol.file.allow", "never"),
    ("protocol.git.allow", "never"),
    ("protocol.http.allow", "never"),
    ("protocol.https.allow", "never"),
    ("protocol.ssh.allow", "never"),
    ("gc.auto", "0"),
    ("maintenance.auto", "false"),
    // One pack is written several times faster than a hundred loose objects; what is in a pack
    // already is not written again, so the next snapshots stay small.
    ("fastimport.unpackLimit", "20"),
    ("submodule.recurse", "false"),
    ("safe.bareRepository", "explicit"),
    ("status.showUntrackedFiles", "all"),
    ("advice.statusHints", "false"),
];

/// The overrides for the repository that `directory` is in: [`ALWAYS`], and every filter and every
/// hook that its settings name, emptied. `git config --list` follows includes and runs nothing.
///
/// They go in by environment (`GIT_CONFIG_KEY_n`), for `-c` cannot name a filter with `=` in it.
pub(super) fn overrides(
    directory: &Path,
    environment: &[(OsString, OsString)],
) -> Result<Vec<(OsString, OsString)>, Error> {
    let mut overrides = always();
    let names = Call::new(directory, &overrides, "config")
        .with_env(environment)
        .args(["--list", "-z", "--name-only", "--includes"])
        .output_max(NAMES_BYTES_MAX)
        .run()?;
    let mut drivers: Vec<&[u8]> = names.split(|byte| *byte == 0).filter_map(driver).collect();
    drivers.sort_unstable();
    drivers.dedup();
    for driver in drivers {
        let settings: &[(&str, &str)] = if driver.starts_with(b"filter.") {
            &[
                ("clean", ""),
                ("smudge", ""),
                ("process", ""),
                ("required", "false"),
            ]
        } else {
            &[("enabled", "false"), ("command", "true")]
        };
        for (key, value) in settings {
            let mut name = driver.to_vec();
            name.push(b'.');
            name.extend_from_slice(key.as_bytes());
            overrides.push((OsString::from_vec(name), (*value).into()));
        }
    }
    Ok(overrides)
}

/// [`ALWAYS`], as a call takes it.
pub(super) fn always() -> Vec<(OsString, OsString)> {
    ALWAYS
        .iter()
        .map(|(key, value)| ((*key).into(), (*value).into()))
        .collect()
}

/// `filter.NAME` or `hook.NAME`, of a setting below it. A name may hold dots.
fn driver(setting: &[u8]) -> Option<&[u8]> {
    let last_dot = setting.iter().rposition(|byte| *byte == b'.')?;
    let driver = &setting[..last_dot];
    let section = driver.iter().position(|byte| *byte == b'.')?;
    [&b"filter"[..], b"hook"]
        .contains(&&driver[..section])
        .then_some(driver)
}

#[cfg(test)]
mod tests {
    use super::driver;

    #[test]
    fn drivers_are_found_whatever_their_names() {
        assert_eq!(driver(b"filter.lfs.clean"), Some(&b"filter.lfs"[..]));
        assert_eq!(driver(b"filter.a.b=c.process"), Some(&b"filter.a.b=c"[..]));
        assert_eq!(driver(b"hook.x.command"), Some(&b"hook.x"[..]));
        assert_eq!(driver(b"core.fsmonitor"), None);
        assert_eq!(driver(b"filter.clean"), None);
        assert_eq!(driver(b""), None);
    }
}
