//! What is too old or too much goes, in the whole home and in the repositories that are known.

use std::{
    fs,
    path::PathBuf,
    time::{Duration, SystemTime},
};

use kite_undo::{Settings, journal::Filter, upkeep};

use crate::support::{Desk, NOW_MS};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn home(desk: &Desk) -> PathBuf {
    desk.directory.path().join("home")
}

#[test]
fn what_is_young_stays_and_what_is_old_goes() {
    let desk = Desk::new();
    desk.edit("a", "a.txt", Some("changed\n"));
    desk.rescue("git stash");
    let gone = desk.directory.path().join("gone");
    let worktrees = [desk.repo(), gone, desk.repo()];
    let limits = Settings::default();
    let snapshot_at = SystemTime::UNIX_EPOCH + Duration::from_millis(NOW_MS);
    // Files carry the clock of this machine, snapshots the time that they were given.
    let now = SystemTime::now().max(snapshot_at);
    let swept = upkeep::sweep(&home(&desk), &worktrees, &limits, snapshot_at);
    assert!(swept.faults.is_empty(), "{swept:?}");
    assert_eq!(
        (swept.contents.removed, swept.journals, swept.snapshots),
        (0, 0, 0)
    );
    assert_eq!(swept.repositories, 1);

    let swept = upkeep::sweep(&home(&desk), &worktrees, &limits, now + 15 * DAY);
    assert!(swept.faults.is_empty(), "{swept:?}");
    assert_eq!((swept.journals, swept.snapshots), (1, 1));
    assert_eq!(swept.contents.removed, 2, "before and after");
    assert_eq!(desk.git(["for-each-ref", "refs/kite"]), "");
    assert!(
        desk.history()
            .list(&Filter::default())
            .expect("a list")
            .is_empty()
    );
    // A number means one thing for ever.
    assert_eq!(desk.edit("a", "a.txt", Some("again\n")), 3);
}

#[test]
fn what_is_too_much_goes_oldest_first() {
    let desk = Desk::new();
    for round in 0..4 {
        desk.write("a.txt", format!("round {round}\n"));
        desk.rescue("git stash");
    }
    let mut limits = Settings::default();
    limits.snapshots.keep.count_max = 3;
    let at = SystemTime::UNIX_EPOCH + Duration::from_millis(NOW_MS);
    let swept = upkeep::sweep(&home(&desk), &[desk.repo()], &limits, at);
    assert_eq!(swept.snapshots, 1);
    assert_eq!(desk.git(["for-each-ref", "refs/kite/rescue/1"]), "");
}

#[test]
fn a_home_without_anything_and_strangers_directories_are_left_alone() {
    let directory = tempfile::tempdir().expect("a directory");
    let limits = Settings::default();
    let later = SystemTime::now() + 100 * DAY;
    let swept = upkeep::sweep(directory.path(), &[], &limits, later);
    assert!(swept.faults.is_empty(), "{swept:?}");
    let stranger = directory.path().join("undo/not-a-journal");
    fs::create_dir_all(&stranger).expect("made");
    fs::write(stranger.join("journal"), "text").expect("written");
    let swept = upkeep::sweep(directory.path(), &[], &limits, later);
    assert!(swept.faults.is_empty() && swept.journals == 0, "{swept:?}");
    assert!(stranger.join("journal").exists());
}
