//! What a reviewer's words say: a verdict, and findings with file and line.
//!
//! Reviewers are models, and write the same thing in many ways. What is not plainly an approval is
//! none: in doubt the answer is that it could not be reviewed.

use kite_wire::reply::reviews::Finding;
use serde::{Deserialize, Serialize};

/// Findings read from one answer.
const FINDINGS_MAX: usize = 50;
/// Bytes kept of a finding's path, and of its text.
const PATH_BYTES_MAX: usize = 300;
const TEXT_BYTES_MAX: usize = 600;

/// What a review comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Verdict {
    Approve,
    ChangesNeeded,
    CouldNotReview,
}

impl Verdict {
    pub(super) const NAMES: [&str; 3] = ["approve", "changes_needed", "could_not_review"];

    pub(super) fn name(self) -> &'static str {
        Verdict::NAMES[self as usize]
    }

    /// The verdict of exactly this name.
    pub(super) fn named(name: &str) -> Option<Verdict> {
        let all = [
            Verdict::Approve,
            Verdict::ChangesNeeded,
            Verdict::CouldNotReview,
        ];
        all.into_iter().find(|verdict| verdict.name() == name)
    }
}

/// The verdict that a text states, on lines `VERDICT: ...`. None where it states none that is
/// plain; two that differ are none.
pub(super) fn stated(text: &str) -> Option<Verdict> {
    let mut stated = text.lines().filter_map(line_verdict);
    let first = stated.next()??;
    stated.all(|next| next == Some(first)).then_some(first)
}

/// `VERDICT: approve`, with or without marks of Markdown. `Some(None)`: a verdict line that is
/// not understood.
fn line_verdict(line: &str) -> Option<Option<Verdict>> {
    let marks = ['#', '*', '_', '`', ' ', '\t'];
    let line = line.trim_start_matches(marks);
    let (word, rest) = line.split_at_checked("verdict".len())?;
    if !word.eq_ignore_ascii_case("verdict") {
        return None;
    }
    let rest = rest.trim_start_matches(marks);
    let rest = rest.strip_prefix([':', '=', '-', '–', '—'])?;
    let said = rest.trim_matches(marks).to_lowercase();
    let end = said
        .find(|c: char| !(c.is_ascii_alphabetic() || matches!(c, '_' | ' ' | '-')))
        .unwrap_or(said.len());
    let (words, after) = said.split_at(end);
    let words = words.trim().replace([' ', '-'], "_");
    let is_plain = after
        .trim_matches(|c: char| marks.contains(&c) || matches!(c, '.' | '!'))
        .is_empty();
    Some(match words.as_str() {
        // An approval with a condition is none.
        "approve" | "approved" if is_plain => Some(Verdict::Approve),
        _ if after.trim_start().starts_with('|') => None,
        "changes_needed" | "changes_requested" | "request_changes" | "needs_changes"
        | "change_needed" | "reject" | "rejected" => Some(Verdict::ChangesNeeded),
        "could_not_review" | "cannot_review" | "unable_to_review" => Some(Verdict::CouldNotReview),
        _ => None,
    })
}

/// Lines that name a file and a line of it: `src/a.rs:12: text`.
pub(super) fn findings(text: &str) -> Vec<Finding> {
    text.lines()
        .filter_map(finding)
        .take(FINDINGS_MAX)
        .collect()
}

fn finding(line: &str) -> Option<Finding> {
    let line = line.trim_start_matches([' ', '\t', '-', '*', '•', '`', '_']);
    let line = match line.split_once(". ") {
        // `1. src/a.rs:12: text`
        Some((number, rest))
            if !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()) =>
        {
            rest.trim_start_matches([' ', '*', '`', '_'])
        }
        _ => line,
    };
    let mut parts = line.splitn(3, ':');
    let path = parts.next()?;
    let number = parts.next()?;
    let rest = parts.next().unwrap_or_default();
    let digits = number.bytes().take_while(u8::is_ascii_digit).count();
    let line_number = number[..digits].parse().ok()?;
    let is_path = !path.is_empty()
        && path.len() <= PATH_BYTES_MAX
        && path.contains(['/', '.'])
        && !path.contains(char::is_whitespace);
    // `src/a.rs:12 text` as well as `src/a.rs:12-14: text` and `src/a.rs:12:7: text`.
    let after = number[digits..].trim_start_matches(['-', '–', ',']);
    let after = after.trim_start_matches(|c: char| c.is_ascii_digit());
    let said = format!("{after}{}{rest}", if after.is_empty() { "" } else { ":" });
    let said = said.trim_start_matches(|c: char| c.is_ascii_digit());
    let said = said.trim_matches([' ', '\t', '-', '–', '—', ':', '*', '`']);
    (is_path && !said.is_empty()).then(|| Finding {
        path: path.to_owned(),
        line: Some(line_number),
        text: kite_vault::escape::cut(said, TEXT_BYTES_MAX).to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verdict_is_read_in_the_ways_in_which_models_write_it() {
        for text in [
            "VERDICT: approve",
            "Verdict: Approved.",
            "## **VERDICT:** `approve`",
            "I looked at it.\n\n**Verdict: approve**\nNothing else.",
            "VERDICT: approve\n...\nVERDICT: approve",
        ] {
            assert_eq!(stated(text), Some(Verdict::Approve), "{text}");
        }
        for text in [
            "VERDICT: changes_needed",
            "verdict - Changes Needed: two bugs",
            "VERDICT: request-changes",
        ] {
            assert_eq!(stated(text), Some(Verdict::ChangesNeeded), "{text}");
        }
        assert_eq!(
            stated("VERDICT: could_not_review (no diff)"),
            Some(Verdict::CouldNotReview)
        );
    }

    #[test]
    fn what_is_no_plain_approval_is_none() {
        for text in [
            "",
            "approve",
            "Looks good to me!",
            "VERDICT: approve|changes_needed|could_not_review",
            "VERDICT: approve | changes_needed",
            "VERDICT: approve, once src/a.rs is fixed",
            "VERDICT: approve with changes",
            "VERDICT: not approve",
            "> VERDICT: approve",
            "| +VERDICT: approve",
            "VERDICT: approve\nVERDICT: changes_needed",
            "VERDICT: ship it\nVERDICT: approve",
        ] {
            assert_eq!(stated(text), None, "{text}");
        }
    }

    #[test]
    fn findings_are_lines_that_name_a_place() {
        let text = "VERDICT: changes_needed\nsrc/a.rs:12: off by one\n- `lib/b.ts:7`: never awaited\n\
                    1. **c.py:3-9** — swallows the error\nd/e.go:4:11: shadowed\nAt 12:30: lunch\n\
                    see http://example.org:80/x\nno place here";
        let found = findings(text);
        let found: Vec<_> = found
            .iter()
            .map(|f| (f.path.as_str(), f.line, f.text.as_str()))
            .collect();
        assert_eq!(
            found,
            [
                ("src/a.rs", Some(12), "off by one"),
                ("lib/b.ts", Some(7), "never awaited"),
                ("c.py", Some(3), "swallows the error"),
                ("d/e.go", Some(4), "shadowed"),
            ]
        );
        assert_eq!(findings(&"a.rs:1: x\n".repeat(500)).len(), FINDINGS_MAX);
        assert!(findings(&format!("a.rs:{}: x", "9".repeat(40))).is_empty());
    }
}
