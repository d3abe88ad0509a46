//! Looks at files, off the loop: what they hold now beside what somebody saw.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
    sync::Arc,
    time::Duration,
};

use kite_contracts::{Changed, Name, SOURCE_BYTES_MAX, Subject, compare, compare_concealed};
use kite_redact::redact;
use kite_undo::{Git, images::Secrets};

use super::View;
use crate::hands::files::Fingerprint;

/// How long git may take to tell what `HEAD` holds.
const GIT_MAX: Duration = Duration::from_millis(500);

/// Where a view stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Look {
    /// The file has changed since it was looked at.
    #[default]
    Due,
    UnderWay,
    /// It holds what the owner saw.
    Same,
    /// It holds something else.
    Other,
}

/// What is wrong in an owner's view of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Finding {
    pub(super) lines: Vec<String>,
    pub(super) names: Vec<Name>,
    pub(super) gone: bool,
}

/// What came of a look.
#[derive(Debug, Default)]
pub(super) enum Seen {
    Same,
    /// Another content; nothing that the owner knows of it is wrong, or nothing can be said.
    Silent,
    Stale(Finding),
    /// It could not be read, or is being written.
    #[default]
    NotNow,
}

impl View {
    pub(super) fn looked(&mut self, seen: Seen) {
        // A change while it was looked at makes another look due.
        let is_current = self.look == Look::UnderWay;
        let (look, finding) = match seen {
            Seen::NotNow => (Look::Due, self.finding.take()),
            Seen::Same => (Look::Same, None),
            Seen::Silent => (Look::Other, None),
            Seen::Stale(finding) => (Look::Other, Some(finding)),
        };
        if is_current {
            self.look = look;
            self.finding = finding;
        }
    }
}

/// What a file holds.
#[derive(Debug)]
pub(super) enum Sight {
    Text {
        hash: u128,
        text: Arc<str>,
    },
    Absent,
    /// Too large, no text, no regular file, or not to be read.
    Unknown,
}

/// Reads a file, if it is small enough to be compared.
pub(super) fn read(path: &Path) -> Sight {
    match content(path) {
        Ok(Some(bytes)) => match (Fingerprint::of_content(&bytes), String::from_utf8(bytes)) {
            (Fingerprint::Content(hash), Ok(text)) => Sight::Text {
                hash,
                text: text.into(),
            },
            _ => Sight::Unknown,
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Sight::Absent,
        Ok(None) | Err(_) => Sight::Unknown,
    }
}

fn content(path: &Path) -> io::Result<Option<Vec<u8>>> {
    // Never opens what is not a regular file: a pipe would wait for ever.
    if !path.metadata()?.is_file() {
        return Ok(None);
    }
    let mut bytes = Vec::new();
    let limit = SOURCE_BYTES_MAX as u64 + 1;
    File::open(path)?.take(limit).read_to_end(&mut bytes)?;
    Ok((bytes.len() <= SOURCE_BYTES_MAX).then_some(bytes))
}

pub(super) fn is_secret(path: &Path) -> bool {
    Secrets::default().has(path)
}

/// Puts what an owner saw (by its hash, and its text where that was kept) beside what is there.
pub(super) fn look(path: &Path, saw: u128, before: Option<&str>) -> Seen {
    let now = read(path);
    match &now {
        Sight::Text { hash, .. } if *hash == saw => return Seen::Same,
        // An editor that truncates first.
        Sight::Text { text, .. } if text.trim().is_empty() => return Seen::NotNow,
        Sight::Unknown => return Seen::NotNow,
        Sight::Text { .. } | Sight::Absent => {}
    }
    let committed = match before {
        Some(_) => None,
        None => committed(path, saw),
    };
    let name = path.to_string_lossy();
    let Some(before) = before.or(committed.as_deref()) else {
        return Seen::Silent;
    };
    let (after, gone) = match &now {
        Sight::Text { text, .. } => (text.as_ref(), false),
        _ => ("", true),
    };
    match compared(&name, before, after) {
        Some(changed) => Seen::Stale(Finding {
            lines: changed.lines,
            names: changed.names,
            gone,
        }),
        None => Seen::Silent,
    }
}

/// What changed, without the secrets of what is shown of it. It is cut to be shown, and a secret
/// that is cut off looks like none.
fn compared(name: &str, before: &str, after: &str) -> Option<Changed> {
    match Subject::of(name)? {
        Subject::Language(_) => {
            compare_concealed(name, before, after, &|text| redact(text).into_owned())
        }
        Subject::Declarations | Subject::Settings => compare(name, &redact(before), &redact(after)),
    }
}

/// What `HEAD` holds of this file, if that is what was seen.
fn committed(path: &Path, saw: u128) -> Option<String> {
    let Subject::Language(_) = Subject::of(&path.to_string_lossy())? else {
        return None;
    };
    let git = Git::open(path.parent()?).ok()?;
    let relative = path.strip_prefix(git.top()).ok()?.to_str()?;
    let blob = git
        .call("cat-file")
        .args(["blob", "--end-of-options", &format!("HEAD:{relative}")])
        .output_max(SOURCE_BYTES_MAX)
        .time_max(GIT_MAX)
        .run()
        .ok()?;
    let is_it = Fingerprint::of_content(&blob) == Fingerprint::Content(saw);
    is_it.then(|| String::from_utf8(blob).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::{compared, redact};

    #[test]
    fn a_secret_in_settings_is_not_shown_where_its_line_is_cut_either() {
        let token = format!("ghp_{}", "a1B2".repeat(9));
        let line = |letter: &str| format!("url: {} {token}\n", letter.repeat(70));
        let changed = compared("app.yaml", &line("x"), &line("y")).expect("a change");
        assert!(changed.lines[0].contains("yyy"), "{changed:?}");
        assert!(!changed.lines[0].contains("ghp_"), "{changed:?}");
        let only_the_secret = line("x").replace("a1B2", "c3D4");
        assert_eq!(compared("app.yaml", &line("x"), &only_the_secret), None);
    }

    #[test]
    fn a_secret_in_a_signature_is_not_shown_where_that_is_cut_either() {
        let token = format!("ghp_{}", "a1B2".repeat(9));
        for long in 0..100 {
            let of = |kind: &str| {
                let argument = "a".repeat(long);
                format!("def call({argument}first: {kind}, of=\"{token}\"): pass\n")
            };
            let changed = compared("app.py", &of("int"), &of("str")).expect("a change");
            let shown = redact(&changed.lines[0]);
            assert!(!shown.contains("ghp_"), "{shown}");
        }
    }
}
