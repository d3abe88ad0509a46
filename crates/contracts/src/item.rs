//! One thing that other files can use.

use std::fmt;

/// A piece of a declaration: what is compared, and what is shown of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Text {
    /// Its tokens, without comments and layout.
    pub(crate) tokens: String,
    /// On one line, spaced as its author did.
    pub(crate) shown: String,
}

impl Text {
    /// A text that is compared and shown as it stands.
    pub(crate) fn plain(text: impl Into<String>) -> Text {
        let shown = text.into();
        Text {
            tokens: shown.clone(),
            shown,
        }
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Text) -> bool {
        self.tokens == other.tokens
    }
}

impl Eq for Text {}

/// A declaration that other files can use.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Item {
    /// What its language calls it: `fn`, `class`, `column`.
    pub(crate) kind: &'static str,
    /// The type, module or table that it belongs to, as it is written.
    pub(crate) owner: Option<String>,
    /// Between the owner's name and its own.
    pub(crate) separator: &'static str,
    pub(crate) name: String,
    /// Words that change how it is used: `async`, `static`.
    pub(crate) modifiers: String,
    /// With type parameters; empty for what is not called.
    pub(crate) parameters: Text,
    /// The type of what it gives or holds.
    pub(crate) result: Text,
    /// Compared, and too long to show: bounds, what a class extends.
    pub(crate) terms: Text,
}

impl Item {
    pub(crate) fn new(kind: &'static str, name: impl Into<String>) -> Item {
        Item {
            kind,
            name: name.into(),
            separator: ".",
            ..Item::default()
        }
    }

    /// Its own name, without that of what it belongs to.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The type, module or table that it belongs to.
    #[must_use]
    pub fn owner(&self) -> Option<&str> {
        self.owner.as_deref()
    }

    pub(crate) fn of(mut self, owner: Option<&str>, separator: &'static str) -> Item {
        self.owner = owner.map(str::to_owned);
        self.separator = separator;
        self
    }

    /// `User.email`.
    pub(crate) fn path(&self) -> String {
        match &self.owner {
            Some(owner) => format!("{owner}{}{}", self.separator, self.name),
            None => self.name.clone(),
        }
    }

    /// `async User.login(name: string)`, without what it gives.
    pub(crate) fn head(&self) -> String {
        let space = if self.modifiers.is_empty() { "" } else { " " };
        let (path, parameters) = (self.path(), &self.parameters.shown);
        format!("{}{space}{path}{parameters}", self.modifiers)
    }

    pub(crate) fn is_called(&self) -> bool {
        self.parameters.tokens.ends_with(')')
    }

    /// Between its head and what it gives. An arrow would be taken for the arrow of a change.
    pub(crate) fn gives(&self) -> &'static str {
        if self.is_called() { " returns " } else { ": " }
    }
}

/// `login(name: &str) returns Token`, `User.email: string`.
impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.head())?;
        if !self.result.shown.is_empty() {
            write!(f, "{}{}", self.gives(), self.result.shown)?;
        }
        Ok(())
    }
}
