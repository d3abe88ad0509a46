//! The key of a file: equal for every way to write its path.

use std::{
    ffi::{OsStr, OsString},
    fs,
    os::unix::ffi::{OsStrExt, OsStringExt},
    os::unix::fs::MetadataExt,
    path::{Component, Path, PathBuf},
};

/// Most components of a path that are walked.
const COMPONENTS_MAX: usize = 4_096;

/// A file, by its key and by the path to show.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct File {
    /// Canonical: absolute, without symlinks, `.`, `..`; folded to lower case where its file
    /// system does not tell cases apart.
    pub key: PathBuf,
    /// Canonical too, in the case it was written or is stored in.
    pub shown: PathBuf,
}

/// Makes keys. The question whether a directory tells cases apart can be answered by a test.
#[derive(Clone, Copy, Debug)]
pub struct Keys {
    folds_case: fn(&Path) -> bool,
}

impl Default for Keys {
    fn default() -> Self {
        Keys { folds_case }
    }
}

impl Keys {
    /// With another answer to "does the file system of this existing directory fold case?".
    #[must_use]
    pub fn with(folds_case: fn(&Path) -> bool) -> Keys {
        Keys { folds_case }
    }

    /// Resolves `path` against `base`. What exists of it is canonicalised, what does not is
    /// taken as written, without `.` and `..`. Never fails.
    #[must_use]
    pub fn resolve(&self, base: &Path, path: &Path) -> File {
        let (existing, rest) = canonical(&base.join(path));
        // Joining an empty path would add a slash, which `Path` ignores and a text key does not.
        let shown = if rest.as_os_str().is_empty() {
            existing.clone()
        } else {
            existing.join(&rest)
        };
        let key = if (self.folds_case)(&existing) {
            fold(&shown)
        } else {
            shown.clone()
        };
        File { key, shown }
    }
}

/// The longest existing part of an absolute path, canonical, and the rest of it.
///
/// Walks down from the root, since `..` after a symlink means the parent of its target. Below the
/// first component that does not exist, `..` takes back what was written.
fn canonical(path: &Path) -> (PathBuf, PathBuf) {
    if let Ok(whole) = fs::canonicalize(path) {
        return (whole, PathBuf::new());
    }
    let mut existing = PathBuf::from("/");
    let mut rest = PathBuf::new();
    for component in path.components().take(COMPONENTS_MAX) {
        match component {
            Component::Normal(name) if rest.as_os_str().is_empty() => {
                match fs::canonicalize(existing.join(name)) {
                    Ok(deeper) => existing = deeper,
                    Err(_) => step_into_absent(&mut existing, &mut rest, name),
                }
            }
            Component::Normal(name) => rest.push(name),
            Component::ParentDir if !rest.pop() => {
                existing.pop();
            }
            _ => {}
        }
    }
    (existing, rest)
}

/// A dangling symlink stands for its target: whoever writes through it makes that file.
fn step_into_absent(existing: &mut PathBuf, rest: &mut PathBuf, name: &OsStr) {
    const LINKS_MAX: usize = 16;
    let mut name = name.to_owned();
    for _ in 0..LINKS_MAX {
        let Ok(target) = fs::read_link(existing.join(&name)) else {
            break;
        };
        let target = existing.join(target);
        let (Some(parent), Some(last)) = (target.parent(), target.file_name()) else {
            break;
        };
        let Ok(parent) = fs::canonicalize(parent) else {
            break;
        };
        last.clone_into(&mut name);
        *existing = parent;
    }
    rest.push(name);
}

/// True where `directory` lies on a file system that does not tell `a` from `A`: the name of the
/// nearest component with a letter, its case swapped, leads to the same place.
fn folds_case(directory: &Path) -> bool {
    for place in directory.ancestors() {
        let Some(swapped) = place.file_name().and_then(swap_case) else {
            continue;
        };
        let (Ok(one), Ok(other)) = (
            fs::symlink_metadata(place),
            fs::symlink_metadata(place.with_file_name(swapped)),
        ) else {
            return false;
        };
        return (one.dev(), one.ino()) == (other.dev(), other.ino());
    }
    false
}

fn swap_case(name: &OsStr) -> Option<OsString> {
    let mut bytes = name.as_bytes().to_vec();
    let letter = bytes.iter_mut().find(|b| b.is_ascii_alphabetic())?;
    *letter ^= 0x20;
    Some(OsString::from_vec(bytes))
}

/// Lower case. Bytes that are not text stay.
fn fold(path: &Path) -> PathBuf {
    match path.to_str() {
        Some(text) => PathBuf::from(text.to_lowercase()),
        None => PathBuf::from(path.as_os_str().to_ascii_lowercase()),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    struct Tree {
        _directory: tempfile::TempDir,
        top: PathBuf,
    }

    /// `top/src/a.rs`, `top/link -> src`.
    fn tree() -> Tree {
        let directory = tempfile::tempdir().expect("a directory");
        let top = directory.path().canonicalize().expect("canonical");
        fs::create_dir_all(top.join("src")).expect("a folder");
        fs::write(top.join("src/a.rs"), "").expect("a file");
        symlink("src", top.join("link")).expect("a symlink");
        Tree {
            _directory: directory,
            top,
        }
    }

    fn key(base: &Path, path: &str) -> PathBuf {
        Keys::default().resolve(base, Path::new(path)).key
    }

    #[test]
    fn every_way_to_write_an_existing_file_is_one_key() {
        let Tree { top, .. } = &tree();
        let expected = top.join("src/a.rs");
        for path in [
            "src/a.rs",
            "./src/a.rs",
            "src//a.rs",
            "src/./a.rs",
            "src/../src/a.rs",
            "link/a.rs",
            "link/../src/a.rs",
            "absent/../src/a.rs",
        ] {
            assert_eq!(key(top, path), expected, "{path}");
        }
        assert_eq!(key(&top.join("src"), "a.rs"), expected);
        assert!(
            key(&top.join("src"), "a.rs")
                .as_os_str()
                .as_bytes()
                .ends_with(b"a.rs"),
            "to the byte"
        );
        assert_eq!(key(&top.join("link"), "a.rs"), expected);
        assert_eq!(
            key(Path::new("/"), expected.to_str().expect("text")),
            expected
        );
    }

    #[test]
    fn a_file_that_does_not_exist_yet_keeps_its_key_when_it_does() {
        let Tree { top, .. } = &tree();
        let paths = [
            "new/deep/b.rs",
            "link/../new/./deep//b.rs",
            "new/x/../deep/b.rs",
        ];
        let before: Vec<_> = paths.iter().map(|path| key(top, path)).collect();
        fs::create_dir_all(top.join("new/deep")).expect("folders");
        fs::write(top.join("new/deep/b.rs"), "").expect("a file");
        for (before, path) in before.iter().zip(paths) {
            assert_eq!(before, &top.join("new/deep/b.rs"), "{path}");
        }
        assert_eq!(key(top, "link/new.rs"), top.join("src/new.rs"));
    }

    #[test]
    fn symlinks_to_nowhere_and_in_circles_have_keys_too() {
        let Tree { top, .. } = &tree();
        symlink("src/later.rs", top.join("dangling")).expect("a symlink");
        assert_eq!(key(top, "dangling"), top.join("src/later.rs"));
        symlink("round", top.join("round")).expect("a symlink");
        assert_eq!(key(top, "round/x"), top.join("round/x"));
    }

    #[test]
    fn nothing_leads_above_the_root() {
        assert_eq!(
            key(Path::new("/"), "../../../absent-here/x"),
            Path::new("/absent-here/x")
        );
        assert_eq!(key(Path::new("/"), ""), Path::new("/"));
        let many = "../".repeat(100_000);
        assert_eq!(key(Path::new("/tmp"), &many), Path::new("/"));
    }

    #[test]
    fn where_cases_are_not_told_apart_the_key_is_folded_and_the_shown_path_is_not() {
        let Tree { top, .. } = &tree();
        let folding = Keys::with(|_| true);
        let (one, two) = (
            folding.resolve(top, Path::new("New.RS")),
            folding.resolve(top, Path::new("nEW.rs")),
        );
        assert_eq!(one.key, two.key);
        assert_ne!(one.shown, two.shown);
        let exact = Keys::with(|_| false);
        let one = exact.resolve(top, Path::new("New.RS"));
        assert_ne!(one.key, exact.resolve(top, Path::new("nEW.rs")).key);
    }

    #[test]
    fn names_that_are_not_text_have_keys() {
        let Tree { top, .. } = &tree();
        let odd = PathBuf::from(OsString::from_vec(b"\xFFabc".to_vec()));
        assert_eq!(Keys::default().resolve(top, &odd).key, top.join(&odd));
        assert_eq!(
            Keys::with(|_| true)
                .resolve(Path::new("/"), Path::new("ÄB"))
                .key,
            Path::new("/äb")
        );
    }
}
