//! A line of output: pieces of text, each with its role.

use super::text::escape;

/// What a piece of text is to the reader. Colour follows from it and never carries meaning alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Role {
    #[default]
    Plain,
    Heading,
    Faint,
    Name,
    Good,
    Caution,
    Bad,
}

impl Role {
    /// The terminal's escape sequence for this role.
    pub(super) fn start(self) -> &'static str {
        match self {
            Role::Plain => "",
            Role::Heading => "\x1b[1m",
            Role::Faint => "\x1b[2m",
            Role::Name => "\x1b[36m",
            Role::Good => "\x1b[32m",
            Role::Caution => "\x1b[33m",
            Role::Bad => "\x1b[31m",
        }
    }
}

/// A piece of text, already escaped: there is no other way to make one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(super) text: String,
    pub(super) role: Role,
}

impl Piece {
    /// `text` escaped, in a role.
    pub(crate) fn new(role: Role, text: impl AsRef<str>) -> Piece {
        Piece {
            text: escape(text.as_ref()),
            role,
        }
    }
}

impl<T: AsRef<str>> From<T> for Piece {
    fn from(text: T) -> Piece {
        Piece::new(Role::Plain, text)
    }
}

/// A line of output, without its newline.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Line(pub(super) Vec<Piece>);

impl Line {
    pub(crate) fn new() -> Line {
        Line::default()
    }

    /// Adds plain text.
    #[must_use]
    pub(crate) fn plain(self, text: impl AsRef<str>) -> Line {
        self.with(Role::Plain, text)
    }

    /// Adds text in a role.
    #[must_use]
    pub(crate) fn with(mut self, role: Role, text: impl AsRef<str>) -> Line {
        self.0.push(Piece::new(role, text));
        self
    }
}

impl<T: AsRef<str>> From<T> for Line {
    fn from(text: T) -> Line {
        Line(vec![Piece::from(text)])
    }
}
