//! Random histories: three sessions edit and run git over each other's work, and undo now and
//! then. Whatever was written by a tool, or stood in a file when a git command ran, can be
//! brought back byte for byte.
//!
//! `KITE_UNDO_RUNS=1000 cargo test -p kite-undo histories` tells more of them;
//! `KITE_UNDO_SEED=n` tells one again.

use std::{
    collections::BTreeMap,
    env, fs, io,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
    thread,
};

use kite_undo::{
    Error,
    journal::Filter,
    restore::{Selection, Shown, UndoOptions},
    snapshot,
};

use crate::support::{Desk, NOW_MS};

const RUNS: u64 = 20;
const STEPS: usize = 16;
const AT_ONCE: usize = 4;

const PATHS: &[&str] = &[
    "a.txt",
    "b.txt",
    "dir/c.txt",
    "dir/new.txt",
    "n w.txt",
    "x.bin",
];

const SESSIONS: &[&str] = &["a", "b", "c"];

/// What agents run over each other. None must succeed: a refusal of git's destroys nothing.
const COMMANDS: &[&str] = &[
    "git stash",
    "git stash -u",
    "git stash pop",
    "git reset -q --hard",
    "git reset -q --hard HEAD~1",
    "git reset -q",
    "git checkout -q -f other",
    "git checkout -q -f main",
    "git checkout -q other -- a.txt",
    "git checkout -q -- .",
    "git restore .",
    "git restore --staged --worktree .",
    "git clean -fdq",
    "git clean -fdxq",
    "git add -A",
    "git commit -qam x",
    "git rm -rfq dir",
    "git rm -q --cached -f b.txt",
    "git merge -q other",
    "git merge --abort",
    "git rebase -q other",
    "git rebase --abort",
    "git switch -q --discard-changes main",
];

#[test]
fn whatever_was_written_can_be_brought_back() {
    let number = |name: &str| env::var(name).ok().and_then(|it| it.parse::<u64>().ok());
    if let Some(seed) = number("KITE_UNDO_SEED") {
        return Story::new(seed).tell();
    }
    let runs = number("KITE_UNDO_RUNS").unwrap_or(RUNS);
    let next = AtomicU64::new(1);
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed > runs {
                        break;
                    }
                    Story::new(seed).tell();
                }
            });
        }
    });
}

struct Story {
    seed: u64,
    state: u64,
    desk: Desk,
    written: Vec<(String, String)>,
    told: Vec<String>,
}

impl Story {
    fn new(seed: u64) -> Story {
        let desk = Desk::new();
        desk.git(["config", "user.name", "A"]);
        desk.git(["config", "user.email", "a@example.org"]);
        desk.git(["checkout", "-q", "-b", "other"]);
        desk.write("a.txt", "other's one\ntwo\nthree\n");
        desk.git(["commit", "-qam", "other"]);
        desk.git(["checkout", "-q", "main"]);
        desk.write("b.txt", "alpha\nbeta\nGAMMA\n");
        desk.git(["commit", "-qam", "second"]);
        Story {
            seed,
            state: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1,
            desk,
            written: Vec::new(),
            told: Vec::new(),
        }
    }

    fn tell(mut self) {
        for step in 0..STEPS {
            match self.chance(10) {
                0..5 => self.edit(step),
                5..9 => self.command(),
                _ => self.undo_something(),
            }
        }
        self.everything_is_kept();
    }

    fn edit(&mut self, step: usize) {
        let session = SESSIONS[self.chance(SESSIONS.len())];
        let path = PATHS[self.chance(PATHS.len())];
        let there = self
            .desk
            .read(path)
            .map(|it| String::from_utf8(it).expect("text"));
        if there.is_some() && self.chance(8) == 0 {
            self.told.push(format!("{session} deletes {path}"));
            self.desk.edit(session, path, None);
            return;
        }
        let mark = format!("{session} wrote this in step {step} of story {}", self.seed);
        let content = match there {
            Some(there) if self.chance(2) == 0 => format!("{there}{mark}\n"),
            _ if path == "x.bin" => format!("\0{mark}"),
            _ => format!("first\n{mark}\nlast\n"),
        };
        self.told.push(format!("{session} writes {path}: {mark}"));
        match self.desk.try_edit(session, path, Some(&content)) {
            Some(_) => self.written.push((path.to_owned(), content)),
            None => panic!("{}: nothing changed", self.so_far()),
        }
    }

    /// A git command, with what a daemon does around it. Undone at once, it never happened.
    fn command(&mut self) {
        let command = COMMANDS[self.chance(COMMANDS.len())];
        self.told.push(command.to_owned());
        let before = self.uncommitted();
        let why = snapshot::Why {
            session: Some("a".to_owned()),
            command: Some(command.to_owned()),
            at_ms: NOW_MS,
        };
        let taken = self.desk.history().rescue(&why).expect("a snapshot");
        let _ = self.desk.try_git(command.split(' ').skip(1));
        let Some(taken) = taken else {
            assert_eq!(before, BTreeMap::new(), "{}", self.so_far());
            return;
        };
        self.desk
            .history()
            .note_after(taken.number, NOW_MS)
            .expect("noted");
        if self.chance(2) == 0 {
            self.told.push(format!("undo {} at once", taken.number));
            self.desk.undo(taken.number);
            for (path, content) in before {
                let now = content_at(&self.desk.path(&path));
                assert_eq!(now, content, "{path:?} {}", self.so_far());
            }
        }
    }

    fn undo_something(&mut self) {
        let history = self.desk.history();
        let entries = history.list(&Filter::default()).expect("entries");
        if entries.is_empty() {
            return;
        }
        let entry = &entries[self.chance(entries.len())].entry;
        self.told.push(format!("undo {}", entry.number));
        let selection = Selection {
            number: Some(entry.number),
            ..Selection::default()
        };
        let options = UndoOptions {
            at_ms: NOW_MS,
            ..UndoOptions::default()
        };
        match history.undo(&selection, &options) {
            Ok(_) | Err(Error::NothingFits { .. }) => {}
            Err(error) => panic!("{error}: {}", self.so_far()),
        }
    }

    /// Every content that was written can be put back at its path.
    fn everything_is_kept(&self) {
        let history = self.desk.history();
        let entries = history.list(&Filter::default()).expect("entries");
        let mut kept = BTreeMap::new();
        for record in &entries {
            for file in history.show(record.entry.number).expect("shown") {
                // The content that an undo of this entry brings back.
                let back = match &record.entry.kind {
                    kite_undo::journal::EntryKind::Snapshot { .. } => file.after,
                    _ => file.before,
                };
                if let Shown::Content(content) = back {
                    kept.insert((file.path, content), record.entry.number);
                }
            }
        }
        let there = self.desk.tree();
        for (path, content) in &self.written {
            if there.get(Path::new(path)).map(Vec::as_slice) == Some(content.as_bytes()) {
                continue;
            }
            let key = (PathBuf::from(path), content.clone().into_bytes());
            let Some(number) = kept.get(&key) else {
                assert!(
                    self.is_committed(content),
                    "{content:?} is lost: {}",
                    self.so_far()
                );
                continue;
            };
            let _ = fs::remove_file(self.desk.path(path));
            let report = self.desk.undo_what(&Selection {
                number: Some(*number),
                path: Some(path.into()),
                ..Selection::default()
            });
            let back = self.desk.read(path);
            assert_eq!(
                back.as_deref(),
                Some(content.as_bytes()),
                "{report:?} {}",
                self.so_far()
            );
        }
    }

    /// Whether some commit holds it: then it was never uncommitted work that went away.
    fn is_committed(&self, content: &str) -> bool {
        let file = self.desk.directory.path().join("content");
        fs::write(&file, content).expect("write");
        let oid = self
            .desk
            .git([Path::new("hash-object").as_os_str(), file.as_os_str()]);
        let all = ["rev-list", "--objects", "--all", "--reflog"];
        self.desk
            .git(all)
            .lines()
            .any(|it| it.starts_with(oid.trim()))
    }

    fn uncommitted(&self) -> BTreeMap<PathBuf, Option<Vec<u8>>> {
        let dirty = snapshot::dirty(&self.desk.repo()).expect("dirty");
        dirty
            .into_iter()
            .map(|it| {
                let content = content_at(&self.desk.path(&it.path));
                (it.path, content)
            })
            .collect()
    }

    fn so_far(&self) -> String {
        format!("KITE_UNDO_SEED={}\n{}", self.seed, self.told.join("\n"))
    }

    /// A number below `below`, from the seed alone.
    fn chance(&mut self, below: usize) -> usize {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        usize::try_from(self.state >> 33).expect("31 bits") % below
    }
}

fn content_at(path: &Path) -> Option<Vec<u8>> {
    match fs::read(path) {
        Ok(content) => Some(content),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => None,
        Err(error) => panic!("{path:?}: {error}"),
    }
}
