//! A git command as it was found in shell text.

use crate::{Verb, mentions_git, programs};

/// Text longer than this is not read: 4 MiB.
const MAX_TEXT_BYTES: usize = 4 << 20;

/// One git command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    pub verb: Verb,
    /// The words after the verb, without their quotes. A word that is not literal stands here as
    /// it was written.
    pub words: Vec<String>,
    /// The same words as they were written, quotes and substitutions and all.
    pub sources: Vec<String>,
    /// Where the command runs, if not where the text begins: from `-C`, `cd` and `pushd`.
    /// Relative to that place unless it is absolute.
    pub directory: Option<String>,
    /// `directory` is relative to the top of the worktree: a `!` alias runs there.
    pub from_top: bool,
    /// Nobody knows in which working copy it runs: `cd "$x"`, `--work-tree`, `GIT_DIR`. It may be
    /// any. Such a call is not certain.
    pub adrift: bool,
    /// The command and its words are literal. Otherwise it depends on what only a shell knows.
    pub certain: bool,
    /// It runs only if something else succeeds or fails: after `&&` or `||`, in `if`, in a loop.
    pub conditional: bool,
    /// A heredoc or here-string of the command, as it was written.
    pub stdin: Option<String>,
}

/// What was found in a text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reading {
    /// git is named somewhere, if only in a file name or a message.
    pub mentions_git: bool,
    /// In the order of the text.
    pub calls: Vec<Call>,
    /// The text is not shell as this room knows it, or beyond a limit. `calls` has what was found
    /// before that, none of it certain.
    pub unparseable: bool,
}

/// Finds the git commands in shell text. A text that does not mention git is not read further.
///
/// Time is linear in the length. At most 256 calls are returned and 4 MiB read; beyond, the
/// reading is `unparseable`.
#[must_use]
pub fn calls(command: &str) -> Reading {
    if !mentions_git(command) {
        return Reading::default();
    }
    if command.len() > MAX_TEXT_BYTES {
        return Reading {
            mentions_git: true,
            calls: Vec::new(),
            unparseable: true,
        };
    }
    programs::find(command)
}

impl Call {
    /// The working copy that `git worktree remove --force` takes away, as it was written: a path,
    /// or the last part of one. `None` for any other call, and where git itself keeps what is
    /// uncommitted.
    #[must_use]
    pub fn removes_worktree(&self) -> Option<&str> {
        let (first, rest) = self.words.split_first()?;
        let is_option = |word: &&String| word.starts_with('-');
        let forces = |word: &String| matches!(word.as_str(), "-f" | "-ff" | "--force");
        (self.verb == Verb::Worktree && first == "remove" && rest.iter().any(forces))
            .then(|| rest.iter().find(|word| !is_option(word)))?
            .map(String::as_str)
    }

    /// The call with every absolute path below `top` (its directory, and words that are paths)
    /// rewritten relative to the worktree, so that [`crate::judge`] understands it. `top` is the
    /// absolute path of the worktree's top.
    ///
    /// This is done by text. A caller who knows of symbolic links may call it once for each
    /// spelling of the top.
    #[must_use]
    pub fn relative_to(mut self, top: &str) -> Call {
        let top = top.trim_end_matches('/');
        let below = |path: &str| {
            let rest = path.strip_prefix(top)?;
            (rest.is_empty() || rest.starts_with('/')).then(|| rest.trim_matches('/').to_owned())
        };
        if let Some(rest) = self.directory.as_deref().and_then(below) {
            self.directory = Some(rest);
            self.from_top = true;
        }
        for word in &mut self.words {
            if let Some(rest) = below(word) {
                *word = format!(":(top){rest}");
            }
        }
        self
    }
}
