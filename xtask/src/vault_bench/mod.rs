//! `cargo xtask bench vault`: does a search of the vault find the right thing, and how fast?
//!
//! The notes are manual pages of Debian packages, which nobody wrote for this measure. A page's
//! NAME section is taken out of its text; the description in it, without the page's own name, is
//! the question, and the page is the one right answer. Half of the questions are for choosing
//! weights; the figures are those of the other half.

mod hook;
mod measure;
mod pages;
mod rivals;
mod speed;
mod tools;

use std::process::ExitCode;

use crate::say;
use pages::Pages;

/// `find`, `tune`, `speed` and `hook`; without a word, all but `tune`.
pub(crate) fn run(words: &[String]) -> ExitCode {
    let wanted = |word: &str| words.iter().any(|it| it == word);
    let pages = match Pages::prepare() {
        Ok(pages) => pages,
        Err(why) => {
            say(&format!("error: {why}"));
            return ExitCode::FAILURE;
        }
    };
    say(&format!(
        "{} manual pages of {} packages, {} of them with a question",
        pages.len(),
        pages::PACKAGES.len(),
        pages.questions().count(),
    ));
    let done = (|| {
        if wanted("tune") {
            return measure::tune(&pages);
        }
        if words.is_empty() || wanted("find") {
            measure::find(&pages)?;
        }
        if words.is_empty() || wanted("speed") {
            speed::run(&pages)?;
        }
        if words.is_empty() || wanted("hook") {
            hook::run(&pages)?;
        }
        Ok(())
    })();
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            say(&format!("error: {why}"));
            ExitCode::FAILURE
        }
    }
}
