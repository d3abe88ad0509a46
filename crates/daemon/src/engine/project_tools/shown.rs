//! Tools and runs as others are shown them.

use std::{
    fs::File,
    io::{self, Read as _, Seek as _, SeekFrom},
    path::Path,
};

use kite_store::Store;
use kite_wire::reply::project_tools::{ProjectTool, ToolRunShown};

use super::{Record, State};
use crate::{
    config::tools::{Definition, Template},
    engine::{Engine, trust},
    translate::words::rfc3339,
};

/// Ended runs in a list.
const LISTED_MAX: usize = 10;

pub(super) fn tool(tool: &Definition, state: trust::State) -> ProjectTool {
    let state = match state {
        trust::State::New => "untrusted",
        other => other.word(),
    };
    ProjectTool {
        name: tool.name.clone(),
        description: tool.description.clone(),
        input_schema: tool.input_schema(),
        definition: tool.fingerprint(),
        state: state.to_owned(),
        read_only: tool.read_only,
        lock: tool.lock.as_ref().map(|lock| lock.text().to_owned()),
        timeout_s: tool.timeout_s,
        argv: tool
            .argv
            .iter()
            .map(Template::text)
            .map(str::to_owned)
            .collect(),
    }
}

fn run(run: Record) -> ToolRunShown {
    ToolRunShown {
        id: run.id,
        tool: run.tool,
        project: run.project,
        arguments: run.arguments,
        state: run.state.word().to_owned(),
        exit_code: run.exit_code,
        signal: run.signal,
        reason: run.reason,
        lock: run.lock,
        session: run.session,
        started: rfc3339(run.started_ms),
        ended: run.ended_ms.map(rfc3339),
        ..ToolRunShown::default()
    }
}

impl<S: Store> Engine<S> {
    /// The open runs of a project, then the last that ended.
    pub(super) fn runs_of(&self, project: &str) -> Vec<ToolRunShown> {
        let mut runs = self.project_tools.of_project(project);
        runs.sort_by_key(|run| std::cmp::Reverse(run.started_ms));
        let ended = self.ended_runs().into_iter();
        runs.extend(ended.filter(|run| run.project == project).take(LISTED_MAX));
        runs.into_iter().map(run).collect()
    }

    pub(super) async fn run_with_output(&self, record: Record) -> ToolRunShown {
        let directory = self.tool_run_directory(&record.id);
        let (kept, written) = (record.output_bytes_max, record.output_bytes);
        let goes_on = record.state == State::Running;
        let mut shown = run(record);
        if goes_on {
            return shown;
        }
        let read = tokio::task::spawn_blocking(move || output(&directory, kept, written)).await;
        if let Ok(Ok((text, omitted))) = read {
            shown.output = kite_redact::redact(&text).into_owned();
            shown.output_omitted_bytes = omitted;
        }
        shown
    }
}

/// The beginning and the end of what a run wrote, and how many bytes are missing between them.
fn output(directory: &Path, bytes_max: u64, written: u64) -> io::Result<(String, u64)> {
    let newer = directory.join(kite_supervisor::OUTPUT_FILE);
    let older = directory.join(format!("{}.1", kite_supervisor::OUTPUT_FILE));
    let mut bytes = Vec::new();
    for file in [older, newer] {
        bytes.extend(ends(&file, bytes_max)?);
    }
    let kept = usize::try_from(bytes_max).unwrap_or(usize::MAX);
    if bytes.len() <= kept && written <= bytes.len() as u64 {
        return Ok((String::from_utf8_lossy(&bytes).into_owned(), 0));
    }
    // The end says how it ended: it gets three quarters.
    let head = (kept / 4).min(bytes.len());
    let tail = bytes.len().saturating_sub(kept - kept / 4).max(head);
    let omitted = written.max(bytes.len() as u64) - (head + bytes.len() - tail) as u64;
    let mut text = String::from_utf8_lossy(&bytes[..head]).into_owned();
    text.push_str(&format!("\n[... {omitted} bytes left out ...]\n"));
    text.push_str(&String::from_utf8_lossy(&bytes[tail..]));
    Ok((text, omitted))
}

/// The first and the last `bytes_max` bytes of a file; all of a short one.
fn ends(path: &Path, bytes_max: u64) -> io::Result<Vec<u8>> {
    let mut file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        opened => opened?,
    };
    let length = file.metadata()?.len();
    let mut bytes = Vec::new();
    file.by_ref().take(bytes_max).read_to_end(&mut bytes)?;
    let rest = length.saturating_sub(bytes.len() as u64).min(bytes_max);
    file.seek(SeekFrom::Start(length - rest))?;
    file.take(rest).read_to_end(&mut bytes)?;
    Ok(bytes)
}
