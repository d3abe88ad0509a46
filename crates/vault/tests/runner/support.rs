//! A folder of notes, an index over it, and questions to both.

use std::{
    fs,
    path::{Path, PathBuf},
};

use kite_vault::{Answer, Index, Query, Reach, Scan, Scope, Searcher, Vault};
use tempfile::TempDir;

/// The wall clock of every test, in milliseconds: later than every note.
pub(crate) const NOW_MS: i64 = 4_000_000_000_000;

/// A person's vault with an index beside it.
pub(crate) struct Notes {
    pub(crate) directory: TempDir,
    pub(crate) index: Index,
    pub(crate) searcher: Searcher,
}

impl Notes {
    pub(crate) fn new() -> Notes {
        Notes::of(|home| vec![Vault::chosen(home.join("vault"), Scope::Person)])
    }

    pub(crate) fn of(vaults: impl FnOnce(&Path) -> Vec<Vault>) -> Notes {
        let directory = tempfile::tempdir().expect("a directory");
        fs::create_dir(directory.path().join("vault")).expect("a vault");
        let vaults = vaults(directory.path());
        let index = Index::open(directory.path().join("vault.db"), vaults).expect("an index");
        let searcher = index.searcher().expect("a searcher");
        Notes {
            directory,
            index,
            searcher,
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join("vault").join(name)
    }

    pub(crate) fn put(&self, name: &str, text: impl AsRef<[u8]>) -> &Notes {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("folders");
        fs::write(path, text).expect("a note");
        self
    }

    pub(crate) fn rescan(&mut self) -> Scan {
        self.index.rescan().expect("a scan")
    }

    /// The notes that answer, by their paths, after a look at the folder.
    pub(crate) fn found(&mut self, text: &str) -> Vec<String> {
        self.rescan();
        self.names(text)
    }

    /// As [`Notes::found`], by what the index knows.
    pub(crate) fn names(&mut self, text: &str) -> Vec<String> {
        let answers = self.answers(text);
        answers
            .iter()
            .map(|it| it.in_vault.display().to_string())
            .collect()
    }

    pub(crate) fn answers(&mut self, text: &str) -> Vec<Answer> {
        self.ask(text, &[], &Reach::everything())
    }

    pub(crate) fn ask(&mut self, text: &str, tags: &[&str], reach: &Reach) -> Vec<Answer> {
        let query = Query {
            text: text.to_owned(),
            tags: tags.iter().map(|it| (*it).to_owned()).collect(),
            limit: 10,
        };
        self.searcher
            .search(&query, reach, NOW_MS)
            .expect("answers")
    }

    pub(crate) fn skipped(&mut self) -> Vec<(String, String)> {
        let skipped = self.searcher.skipped().expect("a list");
        let top = self.path("");
        let name = |path: &Path| {
            path.strip_prefix(&top)
                .expect("inside")
                .display()
                .to_string()
        };
        skipped
            .into_iter()
            .map(|it| (name(&it.path), it.why))
            .collect()
    }
}
