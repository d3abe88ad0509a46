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
        r"sk-(?:proj|svcacct|admin|or-v1)-[A-Za-z0-9_-]{16,}",
    ),
    shape(
        "openai",
        r"(?:\b|%[0-9A-Fa-f]{2})(?P<secret>sk-[A-Za-z0-9]{20,})",
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
    for found in regex.captures_iter(text) {
        let Some(secret) = secret(pattern.proof, &found) else {
            continue;
        };
        out.push_str(&text[copied..secret.start]);
        out.push_str("[redacted:");
        out.push_str(pattern.kind);
        out.push(']');
        copied = secret.end;
    }
    if copied == 0 {
        return None;
    }
    out.push_str(&text[copied..]);
    Some(out)
}

fn secret(proof: Proof, found: &Captures<'_>) -> Option<Range<usize>> {
    let secret = found.name("secret").or_else(|| found.get(0))?;
    let value = secret.as_str();
    if value.is_empty() || is_redacted(value) {
        return None;
    }
    let is_secret = match proof {
        Proof::Shape => true,
        Proof::Random => looks_random(value),
        Proof::Name => {
            let name = found.name("name").map_or("", |name| name.as_str());
            is_secret_name(name) && !is_reference(value)
        }
    };
    is_secret.then(|| secret.range())
}

/// True where an earlier pass, or an earlier pattern, was here.
pub(crate) fn is_redacted(value: &str) -> bool {
    value.starts_with("[redacted:") || value.starts_with("redacted:")
}

/// `${TOKEN}` and the like stand for a secret without telling it.
pub(crate) fn is_reference(value: &str) -> bool {
    value.starts_with(['$', '<']) || value.starts_with("{{")
}

fn looks_random(value: &str) -> bool {
    let has = |test: fn(&char) -> bool| value.chars().any(|c| test(&c));
    has(char::is_ascii_digit)
        || value.ends_with('=')
        || (value.len() >= 16 && has(char::is_ascii_uppercase) && has(char::is_ascii_lowercase))
}
