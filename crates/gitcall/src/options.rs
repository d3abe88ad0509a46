//! Options as git's own parser reads them: clusters, abbreviations, negations, values.

/// One option that a command knows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Known {
    /// The one-letter name, `' '` if it has none.
    pub(crate) short: char,
    pub(crate) long: &'static str,
    pub(crate) value: Value,
}

/// Whether an option has a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Value {
    None,
    /// The next word or the rest of this one.
    Needed,
    /// Only the rest of this word.
    Attached,
}

/// A flag.
pub(crate) const fn flag(short: char, long: &'static str) -> Known {
    Known {
        short,
        long,
        value: Value::None,
    }
}

/// An option with a value.
pub(crate) const fn with(short: char, long: &'static str) -> Known {
    Known {
        short,
        long,
        value: Value::Needed,
    }
}

/// An option whose value, if any, is attached.
pub(crate) const fn may(short: char, long: &'static str) -> Known {
    Known {
        short,
        long,
        value: Value::Attached,
    }
}

/// An option that was given.
#[derive(Debug, Clone)]
pub(crate) struct Given<'c> {
    pub(crate) known: Known,
    pub(crate) negated: bool,
    pub(crate) value: Option<&'c str>,
    /// The word that holds the value, where that is a word of its own.
    pub(crate) value_word: Option<usize>,
    /// The word with the option.
    pub(crate) word: usize,
}

/// The words of a command, sorted.
#[derive(Debug, Default)]
pub(crate) struct Options<'c> {
    pub(crate) given: Vec<Given<'c>>,
    /// Words that are no options, before `--`.
    pub(crate) operands: Vec<&'c str>,
    /// Words after `--`, if it was there.
    pub(crate) after: Option<Vec<&'c str>>,
    /// Something was not understood.
    pub(crate) strange: bool,
}

impl<'c> Options<'c> {
    pub(crate) fn read(words: &'c [String], table: &[Known]) -> Options<'c> {
        let mut options = Options::default();
        let mut at = 0;
        while let Some(word) = words.get(at) {
            if word == "--" {
                options.after = Some(words[at + 1..].iter().map(String::as_str).collect());
                break;
            }
            if let Some(name) = word.strip_prefix("--") {
                options.long(name, words, &mut at, table);
            } else if word.len() > 1 && word.starts_with('-') {
                options.cluster(&word[1..], words, &mut at, table);
            } else {
                options.operands.push(word);
            }
            at += 1;
        }
        options
    }

    pub(crate) fn has(&self, long: &str) -> bool {
        let last = self
            .given
            .iter()
            .rev()
            .find(|given| given.known.long == long);
        last.is_some_and(|given| !given.negated)
    }

    pub(crate) fn any(&self, longs: &[&str]) -> bool {
        longs.iter().any(|long| self.has(long))
    }

    pub(crate) fn value(&self, long: &str) -> Option<&'c str> {
        let mut given = self.given.iter().rev();
        given.find(|given| given.known.long == long)?.value
    }

    /// Operands and the words after `--`: for commands whose operands are all paths.
    pub(crate) fn paths(&self) -> Vec<&'c str> {
        let after = self.after.iter().flatten();
        self.operands.iter().chain(after).copied().collect()
    }

    fn long(&mut self, text: &'c str, words: &'c [String], at: &mut usize, table: &[Known]) {
        let (name, attached) = match text.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (text, None),
        };
        let Some((known, negated)) = find_long(name, table) else {
            self.strange = true;
            return;
        };
        let word = *at;
        let mut value_word = None;
        let mut value = attached;
        if known.value == Value::Needed && attached.is_none() && !negated {
            *at += 1;
            value = words.get(*at).map(String::as_str);
            value_word = Some(*at);
            self.strange |= value.is_none();
        }
        self.strange |= known.value == Value::None && attached.is_some();
        self.given.push(Given {
            known,
            negated,
            value,
            value_word,
            word,
        });
    }

    fn cluster(&mut self, letters: &'c str, words: &'c [String], at: &mut usize, table: &[Known]) {
        let word = *at;
        for (index, letter) in letters.char_indices() {
            let known = table
                .iter()
                .find(|known| known.short == letter && letter != ' ');
            let Some(known) = known.copied() else {
                self.strange = true;
                return;
            };
            let rest = &letters[index + letter.len_utf8()..];
            let mut given = Given {
                known,
                negated: false,
                value: None,
                value_word: None,
                word,
            };
            match known.value {
                Value::None => {
                    self.given.push(given);
                    continue;
                }
                Value::Needed if rest.is_empty() => {
                    *at += 1;
                    given.value = words.get(*at).map(String::as_str);
                    given.value_word = Some(*at);
                    self.strange |= given.value.is_none();
                }
                Value::Needed | Value::Attached => {
                    given.value = (!rest.is_empty()).then_some(rest);
                }
            }
            self.given.push(given);
            return;
        }
    }
}

/// The option a long name stands for: exactly, or as the only one that begins so.
fn find_long(name: &str, table: &[Known]) -> Option<(Known, bool)> {
    let exact = |name: &str| table.iter().find(|known| known.long == name).copied();
    if let Some(known) = exact(name) {
        return Some((known, false));
    }
    let begins = |start: &str| {
        let mut found = table.iter().filter(|known| known.long.starts_with(start));
        let first = found.next().copied()?;
        found.next().is_none().then_some(first)
    };
    if let Some(positive) = name.strip_prefix("no-") {
        return exact(positive)
            .or_else(|| begins(positive))
            .map(|known| (known, true));
    }
    begins(name).map(|known| (known, false))
}
