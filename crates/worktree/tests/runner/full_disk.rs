//! A disk that becomes full in the middle of a checkout.

use std::{fs, path::Path, process::Command};

use kite_worktree::{Error, Plan, Removal, Wanted, make};
use tempfile::TempDir;

use crate::support::Desk;

/// A file system in memory, until dropped.
struct Disk(TempDir);

impl Disk {
    /// `None` where mounting is not permitted.
    fn mount() -> Option<Disk> {
        let at = tempfile::Builder::new()
            .prefix("kite-")
            .tempdir()
            .expect("a directory");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=4m,mode=0700", "kite-test"])
            .arg(at.path())
            .output();
        mounted
            .is_ok_and(|output| output.status.success())
            .then(|| Disk(at))
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).output();
    }
}

#[test]
fn a_full_disk_is_named_and_leaves_nothing() {
    let Some(disk) = Disk::mount() else {
        // Only a person who reads the output is to know: elsewhere it is tried.
        use std::io::Write as _;
        let _ = writeln!(
            std::io::stderr(),
            "full disk: not tried, mounting is not permitted"
        );
        return;
    };
    let desk = Desk::new();
    for number in 0..8 {
        // Nothing that compresses, so that it is as large as it looks.
        let bytes: Vec<u8> = (0..1_u32 << 20)
            .map(|at| (at.wrapping_mul(2_654_435_761 + number) >> 13) as u8)
            .collect();
        desk.write(format!("large/{number}"), bytes);
    }
    desk.commit("8 MiB");
    let worktrees: &Path = &disk.0.path().join("worktrees");
    let plan = Plan::of(&Wanted {
        id: "0123456789abcdef0123456789abcdef",
        directory: &desk.repo(),
        worktrees,
        about: "x",
        base: None,
    })
    .expect("a plan");
    let refused = make(&plan).expect_err("no room");
    assert!(matches!(refused, Error::Full { .. }), "{refused:?}");
    assert!(
        refused.hint().contains("Free some space"),
        "{}",
        refused.hint()
    );
    assert_eq!(desk.leftovers(), [""; 0]);
    assert_eq!(fs::read_dir(worktrees).expect("a directory").count(), 0);
    // With less to check out there is room again.
    desk.git(["rm", "-q", "-r", "large"]);
    desk.commit("small again");
    let plan = Plan::of(&Wanted {
        id: "1123456789abcdef0123456789abcdef",
        directory: &desk.repo(),
        worktrees,
        about: "x",
        base: None,
    })
    .expect("a plan");
    make(&plan).expect("room");
    desk.remove(&plan, Removal::default()).expect("removed");
}
