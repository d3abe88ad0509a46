//! Looks at real working copies; that of a whole daemon has its own stories.

use std::{fs, path::Path, process::Command};

use super::*;

struct Desk {
    directory: tempfile::TempDir,
}

impl Desk {
    fn new() -> Desk {
        let desk = Desk {
            directory: tempfile::tempdir().expect("a directory"),
        };
        fs::create_dir(desk.top()).expect("a working copy");
        desk.git(&["init", "-q", "."]);
        desk.write("a.txt", "one\n");
        desk.write("b.txt", "one\n");
        desk.commit();
        desk
    }

    fn top(&self) -> PathBuf {
        let top = self.directory.path().canonicalize().expect("it");
        top.join("shop")
    }

    fn write(&self, name: &str, content: &str) {
        fs::write(self.top().join(name), content).expect("written");
    }

    fn git(&self, arguments: &[&str]) {
        let ended = Command::new("git")
            .args(["-c", "user.name=t", "-c", "user.email=t@t"])
            .args(arguments)
            .current_dir(self.top())
            .status();
        assert!(ended.expect("git").success());
    }

    fn commit(&self) {
        self.git(&["add", "."]);
        self.git(&["commit", "-qm", "x"]);
    }

    fn history(&self) -> History {
        let home = self.directory.path().join("home");
        History::of_copy(&home, &self.top(), None, Settings::default()).expect("a history")
    }

    fn look(&self, known: &mut Known) -> Look {
        known.look(&self.history(), print).expect("a look")
    }
}

fn print(bytes: &[u8]) -> Print {
    bytes
        .iter()
        .fold(1, |sum, byte| sum * 31 % (1 << 100) + Print::from(*byte))
}

fn paths(look: &Look) -> Vec<&str> {
    let paths = look.changed.iter().map(|it| it.path.to_str());
    paths.map(|path| path.expect("text")).collect()
}

/// Everything that was found is known from now on.
fn accept(known: &mut Known, look: &Look) {
    for changed in &look.changed {
        known.accept(changed);
    }
}

#[test]
fn what_was_committed_is_had_from_git() {
    let desk = Desk::new();
    let mut known = Known::default();
    assert_eq!(paths(&desk.look(&mut known)), [""; 0]);
    assert!(known.is_empty(), "what is committed needs no keeping");
    desk.write("a.txt", "two\n");
    desk.write("new.txt", "new\n");
    fs::remove_file(desk.top().join("b.txt")).expect("removed");
    let look = desk.look(&mut known);
    assert_eq!(paths(&look), ["a.txt", "b.txt", "new.txt"]);
    let was: Vec<(PathBuf, Was)> = (look.changed.iter())
        .map(|it| (it.path.clone(), look.was_at(it, u64::MAX)))
        .collect();
    let versions = desk.history().versions(&was).expect("versions");
    let one = desk
        .history()
        .keep_content(Path::new("x"), b"one\n", Shape::Regular)
        .expect("kept");
    assert_eq!(versions, [one.clone(), one, Version::Absent]);
    assert!(look.changed.iter().all(|it| !it.was_dirty && it.is_dirty()));
}

#[test]
fn a_content_that_is_too_large_does_not_cost_the_others() {
    let desk = Desk::new();
    let large = fs::File::create(desk.top().join("large")).expect("a file");
    large.set_len(130 << 20).expect("a length");
    desk.commit();
    let mut known = Known::default();
    desk.look(&mut known);
    fs::remove_file(desk.top().join("large")).expect("removed");
    desk.write("a.txt", "two\n");
    let look = desk.look(&mut known);
    let was: Vec<(PathBuf, Was)> = (look.changed.iter())
        .map(|it| (it.path.clone(), look.was_at(it, u64::MAX)))
        .collect();
    let versions = desk.history().versions(&was).expect("versions");
    assert_eq!(paths(&look), ["a.txt", "large"]);
    assert!(matches!(versions[0], Version::File { .. }));
    assert_eq!(versions[1], Version::Unknown);
}

#[test]
fn what_is_accepted_is_found_once_and_what_is_deferred_again() {
    let desk = Desk::new();
    let mut known = Known::default();
    desk.look(&mut known);
    desk.write("a.txt", "two\n");
    let look = desk.look(&mut known);
    known.defer(&look.changed[0]);
    // Committed meanwhile: what it was is still known.
    desk.commit();
    let again = desk.look(&mut known);
    assert_eq!(paths(&again), ["a.txt"]);
    assert_eq!(again.changed[0].was, look.changed[0].was);
    accept(&mut known, &again);
    assert_eq!(paths(&desk.look(&mut known)), [""; 0]);
}

#[test]
fn what_was_announced_is_no_news() {
    let desk = Desk::new();
    let mut known = Known::default();
    desk.look(&mut known);
    desk.write("a.txt", "two\n");
    let sight = desk
        .history()
        .sight(Path::new("a.txt"), print)
        .expect("seen");
    known.learn("a.txt".into(), sight);
    assert_eq!(paths(&desk.look(&mut known)), [""; 0]);
    desk.write("a.txt", "three\n");
    known.expect(Path::new("a.txt"), Some(print(b"three\n")));
    assert_eq!(paths(&desk.look(&mut known)), [""; 0]);
    known.expect(Path::new("a.txt"), Some(print(b"four\n")));
    desk.write("a.txt", "five\n");
    assert_eq!(paths(&desk.look(&mut known)), ["a.txt"]);
}

#[test]
fn secrets_are_known_by_their_hash_only() {
    let desk = Desk::new();
    let mut known = Known::default();
    desk.write(".env", "KEY=old\n");
    let first = desk.look(&mut known);
    accept(&mut known, &first);
    fs::remove_file(desk.top().join(".env")).expect("removed");
    let look = desk.look(&mut known);
    let Was::Version(Version::File { hash, .. }) = &look.changed[0].was else {
        panic!("{look:?}");
    };
    assert!(!desk.history().images.has(hash));
}

#[test]
fn memory_is_bounded_and_what_git_has_goes_first() {
    let sight = |dirty| Sight {
        was: Was::Version(Version::Absent),
        print: None,
        stamp: None,
        dirty,
    };
    let mut known = Known::default();
    for n in 0..FILES_MAX {
        let dirty = n % 2 == 0;
        known.learn(format!("{n:09}").into(), sight(dirty));
    }
    assert_eq!(known.len(), FILES_MAX);
    known.learn("one more".into(), sight(true));
    assert_eq!(known.len(), FILES_MAX / 2 + 1);
}
