//! A path in JSON: text where it is text, else its bytes. Nothing is lost on the way.

use std::{
    ffi::OsStr,
    fmt,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A path that can be written down and read back.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PathText(PathBuf);

impl PathText {
    #[must_use]
    pub fn as_path(&self) -> &Path {
        &self.0
    }
}

impl From<&Path> for PathText {
    fn from(path: &Path) -> PathText {
        PathText(path.to_owned())
    }
}

impl From<PathText> for PathBuf {
    fn from(text: PathText) -> PathBuf {
        text.0
    }
}

impl fmt::Debug for PathText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Form {
    Text(String),
    Bytes(Vec<u8>),
}

impl Serialize for PathText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let form = match self.0.to_str() {
            Some(text) => Form::Text(text.to_owned()),
            None => Form::Bytes(self.0.as_os_str().as_bytes().to_vec()),
        };
        form.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for PathText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<PathText, D::Error> {
        Ok(PathText(match Form::deserialize(deserializer)? {
            Form::Text(text) => PathBuf::from(text),
            Form::Bytes(bytes) => PathBuf::from(OsStr::from_bytes(&bytes)),
        }))
    }
}
