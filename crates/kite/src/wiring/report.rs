//! How wiring speaks to whoever runs it.
//!
//! **Architecture Invariant:** wiring never prints. It hands plain lines to a renderer, which
//! escapes them for its terminal.

/// The listener.
pub(crate) trait Report {
    /// One line of news, without a line end.
    fn say(&mut self, line: &str);

    /// One file's unified diff, for a dry run.
    fn diff(&mut self, diff: &str);

    /// A question to be answered with yes or no; `None` where nobody is there to answer.
    fn ask(&mut self, question: &str) -> Option<bool>;
}
