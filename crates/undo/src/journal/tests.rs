use std::path::Path;

use super::*;
use crate::{path_text::PathText, place::Shape};

const NONE: [u64; 0] = [];

fn edit(number: u64, session: &str, path: &str) -> Entry {
    Entry {
        number,
        at_ms: number * 1000,
        worktree: Path::new("/w").into(),
        session: Some(session.to_owned()),
        kind: EntryKind::Edit {
            changes: vec![Change {
                path: Path::new(path).into(),
                before: Version::Absent,
                after: Version::File {
                    hash: Hash::of(b"x"),
                    shape: Shape::Executable,
                },
            }],
            command: None,
            tool: Some("Edit".to_owned()),
            tool_use_id: Some(format!("toolu_{number}")),
        },
    }
}

fn append(journal: &Journal, session: &str, path: &str) -> u64 {
    let mut writer = journal.hold().expect("held");
    let number = writer.next_number().expect("a number");
    writer
        .append(&edit(number, session, path))
        .expect("written");
    number
}

fn numbers(journal: &Journal, filter: &Filter) -> Vec<u64> {
    let records = journal.query(filter).expect("records");
    records.iter().map(|record| record.entry.number).collect()
}

#[test]
fn entries_come_back_newest_first_by_what_is_asked() {
    let directory = tempfile::tempdir().expect("a directory");
    let journal = Journal::at(directory.path(), Path::new("/r/.git"));
    assert_eq!(numbers(&journal, &Filter::default()), NONE);
    append(&journal, "a", "src/x.rs");
    append(&journal, "b", "src/y\n.rs");
    append(&journal, "a", "srcs");
    let by = |filter| numbers(&journal, &filter);
    assert_eq!(by(Filter::default()), [3, 2, 1]);
    assert_eq!(
        by(Filter {
            session: Some("a".into()),
            ..Filter::default()
        }),
        [3, 1]
    );
    assert_eq!(
        by(Filter {
            path: Some("src".into()),
            ..Filter::default()
        }),
        [2, 1]
    );
    assert_eq!(
        by(Filter {
            tool_use_id: Some("toolu_2".into()),
            ..Filter::default()
        }),
        [2]
    );
    assert_eq!(
        by(Filter {
            worktree: Some("/other".into()),
            ..Filter::default()
        }),
        NONE
    );
    assert_eq!(
        by(Filter {
            count_max: Some(1),
            ..Filter::default()
        }),
        [3]
    );
    let one = journal.query(&Filter {
        number: Some(2),
        ..Filter::default()
    });
    assert_eq!(one.expect("it")[0].entry, edit(2, "b", "src/y\n.rs"));
    let other = Journal::at(directory.path(), Path::new("/other/.git"));
    assert_eq!(numbers(&other, &Filter::default()), NONE);
}

#[test]
fn a_torn_line_costs_nobody_elses() {
    let directory = tempfile::tempdir().expect("a directory");
    let journal = Journal::at(directory.path(), Path::new("/r/.git"));
    append(&journal, "a", "x");
    let mut text = fs::read(journal.file()).expect("read");
    text.extend_from_slice(b"{\"number\":2,\"at_ms\":2000,\"workt");
    fs::write(journal.file(), &text).expect("write");
    append(&journal, "a", "y");
    assert_eq!(numbers(&journal, &Filter::default()), [2, 1]);
    // And so does a number that is lost.
    fs::write(journal.directory.join("lock"), "").expect("write");
    assert_eq!(append(&journal, "a", "z"), 3);
}

#[test]
fn a_full_journal_begins_anew_and_counts_on() {
    let directory = tempfile::tempdir().expect("a directory");
    let journal = Journal::at(directory.path(), Path::new("/r/.git"));
    append(&journal, "a", "x");
    let filler = format!("{}\n", " ".repeat(1000)).repeat(9000);
    add(&journal.file(), filler.as_bytes()).expect("filled");
    append(&journal, "a", "y");
    assert!(!journal.file().exists());
    append(&journal, "a", "z");
    assert_eq!(numbers(&journal, &Filter::default()), [3, 2, 1]);
}

#[test]
fn an_entry_that_is_too_long_is_shortened() {
    let directory = tempfile::tempdir().expect("a directory");
    let journal = Journal::at(directory.path(), Path::new("/r/.git"));
    let mut entry = edit(1, "a", "x");
    let long = PathText::from(Path::new(&"x".repeat(4000)));
    entry.kind = EntryKind::Snapshot {
        command: None,
        commit: "c".to_owned(),
        files: vec![long; 3000],
        files_count: 3000,
    };
    journal
        .hold()
        .expect("held")
        .append(&entry)
        .expect("written");
    let back = journal.query(&Filter::default()).expect("records");
    assert_eq!(back[0].entry.paths().count(), 100);
}

#[test]
fn what_was_undone_is_known() {
    let directory = tempfile::tempdir().expect("a directory");
    let journal = Journal::at(directory.path(), Path::new("/r/.git"));
    append(&journal, "a", "x");
    let undo = |number, of| Entry {
        kind: EntryKind::Undo {
            of: vec![of],
            only: None,
            safety: Some(number),
            changes: Vec::new(),
            index: Vec::new(),
        },
        ..edit(number, "a", "x")
    };
    let undone_by = |journal: &Journal| {
        let filter = Filter {
            number: Some(1),
            ..Filter::default()
        };
        journal.query(&filter).expect("it")[0].undone_by
    };
    assert_eq!(undone_by(&journal), None);
    journal
        .hold()
        .expect("held")
        .append(&undo(2, 1))
        .expect("written");
    assert_eq!(undone_by(&journal), Some(2));
    journal
        .hold()
        .expect("held")
        .append(&undo(3, 2))
        .expect("written");
    assert_eq!(undone_by(&journal), None);
}

#[test]
fn what_was_undone_path_by_path_is_known() {
    let directory = tempfile::tempdir().expect("a directory");
    let journal = Journal::at(directory.path(), Path::new("/r/.git"));
    let mut both = edit(1, "a", "x");
    if let EntryKind::Edit { changes, .. } = &mut both.kind {
        let other = Change {
            path: Path::new("dir/y").into(),
            ..changes[0].clone()
        };
        changes.push(other);
    }
    let append = |entry: &Entry| {
        let mut writer = journal.hold().expect("held");
        writer.append(entry).expect("written");
    };
    let undo = |number, of, only: Option<&str>| Entry {
        kind: EntryKind::Undo {
            of: vec![of],
            only: only.map(|path| Path::new(path).into()),
            safety: None,
            changes: Vec::new(),
            index: Vec::new(),
        },
        ..edit(number, "a", "x")
    };
    let first = || {
        let records = journal.query(&Filter::default()).expect("records");
        records.into_iter().next_back().expect("the first")
    };
    append(&both);
    append(&undo(2, 1, Some("dir")));
    assert_eq!(first().undone_by, None);
    assert!(first().is_undone(Some(Path::new("dir/y"))));
    assert!(!first().is_undone(Some(Path::new("x"))) && !first().is_undone(None));
    append(&undo(3, 1, Some("x")));
    assert_eq!(first().undone_by, Some(3));
    append(&undo(4, 2, None));
    assert_eq!(first().undone_by, None);
    assert!(first().is_undone(Some(Path::new("x"))));
    append(&undo(5, 3, None));
    assert_eq!(first().undone_paths, [""; 0].map(PathBuf::from));
}

#[test]
fn many_writers_get_a_number_each() {
    let directory = tempfile::tempdir().expect("a directory");
    let journal = Journal::at(directory.path(), Path::new("/r/.git"));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..25 {
                    append(&journal, "a", "x");
                }
            });
        }
    });
    let mut numbers = numbers(&journal, &Filter::default());
    numbers.reverse();
    assert_eq!(numbers, (1..=100).collect::<Vec<_>>());
}
