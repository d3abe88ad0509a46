//! `kite_review`: its declaration, its requests, and how briefs and verdicts read. What happens
//! between them is for [`crate::review`].

use kite_wire::{
    reply::{
        self, Fault,
        reviews::{Brief, OneReview, Review},
    },
    request::{Request, ReviewBrief, ReviewRecord, ReviewRun},
};
use serde_json::Value;

use super::Tool;
use crate::{
    arguments::Arguments,
    schema::{Declaration, Effect, FIRST, ID_CHARS_MAX, Kind, Param},
    text::{block, one_line, quoted, short_id, visible},
};

/// The tool's name.
pub(crate) const NAME: &str = "kite_review";
/// Characters of a focus, of an answer, of a model's name.
const FOCUS_CHARS_MAX: usize = 2_000;
const ANSWER_CHARS_MAX: usize = 16_000;
const MODEL_CHARS_MAX: usize = 100;
/// Findings shown.
const FINDINGS_SHOWN_MAX: usize = 20;
/// Characters shown of a finding's path and of its text.
const PATH_SHOWN_MAX: usize = 200;
const FINDING_SHOWN_MAX: usize = 400;

/// How the brief is to be read; the first is what happens where nothing is said.
const HOW: &[&str] = &["auto", "sampling", "headless", "subagent"];

const PARAMS: &[Param] = &[
    Param::optional(
        "task_id",
        Kind::Text {
            chars_max: ID_CHARS_MAX,
        },
        "The task to review. Begins a review.",
    ),
    Param::optional(
        "focus",
        Kind::Text {
            chars_max: FOCUS_CHARS_MAX,
        },
        "What to look at above all.",
    ),
    Param::optional(
        "how",
        Kind::Choice {
            of: HOW,
            default: "auto",
        },
        "Who reads it: your client's model, an agent that Kite starts, your subagent.",
    ),
    Param::optional(
        "review_id",
        Kind::Text {
            chars_max: ID_CHARS_MAX,
        },
        "A review under way, instead of `task_id`.",
    ),
    Param::optional(
        "answer",
        Kind::Text {
            chars_max: ANSWER_CHARS_MAX,
        },
        "With `review_id`: the reviewer's answer, word for word.",
    ),
    Param::optional(
        "model",
        Kind::Text {
            chars_max: MODEL_CHARS_MAX,
        },
        "With `answer`: the model that gave it.",
    ),
];

pub(super) const TOOL: Tool = Tool {
    declaration: Declaration {
        name: NAME,
        title: "Review a task",
        description: "Have what was done for a task read by an independent model, before you complete it. Kite gathers \
                      the change. Returns a verdict (approve, changes_needed, could_not_review) and findings, kept with \
                      the task; or, where your client cannot ask a model, the brief to give to a subagent.",
        effect: Effect::Each,
        params: PARAMS,
        changes: FIRST,
    },
    request,
    render,
    sift: None,
};

fn request(given: &Arguments, _here: Option<&str>) -> Result<Request, String> {
    let not_called = |why: &str| {
        Err(format!(
            "{NAME} was not called: {why}. Correct this and call again."
        ))
    };
    match (given.text("task_id"), given.text("review_id")) {
        (Some(task), None) if given.text("answer").is_none() => Ok(ReviewBrief {
            task,
            focus: given.text("focus"),
        }
        .into()),
        (None, Some(review)) => Ok(match given.text("answer") {
            Some(text) => ReviewRecord {
                review,
                verdict: None,
                text,
                via: "subagent".to_owned(),
                model: given.text("model"),
            }
            .into(),
            None => ReviewRun { review }.into(),
        }),
        (Some(_), None) => {
            not_called("`answer` goes with the `review_id` that came with the brief")
        }
        (Some(_), Some(_)) => {
            not_called("give `task_id` to begin a review, or `review_id` to go on with one")
        }
        (None, None) => not_called("`task_id` is missing"),
    }
}

fn render(request: &Request, reply: Value) -> Result<String, Fault> {
    match request {
        Request::ReviewBrief(_) => Ok(brief_back(&reply::read(reply)?, None)),
        _ => Ok(outcome(&reply::read::<OneReview>(reply)?)),
    }
}

/// The brief, with the words to have a subagent read it. `why`: why nobody has yet.
pub(crate) fn brief_back(brief: &Brief, why: Option<&str>) -> String {
    let id = short_id(&brief.review.id);
    let why = why.map_or(String::new(), |why| {
        format!("Your client's model did not review it: {why}.\n")
    });
    format!(
        "{why}Review {id} of task {}, attempt {}, is open: nobody has read the change yet ({} files).\n\
         1. Start a subagent that has not worked on this task. Give it the brief below, whole and as it is, and let it \
         change nothing. Do not review it yourself: you know what was meant, and would read it into what is there.\n\
         2. Keep its answer, word for word: {NAME} with review_id={id}, answer=(its answer), and model where you know it.\n\
         If you cannot start one, tell the person to run `kite review {}`.\n\
         The brief:\n\n{}",
        short_id(&brief.review.task),
        brief.review.attempt,
        brief.files,
        short_id(&brief.review.task),
        visible(&brief.text),
    )
}

/// How a review stands, or how it ended.
pub(crate) fn outcome(OneReview { review, outcome }: &OneReview) -> String {
    let id = short_id(&review.id);
    let task = short_id(&review.task);
    match outcome.as_str() {
        "started" | "running" => {
            return format!(
                "Review {id} of task {task} is under way: a headless agent reads it. Go on with other work, or call \
                 {NAME} with review_id={id} to wait for it."
            );
        }
        "failed" => {
            let why = quoted(
                review.text.as_deref().unwrap_or("no answer"),
                FINDING_SHOWN_MAX,
            );
            return format!(
                "Review {id} of task {task} came to no answer: {why}. Begin another: {NAME} with task_id={task} and \
                 how=subagent."
            );
        }
        _ => {}
    }
    let already = match outcome.as_str() {
        "already_recorded" => " It had been kept already.",
        _ => "",
    };
    let mut told = format!(
        "Review {id} of task {task}, attempt {}, {}: {}.{already}",
        review.attempt,
        by(review),
        verdict(review)
    );
    push_findings(&mut told, review);
    if let Some(text) = &review.text {
        told.push_str("\nThe reviewer's words:\n");
        told.push_str(block(text, ANSWER_CHARS_MAX).trim_end());
    }
    told.push('\n');
    told.push_str(&next(review));
    told
}

fn push_findings(told: &mut String, review: &Review) {
    for finding in review.findings.iter().take(FINDINGS_SHOWN_MAX) {
        let line = finding
            .line
            .map_or(String::new(), |line| format!(":{line}"));
        told.push_str(&format!(
            "\nFinding at {}{line}: {}",
            one_line(&finding.path, PATH_SHOWN_MAX),
            quoted(&finding.text, FINDING_SHOWN_MAX)
        ));
    }
    let more = review.findings.len().saturating_sub(FINDINGS_SHOWN_MAX);
    if more > 0 {
        told.push_str(&format!("\nand {more} more findings"));
    }
}

fn next(review: &Review) -> String {
    let task = short_id(&review.task);
    if !review.current {
        return "The task has been given to another attempt since: this review does not count for it.".to_owned();
    }
    match review.verdict.as_deref() {
        Some("approve") => format!("The task can be completed: kite_task_complete task={task}."),
        Some("changes_needed") => {
            format!(
                "Look at each finding: change what is right about it, then call {NAME} with task_id={task} again."
            )
        }
        _ => format!(
            "No plain verdict was given, so it counts as not reviewed. Call {NAME} with task_id={task} again, or another \
             `how`."
        ),
    }
}

/// `by sampling (model claude-sonnet-4-6)`.
pub(crate) fn by(review: &Review) -> String {
    let via = one_line(review.via.as_deref().unwrap_or("nobody"), PATH_SHOWN_MAX);
    let model = match &review.model {
        Some(model) => one_line(model, MODEL_CHARS_MAX),
        None => "not told".to_owned(),
    };
    match via.as_str() {
        "person" => "by a person".to_owned(),
        _ => format!("by {via} (model {model})"),
    }
}

pub(crate) fn verdict(review: &Review) -> String {
    one_line(
        review.verdict.as_deref().unwrap_or("no verdict"),
        PATH_SHOWN_MAX,
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_verdict_says_who_came_to_it_and_what_to_do() {
        let review = json!({"id": "aabbccdd00", "task": "1a2b3c4d00", "attempt": 2, "state": "recorded", "via": "sampling",
            "model": "claude-sonnet-4-6", "verdict": "changes_needed", "text": "VERDICT: changes_needed\na.rs:3: off by one",
            "findings": [{"path": "a.rs", "line": 3, "text": "off by one"}], "brief": "", "created_at": "", "current": true});
        let reply = json!({"ok": true, "outcome": "recorded", "review": review});
        assert_eq!(
            render(&ReviewRecord::default().into(), reply).expect("a review"),
            "Review aabbccdd of task 1a2b3c4d, attempt 2, by sampling (model claude-sonnet-4-6): changes_needed.\n\
             Finding at a.rs:3: \"off by one\"\nThe reviewer's words:\n> VERDICT: changes_needed\n> a.rs:3: off by one\n\
             Look at each finding: change what is right about it, then call kite_review with task_id=1a2b3c4d again."
        );
    }

    #[test]
    fn what_does_not_go_together_is_said() {
        let why = |given: Value| {
            let given = given.as_object().cloned().unwrap_or_default();
            let arguments = Arguments::check(&TOOL.declaration, given).expect("known parameters");
            request(&arguments, None).expect_err("not called")
        };
        assert!(why(json!({})).contains("`task_id` is missing"));
        assert!(why(json!({"task_id": "a", "review_id": "b"})).contains("to begin a review"));
        assert!(why(json!({"task_id": "a", "answer": "b"})).contains("goes with the `review_id`"));
    }
}
