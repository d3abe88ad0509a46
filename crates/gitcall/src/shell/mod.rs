//! Just enough of the shell's grammar to find simple commands.
//!
//! The reader turns text into [`Event`]s in the order in which a shell would meet them. It expands
//! nothing: a word with a variable, a substitution or a glob is kept as it was written and marked
//! as not literal.
//!
//! **Architecture Invariant:** nothing here knows git, or any other program.

mod expansion;
mod grammar;
mod heredoc;
mod word;

pub(crate) use grammar::read;

/// Constructs inside each other (`$(`, `{`, `if`, quotes in substitutions): deeper text is unreadable.
const MAX_DEPTH: usize = 48;
/// How often `((` may turn out to be two subshells instead of arithmetic; each costs a second look.
const MAX_SECOND_LOOKS: usize = 16;

/// One word of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Word {
    /// The word without its quotes; expansions stand in it as they were written.
    pub(crate) text: String,
    /// Whether the shell passes exactly `text`.
    pub(crate) literal: bool,
    /// The word as it was written, quotes and all.
    pub(crate) source: String,
}

/// How a command is tied to the one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Joint {
    /// First, or after `;`, `&` or a new line.
    Next,
    /// After `&&`.
    And,
    /// After `||`.
    Or,
    /// After `|`.
    Pipe,
}

/// What a simple command reads, where the text itself says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stdin {
    pub(crate) text: String,
    pub(crate) literal: bool,
    /// The operator with its text, as it can be written behind another command.
    pub(crate) source: String,
}

/// One command with its words.
#[derive(Debug, Clone)]
pub(crate) struct Simple {
    pub(crate) words: Vec<Word>,
    pub(crate) joint: Joint,
    /// Whether its output goes into the next command.
    pub(crate) feeds: bool,
    pub(crate) stdin: Option<Stdin>,
}

/// What surrounds commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Around {
    /// `( )`, `$( )`, backticks: a change of directory ends with it.
    Subshell,
    /// `{ }`: nothing changes.
    Group,
    /// The body of `if` or `case`: it may not run.
    Branch,
    /// The body of a loop: it may run never, or more than once.
    Loop,
    /// A function: it runs when it is called, if it is.
    Function,
}

/// What the reader meets, in order.
#[derive(Debug, Clone)]
pub(crate) enum Event {
    Simple(Simple),
    Open(Around),
    Close,
}

/// Everything that could be read, and whether that was all of it.
#[derive(Debug)]
pub(crate) struct Script {
    pub(crate) events: Vec<Event>,
    pub(crate) whole: bool,
}

/// The text is no shell that this reader knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Unreadable;
