//! What a run says: kept bounded, the newest of it.
//!
//! Both outputs go to `output.log` as they come. What the program says on its standard output alone
//! is kept a second time, since programs end with their result there, and a torrent of complaints
//! must not wash that away.

use std::{
    fs::{self, File},
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
};

use crate::directory;

/// Both outputs, in the order they came. When it has half of the run's limit, it becomes
/// `output.log.1`.
pub const OUTPUT_FILE: &str = "output.log";
pub(crate) const OLDER_FILE: &str = "output.log.1";
const STDOUT_FILE: &str = "stdout.log";
/// Most bytes that are kept of standard output alone; half of it certainly is.
pub const STDOUT_BYTES_MAX: u64 = 4 * 1024 * 1024;
/// Most bytes that are read for [`tail`].
pub const TAIL_BYTES_MAX: u64 = 256 * 1024;

/// The last `lines` lines of both outputs, at most [`TAIL_BYTES_MAX`]. Whatever the program wrote:
/// escape it before it is shown. What is not UTF-8 is replaced.
///
/// # Errors
///
/// What the file system says. A run that has said nothing has an empty tail.
pub fn tail(directory: &Path, lines: usize) -> io::Result<String> {
    let bytes = last(directory, OUTPUT_FILE, TAIL_BYTES_MAX)?;
    let text = String::from_utf8_lossy(&bytes);
    let kept: Vec<&str> = text.lines().collect();
    Ok(kept[kept.len().saturating_sub(lines)..].join("\n"))
}

/// The last bytes of standard output: the last half of [`STDOUT_BYTES_MAX`] at least.
///
/// # Errors
///
/// What the file system says.
pub fn stdout(directory: &Path) -> io::Result<Vec<u8>> {
    last(directory, STDOUT_FILE, STDOUT_BYTES_MAX)
}

/// The next run in the directory has a standard output of its own.
pub(crate) fn forget_stdout(directory: &Path) -> io::Result<()> {
    directory::remove(directory, STDOUT_FILE)?;
    directory::remove(directory, &older(STDOUT_FILE))
}

fn older(name: &str) -> String {
    format!("{name}.1")
}

fn last(directory: &Path, name: &str, bytes_max: u64) -> io::Result<Vec<u8>> {
    // Opened first: where it becomes the older one meanwhile, its content comes twice at worst.
    let newer = read_end(&directory.join(name), bytes_max)?;
    let missing = bytes_max.saturating_sub(newer.len() as u64);
    let mut both = read_end(&directory.join(older(name)), missing)?;
    both.extend(newer);
    Ok(both)
}

fn read_end(path: &Path, bytes_max: u64) -> io::Result<Vec<u8>> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let start = file.metadata()?.len().saturating_sub(bytes_max);
    file.seek(SeekFrom::Start(start))?;
    let mut bytes = Vec::new();
    file.take(bytes_max).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Where the supervisor puts what it reads.
pub(crate) struct Output {
    both: Rotated,
    stdout: Rotated,
    /// What the program wrote.
    pub(crate) bytes: u64,
    /// What of it is not in the log, because it could not be written.
    pub(crate) bytes_lost: u64,
}

impl Output {
    pub(crate) fn open(directory: &Path, bytes_max: u64) -> Self {
        Self {
            both: Rotated::new(directory, OUTPUT_FILE, bytes_max / 2),
            stdout: Rotated::new(directory, STDOUT_FILE, STDOUT_BYTES_MAX / 2),
            bytes: 0,
            bytes_lost: 0,
        }
    }

    /// Keeps what was read. Never fails: what cannot be kept is counted.
    pub(crate) fn keep(&mut self, bytes: &[u8], is_stdout: bool) {
        let length = bytes.len() as u64;
        self.bytes += length;
        if self.both.append(bytes).is_err() {
            self.bytes_lost += length;
        }
        if is_stdout {
            // The log has it too, and counts.
            let _ = self.stdout.append(bytes);
        }
    }
}

/// A file that makes way to a new one when it is full, and is kept until the next is.
struct Rotated {
    path: PathBuf,
    older: PathBuf,
    file: Option<File>,
    length: u64,
    length_max: u64,
}

impl Rotated {
    fn new(directory: &Path, name: &str, length_max: u64) -> Self {
        Self {
            path: directory.join(name),
            older: directory.join(older(name)),
            file: None,
            length: 0,
            length_max,
        }
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.length + bytes.len() as u64 > self.length_max && self.length > 0 {
            self.file = None;
            fs::rename(&self.path, &self.older)?;
        }
        let file = match &mut self.file {
            Some(file) => file,
            missing => {
                let mut options = directory::options();
                let file = options.create(true).append(true).open(&self.path)?;
                self.length = file.metadata()?.len();
                missing.insert(file)
            }
        };
        let before = self.length;
        let outcome = file.write_all(bytes);
        self.length = match &outcome {
            Ok(()) => before + bytes.len() as u64,
            // Part of it may have been written.
            Err(_) => file.metadata().map_or(before, |metadata| metadata.len()),
        };
        outcome
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_output_is_kept_and_no_more_than_the_limit() {
        let directory = tempfile::tempdir().expect("a directory");
        let mut output = Output::open(directory.path(), 1000);
        for number in 0..1000 {
            output.keep(format!("line {number}\n").as_bytes(), false);
        }
        let kept: u64 = fs::read_dir(directory.path())
            .expect("files")
            .map(|file| file.and_then(|file| file.metadata()).expect("a file").len())
            .sum();
        assert!((500..=1000).contains(&kept), "{kept}");
        let tail = tail(directory.path(), 3).expect("a tail");
        assert_eq!(tail, "line 997\nline 998\nline 999");
        assert_eq!((output.bytes, output.bytes_lost), (8890, 0));
    }

    #[test]
    fn a_result_survives_a_torrent_of_complaints() {
        let directory = tempfile::tempdir().expect("a directory");
        let mut output = Output::open(directory.path(), 1000);
        output.keep(b"{\"result\": \"done\"}\n", true);
        for _ in 0..1000 {
            output.keep(b"warning: deprecated\n", false);
        }
        let stdout = stdout(directory.path()).expect("stdout");
        assert_eq!(stdout, b"{\"result\": \"done\"}\n");
        let log = tail(directory.path(), usize::MAX).expect("a tail");
        assert!(!log.contains("result"), "the log has moved on");
    }

    #[test]
    fn a_run_that_said_nothing_has_an_empty_tail() {
        let directory = tempfile::tempdir().expect("a directory");
        assert_eq!(tail(directory.path(), 50).expect("a tail"), "");
    }
}
