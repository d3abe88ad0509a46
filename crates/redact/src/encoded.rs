//! Secrets in base64, as in a Kubernetes manifest or a dump of a request.

use std::{borrow::Cow, sync::LazyLock};

use regex::Regex;

use crate::patterns;

/// Shorter runs hold no token of a known shape.
static RUNS: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"[A-Za-z0-9+/_-]{24,}={0,2}").expect("the pattern is valid"));

/// Takes out runs of base64 that decode to text with a secret in it.
pub(crate) fn redact(text: &str) -> Cow<'_, str> {
    let mut out = String::new();
    let mut copied = 0;
    for run in RUNS.find_iter(text) {
        let hides_one = decode(run.as_str())
            .is_some_and(|decoded| matches!(patterns::redact(&decoded), Cow::Owned(_)));
        if hides_one {
            out.push_str(&text[copied..run.start()]);
            out.push_str("[redacted:encoded]");
            copied = run.end();
        }
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    out.push_str(&text[copied..]);
    Cow::Owned(out)
}

/// Base64 of either alphabet, where it holds text.
fn decode(run: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(run.len() * 3 / 4);
    let (mut bits, mut held) = (0_u32, 0);
    for byte in run.bytes().take_while(|b| *b != b'=') {
        let six = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(six);
        held += 6;
        if held >= 8 {
            held -= 8;
            let byte = (bits >> held) as u8;
            // Text with a secret in it has no control characters but these.
            if byte < 0x20 && !matches!(byte, b'\n' | b'\r' | b'\t') {
                return None;
            }
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}
