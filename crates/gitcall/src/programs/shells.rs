//! What a shell that is started as a program will run.

use crate::shell::{Simple, Word};

/// The script of a shell.
pub(super) enum Input {
    /// A file, or nothing that stands in the text.
    Nothing,
    /// Exactly this text.
    Script(String),
    /// Something like this text.
    Perhaps(String),
}

/// Finds the script among the shell's words and what is fed to it.
pub(super) fn input(words: &[Word], simple: &Simple, piped: Option<String>) -> Input {
    let mut takes_command = false;
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let text = word.text.as_str();
        if let Some(name) = text.strip_prefix("--") {
            if matches!(name, "rcfile" | "init-file") {
                words.next();
            }
            continue;
        }
        let cluster = text.strip_prefix(['-', '+']);
        if let Some(letters) = cluster.filter(|letters| !letters.is_empty()) {
            takes_command |= letters.contains('c');
            if letters.ends_with(['o', 'O']) {
                words.next();
            }
            if letters.contains('s') && !takes_command {
                break;
            }
            continue;
        }
        if text == "-" && !takes_command {
            break;
        }
        return match (takes_command, word.literal) {
            (true, true) if words.next().is_none() => Input::Script(text.to_owned()),
            (true, _) => Input::Perhaps(text.to_owned()),
            (false, _) => Input::Nothing,
        };
    }
    match (&simple.stdin, piped) {
        (Some(stdin), _) if stdin.literal => Input::Script(stdin.text.clone()),
        (Some(stdin), _) => Input::Perhaps(stdin.text.clone()),
        (None, Some(text)) => Input::Perhaps(text),
        (None, None) => Input::Nothing,
    }
}
