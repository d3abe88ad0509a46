//! What a file holds, in sixteen bytes.

use std::{
    fs,
    io::{self, Read},
    path::Path,
    time::UNIX_EPOCH,
};

use xxhash_rust::xxh3::Xxh3;

/// Most content that is read, in bytes. Of a larger file only size and time of change count.
pub const CONTENT_BYTES_MAX: u64 = 32 << 20;
const CHUNK_BYTES: usize = 64 << 10;

/// The content of a file at one moment. Equal fingerprints: equal content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fingerprint {
    /// There is no such file.
    Absent,
    /// A hash of its bytes.
    Content(u128),
    /// Too large to read, or not a regular file: a hash of its size and time of change.
    Outside(u128),
}

impl Fingerprint {
    /// Reads `file`, following symlinks. Never opens what is not a regular file: a pipe would
    /// wait for ever.
    pub fn of(file: &Path) -> io::Result<Fingerprint> {
        let metadata = match fs::metadata(file) {
            Err(e)
                if matches!(
                    e.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
                ) =>
            {
                return Ok(Fingerprint::Absent);
            }
            other => other?,
        };
        if !metadata.is_file() || metadata.len() > CONTENT_BYTES_MAX {
            return Ok(Fingerprint::outside(&metadata));
        }
        let mut hash = Xxh3::new();
        let mut content = fs::File::open(file)?.take(CONTENT_BYTES_MAX + 1);
        let mut chunk = vec![0; CHUNK_BYTES];
        let mut total = 0;
        loop {
            match content.read(&mut chunk) {
                Ok(0) => return Ok(Fingerprint::Content(hash.digest128())),
                Ok(read) => {
                    hash.update(&chunk[..read]);
                    total += read as u64;
                }
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
            if total > CONTENT_BYTES_MAX {
                return Ok(Fingerprint::outside(&fs::metadata(file)?));
            }
        }
    }

    /// The fingerprint that a file with these bytes will have.
    #[must_use]
    pub fn of_content(content: &[u8]) -> Fingerprint {
        Fingerprint::Content(xxhash_rust::xxh3::xxh3_128(content))
    }

    fn outside(metadata: &fs::Metadata) -> Fingerprint {
        let changed = metadata
            .modified()
            .ok()
            .and_then(|at| at.duration_since(UNIX_EPOCH).ok());
        let mut hash = Xxh3::new();
        hash.update(&metadata.len().to_le_bytes());
        hash.update(&changed.unwrap_or_default().as_nanos().to_le_bytes());
        Fingerprint::Outside(hash.digest128())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_counts_and_not_the_time_of_writing() {
        let directory = tempfile::tempdir().expect("a directory");
        let (one, two) = (directory.path().join("one"), directory.path().join("two"));
        fs::write(&one, "same").expect("write");
        fs::write(&two, "same").expect("write");
        assert_eq!(
            Fingerprint::of(&one).ok(),
            Some(Fingerprint::of_content(b"same"))
        );
        assert_eq!(Fingerprint::of(&one).ok(), Fingerprint::of(&two).ok());
        fs::write(&two, "other").expect("write");
        assert_ne!(Fingerprint::of(&one).ok(), Fingerprint::of(&two).ok());
    }

    #[test]
    fn absent_and_odd_files_have_one_too() {
        let directory = tempfile::tempdir().expect("a directory");
        let absent = directory.path().join("absent");
        assert_eq!(Fingerprint::of(&absent).ok(), Some(Fingerprint::Absent));
        assert_eq!(
            Fingerprint::of(&absent.join("below")).ok(),
            Some(Fingerprint::Absent)
        );
        assert!(matches!(
            Fingerprint::of(directory.path()),
            Ok(Fingerprint::Outside(_))
        ));
    }

    #[test]
    fn a_huge_file_is_known_by_its_size_and_time() {
        let directory = tempfile::tempdir().expect("a directory");
        let huge = directory.path().join("huge");
        let file = fs::File::create(&huge).expect("create");
        file.set_len(CONTENT_BYTES_MAX + 1).expect("a sparse file");
        let before = Fingerprint::of(&huge).expect("a fingerprint");
        assert!(matches!(before, Fingerprint::Outside(_)));
        file.set_len(CONTENT_BYTES_MAX + 2).expect("a sparse file");
        assert_ne!(Fingerprint::of(&huge).expect("a fingerprint"), before);
    }
}
