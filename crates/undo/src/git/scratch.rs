//! A repository of our own beside the user's, for objects that nobody is to keep.
//!
//! It borrows the objects of the repository and writes its own elsewhere, so nothing is left behind
//! there: no object, no ref. And it has none of the repository's settings: no filter, no merge
//! driver and no hook can be named in it, whatever its attributes say.

use std::{
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
};

use super::{Git, Oid, Version, config};
use crate::{
    error::Error,
    lock::{Lock, private_directory},
};

/// `-X ignore-cr-at-eol` is understood from this version on.
const STRATEGY_OPTIONS: Version = Version(2, 43);

/// How much git may say of a merge: about 100,000 paths.
const MERGE_BYTES_MAX: usize = 16 << 20;

/// The scratch repository of one repository. One process has it at a time, and it goes with this
/// value.
pub(crate) struct Scratch {
    pub(crate) git: Git,
    directory: PathBuf,
    _lock: Lock,
}

impl Scratch {
    /// Makes one beside the repository of `git`, in its common directory.
    pub(crate) fn beside(git: &Git) -> Result<Scratch, Error> {
        let kite = git.common_dir().join("kite");
        let lock = Lock::take(&kite.join("scratch.lock"))?;
        let directory = kite.join("scratch");
        // A process that was killed may have left one.
        remove(&directory)?;
        let (version, format) = match git.nothing.len() {
            64 => (1, "[extensions]\n\tobjectFormat = sha256\n"),
            _ => (0, ""),
        };
        let config =
            format!("[core]\n\trepositoryformatversion = {version}\n\tbare = true\n{format}");
        private_directory(&directory.join("refs"))?;
        private_directory(&directory.join("objects/info"))?;
        for (name, text) in [
            ("HEAD", "ref: refs/heads/nothing\n"),
            ("config", config.as_str()),
            // Relative to `objects`: no path has to be quoted.
            ("objects/info/alternates", "../../../objects\n"),
        ] {
            let file = directory.join(name);
            fs::write(&file, text).map_err(Error::io("write", &file))?;
        }
        let git = Git {
            top: directory.clone(),
            git_dir: directory.clone(),
            common_dir: directory.clone(),
            nothing: git.nothing,
            overrides: config::always(),
            environment: vec![
                ("GIT_DIR".into(), directory.clone().into()),
                ("GIT_CONFIG_NOSYSTEM".into(), "1".into()),
                ("GIT_CONFIG_GLOBAL".into(), "/dev/null".into()),
                ("GIT_ATTR_NOSYSTEM".into(), "1".into()),
            ],
            background: git.background,
        };
        Ok(Scratch {
            git,
            directory,
            _lock: lock,
        })
    }

    /// Whether both go back to one commit.
    pub(crate) fn are_related(&self, a: &Oid, b: &Oid) -> Result<bool, Error> {
        let ended = self
            .git
            .call("merge-base")
            .args([a.as_str(), b.as_str()])
            .codes(|code| code == 0 || code == 1)
            .end()?;
        Ok(ended.code == 0)
    }

    /// The paths in which a merge of two commits would be in conflict. The attributes of `a` say
    /// how a file is merged: as text, as binary, or as a union of lines.
    pub(crate) fn conflicts(
        &self,
        a: &Oid,
        b: &Oid,
        version: Version,
    ) -> Result<Vec<PathBuf>, Error> {
        let mut call = self
            .git
            .call("merge-tree")
            .with_env(&[("GIT_ATTR_SOURCE".into(), a.as_str().into())])
            .args(["--write-tree", "--name-only", "-z", "--no-messages"]);
        if version >= STRATEGY_OPTIONS {
            // Files are taken byte for byte: line ends that git would convert are no change.
            call = call.args(["-X", "ignore-cr-at-eol"]);
        }
        let ended = call
            .args([a.as_str(), b.as_str()])
            .output_max(MERGE_BYTES_MAX)
            .codes(|code| code == 0 || code == 1)
            .end()?;
        if ended.code == 0 {
            return Ok(Vec::new());
        }
        let mut records = ended.output.split(|byte| *byte == 0);
        let tree = records.next().and_then(Oid::parse);
        if tree.is_none() {
            return Err(Error::Unexpected {
                command: "merge-tree".to_owned(),
                why: "it names no tree".to_owned(),
            });
        }
        Ok(records
            .take_while(|record| !record.is_empty())
            .map(super::path)
            .collect())
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What stays is removed before the next one is made.
        let _ = remove(&self.directory);
    }
}

fn remove(directory: &Path) -> Result<(), Error> {
    match fs::remove_dir_all(directory) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(Error::io("remove", directory)(error))
        }
        _ => Ok(()),
    }
}
