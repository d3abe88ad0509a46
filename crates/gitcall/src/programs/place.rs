//! Where commands run, as far as the text says.

use crate::shell::Word;

/// The working directory, relative to where the text begins.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) enum Place {
    #[default]
    Start,
    Known(String),
    Unknown,
}

impl Place {
    pub(super) fn after_cd(&self, words: &[Word]) -> Place {
        let is_option = |word: &&Word| matches!(word.text.as_str(), "-P" | "-L" | "-e" | "--");
        let options = words.iter().take_while(is_option).count();
        let [target] = &words[options..] else {
            return Place::Unknown;
        };
        if !target.literal || target.text.is_empty() || target.text.starts_with(['-', '+']) {
            return Place::Unknown;
        }
        match self {
            Place::Unknown if !target.text.starts_with('/') => Place::Unknown,
            Place::Known(from) => Place::Known(joined(Some(from), &target.text)),
            _ => Place::Known(target.text.clone()),
        }
    }
}

/// `path` as seen from `from`.
pub(crate) fn joined(from: Option<&str>, path: &str) -> String {
    match from {
        Some(from) if !path.starts_with('/') && !path.is_empty() => {
            format!("{}/{path}", from.trim_end_matches('/'))
        }
        Some(from) if path.is_empty() => from.to_owned(),
        _ => path.to_owned(),
    }
}
