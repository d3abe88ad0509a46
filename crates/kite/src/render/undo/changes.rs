//! One file before and after, as a short diff.

use std::time::Duration;

use kite_undo::restore::Shown;
use similar::TextDiff;

/// Lines of context around each difference.
const CONTEXT_LINES: usize = 2;
/// Lines of one file's diff that are shown.
const LINES_MAX: usize = 60;
/// A longer content is not compared.
const BYTES_MAX: usize = 1 << 20;
/// A comparison that takes longer settles for a coarser one.
const COMPARE_MAX: Duration = Duration::from_millis(200);

/// What happened to one file.
#[derive(Debug)]
pub(super) struct Changes {
    words: String,
    lines: Vec<String>,
}

impl Changes {
    pub(super) fn between(before: &Shown, after: &Shown) -> Changes {
        let words = |words: &str| Changes {
            words: words.to_owned(),
            lines: Vec::new(),
        };
        match (before, after) {
            (Shown::NotKept, Shown::NotKept) => words("changed, neither content is kept"),
            (Shown::NotKept, _) => words("changed, the content before is not kept"),
            (_, Shown::NotKept) => words("changed, the content after is not kept"),
            (Shown::Absent, Shown::Absent) => words("not there before and after"),
            (Shown::Absent, Shown::Content(after)) => Changes::of("created", b"", after),
            (Shown::Content(before), Shown::Absent) => Changes::of("deleted", before, b""),
            (Shown::Content(before), Shown::Content(after)) if before == after => {
                words("the same before and after")
            }
            (Shown::Content(before), Shown::Content(after)) => {
                Changes::of("changed", before, after)
            }
        }
    }

    fn of(verb: &str, before: &[u8], after: &[u8]) -> Changes {
        let sizes = match (before.len(), after.len()) {
            (0, bytes) | (bytes, 0) => format!("{bytes} bytes"),
            (before, after) => format!("{before} -> {after} bytes"),
        };
        let (why, lines) = match (text(before), text(after)) {
            (Some(before), Some(after)) => ("", diff(before, after)),
            _ if before.len().max(after.len()) > BYTES_MAX => {
                (", too large to compare", Vec::new())
            }
            _ => (", binary", Vec::new()),
        };
        Changes {
            words: format!("{verb} ({sizes}{why})"),
            lines,
        }
    }

    pub(super) fn words(&self) -> &str {
        &self.words
    }

    pub(super) fn lines(&self) -> &[String] {
        &self.lines
    }
}

fn text(bytes: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(bytes).ok()?;
    (bytes.len() <= BYTES_MAX && !bytes.contains(&0)).then_some(text)
}

fn diff(before: &str, after: &str) -> Vec<String> {
    let compared = TextDiff::configure()
        .timeout(COMPARE_MAX)
        .diff_lines(before, after);
    let unified = compared
        .unified_diff()
        .context_radius(CONTEXT_LINES)
        .to_string();
    let mut lines: Vec<String> = unified.split_terminator('\n').map(str::to_owned).collect();
    let more = lines.len().saturating_sub(LINES_MAX);
    if more > 0 {
        lines.truncate(LINES_MAX);
        lines.push(format!("... {more} more lines"));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(text: &str) -> Shown {
        Shown::Content(text.as_bytes().to_vec())
    }

    #[test]
    fn a_change_is_shown_with_its_surroundings() {
        let changes = Changes::between(&content("a\nb\nc\n"), &content("a\nB\nc\n"));
        assert_eq!(changes.words(), "changed (6 -> 6 bytes)");
        assert_eq!(changes.lines(), ["@@ -1,3 +1,3 @@", " a", "-b", "+B", " c"]);
    }

    #[test]
    fn a_long_diff_is_cut() {
        let long: String = (0..1_000).map(|n| format!("{n}\n")).collect();
        let changes = Changes::between(&Shown::Absent, &content(&long));
        assert_eq!(changes.lines().len(), LINES_MAX + 1);
        assert_eq!(changes.lines()[LINES_MAX], "... 941 more lines");
    }

    #[test]
    fn what_is_no_text_is_only_measured() {
        for (bytes, why) in [
            (vec![0, 1], "binary"),
            (vec![b'x'; BYTES_MAX + 1], "too large"),
        ] {
            let changes = Changes::between(&Shown::Absent, &Shown::Content(bytes));
            assert!(changes.words().contains(why), "{changes:?}");
            assert!(changes.lines().is_empty());
        }
        let secret = Changes::between(&Shown::NotKept, &content("x"));
        assert!(secret.words().contains("before is not kept"), "{secret:?}");
    }
}
