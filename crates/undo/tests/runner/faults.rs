//! What fails beside a snapshot does not cost the snapshot.

use std::{fs, path::PathBuf};

use kite_undo::{
    History, Settings,
    journal::{EntryKind, Filter},
    snapshot::{Keep, Options, Why},
};

use crate::support::{Desk, NOW_MS};

fn why() -> Why {
    Why {
        session: Some("77ab02f1".to_owned()),
        command: Some("git stash".to_owned()),
        at_ms: NOW_MS,
    }
}

/// The numbers of the journal's snapshots, newest first.
fn snapshots(history: &History) -> Vec<u64> {
    let records = history.list(&Filter::default()).expect("a list");
    let entries = records.into_iter().map(|record| record.entry);
    let snapshots = entries.filter(|it| matches!(it.kind, EntryKind::Snapshot { .. }));
    snapshots.map(|entry| entry.number).collect()
}

#[test]
fn a_snapshot_is_in_the_list_although_older_ones_could_not_be_removed() {
    let desk = Desk::new();
    desk.write("a.txt", "first\n");
    assert_eq!(desk.rescue("git stash"), 1);
    for n in 2..16 {
        assert_eq!(desk.edit("s", "b.txt", Some(&format!("{n}\n"))), n);
    }
    // As another git leaves it that is deleting this very ref.
    fs::write(desk.path(".git/refs/kite/rescue/1.lock"), "").expect("a lock");
    let settings = Settings {
        snapshots: Options {
            keep: Keep {
                count_max: 1,
                ..Keep::default()
            },
            ..Options::default()
        },
        ..Settings::default()
    };
    let home = desk.directory.path().join("home");
    let history = History::open(&home, &desk.repo(), settings).expect("a history");
    let taken = history.rescue(&why()).expect("a snapshot").expect("dirty");
    assert_eq!(taken.number, 16);
    assert_eq!(snapshots(&history), [16, 1]);
    assert_eq!(desk.edit("s", "b.txt", Some("17\n")), 17);
}

#[test]
fn a_snapshot_is_in_the_list_although_it_could_not_be_noted_as_the_last() {
    let desk = Desk::new();
    desk.write("a.txt", "changed\n");
    fs::create_dir(desk.path(".git/kite-last-rescue")).expect("a directory in the way");
    let number = desk.rescue("git stash");
    assert_eq!(snapshots(&desk.history()), [number]);
}

#[test]
fn an_ignored_file_that_cannot_be_read_does_not_cost_the_others() {
    let desk = Desk::new();
    desk.write(".gitignore", "*.log\n");
    desk.write("a.txt", "changed\n");
    desk.write("small.log", "small\n");
    // No file system has such a name: reading it fails for everybody, root included.
    let unreadable = PathBuf::from("x".repeat(300));
    let named = vec![unreadable.clone(), "small.log".into()];
    let taken = desk.history().rescue_with(&why(), named);
    let taken = taken.expect("a snapshot").expect("dirty");
    assert!(taken.files.contains(&"small.log".into()));
    assert_eq!(taken.left_out_count, 1);
    assert_eq!(taken.left_out[0].path.as_path(), unreadable);
}
