//! Claude Code in print mode, told on standard input; its last line is a JSON object that says how it
//! went (observed with 2.1.330).

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{End, Outcome, Preset, Report, environment, plain, template::Argument};

/// What an agent that may edit may run besides, so that it can commit what it did.
const GIT: &str =
    "Bash(git add:*),Bash(git commit:*),Bash(git status:*),Bash(git diff:*),Bash(git log:*)";

/// The tools of an agent that only reads.
const READING: &str = "Read,Grep,Glob";

pub(super) fn preset() -> Preset {
    Preset {
        name: "claude".to_owned(),
        client: "claude-code".to_owned(),
        argv: [
            &["claude", "-p", "--output-format", "json"][..],
            &["--session-id", "{session_id}"],
            &["--settings", "{settings}"],
            &["--mcp-config", "{mcp_config}"],
            &["--permission-mode", "{permission_mode}"],
            &["{may_edit}", "--allowedTools", GIT],
            &["{reads_only}", "--tools", READING],
            &["{reads_only}", "--disallowedTools", "mcp__kite"],
            &["--model", "{model}"],
            &["--max-turns", "{max_turns}"],
            &["--max-budget-usd", "{budget_usd}"],
        ]
        .into_iter()
        .map(Argument::fixed)
        .collect(),
        environment: environment::CLAUDE
            .iter()
            .map(|name| (*name).to_owned())
            .collect(),
        set: BTreeMap::new(),
        rights: plain::rights,
        read,
    }
}

/// The fields of the result that say how it went.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Ended {
    subtype: String,
    is_error: bool,
    terminal_reason: Option<String>,
    api_error_status: Option<u16>,
    result: Option<String>,
    errors: Vec<serde_json::Value>,
    total_cost_usd: Option<f64>,
    num_turns: Option<u64>,
}

/// Words by which its texts tell what its fields do not, and what they mean. The first that is found
/// counts.
const WORDS: &[(&str, Outcome)] = &[
    ("credit balance is too low", Outcome::Unauthorized),
    ("invalid api key", Outcome::Unauthorized),
    ("please run /login", Outcome::Unauthorized),
    ("not logged in", Outcome::Unauthorized),
    ("authentication_error", Outcome::Unauthorized),
    ("authentication failed", Outcome::Unauthorized),
    ("failed to authenticate", Outcome::Unauthorized),
    ("oauth token has expired", Outcome::Unauthorized),
    ("permission_error", Outcome::Unauthorized),
    ("api error: 401", Outcome::Unauthorized),
    ("api error: 403", Outcome::Unauthorized),
    ("rate_limit", Outcome::RateLimited),
    ("rate limit", Outcome::RateLimited),
    ("usage limit", Outcome::RateLimited),
    ("hit your limit", Outcome::RateLimited),
    ("limit reached", Outcome::RateLimited),
    ("overloaded", Outcome::RateLimited),
    ("api error: 429", Outcome::RateLimited),
    ("api error: 529", Outcome::RateLimited),
];

fn read(end: &End) -> Report {
    let Some(ended) = result_of(&end.output) else {
        return without_result(end);
    };
    let text = plain::tail(&ended.text());
    let report = |outcome: Outcome, text: String| Report {
        outcome,
        text,
        cost_usd: ended.total_cost_usd,
        turns: ended.num_turns,
    };
    match ended.subtype.as_str() {
        "error_max_turns" => report(
            Outcome::Exhausted,
            "it has taken all of its turns".to_owned(),
        ),
        "error_max_budget_usd" => report(Outcome::Exhausted, "it has spent its budget".to_owned()),
        "success" if !ended.is_error => report(Outcome::Done, text),
        _ => {
            let outcome = match ended.api_error_status {
                Some(401 | 403) => Outcome::Unauthorized,
                Some(429 | 529) => Outcome::RateLimited,
                _ => by_words(&text).unwrap_or(Outcome::Died),
            };
            let why = match text.is_empty() {
                true => ended.terminal_reason.clone().unwrap_or_else(|| end.told()),
                false => text,
            };
            report(outcome, why)
        }
    }
}

/// The result object: the last line of output that is one.
fn result_of(output: &str) -> Option<Ended> {
    let mut lines = output.lines().rev().map(str::trim);
    lines.find_map(|line| {
        let value: serde_json::Value = serde_json::from_str(line).ok()?;
        // With `--verbose` all messages stand in one array.
        let value = match value {
            serde_json::Value::Array(mut all) => all.pop()?,
            other => other,
        };
        (value.get("type")? == "result").then(|| serde_json::from_value(value).ok())?
    })
}

impl Ended {
    fn text(&self) -> String {
        let said = self.result.iter().cloned();
        let errors = self.errors.iter().map(|error| match error.as_str() {
            Some(text) => text.to_owned(),
            None => error.to_string(),
        });
        said.chain(errors)
            .collect::<Vec<_>>()
            .join("\n")
            .trim()
            .to_owned()
    }
}

/// It ended before it could say anything: a wrong option, a missing login, a death.
fn without_result(end: &End) -> Report {
    let by_words = by_words(&end.log).filter(|_| !end.is_success() && end.code.is_some());
    let last = end
        .log
        .lines()
        .rev()
        .map(str::trim)
        .find(|line| !line.is_empty());
    Report {
        outcome: by_words.unwrap_or(Outcome::Died),
        text: match last {
            Some(line) if !end.is_success() => format!("{}: {line}", end.told()),
            _ => format!("it ended without a result ({})", end.told()),
        },
        ..Report::default()
    }
}

fn by_words(text: &str) -> Option<Outcome> {
    let text = text.to_lowercase();
    let found = WORDS.iter().find(|(words, _)| text.contains(words));
    found.map(|(_, outcome)| *outcome)
}
