//! Real repositories in which two sessions have uncommitted work.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use kite_gitcall::{Dirty, DirtyState};
use tempfile::TempDir;

/// Committed files, by the work that happens to them.
const COMMITTED: &[&str] = &[
    "mine.txt",
    "m dir/m it's.txt",
    "-mdash.txt",
    "src/m.rs",
    "m[1].txt",
    "mstaged.txt",
    "msm.txt",
    "mdeleted.txt",
    "mremoved.txt",
    "theirs.txt",
    "src/t.rs",
    "tstaged.txt",
    "tsm.txt",
    "tdeleted.txt",
    "tremoved.txt",
    "clean.txt",
    "src/clean.rs",
    "other.txt",
];

const TRACKED: &[&str] = &[
    "M mine.txt",
    "M m dir/m it's.txt",
    "M -mdash.txt",
    "M src/m.rs",
    "M m[1].txt",
    "M theirs.txt",
    "M src/t.rs",
];
const UNTRACKED: &[&str] = &[
    "? mnew.txt",
    "? -mnew",
    "? src/mnew.rs",
    "? mdir/m*.txt",
    "? m.log",
    "? tnew.txt",
    "? src/tnew.rs",
    "? tdir/t.txt",
    "? t.log",
];
const STAGED: &[&str] = &[
    "S mstaged.txt",
    "S madded.txt",
    "S tstaged.txt",
    "S tadded.txt",
];
const CHANGED_AGAIN: &[&str] = &[
    "Z msm.txt",
    "Z maddedm.txt",
    "Z tsm.txt",
    "Z taddedm.txt",
    "D mdeleted.txt",
    "D tdeleted.txt",
    "R mremoved.txt",
    "R tremoved.txt",
];

/// One kind of uncommitted work, made once and copied for every command.
pub(crate) struct Situation {
    pub(crate) name: &'static str,
    world: World,
    before: BTreeMap<String, Trace>,
    facts: Vec<Fact>,
}

/// An uncommitted file, as git tells it and its name says whose it is.
pub(crate) struct Fact {
    pub(crate) path: String,
    pub(crate) state: DirtyState,
    pub(crate) mine: bool,
    pub(crate) theirs: bool,
}

/// Everything that a session could lose of a file: its bytes, its index entry, what is committed.
type Trace = (Option<Vec<u8>>, Option<String>, Option<String>);

impl Situation {
    pub(crate) fn all() -> Vec<Situation> {
        let everything = [TRACKED, UNTRACKED, STAGED, CHANGED_AGAIN].concat();
        let of = |keep: fn(&str) -> bool| -> Vec<&'static str> {
            everything
                .iter()
                .copied()
                .filter(|line| keep(&line[2..]))
                .collect()
        };
        vec![
            Situation::new("everything", &everything),
            Situation::new("tracked", TRACKED),
            Situation::new("staged", STAGED),
            Situation::new("changed again", CHANGED_AGAIN),
            Situation::new("untracked", UNTRACKED),
            Situation::new("nothing of mine", &of(is_theirs)),
            Situation::new("nothing of theirs", &of(is_mine)),
        ]
    }

    fn new(name: &'static str, work: &[&str]) -> Situation {
        let world = World::committed();
        for line in work {
            world.work(&line[..1], &line[2..]);
        }
        // One pack is copied faster than many objects.
        world.git(&["gc", "-q"]);
        let facts = world.facts();
        assert_eq!(facts.len(), work.len(), "{name}");
        Situation {
            name,
            before: world.traces(),
            facts,
            world,
        }
    }

    /// The facts as the judge is told them.
    pub(crate) fn dirty(&self) -> Vec<Dirty<'_>> {
        let mut dirty = Vec::new();
        for fact in &self.facts {
            dirty.push(Dirty {
                path: &fact.path,
                state: fact.state,
                mine: fact.mine,
                theirs: fact.theirs.then_some("77ab02f1"),
            });
        }
        dirty
    }

    pub(crate) fn is_dirty(&self, path: &str) -> bool {
        self.facts.iter().any(|fact| fact.path == path)
    }
}

/// Whether the file's name says that it is another session's.
pub(crate) fn is_theirs(path: &str) -> bool {
    name(path).starts_with('t')
}

/// Whether the file's name says that it is the asking session's.
pub(crate) fn is_mine(path: &str) -> bool {
    name(path).trim_start_matches('-').starts_with('m')
}

fn name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// A repository.
pub(crate) struct World {
    _directory: TempDir,
    top: PathBuf,
}

impl World {
    fn empty() -> World {
        let directory = tempfile::tempdir().expect("a directory");
        let top = directory.path().join("project");
        World {
            _directory: directory,
            top,
        }
    }

    fn committed() -> World {
        let world = World::empty();
        fs::create_dir(&world.top).expect("the top");
        world.git(&["init", "-q", "-b", "main", "--template="]);
        // Copies of the files are other files; only their times and sizes count.
        world.git(&["config", "core.trustctime", "false"]);
        world.git(&["config", "core.checkStat", "minimal"]);
        for path in COMMITTED {
            world.write(path, "committed\n");
        }
        world.write(".gitignore", "*.log\n");
        world.git(&["add", "-A"]);
        world.git(&["commit", "-qm", "one"]);
        world.git(&["branch", "topic"]);
        world.write("other.txt", "two\n");
        world.git(&["commit", "-qam", "two"]);
        world
    }

    fn work(&self, kind: &str, path: &str) {
        match kind {
            "M" | "?" => self.write(path, "work\n"),
            "D" => fs::remove_file(self.top.join(path)).expect("a file"),
            "R" => self.git(&["rm", "-q", "--", path]),
            _ => {
                self.write(path, "staged\n");
                self.git(&["add", "--", path]);
                if kind == "Z" {
                    self.write(path, "staged, then changed\n");
                }
            }
        }
    }

    pub(crate) fn copy_of(situation: &Situation) -> World {
        let world = World::empty();
        copy(&situation.world.top, &world.top);
        world
    }

    pub(crate) fn changed_since(&self, situation: &Situation) -> Vec<String> {
        let after = self.traces_beside(situation);
        let absent = (None, None, None);
        let before = &situation.before;
        let paths = before
            .keys()
            .chain(after.keys().filter(|path| !before.contains_key(*path)));
        paths
            .filter(|path| {
                before.get(*path).unwrap_or(&absent) != after.get(*path).unwrap_or(&absent)
            })
            .cloned()
            .collect()
    }

    /// Runs shell text as an agent would.
    pub(crate) fn shell(&self, text: &str, here: &str) -> Result<(), String> {
        let mut command = Command::new("sh");
        command.args(["-c", text]).current_dir(self.top.join(here));
        surround(&mut command);
        let output = command.output().expect("sh");
        match output.status.success() {
            true => Ok(()),
            false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
        }
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.top.join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
        fs::write(path, text).expect("a file");
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("git");
        command.args(arguments).current_dir(&self.top);
        surround(&mut command);
        command
    }

    fn git(&self, arguments: &[&str]) {
        let output = self.command(arguments).output().expect("git");
        assert!(output.status.success(), "git {arguments:?}: {output:?}");
    }

    fn lines(&self, arguments: &[&str]) -> Vec<String> {
        let output = self.command(arguments).output().expect("git");
        let text = String::from_utf8(output.stdout).expect("text");
        text.split_terminator('\0').map(str::to_owned).collect()
    }

    fn facts(&self) -> Vec<Fact> {
        let status = [
            "status",
            "--porcelain",
            "-z",
            "-uall",
            "--ignored",
            "--no-renames",
        ];
        let fact = |line: String| {
            let (letters, path) = (line.as_bytes(), &line[3..]);
            Fact {
                state: DirtyState::from_porcelain(letters[0], letters[1]),
                mine: is_mine(path),
                theirs: is_theirs(path),
                path: path.to_owned(),
            }
        };
        self.lines(&status).into_iter().map(fact).collect()
    }

    fn traces(&self) -> BTreeMap<String, Trace> {
        let mut traces = self.bytes();
        self.add_index(&mut traces);
        self.add_commit(&mut traces);
        traces
    }

    /// The traces, where what git would say of the index and the commit is the situation's own
    /// unless they have changed: this saves most of the processes.
    fn traces_beside(&self, situation: &Situation) -> BTreeMap<String, Trace> {
        let mut traces = self.bytes();
        let same_index = self.read(".git/index") == situation.world.read(".git/index");
        let same_commit = self.head() == situation.world.head();
        for (path, (_, entry, committed)) in &situation.before {
            let trace = traces.entry(path.clone()).or_default();
            trace.1 = entry.clone().filter(|_| same_index);
            trace.2 = committed.clone().filter(|_| same_commit);
        }
        if !same_index {
            self.add_index(&mut traces);
        }
        if !same_commit {
            self.add_commit(&mut traces);
        }
        traces
    }

    fn bytes(&self) -> BTreeMap<String, Trace> {
        let mut traces = BTreeMap::new();
        walk(&self.top, &self.top, &mut traces);
        traces
    }

    fn add_index(&self, traces: &mut BTreeMap<String, Trace>) {
        for line in self.lines(&["ls-files", "-s", "-z"]) {
            let (entry, path) = line.split_once('\t').expect("an entry");
            traces.entry(path.to_owned()).or_default().1 = Some(entry.to_owned());
        }
    }

    fn add_commit(&self, traces: &mut BTreeMap<String, Trace>) {
        for line in self.lines(&["ls-tree", "-r", "-z", "HEAD"]) {
            let (entry, path) = line.split_once('\t').expect("an entry");
            traces.entry(path.to_owned()).or_default().2 = Some(entry.to_owned());
        }
    }

    fn read(&self, path: &str) -> Vec<u8> {
        fs::read(self.top.join(path)).unwrap_or_default()
    }

    /// What HEAD names, and where that is.
    fn head(&self) -> (Vec<u8>, Vec<u8>) {
        let head = self.read(".git/HEAD");
        let name = String::from_utf8_lossy(&head).into_owned();
        let branch = name.trim_start_matches("ref: ").trim();
        (head, self.read(&format!(".git/{branch}")))
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).expect("a directory");
    for entry in fs::read_dir(from).expect("a directory") {
        let entry = entry.expect("an entry");
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if from.is_dir() {
            copy(&from, &to);
        } else {
            fs::copy(&from, &to).expect("a copy");
            let time = entry
                .metadata()
                .and_then(|data| data.modified())
                .expect("a time");
            // Objects are read-only; their times do not matter.
            if let Ok(file) = fs::File::options().write(true).open(&to) {
                file.set_modified(time).expect("the same time");
            }
        }
    }
}

fn walk(top: &Path, directory: &Path, traces: &mut BTreeMap<String, Trace>) {
    for entry in fs::read_dir(directory).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.ends_with(".git") {
            continue;
        }
        if path.is_dir() {
            walk(top, &path, traces);
        } else {
            let relative = path.strip_prefix(top).expect("below the top");
            let relative = relative.to_str().expect("text").to_owned();
            traces.entry(relative).or_default().0 = fs::read(&path).ok();
        }
    }
}

/// No configuration but the repository's own, and a fixed author.
fn surround(command: &mut Command) {
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("GIT_")) {
        command.env_remove(name);
    }
    command
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_EDITOR", "true")
        .env("GIT_TERMINAL_PROMPT", "0")
        .envs([
            ("GIT_AUTHOR_NAME", "A"),
            ("GIT_AUTHOR_EMAIL", "a@example.com"),
        ])
        .envs([
            ("GIT_COMMITTER_NAME", "A"),
            ("GIT_COMMITTER_EMAIL", "a@example.com"),
        ])
        .stdin(std::process::Stdio::null());
}
