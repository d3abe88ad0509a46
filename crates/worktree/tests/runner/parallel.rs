//! Many at once, and others who know nothing of our lock.

use std::{
    sync::atomic::{AtomicBool, AtomicU32, Ordering},
    thread,
};

use kite_worktree::Removal;

use crate::support::{Desk, try_git};

const AT_ONCE: usize = 8;
const ROUNDS: usize = 20;

#[test]
fn eight_at_once_twenty_times_over_beside_strangers() {
    let desk = Desk::new();
    desk.git(["clone", "-q", "--bare", ".", "../origin"]);
    desk.git(["remote", "add", "origin", "../origin"]);
    desk.git(["fetch", "-q", "origin"]);
    let over = AtomicBool::new(false);
    let strangers = AtomicU32::new(0);
    thread::scope(|scope| {
        // Agents' own: from a remote branch, which writes settings that all worktrees share.
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                let number = strangers.fetch_add(1, Ordering::Relaxed);
                let (path, branch) = (format!("../stray-{number}"), format!("stray-{number}"));
                let args = ["worktree", "add", "-q", "-b", &branch, &path, "origin/main"];
                try_git(&desk.repo(), args);
                try_git(&desk.repo(), ["worktree", "remove", "--force", &path]);
                try_git(&desk.repo(), ["branch", "-q", "-D", &branch]);
            }
        });
        let rounds = thread::scope(|scope| {
            let agents: Vec<_> = (0..AT_ONCE)
                .map(|agent| {
                    scope.spawn({
                        let desk = &desk;
                        move || {
                            for round in 0..ROUNDS {
                                let plan = desk.make(&format!("agent {agent} round {round}"));
                                assert!(plan.path().join("dir/c.txt").exists());
                                desk.remove(&plan, Removal::default()).expect("removed");
                            }
                        }
                    })
                })
                .collect();
            agents
                .into_iter()
                .map(thread::ScopedJoinHandle::join)
                .collect::<Vec<_>>()
        });
        over.store(true, Ordering::Relaxed);
        assert!(rounds.iter().all(Result::is_ok));
    });
    assert!(strangers.load(Ordering::Relaxed) > 10);
    let mut left = desk.leftovers();
    left.retain(|it| !it.contains("stray"));
    assert_eq!(left, [""; 0]);
}
