//! The same for programs. `docs/cli.md` lists the fields; they change by addition.

use std::path::Path;

use kite_undo::{
    BroughtBack,
    journal::{EntryKind, Record},
    restore::{Outcome, Report, Shown, ShownFile},
};
use serde_json::{Map, Value, json};

use super::{changes::Changes, left_alone, moment};

pub(crate) fn list(records: &[Record], older: usize) -> Value {
    let entries: Vec<Value> = records.iter().map(entry).collect();
    json!({ "entries": entries, "older": older })
}

pub(crate) fn show(number: u64, record: Option<&Record>, files: &[ShownFile]) -> Value {
    let files: Vec<Value> = files.iter().map(shown_file).collect();
    with_values(json!({
        "number": number,
        "entry": record.map(entry),
        "files": files,
    }))
}

pub(crate) fn report(report: &Report, dry_run: bool) -> Value {
    let paths: Vec<Value> = report
        .paths
        .iter()
        .map(|path| {
            let (why, beside) = match &path.outcome {
                Outcome::LeftAlone(why) => (Some(left_alone(*why)), None),
                Outcome::Beside(at) => (None, Some(text(at))),
                _ => (None, None),
            };
            with_values(json!({
                "path": text(&path.path),
                "outcome": outcome(&path.outcome),
                "why": why,
                "beside": beside,
            }))
        })
        .collect();
    let staged: Vec<String> = report.staged.iter().map(|path| text(path)).collect();
    let head_then = report
        .head_then
        .as_ref()
        .map(|(commit, branch)| with_values(json!({ "commit": commit, "branch": branch })));
    with_values(json!({
        "dry_run": dry_run,
        "of": report.of,
        "number": report.number,
        "paths": paths,
        "staged": staged,
        "index_failed": report.index_failed,
        "head_then": head_then,
    }))
}

pub(crate) fn brought_back(number: u64, back: &BroughtBack, dry_run: bool) -> Value {
    let (name, commit, made) = match back {
        BroughtBack::Branch { name, commit } => (Some(name), commit, true),
        BroughtBack::Taken { name, commit } => (Some(name), commit, false),
        BroughtBack::Nameless { commit } => (None, commit, false),
    };
    let branch = with_values(json!({ "name": name, "commit": commit, "made": made }));
    json!({ "dry_run": dry_run, "of": [number], "paths": [], "branch": branch })
}

fn entry(record: &Record) -> Value {
    let entry = &record.entry;
    let paths: Vec<String> = entry.paths().map(text).collect();
    let common = json!({
        "number": entry.number,
        "at": moment(entry.at_ms),
        "worktree": text(entry.worktree.as_path()),
        "session": entry.session,
        "undone_by": record.undone_by,
        "undone_paths": record.undone_paths.iter().map(|path| text(path)).collect::<Vec<_>>(),
        "paths": paths,
    });
    let own = match &entry.kind {
        EntryKind::Edit {
            command,
            tool,
            tool_use_id,
            ..
        } => json!({
            "kind": "edit",
            "command": command,
            "tool": tool,
            "tool_use_id": tool_use_id,
        }),
        EntryKind::Snapshot {
            command,
            commit,
            files_count,
            ..
        } => json!({
            "kind": "snapshot",
            "command": command,
            "commit": commit,
            "paths_count": files_count,
        }),
        EntryKind::Undo { of, safety, .. } => {
            json!({ "kind": "undo", "of": of, "snapshot": safety })
        }
        EntryKind::Lost {
            reference,
            commit,
            subject,
            moved_to,
        } => json!({
            "kind": "lost",
            "reference": reference,
            "commit": commit,
            "subject": subject,
            "moved_to": moved_to,
        }),
        EntryKind::After { .. } => json!({ "kind": "after" }),
    };
    let mut fields = Map::new();
    for part in [common, own] {
        if let Value::Object(part) = with_values(part) {
            fields.extend(part);
        }
    }
    Value::Object(fields)
}

fn shown_file(file: &ShownFile) -> Value {
    let changes = Changes::between(&file.before, &file.after);
    with_values(json!({
        "path": text(&file.path),
        "before": side(&file.before),
        "after": side(&file.after),
        "diff": Some(changes.lines().join("\n")).filter(|diff| !diff.is_empty()),
    }))
}

fn side(shown: &Shown) -> Value {
    match shown {
        Shown::Absent => json!({ "state": "absent" }),
        Shown::Content(bytes) => json!({ "state": "kept", "bytes": bytes.len() }),
        Shown::NotKept => json!({ "state": "not_kept" }),
    }
}

fn outcome(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Restored => "restored",
        Outcome::Removed => "removed",
        Outcome::Merged => "merged",
        Outcome::Conflict => "conflict",
        Outcome::Beside(_) => "beside",
        Outcome::Unchanged => "unchanged",
        Outcome::LeftAlone(_) => "left_alone",
    }
}

/// A path that is no text is shown with replacement characters.
fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// Fields that have no value are left out.
fn with_values(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            Value::Object(fields.into_iter().filter(|(_, it)| !it.is_null()).collect())
        }
        other => other,
    }
}
