//! `kite review`: what reviewers said of a task, the brief that they are given, and a person's own
//! verdict.

use clap::Args;
use kite_wire::{
    reply::{
        OneTask,
        reviews::{Brief, OneReview},
    },
    request::{ReviewBrief, ReviewRecord, TaskShow},
};
use serde_json::json;

use crate::{
    connect::Daemon,
    error::{Error, Exit},
    render::{self, Terminal},
};

/// Show the reviews of a task, or review it.
///
/// Without an option, shows what reviewers have said. `--approve` and `--changes` record your own
/// verdict; where `review_required` is on, an agent may complete its task once it is approved.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  kite review 1a2b3c4d
  kite review 1a2b3c4d --brief | less
  kite review 1a2b3c4d --approve
  kite review 1a2b3c4d --changes \"src/auth.rs:41: the error is dropped\"")]
pub(crate) struct ReviewArgs {
    /// The task: id or unique prefix.
    task: String,
    /// Print the brief that a reviewer is given: what was asked for, and what was changed.
    #[arg(long, group = "act")]
    brief: bool,
    /// Record that you approve of what was done.
    #[arg(long, group = "act")]
    approve: bool,
    /// Record what must be changed first.
    #[arg(long, value_name = "TEXT", group = "act")]
    changes: Option<String>,
    /// With `--brief`: what to look at above all.
    #[arg(long, value_name = "TEXT", requires = "brief")]
    focus: Option<String>,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &ReviewArgs, terminal: &mut Terminal) -> Result<Exit, Error> {
    let mut daemon = Daemon::connect()?;
    let verdict = match (&args.changes, args.approve) {
        (Some(text), _) => Some(("changes_needed", text.as_str())),
        (None, true) => Some(("approve", "")),
        (None, false) => None,
    };
    if let Some((verdict, text)) = verdict {
        let brief = begin(&mut daemon, args)?;
        let record = ReviewRecord {
            review: brief.review.id,
            verdict: Some(verdict.to_owned()),
            text: text.to_owned(),
            via: "person".to_owned(),
            model: None,
        };
        let kept: OneReview = daemon.ask(record)?;
        if args.json {
            terminal.json(&kept)?;
        } else {
            render::reviews::print_one(terminal, &kept.review)?;
        }
    } else if args.brief {
        let brief = begin(&mut daemon, args)?;
        if args.json {
            terminal.json(&brief)?;
        } else {
            render::reviews::print_brief(terminal, &brief)?;
        }
    } else {
        let task = args.task.clone();
        let shown: OneTask = daemon.ask(TaskShow { task })?;
        if args.json {
            terminal.json(&json!({ "reviews": shown.reviews }))?;
        } else {
            render::reviews::print(terminal, &shown)?;
        }
    }
    Ok(Exit::Success)
}

fn begin(daemon: &mut Daemon, args: &ReviewArgs) -> Result<Brief, Error> {
    let request = ReviewBrief {
        task: args.task.clone(),
        focus: args.focus.clone(),
    };
    daemon.ask(request)
}
