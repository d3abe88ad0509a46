//! Random histories: three sessions edit and run git over each other's work, and undo now and
//! then. Every content that a session's tool ever wrote, and every one that stood in an uncommitted
//! file when a git command ran, can be brought back byte for byte at the end: it is there, or
//! `kite undo` puts it there, or a commit has it.
//!
//! `KITE_UNDO_RUNS=1000 cargo test -p kite-undo histories` tells more of them, and how many contents
//! came back which way; `KITE_UNDO_SEED=n` tells one again. A story takes about two hundred
//! processes of git and little else, so more stories at once than cores are of little use.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    env, fs,
    io::{self, Write},
    path::{Path, PathBuf},
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

use kite_undo::{
    Error,
    journal::{EntryKind, Filter},
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
    // Ignored.
    "local.cfg",
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
    let scene = Scene::new();
    if let Some(seed) = number("KITE_UNDO_SEED") {
        Story::new(seed, &scene).tell();
        return;
    }
    let runs = number("KITE_UNDO_RUNS").unwrap_or(RUNS);
    let next = AtomicU64::new(1);
    let total = Mutex::new(Count::default());
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed > runs {
                        break;
                    }
                    let count = Story::new(seed, &scene).tell();
                    total.lock().expect("no story failed").add(&count);
                }
            });
        }
    });
    let total = total.into_inner().expect("no story failed");
    if runs > RUNS {
        let _ = writeln!(io::stderr(), "{runs} histories: {total:?}");
    }
    // A story in which nothing is ever lost would prove nothing.
    assert!(total.undone > runs, "{total:?}");
}

/// How contents came back.
#[derive(Debug, Default)]
struct Count {
    contents: u64,
    there: u64,
    undone: u64,
    committed: u64,
}

impl Count {
    fn add(&mut self, other: &Count) {
        self.contents += other.contents;
        self.there += other.there;
        self.undone += other.undone;
        self.committed += other.committed;
    }
}

/// The repository that every story begins with.
struct Scene {
    desk: Desk,
}

impl Scene {
    fn new() -> Scene {
        let desk = Desk::new();
        desk.git(["config", "user.name", "A"]);
        desk.git(["config", "user.email", "a@example.org"]);
        desk.write(".gitignore", "local.cfg\n");
        desk.git(["add", ".gitignore"]);
        desk.git(["commit", "-qm", "ignore"]);
        desk.git(["checkout", "-q", "-b", "other"]);
        desk.write("a.txt", "other's one\ntwo\nthree\n");
        desk.git(["commit", "-qam", "other"]);
        desk.git(["checkout", "-q", "main"]);
        desk.write("b.txt", "alpha\nbeta\nGAMMA\n");
        desk.git(["commit", "-qam", "second"]);
        let _ = fs::remove_dir_all(desk.path(".git/hooks"));
        Scene { desk }
    }
}

struct Story {
    seed: u64,
    state: u64,
    desk: Desk,
    written: BTreeSet<(PathBuf, Vec<u8>)>,
    told: Vec<String>,
}

impl Story {
    fn new(seed: u64, scene: &Scene) -> Story {
        Story {
            seed,
            state: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1,
            desk: scene.desk.copy(),
            written: BTreeSet::new(),
            told: Vec::new(),
        }
    }

    fn tell(mut self) -> Count {
        for step in 0..STEPS {
            match self.chance(10) {
                0..5 => self.edit(step),
                5..9 => self.command(),
                _ => self.undo_something(),
            }
        }
        self.everything_is_kept()
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
            Some(_) => {
                let content = content.into_bytes();
                self.written.insert((path.into(), content));
            }
            None => panic!("{}: nothing changed", self.so_far()),
        }
    }

    /// A git command, with what a daemon does around it. Undone at once, it never happened.
    fn command(&mut self) {
        let command = COMMANDS[self.chance(COMMANDS.len())];
        let session = SESSIONS[self.chance(SESSIONS.len())];
        self.told.push(format!("{session} runs {command}"));
        let history = self.desk.history();
        let ignored = match command.contains("-fdx") {
            true => history.ignored().expect("a list"),
            false => Vec::new(),
        };
        let before = self.uncommitted(&ignored);
        let stood = before
            .iter()
            .filter_map(|(path, content)| Some((path.clone(), content.clone()?)));
        self.written.extend(stood);
        let why = snapshot::Why {
            session: Some(session.to_owned()),
            command: Some(command.to_owned()),
            at_ms: NOW_MS,
        };
        let taken = history.rescue_with(&why, ignored).expect("a snapshot");
        let _ = self.desk.try_git(command.split(' ').skip(1));
        let Some(taken) = taken else {
            assert_eq!(before, BTreeMap::new(), "{}", self.so_far());
            return;
        };
        history.note_after(taken.number, NOW_MS).expect("noted");
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
        let mut selection = Selection {
            number: Some(entry.number),
            ..Selection::default()
        };
        match self.chance(4) {
            0 => selection.path = entry.paths().next().map(Path::to_owned),
            1 => {
                let session = SESSIONS[self.chance(SESSIONS.len())];
                selection = Selection {
                    session: Some(session.to_owned()),
                    ..Selection::default()
                };
            }
            _ => {}
        }
        self.told.push(format!("undo {selection:?}"));
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
    fn everything_is_kept(&self) -> Count {
        let kept = self.kept();
        let there = self.desk.tree();
        let commits = self.objects();
        let mut count = Count::default();
        for (path, content) in &self.written {
            count.contents += 1;
            if there.get(path) == Some(content) {
                count.there += 1;
                continue;
            }
            let Some(number) = kept.get(&(path.clone(), content.clone())) else {
                let text = String::from_utf8_lossy(content);
                assert!(
                    commits.contains(&self.oid(content)),
                    "{text:?} of {path:?} is lost: {}",
                    self.so_far()
                );
                count.committed += 1;
                continue;
            };
            let _ = fs::remove_file(self.desk.path(path));
            let report = self.desk.undo_what(&Selection {
                number: Some(*number),
                path: Some(path.clone()),
                ..Selection::default()
            });
            let back = self.desk.read(path);
            assert_eq!(back.as_ref(), Some(content), "{report:?} {}", self.so_far());
            count.undone += 1;
        }
        count
    }

    /// What an undo brings back, by path and content, and which number does.
    fn kept(&self) -> BTreeMap<(PathBuf, Vec<u8>), u64> {
        let history = self.desk.history();
        let entries = history.list(&Filter::default()).expect("entries");
        let mut kept = BTreeMap::new();
        for record in &entries {
            for file in history.show(record.entry.number).expect("shown") {
                let back = match &record.entry.kind {
                    EntryKind::Snapshot { .. } => file.after,
                    _ => file.before,
                };
                if let Shown::Content(content) = back {
                    kept.insert((file.path, content), record.entry.number);
                }
            }
        }
        kept
    }

    /// Everything that some commit holds: it was never uncommitted work that went away.
    fn objects(&self) -> HashSet<String> {
        let all = ["rev-list", "--objects", "--all", "--reflog"];
        let said = self.desk.git(all);
        let oids = said.lines().filter_map(|line| line.split(' ').next());
        oids.map(str::to_owned).collect()
    }

    fn oid(&self, content: &[u8]) -> String {
        let file = self.desk.directory.path().join("content");
        fs::write(&file, content).expect("write");
        let command = Path::new("hash-object").as_os_str();
        let said = self.desk.git([command, file.as_os_str()]);
        said.trim().to_owned()
    }

    fn uncommitted(&self, ignored: &[PathBuf]) -> BTreeMap<PathBuf, Option<Vec<u8>>> {
        let dirty = snapshot::dirty(&self.desk.repo()).expect("dirty");
        let dirty = dirty.into_iter().map(|it| it.path);
        dirty
            .chain(ignored.iter().cloned())
            .map(|path| {
                let content = content_at(&self.desk.path(&path));
                (path, content)
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
