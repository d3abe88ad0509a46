//! How fast, next to ripgrep over the same folder with the same words.

use std::{
    fs,
    path::Path,
    sync::mpsc::channel,
    time::{Duration, Instant},
};

use kite_vault::{Changes, Index, Prompt, Query, Reach, Scope, Searcher, Vault, Watch};

use super::{pages::Pages, rivals, tools};
use crate::{bench::median, say};

/// Notes in the folder.
const NOTES: usize = 10_000;
/// Questions that are timed.
const QUESTIONS: usize = 200;

pub(super) fn run(pages: &Pages) -> Result<(), String> {
    let folder = tempfile::tempdir().map_err(|it| it.to_string())?;
    let notes = folder.path().join("notes");
    let bytes = write_notes(pages, &notes).map_err(|it| it.to_string())?;
    say(&format!(
        "\n{NOTES} notes of mixed size, {:.1} MB of manual pages",
        megabytes(bytes)
    ));
    let vault = Vault::chosen(&notes, Scope::Person);
    let index = Index::open(folder.path().join("index.db"), vec![vault]);
    let mut index = index.map_err(|it| it.to_string())?;
    let start = Instant::now();
    let scan = index.rescan().map_err(|it| it.to_string())?;
    let took = start.elapsed().as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "a count of notes")]
    let rate = scan.notes as f64 / took;
    say(&format!(
        "  first index: {took:.2} s, {rate:.0} notes/s; reach: 2000 notes/s"
    ));
    let start = Instant::now();
    index.rescan().map_err(|it| it.to_string())?;
    say(&format!(
        "  a scan that finds nothing new: {:.0} ms",
        start.elapsed().as_secs_f64() * 1e3
    ));
    recalls(pages, &index)?;
    searches(pages, &index, &notes)?;
    changes(&mut index, &notes)
}

/// What a hook would wait for at each prompt.
fn recalls(pages: &Pages, index: &Index) -> Result<(), String> {
    let mut searcher = index.searcher().map_err(|it| it.to_string())?;
    let (mut figures, mut worked) = (Vec::new(), Vec::new());
    let mut brought = 0;
    let step = (pages.questions().count() / QUESTIONS).max(1);
    for (_, question) in pages.questions().step_by(step).take(QUESTIONS) {
        let text = format!("Please look at our program, it should {question}. Why does it fail?");
        let prompt = Prompt {
            text: &text,
            reach: &Reach::everything(),
            seen: &[],
            tokens_max: 200,
            now_ms: 0,
        };
        let (start, before) = (Instant::now(), processor_ms());
        let recalled = searcher.recall(&prompt).map_err(|it| it.to_string())?;
        figures.push(start.elapsed().as_secs_f64() * 1e3);
        worked.push(processor_ms() - before);
        brought += usize::from(!recalled.notes.is_empty());
    }
    let (middle, middle_worked) = (median(&mut figures), median(&mut worked));
    say(&format!(
        "  what a prompt brings in: p50 {middle:.2} ms, p95 {:.2} ms; reach: p95 of 5 ms \
         ({brought} of {} prompts brought something)\n    \
         of it processor time: p50 {middle_worked:.2} ms, p95 {:.2} ms",
        high(&figures),
        figures.len(),
        high(&worked),
    ));
    Ok(())
}

/// Processor time of this thread so far.
fn processor_ms() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    let time = Duration::try_from(time).unwrap_or_default();
    time.as_secs_f64() * 1e3
}

/// From the change of a note on disk until a search finds it.
fn changes(index: &mut Index, notes: &Path) -> Result<(), String> {
    const ROUNDS: usize = 10;
    let (sender, receiver) = channel();
    let vaults = index.vaults().to_vec();
    let watch = Watch::start(&vaults, move |changes| {
        let _ = sender.send(changes);
    });
    if let Some((folder, why)) = watch.unwatched().first() {
        return Err(format!("{} is not watched: {why}", folder.display()));
    }
    let mut searcher = index.searcher().map_err(|it| it.to_string())?;
    let mut figures = Vec::new();
    for round in 0..ROUNDS {
        let word = format!("zanzibar{round}x");
        let start = Instant::now();
        fs::write(notes.join("changed.md"), &word).map_err(|it| it.to_string())?;
        while !is_found(&mut searcher, &word)? {
            let changes = receiver.recv_timeout(Duration::from_secs(10));
            match changes.map_err(|_| "a change was not told in ten seconds")? {
                Changes::Paths(paths) => index.changed(&paths),
                Changes::Everything => index.rescan(),
            }
            .map_err(|it| it.to_string())?;
        }
        figures.push(start.elapsed().as_secs_f64() * 1e3);
    }
    let middle = median(&mut figures);
    let slowest = figures.last().copied().unwrap_or(f64::NAN);
    say(&format!(
        "  a changed note is found after: p50 {middle:.0} ms, at most {slowest:.0} ms; reach: 1000 ms"
    ));
    Ok(())
}

fn is_found(searcher: &mut Searcher, word: &str) -> Result<bool, String> {
    let query = Query {
        text: word.to_owned(),
        tags: Vec::new(),
        limit: 1,
    };
    let found = searcher.search(&query, &Reach::everything(), 0);
    found.map(|it| !it.is_empty()).map_err(|it| it.to_string())
}

/// The 95th of 100 figures, which are sorted.
pub(super) fn high(figures: &[f64]) -> f64 {
    figures
        .get(figures.len() * 95 / 100)
        .copied()
        .unwrap_or(f64::NAN)
}

/// Each question is asked of both, one after the other.
fn searches(pages: &Pages, index: &Index, notes: &Path) -> Result<(), String> {
    let ripgrep = tools::program("rg", "ripgrep")?;
    let mut searcher = index.searcher().map_err(|it| it.to_string())?;
    let (mut ours, mut theirs, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    let step = (pages.questions().count() / QUESTIONS).max(1);
    for (_, question) in pages.questions().step_by(step).take(QUESTIONS) {
        let query = Query {
            text: question.to_owned(),
            tags: Vec::new(),
            limit: 10,
        };
        let start = Instant::now();
        let found = searcher.search(&query, &Reach::everything(), 0);
        let our = start.elapsed().as_secs_f64() * 1e3;
        found.map_err(|it| it.to_string())?;
        let start = Instant::now();
        let counted = rivals::ripgrep(&ripgrep, notes, question).output();
        let their = start.elapsed().as_secs_f64() * 1e3;
        counted.map_err(|it| it.to_string())?;
        ours.push(our);
        theirs.push(their);
        ratios.push(their / our);
    }
    let (ours_p50, theirs_p50) = (median(&mut ours), median(&mut theirs));
    say(&format!(
        "  a search: p50 {ours_p50:.2} ms, p95 {:.2} ms; reach: p50 of 5 ms",
        high(&ours)
    ));
    say(&format!(
        "  ripgrep:  p50 {theirs_p50:.1} ms, p95 {:.1} ms",
        high(&theirs)
    ));
    say(&format!(
        "  faster than ripgrep: {:.1} x (median of the questions' ratios); reach: 20 x",
        median(&mut ratios)
    ));
    Ok(())
}

/// Pages cut into notes of half a KiB to 64 KiB; over again, with another start, until there are
/// enough.
pub(super) fn write_notes(pages: &Pages, folder: &Path) -> std::io::Result<usize> {
    fs::create_dir_all(folder)?;
    let sizes = [
        512, 1_024, 2_048, 2_048, 4_096, 4_096, 8_192, 16_384, 65_536,
    ];
    let (mut written, mut bytes, mut round) = (0, 0, 0);
    while written < NOTES {
        for page in pages.iter() {
            let mut rest = page.text.get(round * 97..).unwrap_or_default();
            while !rest.is_empty() && written < NOTES {
                let size = sizes[written % sizes.len()];
                let (text, after) = rest.split_at(rest.floor_char_boundary(size));
                let (text, after) = if text.is_empty() {
                    (rest, "")
                } else {
                    (text, after)
                };
                let name = format!("{written:05}-{}.md", page.name.replace('/', "-"));
                fs::write(folder.join(name), text)?;
                bytes += text.len();
                written += 1;
                // A few notes of each page, so that all pages are there.
                rest = if written % 3 == 0 { "" } else { after };
            }
        }
        round += 1;
    }
    Ok(bytes)
}

#[expect(clippy::cast_precision_loss, reason = "a size for people")]
fn megabytes(bytes: usize) -> f64 {
    bytes as f64 / 1e6
}
