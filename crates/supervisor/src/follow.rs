//! Reading a run's output as it comes.

use std::{
    fs::File,
    io::{self, Read as _, Seek as _, SeekFrom},
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use crate::{directory, output::OUTPUT_FILE};

/// Most bytes that one reading gives.
const BYTES_MAX: u64 = 64 * 1024;

/// Reads `output.log` from where it was left, also when it has made way to a new one meanwhile.
/// What was written and thrown away between two readings is missing.
#[derive(Debug)]
pub struct Follower {
    path: PathBuf,
    file: Option<File>,
}

impl Follower {
    /// Follows the run in `directory` from the end of what it has said so far.
    ///
    /// # Errors
    ///
    /// What the file system says. A run that has said nothing yet can be followed.
    pub fn new(directory: &Path) -> io::Result<Self> {
        let path = directory.join(OUTPUT_FILE);
        let mut file = open(&path)?;
        if let Some(file) = &mut file {
            file.seek(SeekFrom::End(0))?;
        }
        Ok(Self { path, file })
    }

    /// What came since, at most 64 KiB; nothing where nothing came. The program's own bytes.
    ///
    /// # Errors
    ///
    /// What the file system says.
    pub fn read(&mut self) -> io::Result<Vec<u8>> {
        loop {
            let Some(file) = &mut self.file else {
                self.file = open(&self.path)?;
                if self.file.is_none() {
                    return Ok(Vec::new());
                }
                continue;
            };
            // Looked at before it is read: what is written until then is not missed.
            let moved = moved(file, &self.path)?;
            let mut bytes = Vec::new();
            file.take(BYTES_MAX).read_to_end(&mut bytes)?;
            if !bytes.is_empty() || !moved {
                return Ok(bytes);
            }
            self.file = None;
        }
    }
}

fn moved(file: &File, path: &Path) -> io::Result<bool> {
    let own = file.metadata()?;
    Ok(match path.metadata() {
        Ok(other) => (own.dev(), own.ino()) != (other.dev(), other.ino()),
        // Between the two: the new one comes with the next line.
        Err(error) if error.kind() == io::ErrorKind::NotFound => true,
        Err(error) => return Err(error),
    })
}

fn open(path: &Path) -> io::Result<Option<File>> {
    match directory::options().read(true).open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::Output;

    #[test]
    fn a_follower_misses_nothing_when_the_log_makes_way() {
        let directory = tempfile::tempdir().expect("a directory");
        let mut follower = Follower::new(directory.path()).expect("a follower");
        assert_eq!(follower.read().expect("nothing yet"), b"");
        let mut output = Output::open(directory.path(), 100);
        let mut heard = Vec::new();
        for number in 0..40 {
            output.keep(format!("line {number}\n").as_bytes(), true);
            loop {
                let bytes = follower.read().expect("bytes");
                if bytes.is_empty() {
                    break;
                }
                heard.extend(bytes);
            }
        }
        let said: String = (0..40).map(|number| format!("line {number}\n")).collect();
        assert_eq!(String::from_utf8(heard).expect("text"), said);
    }
}
