//! The secret that lets a client in: `$KITE_HOME/http-token`, for its owner alone to read.

use std::{
    fs::{self, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use kite_wire::home::Home;
use rustix::process::geteuid;
use sha2::{Digest, Sha256};

use super::{error::HttpError, handles::hex};

const RANDOM_BYTES: usize = 32;
const DIGITS: usize = 2 * RANDOM_BYTES;
const MODE: u32 = 0o600;
/// Bytes read of the file.
const FILE_BYTES_MAX: u64 = 1 << 10;
/// How often another `kite serve` may be faster. A link to nowhere is always there and never found.
const ATTEMPTS: usize = 8;

/// The token of a home. Neither its text nor anything it could be guessed from is ever shown.
pub(super) struct Token {
    text: String,
    digest: [u8; 32],
}

/// Where the token of a home is kept.
pub(super) fn path(home: &Home) -> PathBuf {
    home.path().join("http-token")
}

impl Token {
    /// Reads the token, or makes one where there is none.
    ///
    /// # Errors
    /// Where the file can be read by others, belongs to somebody else, holds something else, or
    /// cannot be written.
    pub(super) fn of(home: &Home) -> Result<Token, HttpError> {
        let path = path(home);
        for _ in 0..ATTEMPTS {
            match read(&path) {
                Ok(found) => return found,
                Err(cause) if cause.kind() == io::ErrorKind::NotFound => {}
                Err(cause) => return Err(HttpError::file("read", &path, &cause)),
            }
            match make(home, &path) {
                // Another `kite serve` was faster.
                Err(cause) if cause.kind() == io::ErrorKind::AlreadyExists => {}
                Err(cause) => return Err(HttpError::file("write", &path, &cause)),
                Ok(text) => return Ok(Token::new(text)),
            }
        }
        let what = format!("cannot make the token {}", path.display());
        Err(HttpError::new(what)
            .because("something stands there that cannot be read")
            .hinted(format!("remove {}", path.display())))
    }

    fn new(text: String) -> Token {
        let digest = Sha256::digest(&text).into();
        Token { text, digest }
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Takes as long for any text of the same length, whatever it has in common with the token.
    pub(super) fn is(&self, text: &str) -> bool {
        let given: [u8; 32] = Sha256::digest(text).into();
        let differ = given
            .iter()
            .zip(&self.digest)
            .fold(0, |differ, (a, b)| differ | (a ^ b));
        std::hint::black_box(differ) == 0
    }
}

/// The outer result is that of the file, the inner one that of what is in it.
fn read(path: &Path) -> io::Result<Result<Token, HttpError>> {
    let file = OpenOptions::new()
        .read(true)
        // A FIFO in its place must not be waited for.
        .custom_flags(rustix::fs::OFlags::NONBLOCK.bits().cast_signed())
        .open(path)?;
    let metadata = file.metadata()?;
    let remove = format!(
        "remove {}; the next start makes another, and clients then need `kite init --http` again",
        path.display()
    );
    let refused = |why: &str| {
        let error = HttpError::new(format!("the token in {} cannot be used", path.display()));
        Ok(Err(error.because(why).hinted(remove.clone())))
    };
    if !metadata.is_file() {
        return refused("it is no file");
    }
    if metadata.mode() & 0o077 != 0 {
        return refused("others can read it, and may have done so");
    }
    if metadata.uid() != geteuid().as_raw() {
        return refused("it belongs to somebody else");
    }
    let mut text = String::new();
    file.take(FILE_BYTES_MAX).read_to_string(&mut text)?;
    let text = text.trim_end();
    if text.len() != DIGITS || !text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return refused("it is no token of Kite's");
    }
    Ok(Ok(Token::new(text.to_owned())))
}

/// Writes a new token under another name first, so that nobody reads half of one.
fn make(home: &Home, path: &Path) -> io::Result<String> {
    let mut random = [0; RANDOM_BYTES];
    getrandom::fill(&mut random).map_err(io::Error::other)?;
    let text = hex(&random);
    let draft = home
        .path()
        .join(format!(".http-token-{}", std::process::id()));
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(MODE)
        .open(&draft)?;
    let written = writeln!(file, "{text}").and_then(|()| file.sync_all());
    let linked = written.and_then(|()| fs::hard_link(&draft, path));
    // The draft holds the same secret; where it cannot be removed it is as private as the file.
    let _ = fs::remove_file(&draft);
    linked.map(|()| text)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn it_is_made_once_and_for_its_owner_alone() {
        let directory = tempfile::tempdir().expect("a directory");
        let home = Home::at(directory.path());
        let token = Token::of(&home).expect("a token");
        assert_eq!(token.text().len(), DIGITS);
        let mode = fs::metadata(path(&home)).expect("a file").mode();
        assert_eq!(mode & 0o777, MODE);
        assert_eq!(Token::of(&home).expect("the token").text(), token.text());
        let files = fs::read_dir(directory.path()).expect("a directory").count();
        assert_eq!(files, 1, "no draft stays");
    }

    #[test]
    fn one_that_others_can_read_is_not_used() {
        let directory = tempfile::tempdir().expect("a directory");
        let home = Home::at(directory.path());
        Token::of(&home).expect("a token");
        let open = fs::Permissions::from_mode(0o644);
        fs::set_permissions(path(&home), open).expect("ours");
        let error = Token::of(&home).err().expect("refused");
        assert!(error.to_string().contains("others can read it"), "{error}");
    }

    #[test]
    fn what_is_no_token_is_refused() {
        let directory = tempfile::tempdir().expect("a directory");
        let home = Home::at(directory.path());
        for text in ["", "secret", &"z".repeat(DIGITS)] {
            let mut file = OpenOptions::new();
            file.write(true).create(true).truncate(true).mode(MODE);
            let mut file = file.open(path(&home)).expect("a file");
            file.write_all(text.as_bytes()).expect("room");
            assert!(Token::of(&home).is_err(), "{text}");
        }
    }

    #[test]
    fn a_link_to_nowhere_is_refused() {
        let directory = tempfile::tempdir().expect("a directory");
        let home = Home::at(directory.path());
        std::os::unix::fs::symlink("/nonexistent/token", path(&home)).expect("room");
        let error = Token::of(&home).err().expect("refused");
        assert!(error.to_string().contains("http-token"), "{error}");
    }

    #[test]
    fn only_the_whole_token_is_the_token() {
        let token = Token::new("a".repeat(DIGITS));
        assert!(token.is(&"a".repeat(DIGITS)));
        for wrong in ["", "a", &"a".repeat(DIGITS + 1), &"b".repeat(DIGITS)] {
            assert!(!token.is(wrong), "{wrong}");
        }
    }
}
