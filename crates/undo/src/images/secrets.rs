//! Which files' contents are never kept as images.
//!
//! An image is a second copy of a file, in another place, for two weeks: of a key or a password
//! that is one copy too many, and one that whoever rotates it does not know of. So such files,
//! known by their names, are left out, and undo says so. A rescue snapshot does hold them where
//! they are neither tracked nor ignored: it stays in the repository's own `.git`, under the same
//! permissions as the file, and without it a `git clean` would lose them for good. Ignored ones
//! are in neither, and plain git's commands leave them alone.

use std::{ffi::OsStr, os::unix::ffi::OsStrExt, path::Path};

/// Names of files that hold secrets, in the order in which they are looked at: the last that fits
/// counts, and one that begins with `!` says that it is no secret.
const DEFAULT: &[&str] = &[
    ".env",
    ".env.*",
    "*.env",
    "!.env.example",
    "!.env.sample",
    "!.env.template",
    "!.env.dist",
    "!example.env",
    "*.pem",
    "*.key",
    "*.p12",
    "*.pfx",
    "*.jks",
    "*.keystore",
    "*.kdbx",
    "*.ppk",
    "id_rsa*",
    "id_dsa*",
    "id_ecdsa*",
    "id_ed25519*",
    "!id_*.pub",
    ".netrc",
    "_netrc",
    ".npmrc",
    ".pypirc",
    ".pgpass",
    ".htpasswd",
    ".git-credentials",
    "credentials",
    "credentials.json",
    "credentials.toml",
    "credentials.yml",
    "credentials.yaml",
    "service-account*.json",
    "secrets.json",
    "secrets.toml",
    "secrets.yml",
    "secrets.yaml",
    "*.tfstate",
];

/// Patterns for the names of files that hold secrets. `*` stands for any characters, `?` for one;
/// upper and lower case are the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Secrets {
    patterns: Vec<String>,
}

impl Default for Secrets {
    fn default() -> Secrets {
        Secrets::with(std::iter::empty::<String>())
    }
}

impl Secrets {
    /// The usual names, and more of them. A pattern with `/` is looked for at the end of the path,
    /// any other in the file's name; `!pattern` takes names out again.
    pub fn with<P: Into<String>>(more: impl IntoIterator<Item = P>) -> Secrets {
        let usual = DEFAULT.iter().map(|pattern| (*pattern).to_owned());
        Secrets {
            patterns: usual.chain(more.into_iter().map(Into::into)).collect(),
        }
    }

    /// Whether the content of this file must not be kept.
    #[must_use]
    pub fn has(&self, path: &Path) -> bool {
        let mut secret = false;
        for pattern in &self.patterns {
            let (is_secret, pattern) = match pattern.strip_prefix('!') {
                Some(rest) => (false, rest),
                None => (true, pattern.as_str()),
            };
            if fits(pattern, path) {
                secret = is_secret;
            }
        }
        secret
    }
}

fn fits(pattern: &str, path: &Path) -> bool {
    let steps = pattern.split('/').count();
    let names: Vec<&OsStr> = path.iter().collect();
    let tail = names.len().checked_sub(steps).map(|start| &names[start..]);
    tail.is_some_and(|tail| {
        pattern
            .split('/')
            .zip(tail)
            .all(|(pattern, name)| glob(pattern.as_bytes(), name.as_bytes()))
    })
}

/// In time of at most pattern times text: only the last star is ever tried again.
fn glob(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(byte) if *byte == b'?' || byte.eq_ignore_ascii_case(&text[t]) => {
                p += 1;
                t += 1;
            }
            _ => {
                let Some((at, from)) = star else {
                    return false;
                };
                star = Some((at, from + 1));
                p = at + 1;
                t = from + 1;
            }
        }
    }
    pattern[p..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_secrets_are_known() {
        let secrets = Secrets::default();
        for path in [
            ".env",
            "a/.env.local",
            "k/Server.PEM",
            "id_rsa",
            ".aws/credentials",
            "x.tfstate",
        ] {
            assert!(secrets.has(Path::new(path)), "{path}");
        }
        for path in [
            ".env.example",
            "id_rsa.pub",
            "src/id_map.rs",
            "environment.rs",
            "a/key.rs",
            "src/credentials.rs",
        ] {
            assert!(!secrets.has(Path::new(path)), "{path}");
        }
    }

    #[test]
    fn a_person_may_add_and_take_out() {
        let secrets = Secrets::with(["config/*.secret", "!*.key"]);
        assert!(secrets.has(Path::new("a/config/x.secret")));
        assert!(!secrets.has(Path::new("a/other/x.secret")));
        assert!(!secrets.has(Path::new("x.key")));
        assert!(secrets.has(Path::new("x.pem")));
    }

    #[test]
    fn stars_go_back_no_further_than_they_must() {
        assert!(glob(b"*a*b", b"xxaxxbxb"));
        assert!(!glob(b"*a*a*a*a*a*a*a*a*b", &[b'a'; 5000]));
        assert!(glob(b"**", b""));
        assert!(!glob(b"?", b""));
    }
}
