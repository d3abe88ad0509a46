//! The message of the commit that git is about to make, as it was given on git's command line: the
//! safe command has it, too.
//!
//! Linux shows the command line of a process word by word. Elsewhere, and where the message came
//! from somewhere else, a placeholder stands for it.

use crate::wiring::shell_quoted;

const PLACEHOLDER: &str = "-m 'your message'";

/// Options with a value that say something of the commit but not which files it takes in.
const KEPT_VALUES: [&str; 6] = [
    "--message",
    "--file",
    "--reuse-message",
    "--author",
    "--date",
    "--trailer",
];

/// The same without a value.
const KEPT_FLAGS: [&str; 5] = [
    "--amend",
    "--no-edit",
    "--signoff",
    "--allow-empty",
    "--reset-author",
];

/// The options of the git that called this hook that give the message and the author, as words of
/// a shell.
pub(super) fn of_calling_git() -> Vec<String> {
    let words = calling_git().unwrap_or_default();
    options(&words)
}

fn options(words: &[String]) -> Vec<String> {
    let mut found = Vec::new();
    let mut has_message = false;
    let start = words
        .iter()
        .position(|word| word == "commit")
        .map_or(1, |at| at + 1);
    let mut words = words.iter().skip(start).map(String::as_str);
    while let Some(word) = words.next() {
        if word == "--" {
            break;
        }
        let (name, joined) = match word.split_once('=') {
            Some((name, value)) if word.starts_with("--") => (name, Some(value)),
            _ => (word, None),
        };
        if KEPT_FLAGS.contains(&name) {
            has_message |= name == "--no-edit";
            found.push(name.to_owned());
        } else if KEPT_VALUES.contains(&name) {
            let Some(value) = joined.or_else(|| words.next()) else {
                break;
            };
            has_message |= KEPT_VALUES[..3].contains(&name);
            found.push(format!("{name}={}", shell_quoted(value)));
        } else if word.starts_with('-') && !word.starts_with("--") {
            has_message |= cluster(&word[1..], &mut words, &mut found);
        }
    }
    // What came through a pipe cannot come again.
    if found.iter().any(|option| option == "--file=-") {
        found.retain(|option| option != "--file=-");
        has_message = false;
    }
    if !has_message {
        found.push(PLACEHOLDER.to_owned());
    }
    found
}

/// Short options in one word, `-qam text`. True where a message is among them.
fn cluster<'a>(
    letters: &str,
    words: &mut impl Iterator<Item = &'a str>,
    found: &mut Vec<String>,
) -> bool {
    for (at, letter) in letters.char_indices() {
        let joined = &letters[at + letter.len_utf8()..];
        let mut value = || match joined {
            "" => words.next(),
            joined => Some(joined),
        };
        match letter {
            'm' | 'F' | 'C' => {
                let Some(value) = value() else { return false };
                let long = match letter {
                    'm' => "--message",
                    'F' => "--file",
                    _ => "--reuse-message",
                };
                found.push(format!("{long}={}", shell_quoted(value)));
                return true;
            }
            'c' | 't' => {
                let _ = value();
                return false;
            }
            // Their values are joined, if they have one.
            'S' | 'u' => return false,
            's' => found.push("--signoff".to_owned()),
            _ => {}
        }
    }
    false
}

/// The words of the nearest git above this process.
#[cfg(target_os = "linux")]
fn calling_git() -> Option<Vec<String>> {
    /// A hook may run a hook that runs a hook.
    const GENERATIONS_MAX: usize = 8;
    let mut pid = rustix::process::getppid()?.as_raw_nonzero().get();
    for _ in 0..GENERATIONS_MAX {
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).ok()?;
        let line = String::from_utf8(line).ok()?;
        let words: Vec<String> = line.split_terminator('\0').map(str::to_owned).collect();
        let program = words.first()?;
        if program == "git" || program.ends_with("/git") {
            return Some(words);
        }
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // `pid (name) state parent ...`, where the name may hold anything.
        let (_, tail) = stat.rsplit_once(')')?;
        pid = tail.split_ascii_whitespace().nth(1)?.parse().ok()?;
    }
    None
}

#[cfg(not(target_os = "linux"))]
fn calling_git() -> Option<Vec<String>> {
    None
}

#[cfg(test)]
mod tests {
    use super::options;

    #[test]
    fn what_is_said_of_a_commit_is_said_again_and_its_files_are_not() {
        let of = |line: &[&str]| {
            let words: Vec<String> = line.iter().map(|word| (*word).to_owned()).collect();
            options(&words).join(" ")
        };
        let placeholder = "-m 'your message'";
        for (line, said) in [
            (
                &["git", "commit", "-qam", "a b", "x.rs"][..],
                "--message='a b'",
            ),
            (
                &["git", "-C", "d", "commit", "-mz", "-s"],
                "--message=z --signoff",
            ),
            (
                &[
                    "git",
                    "commit",
                    "-m",
                    "it's",
                    "-m",
                    "two\nlines",
                    "--",
                    "-m",
                ],
                "--message='it'\\''s' --message='two\nlines'",
            ),
            (&["git", "commit", "--message=", "--all"], "--message=''"),
            (&["git", "ci", "-a"], placeholder),
            (&["git", "commit", "-F", "-"], placeholder),
            (
                &["git", "commit", "--amend", "--no-edit", "-a"],
                "--amend --no-edit",
            ),
            (&["git", "commit", "-c", "HEAD", "-uno"], placeholder),
            (&["git", "commit", "-m"], placeholder),
            (&[], placeholder),
        ] {
            assert_eq!(of(line), said, "{line:?}");
        }
    }
}
