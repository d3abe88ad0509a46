//! `--raw -z`: which paths differ, and which objects they were and are.

use std::{
    ffi::OsStr,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

/// One path that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pair {
    pub(super) before: Object,
    pub(super) after: Object,
    pub(super) path: PathBuf,
    /// Its path before, where it was renamed.
    pub(super) was: Option<PathBuf>,
}

/// What a path was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Object {
    Absent,
    Blob(String),
    Link(String),
    Submodule(String),
    /// What is in the working copy; git has no name for it yet.
    OnDisk,
}

/// Reads what git said. What is not understood ends it: git only says that in a form that
/// does not exist yet.
pub(super) fn parse(said: &[u8]) -> Vec<Pair> {
    let mut fields = said.split(|byte| *byte == 0);
    let mut pairs = Vec::new();
    while let Some(pair) = next(&mut fields) {
        pairs.push(pair);
    }
    pairs
}

fn next<'a>(fields: &mut impl Iterator<Item = &'a [u8]>) -> Option<Pair> {
    let head = std::str::from_utf8(fields.next()?)
        .ok()?
        .strip_prefix(':')?;
    let mut words = head.split(' ');
    let (mode_before, mode_after) = (words.next()?, words.next()?);
    let (before, after) = (words.next()?, words.next()?);
    let status = words.next()?;
    let first = path(fields.next()?);
    let (path, was) = if status.starts_with(['R', 'C']) {
        (self::path(fields.next()?), Some(first))
    } else {
        (first, None)
    };
    Some(Pair {
        before: object(mode_before, before),
        after: object(mode_after, after),
        path,
        was,
    })
}

fn object(mode: &str, name: &str) -> Object {
    let is_named = name.bytes().any(|byte| byte != b'0');
    match mode {
        "000000" => Object::Absent,
        "160000" if is_named => Object::Submodule(name.to_owned()),
        _ if !is_named => Object::OnDisk,
        "120000" => Object::Link(name.to_owned()),
        _ => Object::Blob(name.to_owned()),
    }
}

fn path(bytes: &[u8]) -> PathBuf {
    Path::new(OsStr::from_bytes(bytes)).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn renames_links_and_submodules_are_told_apart() {
        let zero = "0".repeat(40);
        let (one, two) = ("1".repeat(40), "2".repeat(40));
        let said = format!(
            ":100644 100644 {one} {zero} M\0a\nb.rs\0:100644 100644 {one} {two} R091\0old\0new\0\
             :000000 120000 {zero} {one} A\0link\0:160000 160000 {one} {two} M\0sub\0\
             :100644 000000 {one} {zero} D\0gone\0"
        );
        let pairs = parse(said.as_bytes());
        assert_eq!(pairs.len(), 5);
        assert_eq!(
            (&pairs[0].after, pairs[0].path.as_path()),
            (&Object::OnDisk, Path::new("a\nb.rs"))
        );
        assert_eq!(pairs[1].was.as_deref(), Some(Path::new("old")));
        assert_eq!(pairs[2].after, Object::Link(one.clone()));
        assert_eq!(pairs[3].before, Object::Submodule(one));
        assert_eq!(pairs[4].after, Object::Absent);
        assert!(parse(b"nonsense\0").is_empty());
    }
}
