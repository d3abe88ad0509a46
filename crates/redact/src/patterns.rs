//! The shapes of secrets.

use std::{borrow::Cow, ops::Range, sync::LazyLock};

use regex::{Captures, Regex, RegexSet};

use crate::names::is_secret_name;

/// How sure a shape is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Proof {
    /// The shape is proof enough.
    Shape,
    /// The scheme of HTTP authentication also begins ordinary sentences: "basic understanding".
    Random,
    /// The group `name` must name a secret; then any value is one.
    Name,
    /// The group `name` must name a secret, and the value must not look like code.
    NameInCode,
}

struct Pattern {
    kind: &'static str,
    proof: Proof,
    /// The group `secret`, or else the whole match, is taken out.
    regex: &'static str,
}

const fn shape(kind: &'static str, regex: &'static str) -> Pattern {
    Pattern {
        kind,
        proof: Proof::Shape,
        regex,
    }
}

const fn checked(kind: &'static str, proof: Proof, regex: &'static str) -> Pattern {
    Pattern { kind, proof, regex }
}

/// In this order: the most telling first, since what is taken out is not found again.
const PATTERNS: &[Pattern] = &[
    shape(
        "private-key",
        r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----(?s:.*?)(?:-----END (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----|\z)",
    ),
    shape("private-key", r"AGE-SECRET-KEY-1[A-Z0-9]{40,}"),
    shape("aws", r"(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}"),
    shape(
        "github",
        r"gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,}",
    ),
    shape(
        "gitlab",
        r"gl(?:pat|ptt|dt|rt|cbt|soat|ft|imt|oas|agent)-[A-Za-z0-9_.-]{16,}",
    ),
    shape(
        "slack",
        r"xox[abeoprs](?:\.xox[bp])?-[A-Za-z0-9-]{10,}|xapp-[0-9]-[A-Za-z0-9-]{10,}",
    ),
    shape(
        "slack",
        r"hooks\.slack\.com/(?:services|workflows)/(?P<secret>[A-Za-z0-9/_+-]{20,})",
    ),
    shape(
        "google",
        r"AIza[0-9A-Za-z_-]{30,}|ya29\.[0-9A-Za-z_-]{20,}|GOCSPX-[0-9A-Za-z_-]{20,}|1//0[0-9A-Za-z_-]{30,}",
    ),
    shape(
        "stripe",
        r"(?:sk|rk)_(?:live|test)_[0-9A-Za-z]{10,}|whsec_[0-9A-Za-z+/=]{16,}",
    ),
    shape("npm", r"npm_[A-Za-z0-9]{30,}"),
    shape("pypi", r"pypi-Ag[A-Za-z0-9_-]{30,}"),
    shape("anthropic", r"sk-ant-[A-Za-z0-9_-]{16,}"),
    shape(
        "openai",
        r"sk-(?:proj|svcacct|admin|or-v1)-[A-Za-z0-9_-]{16,}|\bsk-[A-Za-z0-9]{20,}",
    ),
    shape(
        "token",
        r"hf_[A-Za-z0-9]{30,}|SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}|do[opr]_v1_[0-9a-f]{64}|hv[sb]\.[A-Za-z0-9_-]{20,}|dckr_pat_[A-Za-z0-9_-]{20,}|shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}|lin_api_[A-Za-z0-9]{32,}|\bdapi[0-9a-f]{32}|\b[0-9]{8,10}:AA[0-9A-Za-z_-]{33}",
    ),
    shape(
        "jwt",
        r"eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]+){0,2}",
    ),
    shape(
        "auth",
        r#"(?i)authorization(?:\\*["'])?(?:\s*[:=]\s*|%3A(?:%20|\+)?)(?:\\*["'])?(?:bearer|basic|token|digest|negotiate|apikey)(?:[ \t]+|%20|\+)(?P<secret>[^\s"'\\,;&]+)"#,
    ),
    checked(
        "auth",
        Proof::Random,
        r"(?i)\b(?:bearer|basic)(?:[ \t]+|%20)(?P<secret>[A-Za-z0-9._~+/=-]{8,})",
    ),
    shape(
        "auth",
        r#"(?:^|\s)(?:-u|--user|--proxy-user)[ =]["']?[^\s:"']+:(?P<secret>[^\s"']+)"#,
    ),
    shape("auth", r"(?i)\blogin\s+\S+\s+password\s+(?P<secret>\S+)"),
    shape(
        "cookie",
        r#"(?i)\b(?:set-)?cookie(?:\\*["'])?\s*:\s*(?:\\*["'])?(?P<secret>[^\s"'\\=;,]+=[^\r\n"'\\]+)"#,
    ),
    shape(
        "url",
        r#"[A-Za-z][A-Za-z0-9+.-]*://[^\s/:@"'<>]*:(?P<secret>[^\s/@"'<>${]+)@"#,
    ),
    shape("url", r"https?://(?P<secret>[A-Za-z0-9_-]{20,})@"),
    // "name": "value", also where the quotes are escaped, once or more often.
    checked(
        "assigned",
        Proof::Name,
        r#"(?P<name>[A-Za-z_][A-Za-z0-9_.-]*)["'`]?\s*(?::=|=>|[:=])\s*[bfru]?"(?P<secret>(?:[^"\\]|\\.)+)(?:"|\z)"#,
    ),
    checked(
        "assigned",
        Proof::Name,
        r#"(?P<name>[A-Za-z_][A-Za-z0-9_.-]*)(?:\\+["'])?\s*(?::=|=>|[:=])\s*\\+["'](?P<secret>[^"'\\]+)"#,
    ),
    checked(
        "assigned",
        Proof::Name,
        r#"(?P<name>[A-Za-z_][A-Za-z0-9_.-]*)["'`]?\s*(?::=|=>|[:=])\s*[bfru]?'(?P<secret>(?:[^'\\]|\\.)+)(?:'|\z)"#,
    ),
    // NAME=value of a shell, a query string, a form.
    checked(
        "assigned",
        Proof::NameInCode,
        r#"(?P<name>[A-Za-z_][A-Za-z0-9_.-]*)(?:=|%3[Dd])(?P<secret>[^\s"'`\\&;|<>(),\[\]{}$]+)"#,
    ),
    // name: value, name = value.
    checked(
        "assigned",
        Proof::NameInCode,
        r#"(?P<name>[A-Za-z_][A-Za-z0-9_.-]*)\s*(?::=|=>|[:=])[ \t]*(?P<secret>[^\s"'`\\&;|<>(),\[\]{}$:=]+)"#,
    ),
    // --name value.
    checked(
        "assigned",
        Proof::Name,
        r#"(?:^|[\s"'])--?(?P<name>[A-Za-z][A-Za-z0-9-]*)[ \t]+["']?(?P<secret>[^\s"'`$\\-][^\s"'`\\]*)"#,
    ),
];

/// Tells in one pass which patterns are worth trying. Most text has none.
static ANY: LazyLock<RegexSet> = LazyLock::new(|| {
    RegexSet::new(PATTERNS.iter().map(|pattern| pattern.regex)).expect("the patterns are valid")
});

static EACH: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    let compiled = PATTERNS.iter().map(|pattern| Regex::new(pattern.regex));
    compiled
        .collect::<Result<_, _>>()
        .expect("the patterns are valid")
});

pub(crate) fn redact(text: &str) -> Cow<'_, str> {
    let mut text = Cow::Borrowed(text);
    for index in ANY.matches(&text).iter() {
        if let Some(redacted) = replace(&PATTERNS[index], &EACH[index], &text) {
            text = Cow::Owned(redacted);
        }
    }
    text
}

/// `None` where nothing is taken out.
fn replace(pattern: &Pattern, regex: &Regex, text: &str) -> Option<String> {
    let mut out = String::new();
    let mut copied = 0;
    let mut from = 0;
    while let Some(found) = regex.captures_at(text, from) {
        let whole = found.get(0).map_or(from..from, |m| m.range());
        match secret(pattern.proof, &found, text) {
            Some(secret) => {
                out.push_str(&text[copied..secret.start]);
                out.push_str("[redacted:");
                out.push_str(pattern.kind);
                out.push(']');
                copied = secret.end;
                from = secret.end.max(whole.start + 1);
            }
            // A name that is none may hide one behind it: `x: password=...`.
            None => from = next_start(&found, &whole, text),
        }
    }
    if copied == 0 {
        return None;
    }
    out.push_str(&text[copied..]);
    Some(out)
}

/// Where to look on after a match that was no secret: behind its name, so that every byte is
/// looked at a bounded number of times.
fn next_start(found: &Captures<'_>, whole: &Range<usize>, text: &str) -> usize {
    let at = found
        .name("name")
        .map_or(whole.end, |name| name.end())
        .max(whole.start + 1);
    text.ceil_char_boundary(at)
}

fn secret(proof: Proof, found: &Captures<'_>, text: &str) -> Option<Range<usize>> {
    let secret = found.name("secret").or_else(|| found.get(0))?;
    let value = secret.as_str();
    if value.is_empty() || value.starts_with("[redacted:") || value.starts_with("redacted:") {
        return None;
    }
    let name = found.name("name").map_or("", |name| name.as_str());
    let is_secret = match proof {
        Proof::Shape => true,
        Proof::Random => looks_random(value),
        Proof::Name => is_secret_name(name) && !is_reference(value),
        Proof::NameInCode => {
            let is_called = text[secret.end()..].starts_with(['(', '[', ':', '<', '{', '.']);
            is_secret_name(name) && !is_called && !is_code(name, value)
        }
    };
    is_secret.then(|| secret.range())
}

/// `${TOKEN}` and the like stand for a secret without telling it.
fn is_reference(value: &str) -> bool {
    value.starts_with('$') || value.starts_with("{{") || value.starts_with("<")
}

fn looks_random(value: &str) -> bool {
    let has = |test: fn(&char) -> bool| value.chars().any(|c| test(&c));
    has(char::is_ascii_digit)
        || value.ends_with('=')
        || (value.len() >= 16 && has(char::is_ascii_uppercase) && has(char::is_ascii_lowercase))
}

/// True for what stands behind a name in a program rather than in a secret's place.
fn is_code(name: &str, value: &str) -> bool {
    const WORDS: &[&str] = &[
        "string",
        "str",
        "none",
        "null",
        "nil",
        "true",
        "false",
        "undefined",
        "self",
        "this",
        "any",
        "bool",
        "boolean",
        "int",
        "number",
        "bytes",
        "option",
        "optional",
        "required",
        "await",
        "new",
        "not",
        "std",
        "process",
        "os",
        "env",
        "input",
        "args",
        "request",
        "config",
        "settings",
    ];
    let is_shouted = name.chars().all(|c| !c.is_ascii_lowercase());
    let first = value.split(['.', '?', '!']).next().unwrap_or(value);
    let is_word = WORDS.iter().any(|word| first.eq_ignore_ascii_case(word));
    if is_word || value.starts_with('[') {
        return true;
    }
    // An environment variable's value is a value.
    if is_shouted {
        return false;
    }
    let is_password = name.to_ascii_lowercase().contains("pass");
    let is_identifier = value
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '.');
    let has_digit = value.chars().any(|c| c.is_ascii_digit());
    let is_number = value
        .chars()
        .all(|c| c.is_ascii_digit() || c == '.' || c == '_');
    let is_type = value.chars().next().is_some_and(|c| c.is_ascii_uppercase()) && !has_digit;
    match is_password {
        true => is_type || value.contains('_') && is_identifier && !has_digit,
        false => is_identifier && (!has_digit || is_number || value.len() < 8),
    }
}
