//! Reviews.

use std::io;

use kite_wire::reply::{
    OneTask,
    reviews::{Brief, Review},
};

use super::{Line, Role, Terminal, text::short_id};

/// All reviews of a task, oldest first.
pub(crate) fn print(terminal: &mut Terminal, shown: &OneTask) -> io::Result<()> {
    let task = &shown.task;
    if shown.reviews.is_empty() {
        return terminal.note(format!(
            "Nobody has reviewed {}. `kite review {0} --brief` shows what a reviewer is given.",
            short_id(&task.id)
        ));
    }
    for review in &shown.reviews {
        print_one(terminal, review)?;
    }
    Ok(())
}

/// One review, with its findings and words.
pub(crate) fn print_one(terminal: &mut Terminal, review: &Review) -> io::Result<()> {
    let verdict = match (&review.verdict, review.state.as_str()) {
        (Some(verdict), _) => verdict.as_str(),
        (None, "open") => "no answer yet",
        (None, state) => state,
    };
    let mut line = Line::new()
        .with(Role::Name, short_id(&review.id))
        .plain(" ")
        .with(Role::Heading, verdict)
        .plain(format!(
            " — task {}, attempt {}",
            short_id(&review.task),
            review.attempt
        ));
    if let Some(via) = &review.via {
        line = line.plain(", by ").plain(via);
    }
    if let Some(model) = &review.model {
        line = line.plain(" (model ").plain(model).plain(")");
    }
    if !review.current {
        line = line.plain(", of an attempt that is over");
    }
    let at = review.recorded_at.as_ref().unwrap_or(&review.created_at);
    let when = terminal.ago(at);
    terminal.line(line.plain(", ").with(Role::Faint, when))?;
    match &review.text {
        Some(text) if !text.is_empty() => terminal.paragraph("  ", text),
        _ => Ok(()),
    }
}

/// The brief as a reviewer reads it.
pub(crate) fn print_brief(terminal: &mut Terminal, brief: &Brief) -> io::Result<()> {
    terminal.paragraph("", &brief.text)?;
    terminal.note(format!(
        "Review {} is open: {} files, {} things left out.",
        short_id(&brief.review.id),
        brief.files,
        brief.left_out.len()
    ))
}
