//! The table as text: what each command does to another's work, without Kite and with it.

use super::checkout::{Fate, Fates};

/// One line of the table.
pub(super) struct Line {
    pub(super) command: String,
    pub(super) without: Fates,
    pub(super) with: With,
    /// After the command, or after the refusal's alternative.
    pub(super) after: Fates,
    /// After one `kite undo`, where that was needed.
    pub(super) back: Option<Fates>,
}

/// What Kite did.
pub(super) enum With {
    /// Refused it, and named this instead.
    Refused(Option<String>),
    /// Let it go on, after a snapshot, and told the number.
    Kept(u64),
    /// Let it go on, after a snapshot.
    Silent(u64),
    /// Let it go on: there was nothing to keep.
    Passed,
}

/// How many of each, for one line of summary.
#[derive(Default)]
struct Figures {
    refused: usize,
    kept: usize,
    silent: usize,
    passed: usize,
    back: usize,
    lost_without: usize,
    hit_without: usize,
    lost: usize,
}

const HEADINGS: [&str; 5] = [
    "command",
    "without Kite",
    "with Kite",
    "the other's work then",
    "alternative",
];

/// The table in Markdown, aligned, with its summary.
pub(super) fn rendered(lines: &[Line]) -> String {
    let cells: Vec<[String; 5]> = lines.iter().map(cells).collect();
    let width = |column: usize| {
        let cells = cells.iter().map(|line| line[column].chars().count());
        cells.chain([HEADINGS[column].len()]).max().unwrap_or(0)
    };
    let widths: [usize; 5] = std::array::from_fn(width);
    let row = |cells: &[String; 5]| {
        let mut line = String::from("|");
        for (cell, width) in cells.iter().zip(widths) {
            line.push_str(&format!(" {cell:width$} |"));
        }
        line + "\n"
    };
    let mut text = row(&HEADINGS.map(str::to_owned));
    text.push_str(&row(&widths.map(|width| "-".repeat(width))));
    cells.iter().for_each(|line| text.push_str(&row(line)));
    format!("{}\n\n{text}", summary(lines))
}

/// `90 commands: ...`
pub(super) fn summary(lines: &[Line]) -> String {
    let mut all = Figures::default();
    for line in lines {
        match line.with {
            With::Refused(_) => all.refused += 1,
            With::Kept(_) => all.kept += 1,
            With::Silent(_) => all.silent += 1,
            With::Passed => all.passed += 1,
        }
        let hit = |fates: &Fates| fates.iter().any(|fate| *fate != Fate::Whole);
        let gone = |fates: &Fates| fates.contains(&Fate::Lost);
        all.hit_without += usize::from(hit(&line.without));
        all.lost_without += usize::from(gone(&line.without));
        all.back += usize::from(line.back.is_some());
        let last = line.back.as_ref().unwrap_or(&line.after);
        all.lost += usize::from(!is_there(last));
    }
    format!(
        "{} commands. Without Kite: {} hit the other's work, {} of them lost some of it for good. \
         With Kite: {} refused, {} let go with a note, {} with a silent snapshot, {} without; \
         {} times one `kite undo` brought the work back; lost: {}.",
        lines.len(),
        all.hit_without,
        all.lost_without,
        all.refused,
        all.kept,
        all.silent,
        all.passed,
        all.back,
        all.lost,
    )
}

/// Whether everything is in place, and staged what its session staged.
pub(super) fn is_there(fates: &Fates) -> bool {
    fates.iter().all(|fate| *fate <= Fate::SweptUp)
}

fn cells(line: &Line) -> [String; 5] {
    let command = format!("`{}`", line.command.replace('|', "\\|").replace('\n', "; "));
    let (with, alternative) = match &line.with {
        With::Refused(Some(safe)) => ("refused".to_owned(), format!("`{safe}`")),
        With::Refused(None) => ("refused".to_owned(), "nothing of its own".to_owned()),
        With::Kept(_) => ("let go, with a note".to_owned(), String::new()),
        With::Silent(_) => ("let go, kept".to_owned(), String::new()),
        With::Passed => ("let go".to_owned(), String::new()),
    };
    let after = match &line.back {
        None => described(&line.after),
        Some(back) if is_there(back) => format!("{}; back by one undo", described(&line.after)),
        Some(back) => format!("{}; NOT BACK: {}", described(&line.after), described(back)),
    };
    [command, described(&line.without), with, after, alternative]
}

fn described(fates: &Fates) -> String {
    let words = [
        (Fate::Lost, "lost"),
        (Fate::TakenAway, "taken away"),
        (Fate::Unstaged, "unstaged"),
        (Fate::SweptUp, "swept up"),
    ];
    let names = ["changed", "new", "staged"];
    let said = words.iter().filter_map(|(fate, word)| {
        let hit = fates.iter().zip(names).filter(|(it, _)| *it == fate);
        let hit: Vec<&str> = hit.map(|(_, name)| name).collect();
        (!hit.is_empty()).then(|| format!("{word}: {}", hit.join(", ")))
    });
    let said: Vec<String> = said.collect();
    match said.is_empty() {
        true => "untouched".to_owned(),
        false => said.join("; "),
    }
}
