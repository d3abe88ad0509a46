//! An agent's output, as it grows.

use std::{
    fs::File,
    io::{self, Read},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

/// Most bytes that are read at once.
const READ_BYTES_MAX: u64 = 1 << 20;

/// A longer line is shown in pieces.
const LINE_BYTES_MAX: usize = 64 << 10;

/// The supervisor's file. When that is full, it gets another name, and a new one begins.
pub(super) struct Output {
    path: PathBuf,
    file: Option<File>,
    /// What has come of a line that has not ended.
    begun: Vec<u8>,
}

impl Output {
    pub(super) fn of(directory: &Path) -> Output {
        Output {
            path: directory.join(kite_supervisor::OUTPUT_FILE),
            file: None,
            begun: Vec::new(),
        }
    }

    /// The lines that have come since.
    pub(super) fn read(&mut self) -> io::Result<Vec<String>> {
        let mut lines = Vec::new();
        loop {
            if self.file.is_none() {
                self.file = match File::open(&self.path) {
                    Ok(file) => Some(file),
                    Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(lines),
                    Err(error) => return Err(error),
                };
            }
            let Some(file) = &mut self.file else {
                return Ok(lines);
            };
            // Looked at before it is read to its end: nothing is added to one that was replaced.
            let was_replaced = is_replaced(file, &self.path);
            let mut bytes = Vec::new();
            let read = file.by_ref().take(READ_BYTES_MAX).read_to_end(&mut bytes)?;
            self.split(&bytes, &mut lines);
            if read as u64 == READ_BYTES_MAX {
                return Ok(lines);
            }
            if !was_replaced {
                return Ok(lines);
            }
            self.file = None;
        }
    }

    /// What it ended with, where that was no whole line.
    pub(super) fn rest(&mut self) -> Option<String> {
        let rest = std::mem::take(&mut self.begun);
        (!rest.is_empty()).then(|| text(&rest))
    }

    fn split(&mut self, bytes: &[u8], lines: &mut Vec<String>) {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.begun.extend_from_slice(piece);
            if self.begun.last() == Some(&b'\n') || self.begun.len() >= LINE_BYTES_MAX {
                lines.push(text(&std::mem::take(&mut self.begun)));
            }
        }
    }
}

fn text(line: &[u8]) -> String {
    let text = String::from_utf8_lossy(line);
    text.trim_end_matches(['\n', '\r']).to_owned()
}

/// Whether another file has this name now.
fn is_replaced(file: &File, path: &Path) -> bool {
    match (file.metadata(), path.metadata()) {
        (Ok(open), Ok(named)) => (open.dev(), open.ino()) != (named.dev(), named.ino()),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, io::Write};

    use super::*;

    #[test]
    fn lines_are_followed_over_a_rotation() {
        let directory = tempfile::tempdir().expect("a directory");
        let log = directory.path().join(kite_supervisor::OUTPUT_FILE);
        let mut output = Output::of(directory.path());
        assert_eq!(output.read().expect("nothing yet"), [""; 0]);
        let mut file = File::create(&log).expect("a file");
        write!(file, "one\ntwo\r\nthr").expect("written");
        assert_eq!(output.read().expect("lines"), ["one", "two"]);
        writeln!(file, "ee").expect("written");
        fs::rename(&log, directory.path().join("output.log.1")).expect("renamed");
        fs::write(&log, "four\nfi").expect("a file");
        assert_eq!(output.read().expect("lines"), ["three", "four"]);
        assert_eq!(output.read().expect("lines"), [""; 0]);
        assert_eq!(output.rest().as_deref(), Some("fi"));
        assert_eq!(output.rest(), None);
    }

    #[test]
    fn a_line_without_an_end_is_shown_in_pieces() {
        let directory = tempfile::tempdir().expect("a directory");
        let log = directory.path().join(kite_supervisor::OUTPUT_FILE);
        fs::write(&log, vec![b'x'; 3 << 20]).expect("a file");
        let mut output = Output::of(directory.path());
        let mut shown = 0;
        for _ in 0..4 {
            shown += output
                .read()
                .expect("lines")
                .iter()
                .map(String::len)
                .sum::<usize>();
        }
        shown += output.rest().map_or(0, |rest| rest.len());
        assert_eq!(shown, 3 << 20);
    }
}
