//! Contents of git's objects, each and all of them within their limits.

use std::collections::HashMap;

use kite_undo::{Error, Git};

use super::{BYTES_MAX, Budget, Content, FILE_BYTES_MAX, raw::Object};

/// What `cat-file` says around each content, in bytes.
const AROUND_BYTES: usize = 256;

/// Contents by the names of their objects.
pub(super) struct Blobs(HashMap<String, Content>);

impl Blobs {
    /// Reads these objects: first how long they are, then those that are not too long.
    pub(super) fn read<'a>(
        git: &Git,
        objects: impl Iterator<Item = &'a Object>,
        budget: &mut Budget,
    ) -> Result<Blobs, Error> {
        let mut names: Vec<&str> = objects
            .filter_map(|object| match object {
                Object::Blob(name) | Object::Link(name) => Some(name.as_str()),
                _ => None,
            })
            .collect();
        names.sort_unstable();
        names.dedup();
        let mut contents = HashMap::new();
        if names.is_empty() {
            return Ok(Blobs(contents));
        }
        let sizes = git
            .call("cat-file")
            .args(["--batch-check"])
            .input(lines(&names))
            .run()?;
        let mut wanted = Vec::new();
        for (name, line) in names.iter().zip(String::from_utf8_lossy(&sizes).lines()) {
            let size = line.strip_prefix(&format!("{name} blob ")).map(str::parse);
            let refused = match size {
                Some(Ok(size)) => budget.refuses(size),
                _ => Some("its content is not here"),
            };
            match refused {
                Some(why) => {
                    contents.insert((*name).to_owned(), Content::LeftOut(why));
                }
                None => wanted.push(*name),
            }
        }
        let limit = BYTES_MAX as usize + wanted.len() * AROUND_BYTES;
        let said = git
            .call("cat-file")
            .args(["--batch"])
            .input(lines(&wanted))
            .output_max(limit)
            .run()?;
        fill(&mut contents, &said);
        Ok(Blobs(contents))
    }

    pub(super) fn content(&self, object: &Object) -> Content {
        let named = |name: &str| self.0.get(name).cloned();
        let missing = Content::LeftOut("its content is not here");
        match object {
            Object::Absent => Content::Absent,
            Object::Submodule(commit) => Content::Submodule(commit.clone()),
            Object::Blob(name) => named(name).unwrap_or(missing),
            Object::Link(name) => match named(name) {
                Some(Content::Text(target)) => Content::Link(target),
                _ => missing,
            },
            Object::OnDisk => missing,
        }
    }
}

/// Reads `NAME blob SIZE`, newline, content, newline, again and again.
fn fill(contents: &mut HashMap<String, Content>, mut said: &[u8]) {
    while let Some(end) = said.iter().position(|byte| *byte == b'\n') {
        let head = String::from_utf8_lossy(&said[..end]).into_owned();
        let mut words = head.split(' ');
        let (Some(name), Some("blob"), Some(Ok(size))) = (
            words.next(),
            words.next(),
            words.next().map(str::parse::<usize>),
        ) else {
            return;
        };
        let Some(content) = said.get(end + 1..end + 1 + size) else {
            return;
        };
        debug_assert!(size as u64 <= FILE_BYTES_MAX, "only those were asked for");
        contents.insert(name.to_owned(), Content::of(content.to_vec()));
        said = said.get(end + 2 + size..).unwrap_or_default();
    }
}

fn lines(names: &[&str]) -> Vec<u8> {
    names
        .iter()
        .flat_map(|name| format!("{name}\n").into_bytes())
        .collect()
}
