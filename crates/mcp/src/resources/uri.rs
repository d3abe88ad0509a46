//! `kite://path/of/it?name=value`, taken apart.

use super::URI_CHARS_MAX;

const SCHEME: &str = "kite://";

/// A URI of ours, percent-decoded.
#[derive(Debug)]
pub(super) struct Parts {
    pub(super) path: Vec<String>,
    query: Vec<(String, String)>,
}

impl Parts {
    /// The error is a clause: `it has no ...`.
    pub(super) fn of(given: &str) -> Result<Parts, String> {
        if given.len() > URI_CHARS_MAX {
            return Err(format!("it is longer than {URI_CHARS_MAX} bytes"));
        }
        let rest = given
            .strip_prefix(SCHEME)
            .ok_or_else(|| format!("resources begin with {SCHEME}"))?;
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let wrong = || "a % stands before no two hexadecimal digits of UTF-8".to_owned();
        let decoded = |text: &str| decode(text).ok_or_else(wrong);
        let path: Vec<String> = path.split('/').map(decoded).collect::<Result<_, _>>()?;
        let query = query
            .split('&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| {
                let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                Ok((decoded(name)?, decoded(value)?))
            })
            .collect::<Result<_, String>>()?;
        Ok(Parts { path, query })
    }

    /// The parameter of this name, where it has a value.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let found = self.query.iter().find(|(given, _)| given == name);
        found
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
    }

    /// Checks that only these parameters are given, each once.
    pub(super) fn only(&self, known: &[&str]) -> Result<(), String> {
        for (at, (name, _)) in self.query.iter().enumerate() {
            if !known.contains(&name.as_str()) {
                let shown = crate::text::one_line(name, 40);
                return Err(match known {
                    [] => "it takes no parameters".to_owned(),
                    _ => format!("there is no parameter `{shown}`, only {}", known.join(", ")),
                });
            }
            if self.query[..at].iter().any(|(before, _)| before == name) {
                return Err(format!("`{name}` stands there twice"));
            }
        }
        Ok(())
    }

    /// A number within bounds, where one is given.
    pub(super) fn number(&self, name: &str, min: u64, max: u64) -> Result<Option<u64>, String> {
        let Some(given) = self.get(name) else {
            return Ok(None);
        };
        match given.parse() {
            Ok(number) if (min..=max).contains(&number) => Ok(Some(number)),
            _ if max == u64::MAX => Err(format!("`{name}` is a number")),
            _ => Err(format!("`{name}` is a number from {min} to {max}")),
        }
    }
}

/// `kite://tasks/ready?cursor=...`, from its parts.
pub(super) fn written(path: &str, query: &[(&str, Option<&str>)]) -> String {
    let mut uri = format!("{SCHEME}{path}");
    let mut separator = '?';
    for (name, value) in query {
        if let Some(value) = value {
            uri.push(separator);
            uri.push_str(name);
            uri.push('=');
            encode(&mut uri, value);
            separator = '&';
        }
    }
    uri
}

fn decode(text: &str) -> Option<String> {
    if !text.contains('%') {
        return Some(text.to_owned());
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let (digits, after) = rest.split_at_checked(2)?;
        let digits = std::str::from_utf8(digits).ok()?;
        // `from_str_radix` would take a sign.
        if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        rest = after;
    }
    String::from_utf8(bytes).ok()
}

fn encode(out: &mut String, text: &str) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/:*".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let uri = written(
            "tasks",
            &[
                ("project", Some("/home/ä b/&?")),
                ("limit", None),
                ("cursor", Some("7")),
            ],
        );
        assert_eq!(uri, "kite://tasks?project=/home/%C3%A4%20b/%26%3F&cursor=7");
        let parts = Parts::of(&uri).expect("our own");
        assert_eq!(parts.get("project"), Some("/home/ä b/&?"));
        assert_eq!(parts.get("cursor"), Some("7"));
        assert_eq!(parts.path, ["tasks"]);
    }

    #[test]
    fn half_an_escape_is_refused() {
        for wrong in ["kite://a%2", "kite://a%+1", "kite://a%ff"] {
            assert!(Parts::of(wrong).is_err(), "{wrong}");
        }
    }
}
