//! Programs that are given git, or words like it, without being git.

use crate::{Verb, shell::Word};

use super::base_name;

/// Programs that print, search or move text and files, and never run their words.
const NEVER_RUN: [&str; 78] = [
    ":",
    "[",
    "ag",
    "alias",
    "apt",
    "apt-get",
    "awk",
    "base64",
    "basename",
    "brew",
    "cat",
    "chmod",
    "chown",
    "cksum",
    "cmp",
    "column",
    "comm",
    "cp",
    "curl",
    "cut",
    "date",
    "diff",
    "dirname",
    "dnf",
    "du",
    "echo",
    "egrep",
    "exit",
    "false",
    "fgrep",
    "file",
    "gh",
    "glab",
    "grep",
    "hash",
    "head",
    "help",
    "info",
    "jq",
    "kite",
    "less",
    "ln",
    "ls",
    "man",
    "md5sum",
    "mkdir",
    "more",
    "mv",
    "nl",
    "open",
    "paste",
    "pip",
    "printf",
    "ps",
    "pgrep",
    "pwd",
    "readlink",
    "realpath",
    "return",
    "rg",
    "rm",
    "rmdir",
    "sed",
    "sha256sum",
    "sort",
    "stat",
    "tail",
    "tee",
    "test",
    "touch",
    "tr",
    "true",
    "type",
    "unset",
    "wc",
    "wget",
    "whereis",
    "which",
];

/// Whether the program never runs the words it is given.
pub(super) fn never_runs(name: &str) -> bool {
    NEVER_RUN.contains(&name)
}

/// The command that `xargs`, `find -exec`, `fd -x` or `parallel` runs with words of its own.
pub(super) fn command_of<'w>(program: &str, words: &'w [Word]) -> Option<&'w [Word]> {
    let is_git = |word: &Word| base_name(&word.text).eq_ignore_ascii_case("git");
    let start = match program {
        "find" => {
            words.iter().position(|word| {
                matches!(word.text.as_str(), "-exec" | "-execdir" | "-ok" | "-okdir")
            })? + 1
        }
        // Their own options are many; what counts is git, or a shell that may run it.
        _ => words.iter().position(|word| {
            is_git(word)
                || matches!(
                    base_name(&word.text),
                    "bash" | "sh" | "zsh" | "env" | "sudo"
                )
        })?,
    };
    let rest = &words[start..];
    let end = rest
        .iter()
        .position(|word| program == "find" && matches!(word.text.as_str(), ";" | "+"));
    Some(&rest[..end.unwrap_or(rest.len())])
}

/// The words that `xargs` and its like add, which nobody knows.
pub(super) fn added() -> Word {
    let text = "{}".to_owned();
    Word {
        source: text.clone(),
        literal: false,
        text,
    }
}

/// The first dangerous verb behind the word `git` in any text: `run("git", "stash")`.
pub(super) fn verb_within(text: &str) -> Option<&str> {
    if !crate::mentions_git(text) {
        return None;
    }
    let is_letter = |letter: char| letter.is_ascii_alphanumeric() || letter == '-';
    let mut behind_git = 0;
    for word in text
        .split(|letter| !is_letter(letter))
        .filter(|word| !word.is_empty())
    {
        if word == "git" {
            behind_git = LOOK_BEHIND_GIT;
        } else if behind_git > 0 {
            if Verb::of(word).is_known_danger() {
                return Some(word);
            }
            behind_git -= 1;
        }
    }
    None
}

/// So many words may stand between `git` and its verb: `-C`, a directory, `-c`, a setting.
const LOOK_BEHIND_GIT: usize = 5;
