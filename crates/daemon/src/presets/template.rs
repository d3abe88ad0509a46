//! Arguments with placeholders. A group stands together or not at all: `["--model", "{model}"]` is
//! left out where no model was asked for.

use std::collections::BTreeMap;

use super::PLACEHOLDERS;

/// Values by the names of their placeholders.
pub(super) type Values = BTreeMap<&'static str, String>;

/// One argument, or several that are left out together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Argument(Vec<String>);

impl Argument {
    /// # Errors
    /// The placeholder that there is not.
    pub(super) fn new(words: Vec<String>) -> Result<Argument, String> {
        for word in &words {
            if let Some(unknown) = names(word).find(|name| !PLACEHOLDERS.contains(name)) {
                return Err(unknown.to_owned());
            }
        }
        Ok(Argument(words))
    }

    /// One that is known to be right.
    pub(super) fn fixed(words: &[&str]) -> Argument {
        Argument(words.iter().map(|word| (*word).to_owned()).collect())
    }

    /// Has its first word be another argument's.
    pub(super) fn replace_first(&mut self, other: Argument) {
        self.0.splice(..self.0.len().min(1), other.0);
    }

    /// Whether it has this placeholder.
    pub(super) fn takes(&self, name: &str) -> bool {
        self.0
            .iter()
            .any(|word| names(word).any(|found| found == name))
    }

    /// The words; none where a placeholder has no value. A word that is nothing but placeholders of
    /// empty values is left out: it was a condition.
    pub(super) fn filled(&self, values: &Values) -> Vec<String> {
        let filled: Option<Vec<String>> = self.0.iter().map(|word| filled(word, values)).collect();
        let words = filled.unwrap_or_default().into_iter().zip(&self.0);
        words
            .filter(|(filled, word)| !filled.is_empty() || word.is_empty())
            .map(|(filled, _)| filled)
            .collect()
    }
}

/// A text with its placeholders replaced; `None` where one has no value. What is put in is not
/// looked at again: a task that speaks of `{kite}` is told as it is.
pub(super) fn filled(text: &str, values: &Values) -> Option<String> {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, name, after)) = next(rest) {
        out.push_str(before);
        out.push_str(values.get(name)?);
        rest = after;
    }
    out.push_str(rest);
    Some(out)
}

fn names(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let (_, name, after) = next(rest)?;
        rest = after;
        Some(name)
    })
}

/// The next placeholder: `{` and lower-case letters and `}`. Other braces stand for themselves.
fn next(text: &str) -> Option<(&str, &str, &str)> {
    let mut from = 0;
    while let Some(open) = text[from..].find('{').map(|at| from + at) {
        let inner = &text[open + 1..];
        let end = inner.find(|c: char| !c.is_ascii_lowercase() && c != '_');
        match end {
            Some(end) if end > 0 && inner[end..].starts_with('}') => {
                return Some((&text[..open], &inner[..end], &inner[end + 1..]));
            }
            _ => from = open + 1,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_without_its_value_is_left_out() {
        let values = Values::from([("model", "m".to_owned()), ("may_edit", String::new())]);
        let argument = |words: &[&str]| Argument::fixed(words).filled(&values);
        assert_eq!(argument(&["--model", "{model}"]), ["--model", "m"]);
        assert!(argument(&["--max-turns", "{max_turns}"]).is_empty());
        assert_eq!(argument(&["{may_edit}", "--yes"]), ["--yes"]);
        assert_eq!(argument(&[""]), [""]);
    }

    #[test]
    fn what_is_put_in_is_not_looked_at_again() {
        let values = Values::from([("prompt", "say {model} {prompt}".to_owned())]);
        assert_eq!(
            filled("<{prompt}>", &values).as_deref(),
            Some("<say {model} {prompt}>")
        );
        assert_eq!(
            filled("{} {A} {{x {a-b}", &values).as_deref(),
            Some("{} {A} {{x {a-b}")
        );
    }

    #[test]
    fn an_unknown_placeholder_is_named() {
        let words = vec!["{modell}".to_owned()];
        assert_eq!(Argument::new(words), Err("modell".to_owned()));
    }
}
