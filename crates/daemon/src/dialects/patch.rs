//! Patches in the format of Codex's `apply_patch`, as far as they say which files they change.
//!
//! ```text
//! *** Begin Patch
//! *** Update File: src/a.rs
//! *** Move to: src/b.rs
//! @@ fn main()
//! -old
//! +new
//! *** Add File: src/c.rs
//! +text
//! *** Delete File: src/d.rs
//! *** End Patch
//! ```

use super::{FileEdit, text::joined};

/// Most files of one patch that are looked at.
const FILES_MAX: usize = 256;

/// The edits of a patch, sorted by path, one a file: who edits the same files at the same time
/// asks for them in the same order.
pub(super) fn edits(patch: &str) -> Vec<FileEdit> {
    let mut edits: Vec<(FileEdit, Vec<&str>)> = Vec::new();
    for line in patch.lines() {
        let begins = |edits: &mut Vec<(FileEdit, Vec<&str>)>, path: &str, whole: bool| {
            let (file, new) = (path.trim().to_owned(), String::new());
            if !file.is_empty() && edits.len() < FILES_MAX {
                edits.push((FileEdit { file, whole, new }, Vec::new()));
            }
        };
        if let Some(path) = line.strip_prefix("*** Update File: ") {
            begins(&mut edits, path, false);
        } else if let Some(path) = line.strip_prefix("*** Add File: ") {
            begins(&mut edits, path, true);
        } else if let Some(path) = line.strip_prefix("*** Delete File: ") {
            begins(&mut edits, path, true);
        } else if let Some(path) = line.strip_prefix("*** Move to: ") {
            begins(&mut edits, path, true);
        } else if let (Some(new), Some((_, lines))) = (line.strip_prefix('+'), edits.last_mut()) {
            lines.push(new);
        }
    }
    let mut edits: Vec<FileEdit> = edits
        .into_iter()
        .map(|(edit, lines)| FileEdit {
            new: joined(lines),
            ..edit
        })
        .collect();
    edits.sort_by(|a, b| (&a.file, b.whole).cmp(&(&b.file, a.whole)));
    edits.dedup_by(|later, first| later.file == first.file);
    edits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_a_patch_is_found_with_what_it_gets() {
        let patch = "*** Begin Patch\n*** Update File: src/b.rs\n*** Move to: src/a.rs\n@@ fn main()\n\
                     -old\n+new\n+er\n*** Add File: c.rs\n+text\n*** Delete File: d.rs\n*** End Patch\n";
        let found: Vec<(String, bool, String)> = edits(patch)
            .into_iter()
            .map(|edit| (edit.file, edit.whole, edit.new))
            .collect();
        let expected = [
            ("c.rs", true, "text"),
            ("d.rs", true, ""),
            ("src/a.rs", true, "new\ner"),
            ("src/b.rs", false, ""),
        ];
        let expected = expected.map(|(file, whole, new)| (file.to_owned(), whole, new.to_owned()));
        assert_eq!(found, expected);
    }

    #[test]
    fn what_is_no_patch_has_no_files() {
        for text in ["", "ls", "+++ b/src/a.rs\n+x", "*** Add File: \n+x"] {
            assert_eq!(edits(text), [], "{text}");
        }
    }

    #[test]
    fn a_file_that_stands_twice_is_one_edit_and_the_whole_one_counts() {
        let found = edits("*** Update File: a\n+x\n*** Delete File: a\n");
        assert_eq!(found.len(), 1);
        assert!(found[0].whole);
    }

    #[test]
    fn a_patch_without_end_is_read_within_a_limit() {
        let patch: String = (0..1_000)
            .map(|n| format!("*** Add File: {n}\n+x\n"))
            .collect();
        assert_eq!(edits(&patch).len(), FILES_MAX);
    }
}
