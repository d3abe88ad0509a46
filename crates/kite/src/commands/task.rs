//! `kite task`: the queue of tasks.

use clap::{Args, Subcommand, builder::PossibleValuesParser};
use kite_wire::{
    reply::{OneTask, Tasks},
    request::{
        Request, TaskCancel, TaskClaim, TaskComplete, TaskCreate, TaskList, TaskRelease, TaskShow,
    },
};

use crate::{
    connect::Daemon,
    error::{Error, Exit},
    render::{self, Terminal},
};

const PRIORITIES: [&str; 3] = ["low", "normal", "high"];
const STATUSES: [&str; 9] = [
    "blocked",
    "ready",
    "claimed",
    "done",
    "failed",
    "cancelled",
    "pending",
    "open",
    "all",
];

/// Create, list, claim and finish tasks.
///
/// An id may be shortened to any prefix that only one task has.
#[derive(Debug, Args)]
#[command(
    disable_help_subcommand = true,
    after_help = "\
Examples:
  kite task create \"Add OAuth login\" --priority high
  kite task list
  kite task claim
  kite task complete 1a2b3c4d --result \"merged in 9f8e7d6\""
)]
pub(crate) struct TaskArgs {
    #[command(subcommand)]
    command: TaskCommand,
}

#[derive(Debug, Subcommand)]
enum TaskCommand {
    Create(CreateArgs),
    List(ListArgs),
    Show(ShowArgs),
    Claim(ClaimArgs),
    Complete(CompleteArgs),
    Release(ReleaseArgs),
    Fail(FailArgs),
    Cancel(CancelArgs),
}

/// Put a task in the queue.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  kite task create \"Add OAuth login\" --description \"Google only, see docs/auth.md\"
  kite task create \"Write the tests\" --after 1a2b3c4d --path 'tests/auth/**'")]
struct CreateArgs {
    /// What is to be done, one line.
    title: String,
    /// More about it.
    #[arg(short, long, value_name = "TEXT")]
    description: Option<String>,
    /// How soon it should be taken.
    #[arg(short, long, value_parser = PossibleValuesParser::new(PRIORITIES))]
    priority: Option<String>,
    /// A task that must be done first; may be repeated.
    #[arg(long = "after", visible_alias = "depends-on", value_name = "TASK")]
    depends_on: Vec<String>,
    /// A path or glob that it expects to touch; may be repeated.
    #[arg(long = "path", value_name = "PATH")]
    paths: Vec<String>,
    /// A directory of the project it belongs to (default: this one).
    #[arg(long, value_name = "DIR")]
    project: Option<String>,
    #[command(flatten)]
    output: Output,
}

/// List tasks.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  kite task list
  kite task list --status done
  kite task list --all-projects --json | jq -r '.tasks[].title'")]
struct ListArgs {
    /// Only these; `pending` is blocked or ready, `open` is pending or claimed.
    #[arg(short, long, value_name = "STATUS", default_value = "open", value_parser = PossibleValuesParser::new(STATUSES))]
    status: String,
    /// A directory of the project (default: this one).
    #[arg(long, value_name = "DIR", conflicts_with = "all_projects")]
    project: Option<String>,
    /// Tasks of all projects.
    #[arg(long)]
    all_projects: bool,
    /// At most so many.
    #[arg(short = 'n', long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=200))]
    limit: u32,
    /// Where the page before ended: its `next_cursor`.
    #[arg(long)]
    cursor: Option<String>,
    #[command(flatten)]
    output: Output,
}

/// Show one task with what it waits for, what waits for it, and its history.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  kite task show 1a2b
  kite task show 1a2b --json | jq .history")]
struct ShowArgs {
    /// Id or unique prefix.
    task: String,
    #[command(flatten)]
    output: Output,
}

/// Take a task, so that nobody else does: the next one, or the one named.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  kite task claim
  kite task claim 1a2b3c4d")]
struct ClaimArgs {
    /// Id or unique prefix (default: the next ready task).
    task: Option<String>,
    /// A directory of the project to take the next task from (default: this one).
    #[arg(long, value_name = "DIR", conflicts_with = "task")]
    project: Option<String>,
    /// Take a further task although you hold one.
    #[arg(long, conflicts_with = "task")]
    another: bool,
    #[command(flatten)]
    output: Output,
}

/// Say that a task is done.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  kite task complete 1a2b3c4d
  kite task complete 1a2b3c4d --result \"merged in 9f8e7d6\"")]
struct CompleteArgs {
    /// Id or unique prefix.
    task: String,
    /// What came of it; tasks that wait for it are shown this.
    #[arg(short, long, value_name = "TEXT")]
    result: Option<String>,
    /// The attempt number that the claim gave.
    #[arg(long, value_name = "N")]
    attempt: Option<u32>,
    #[command(flatten)]
    output: Output,
}

/// Give a claimed task back: it becomes ready again.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  kite task release 1a2b3c4d --reason \"needs the API first\"")]
struct ReleaseArgs {
    /// Id or unique prefix.
    task: String,
    /// Why, for whoever takes it next.
    #[arg(short, long, value_name = "TEXT")]
    reason: Option<String>,
    /// The attempt number that the claim gave.
    #[arg(long, value_name = "N")]
    attempt: Option<u32>,
    #[command(flatten)]
    output: Output,
}

/// End a claimed task as failed.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  kite task fail 1a2b3c4d --reason \"the API was withdrawn\"")]
struct FailArgs {
    /// Id or unique prefix.
    task: String,
    /// Why it cannot be done.
    #[arg(short, long, value_name = "TEXT")]
    reason: Option<String>,
    /// The attempt number that the claim gave.
    #[arg(long, value_name = "N")]
    attempt: Option<u32>,
    #[command(flatten)]
    output: Output,
}

/// Withdraw an unfinished task.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  kite task cancel 1a2b3c4d --reason \"no longer wanted\"")]
struct CancelArgs {
    /// Id or unique prefix.
    task: String,
    /// Why.
    #[arg(short, long, value_name = "TEXT")]
    reason: Option<String>,
    #[command(flatten)]
    output: Output,
}

#[derive(Debug, Args)]
struct Output {
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: TaskArgs, terminal: &mut Terminal) -> Result<Exit, Error> {
    let (request, output) = match args.command {
        TaskCommand::List(args) => return list(args, terminal),
        TaskCommand::Create(args) => args.request(),
        TaskCommand::Show(args) => (TaskShow { task: args.task }.into(), args.output),
        TaskCommand::Claim(args) => args.request(),
        TaskCommand::Complete(args) => args.request(),
        TaskCommand::Release(args) => {
            release(args.task, args.attempt, args.reason, false, args.output)
        }
        TaskCommand::Fail(args) => release(args.task, args.attempt, args.reason, true, args.output),
        TaskCommand::Cancel(args) => (
            TaskCancel {
                task: args.task,
                reason: args.reason,
            }
            .into(),
            args.output,
        ),
    };
    let answer: OneTask = Daemon::connect()?.ask(request)?;
    if output.json {
        terminal.json(&answer)?;
    } else {
        render::tasks::print_one(terminal, &answer)?;
    }
    Ok(Exit::Success)
}

impl CreateArgs {
    fn request(self) -> (Request, Output) {
        let request = TaskCreate {
            title: self.title,
            description: self.description,
            priority: self.priority,
            project: self.project.map(absolute),
            depends_on: self.depends_on,
            paths: self.paths,
        };
        (request.into(), self.output)
    }
}

impl ClaimArgs {
    fn request(self) -> (Request, Output) {
        let request = TaskClaim {
            task: self.task,
            project: self.project.map(absolute),
            another: self.another,
        };
        (request.into(), self.output)
    }
}

impl CompleteArgs {
    fn request(self) -> (Request, Output) {
        (
            TaskComplete {
                task: self.task,
                attempt: self.attempt,
                result: self.result,
                learnt: None,
            }
            .into(),
            self.output,
        )
    }
}

fn release(
    task: String,
    attempt: Option<u32>,
    reason: Option<String>,
    failed: bool,
    output: Output,
) -> (Request, Output) {
    (
        TaskRelease {
            task,
            attempt,
            reason,
            failed,
        }
        .into(),
        output,
    )
}

fn list(args: ListArgs, terminal: &mut Terminal) -> Result<Exit, Error> {
    let project = if args.all_projects {
        Some("*".to_owned())
    } else {
        args.project.map(absolute)
    };
    let request = TaskList {
        status: Some(args.status.clone()),
        project,
        limit: Some(args.limit),
        cursor: args.cursor,
    };
    let tasks: Tasks = Daemon::connect()?.ask(request)?;
    if args.output.json {
        terminal.json(&tasks)?;
    } else {
        render::tasks::print(terminal, &tasks, &args.status)?;
    }
    Ok(Exit::Success)
}

/// A directory as typed, made absolute: the daemon stands elsewhere.
fn absolute(dir: String) -> String {
    std::path::absolute(&dir)
        .ok()
        .and_then(|path| path.into_os_string().into_string().ok())
        .unwrap_or(dir)
}
