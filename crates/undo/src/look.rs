//! What the files of a working copy were when they were last looked at, and what changed since.
//!
//! A shell command says nothing of what it will change, so the state before it must be known
//! already: of what is committed git has it, all else is read and kept while nobody waits.
//! Looking again compares times and sizes of what is known with what is there, and asks git what
//! else is not committed. Ignored files are never looked at. Outside git only those files are
//! known that somebody reported ([`Known::learn`]).
//!
//! **Architecture Invariant:** knows files, versions and times; not who changed anything, nor why.

mod eyes;
mod heads;
mod stamp;
#[cfg(test)]
mod tests;

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet, HashMap},
    path::{Path, PathBuf},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use self::{eyes::Eyes, heads::Heads, stamp::Stamp};
use crate::{
    error::Error,
    git::{DirtyState, Mode, Oid, Side},
    history::{History, Settings},
    journal::Version,
    place::Shape,
};

/// Files known of one working copy. Committed ones make room for others; beyond that, what is
/// found new is passed over.
const FILES_MAX: usize = 20_000;

/// A fingerprint of a content, as the caller makes them.
pub type Print = u128;

/// What is known of one working copy's files.
#[derive(Debug, Default)]
pub struct Known {
    /// Whether git was ever asked: before that, nothing is known of a file that is not in `files`.
    asked: bool,
    /// The commit that was checked out at the last look.
    head: Option<Oid>,
    /// How long the log of `HEAD` was then.
    log_bytes: u64,
    looked_ns: u64,
    files: BTreeMap<PathBuf, Sight>,
}

/// One file as it was when it was looked at.
#[derive(Clone, Debug)]
pub struct Sight {
    was: Was,
    print: Option<Print>,
    /// `None`: the times say nothing, it must be read again.
    stamp: Option<Stamp>,
    dirty: bool,
}

/// What a file was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Was {
    Version(Version),
    /// As in this commit; `None` before the first one.
    Committed(Option<Oid>),
}

/// A file that is not what it was.
#[derive(Clone, Debug)]
pub struct Changed {
    /// Relative to the working copy's top.
    pub path: PathBuf,
    pub was: Was,
    /// Whether it held work that was not committed.
    pub was_dirty: bool,
    pub now: Version,
    /// The caller's fingerprint of what it holds; `None` where it is gone, no file, or too large.
    pub print: Option<Print>,
    /// When it changed, in nanoseconds since 1970. Of a file that is gone, its directory's last
    /// change; `None` where no time says anything.
    pub at_ns: Option<u64>,
    /// Not before this: of a file that is gone only the last look is certain.
    pub from_ns: u64,
    sight: Sight,
}

/// What a look found.
#[derive(Debug, Default)]
pub struct Look {
    pub changed: Vec<Changed>,
    /// Files looked at, of those files read.
    pub files: usize,
    pub read: usize,
    pub took: Duration,
    /// When the look before this one was; 0 for the first.
    since_ns: u64,
    /// How `HEAD` moved since the last look.
    heads: Heads,
}

impl Known {
    /// Takes note of a file that somebody has just looked at. `dirty`: it is not committed.
    pub fn learn(&mut self, path: PathBuf, sight: Sight) {
        self.files.insert(path, sight);
        self.make_room();
    }

    /// A file is said to hold this now: where its content is not the known one, that it changed
    /// is news to nobody.
    pub fn expect(&mut self, path: &Path, print: Option<Print>) {
        if let Some(sight) = self.files.get_mut(path)
            && sight.print != print
        {
            sight.stamp = None;
            sight.print = print;
        }
    }

    /// How many files are known.
    #[must_use]
    pub fn len(&self) -> usize {
        self.files.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Finds what changed since the last look, and keeps what it holds now. What is found is not
    /// known yet: the caller says of each whether it is to be ([`Known::accept`]) or is to be
    /// found again ([`Known::defer`]).
    ///
    /// # Errors
    /// Where git, a file or the store fails. What was known stays known.
    pub fn look(&mut self, history: &History, print: fn(&[u8]) -> Print) -> Result<Look, Error> {
        let (began, began_ns) = (Instant::now(), now_ns());
        let mut look = Look {
            since_ns: self.looked_ns,
            ..Look::default()
        };
        let mut dirty = BTreeSet::new();
        if let Some(git) = &history.git {
            let status = git.status()?;
            let (before, now) = (self.head.as_ref(), status.head.as_ref());
            let (heads, log_bytes) = Heads::since(git.git_dir(), self.log_bytes, before, now);
            self.log_bytes = log_bytes;
            if self.asked {
                look.heads = heads;
            }
            dirty.extend(status.files.into_iter().filter_map(|file| {
                let submodule = matches!(
                    file.state,
                    DirtyState::Tracked {
                        submodule: true,
                        ..
                    }
                );
                let nested = file.path.as_os_str().as_encoded_bytes().ends_with(b"/");
                (!submodule && !nested).then_some(file.path)
            }));
            let mut eyes = Eyes::open(history, print, began_ns)?;
            self.compare(&mut eyes, &dirty, true, &mut look)?;
            self.asked = true;
            self.head = status.head;
        } else {
            let mut eyes = Eyes::open(history, print, began_ns)?;
            self.compare(&mut eyes, &dirty, false, &mut look)?;
        }
        self.looked_ns = began_ns;
        self.make_room();
        look.took = began.elapsed();
        Ok(look)
    }

    fn compare(
        &mut self,
        eyes: &mut Eyes<'_>,
        dirty: &BTreeSet<PathBuf>,
        in_git: bool,
        look: &mut Look,
    ) -> Result<(), Error> {
        let fresh = dirty.iter().filter(|path| !self.files.contains_key(*path));
        let fresh: Vec<PathBuf> = fresh.take(FILES_MAX).cloned().collect();
        look.files = self.files.len() + fresh.len();
        for (path, known) in &mut self.files {
            let was_dirty = std::mem::replace(&mut known.dirty, !in_git || dirty.contains(path));
            let stamp = Stamp::of(&eyes.top.join(path));
            if known.stamp == Some(stamp) {
                continue;
            }
            let sight = eyes.sight(path, stamp, known.dirty)?;
            let same = Was::Version(Version::Unknown) != sight.was && known.was == sight.was;
            if same || known.expects(&sight) {
                *known = sight;
                continue;
            }
            let was = known.was.clone();
            let appeared = was == Was::Version(Version::Absent);
            let at_ns = eyes.when(path, stamp, appeared.then_some(self.looked_ns));
            let at = (at_ns, self.looked_ns);
            look.changed
                .push(Changed::of(path, was, was_dirty, at, sight));
        }
        for path in fresh {
            let stamp = Stamp::of(&eyes.top.join(&path));
            let sight = eyes.sight(&path, stamp, true)?;
            let was = match self.asked {
                true => Was::Committed(self.head.clone()),
                false => Was::Version(Version::Unknown),
            };
            let at_ns = eyes.when(&path, stamp, Some(self.looked_ns));
            let at = (at_ns, self.looked_ns);
            look.changed.push(Changed::of(&path, was, false, at, sight));
        }
        look.read = eyes.read;
        Ok(())
    }

    /// From now on the file is known as it was found.
    pub fn accept(&mut self, changed: &Changed) {
        self.files
            .insert(changed.path.clone(), changed.sight.clone());
    }

    /// The change will be found again, with what the file was before it.
    pub fn defer(&mut self, changed: &Changed) {
        let sight = self.files.entry(changed.path.clone()).or_insert(Sight {
            was: changed.was.clone(),
            print: None,
            stamp: None,
            dirty: changed.was_dirty,
        });
        sight.dirty = changed.was_dirty;
        sight.stamp = None;
        if sight.print == changed.print {
            // Else the next look would take it for what was expected.
            sight.print = None;
        }
    }

    /// What is committed can be had from git again.
    fn make_room(&mut self) {
        if self.files.len() > FILES_MAX {
            self.files.retain(|_, sight| sight.dirty);
        }
        while self.files.len() > FILES_MAX {
            self.files.pop_last();
        }
    }
}

impl Look {
    /// Whether a file's content is surely another one than at the look before: git may also call
    /// something uncommitted that nobody wrote, after `git reset`.
    #[must_use]
    pub fn is_new(&self, changed: &Changed) -> bool {
        changed.was != Was::Version(Version::Unknown)
            && changed.at_ns.is_some_and(|at| at > self.since_ns)
    }

    /// The commits that were checked out between the last look and that time, if `HEAD` moved.
    /// What is in one of them was committed, whatever the last look called it.
    #[must_use]
    pub fn commits_until(&self, at_ns: u64) -> Vec<Oid> {
        let mut commits: Vec<Oid> = self.heads.until(at_ns).cloned().collect();
        commits.sort_unstable();
        commits.dedup();
        commits
    }

    /// What a file was before something that began at that time: where another commit was checked
    /// out before it, that commit counts.
    #[must_use]
    pub fn was_at(&self, changed: &Changed, begin_ns: u64) -> Was {
        match (&changed.was, self.heads.at(begin_ns)) {
            (Was::Committed(_), Some(head)) => Was::Committed(head.clone()),
            (was, _) => was.clone(),
        }
    }
}

impl Changed {
    fn of(
        path: &Path,
        was: Was,
        was_dirty: bool,
        (at_ns, looked_ns): (Option<u64>, u64),
        sight: Sight,
    ) -> Changed {
        let now = match &sight.was {
            Was::Version(version) => version.clone(),
            Was::Committed(_) => Version::Unknown,
        };
        Changed {
            path: path.to_owned(),
            was,
            was_dirty,
            print: sight.print,
            at_ns,
            from_ns: match &now {
                Version::Absent => looked_ns,
                _ => at_ns.unwrap_or(looked_ns),
            },
            now,
            sight,
        }
    }

    /// Whether it is not committed as it is now.
    #[must_use]
    pub fn is_dirty(&self) -> bool {
        self.sight.dirty
    }
}

impl Sight {
    /// Whether that is what somebody said it would hold.
    fn expects(&self, found: &Sight) -> bool {
        let shape = |sight: &Sight| match sight.was {
            Was::Version(Version::File { shape, .. }) => Some(shape),
            _ => None,
        };
        let same_shape = shape(self).is_none() || shape(self) == shape(found);
        self.stamp.is_none() && same_shape && found.print.is_some() && self.print == found.print
    }

    /// The caller's fingerprint of the content.
    #[must_use]
    pub fn print(&self) -> Option<Print> {
        self.print
    }

    #[must_use]
    pub fn version(&self) -> Version {
        match &self.was {
            Was::Version(version) => version.clone(),
            Was::Committed(_) => Version::Unknown,
        }
    }
}

impl History {
    /// The history of the working copy whose top is `top`, for looking and recording: that of
    /// `identity` where there is no git.
    ///
    /// # Errors
    /// In a bare repository, or where git fails.
    pub fn of_copy(
        home: &Path,
        top: &Path,
        identity: Option<&Path>,
        settings: Settings,
    ) -> Result<History, Error> {
        let history = History::open(home, top, settings.clone())?;
        Ok(match (identity, &history.git) {
            (Some(identity), None) => History::recorder(home, top, identity, settings),
            _ => history,
        })
    }

    /// Looks at one file, and keeps what it holds. It counts as not committed.
    ///
    /// # Errors
    /// Where the path is not in this history, or the file or the store fails.
    pub fn sight(&self, path: &Path, print: fn(&[u8]) -> Print) -> Result<Sight, Error> {
        let path = self.relative(path)?;
        let mut eyes = Eyes::open(self, print, now_ns())?;
        let stamp = Stamp::of(&self.top.join(&path));
        eyes.sight(&path, stamp, true)
    }

    /// The versions of files as they were, their contents kept: of what was committed, git is
    /// asked. A content that cannot be had is [`Version::Unknown`].
    ///
    /// # Errors
    /// Where git or the store fails.
    pub fn versions(&self, files: &[(PathBuf, Was)]) -> Result<Vec<Version>, Error> {
        let mut commits: HashMap<&Oid, Vec<PathBuf>> = HashMap::new();
        for (path, was) in files {
            if let Was::Committed(Some(commit)) = was {
                commits.entry(commit).or_default().push(path.clone());
            }
        }
        let mut sides: HashMap<(&Oid, PathBuf), Side> = HashMap::new();
        let mut blobs = HashMap::new();
        if let Some(git) = &self.git {
            for (commit, paths) in commits {
                let entries = git.entries(commit, &paths)?;
                sides.extend(
                    entries
                        .into_iter()
                        .map(|(path, side)| ((commit, path), side)),
                );
            }
            let oids: Vec<Oid> = sides.values().map(|side| side.oid.clone()).collect();
            blobs = match git.blobs(&oids) {
                // Too much for once: one by one, when they are needed.
                Err(Error::TooMuch { .. }) => HashMap::new(),
                blobs => blobs?,
            };
        }
        files
            .iter()
            .map(|(path, was)| match was {
                Was::Version(version) => Ok(version.clone()),
                Was::Committed(None) => Ok(Version::Absent),
                Was::Committed(Some(commit)) => match sides.get(&(commit, path.clone())) {
                    None => Ok(Version::Absent),
                    Some(side) => match (shape(side.mode), self.committed(&blobs, &side.oid)?) {
                        (Some(shape), Some(bytes)) => self.keep_content(path, &bytes, shape),
                        _ => Ok(Version::Unknown),
                    },
                },
            })
            .collect()
    }

    /// A committed content, where it was read before or is small enough to be kept.
    fn committed<'a>(
        &self,
        read: &'a HashMap<Oid, Vec<u8>>,
        oid: &Oid,
    ) -> Result<Option<Cow<'a, [u8]>>, Error> {
        if let Some(bytes) = read.get(oid) {
            return Ok(Some(Cow::Borrowed(bytes)));
        }
        let Some(git) = &self.git else {
            return Ok(None);
        };
        let bytes_max = usize::try_from(self.settings.images.file_bytes_max);
        match git.blob(oid, bytes_max.unwrap_or(usize::MAX)) {
            Ok(bytes) => Ok(Some(Cow::Owned(bytes))),
            Err(Error::Git { .. } | Error::TooMuch { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

fn shape(mode: Mode) -> Option<Shape> {
    match mode {
        Mode::Regular => Some(Shape::Regular),
        Mode::Executable => Some(Shape::Executable),
        Mode::Symlink => Some(Shape::Symlink),
        Mode::Absent | Mode::Submodule => None,
    }
}

fn now_ns() -> u64 {
    nanos(SystemTime::now())
}

fn nanos(at: SystemTime) -> u64 {
    let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}
