//! The git hooks of `kite init --git-hooks`, where git looks for those of a repository and all its
//! worktrees. A hook that is there already is renamed to `NAME.before-kite` and runs first.
//!
//! What has to be remembered stands in the files themselves: a hook of Kite's says so, whose home
//! it calls, and whether its directory was made for it. So they can be taken out again although
//! the home is gone.

use std::{
    fs, io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use super::{
    command::{Caller, shell_quoted},
    error::Error,
    files::Snapshot,
    git::{self, Checkout},
    hook_script::{self, Hook},
    machine::Machine,
    project::Project,
    transaction::{Aside, Change},
};

const MODE: u32 = 0o755;

/// What becomes of a repository's hooks.
#[derive(Debug, Default)]
pub(crate) struct GitHooks {
    pub(crate) changes: Vec<Change>,
    /// Directories that were made for hooks, and may go with them.
    pub(crate) made_dirs: Vec<PathBuf>,
    /// What there is to say of it.
    pub(crate) notes: Vec<String>,
}

/// Where git looks for hooks.
enum Directory {
    /// In the repository's own directory, which git never shares.
    Own(PathBuf),
    /// `core.hooksPath` leads into the working copy: files of the project.
    Shared(PathBuf),
    /// `core.hooksPath` leads elsewhere: hooks of all repositories of this user, mostly.
    Elsewhere(PathBuf),
}

/// What stands under a hook's name.
enum Found {
    Nothing,
    Kites {
        bytes: Vec<u8>,
        executable: bool,
    },
    /// Its content; `None` for a link that leads nowhere.
    Another(Option<Vec<u8>>),
}

/// Works out how Kite's hooks get there, or are brought up to date where they are already. Where
/// they were not `asked` for and are not there, nothing.
///
/// # Errors
/// Where there is no repository, a hook of another home, or both a hook and a kept one that are
/// not Kite's.
pub(crate) fn install(
    project: &Project,
    machine: &Machine,
    asked: bool,
) -> Result<GitHooks, Error> {
    let Some(checkout) = &project.checkout else {
        return match asked {
            true => Err(Error::new(format!(
                "{} is in no git repository",
                project.root.display()
            ))
            .because("git hooks belong to a repository")
            .hinted("run `git init` first, or leave --git-hooks out")),
            false => Ok(GitHooks::default()),
        };
    };
    let usual = checkout.common_dir.join("hooks");
    let there = |hook: &Hook| matches!(find(&usual.join(hook.name)), Ok(Found::Kites { .. }));
    if !asked && !hook_script::HOOKS.iter().any(there) {
        return Ok(GitHooks::default());
    }
    let mut hooks = GitHooks::default();
    match Directory::of(checkout, machine)? {
        Directory::Own(dir) => {
            for hook in hook_script::HOOKS {
                hooks.put(hook, &dir, machine)?;
            }
        }
        Directory::Shared(dir) => hooks.leave(&dir, "a directory of this working copy", machine),
        Directory::Elsewhere(dir) => {
            hooks.leave(&dir, "a directory outside of this repository", machine);
        }
    }
    Ok(hooks)
}

/// Works out how Kite's hooks are taken out again. Those of another home stay.
///
/// # Errors
/// Where a hook cannot be read.
pub(crate) fn remove(project: &Project, machine: &Machine) -> Result<GitHooks, Error> {
    let mut hooks = GitHooks::default();
    let Some(checkout) = &project.checkout else {
        return Ok(hooks);
    };
    let mut dirs = vec![checkout.common_dir.join("hooks")];
    if let Ok(Directory::Own(dir)) = Directory::of(checkout, machine)
        && !dirs.contains(&dir)
    {
        dirs.push(dir);
    }
    for dir in dirs {
        for hook in hook_script::HOOKS {
            hooks.take_out(hook, &dir, machine)?;
        }
    }
    Ok(hooks)
}

impl GitHooks {
    fn put(&mut self, hook: &Hook, dir: &Path, machine: &Machine) -> Result<(), Error> {
        let home = home(machine)?;
        let (path, kept) = (dir.join(hook.name), dir.join(hook.kept()));
        let (bytes, made_dir, aside) = match find(&path)? {
            Found::Kites { bytes, executable } => {
                check_home(&bytes, &home, &path)?;
                let made_dir = hook_script::made_its_directory(&bytes);
                if executable && hook.script(&home, made_dir).as_bytes() == bytes {
                    return Ok(());
                }
                (Some(bytes), made_dir, None)
            }
            Found::Nothing => (None, !dir.exists(), None),
            Found::Another(bytes) => {
                if is_there(&kept) {
                    return Err(Error::new(format!("{} is not Kite's any more", machine.shown(&path)))
                        .because(format!("another program replaced it, and {} is there, too", hook.kept()))
                        .hinted("if the new one calls the kept one, all is well without Kite's; else put into one hook what you need, and remove the kept one"));
                }
                self.notes.push(format!(
                    "{}: kept as {}, and run first",
                    machine.shown(&path),
                    hook.kept()
                ));
                (bytes, false, Some(Aside::Put(kept)))
            }
        };
        let missing_dirs = match dir.exists() {
            true => Vec::new(),
            false => vec![dir.to_owned()],
        };
        self.changes.push(Change {
            before: snapshot(path, bytes, missing_dirs),
            after: Some(hook.script(&home, made_dir).into_bytes()),
            aside,
        });
        Ok(())
    }

    fn take_out(&mut self, hook: &Hook, dir: &Path, machine: &Machine) -> Result<(), Error> {
        let (path, kept) = (dir.join(hook.name), dir.join(hook.kept()));
        let Found::Kites { bytes, .. } = find(&path)? else {
            if is_there(&kept) {
                self.notes.push(format!(
                    "{}: left alone; what was there before Kite is in {}",
                    machine.shown(&path),
                    hook.kept()
                ));
            }
            return Ok(());
        };
        if check_home(&bytes, &home(machine)?, &path).is_err() {
            self.notes.push(format!(
                "{}: left alone; it is of another Kite home",
                machine.shown(&path)
            ));
            return Ok(());
        }
        if hook_script::made_its_directory(&bytes) && !self.made_dirs.contains(&dir.to_owned()) {
            self.made_dirs.push(dir.to_owned());
        }
        self.changes.push(Change {
            before: snapshot(path, Some(bytes), Vec::new()),
            after: None,
            aside: is_there(&kept).then_some(Aside::Fetch(kept)),
        });
        Ok(())
    }

    /// Says why nothing was installed, and what a person can do about it.
    fn leave(&mut self, dir: &Path, what: &str, machine: &Machine) {
        self.notes.push(format!(
            "No git hooks installed: core.hooksPath is {}, {what}, which Kite does not write to",
            machine.shown(dir)
        ));
        for hook in hook_script::HOOKS {
            self.notes.push(format!(
                "To have Kite in its {} hook, add this line to it:",
                hook.name
            ));
            self.notes.push(format!("  {}", hook.line()));
        }
    }
}

impl Directory {
    /// As `git rev-parse --git-path hooks` has it, seen from the top of the working copy.
    fn of(checkout: &Checkout, machine: &Machine) -> Result<Directory, Error> {
        let usual = checkout.common_dir.join("hooks");
        let Some(set) = git::setting(checkout, machine, "core.hooksPath")? else {
            return Ok(Directory::Own(usual));
        };
        let dir = super::files::resolved(&checkout.top.join(set));
        let inside = |top: &Path| dir.starts_with(super::files::resolved(top));
        Ok(if inside(&checkout.common_dir) {
            Directory::Own(dir)
        } else if inside(&checkout.top) || checkout.main_top().is_some_and(|top| inside(&top)) {
            Directory::Shared(dir)
        } else {
            Directory::Elsewhere(dir)
        })
    }
}

fn home(machine: &Machine) -> Result<String, Error> {
    match Caller::home(&machine.home)? {
        Caller::Home(path) => Ok(shell_quoted(&path.to_string_lossy())),
        Caller::Shared => Ok(String::new()),
    }
}

fn check_home(bytes: &[u8], home: &str, path: &Path) -> Result<(), Error> {
    if hook_script::is_of_home(bytes, home) {
        return Ok(());
    }
    Err(
        Error::new(format!("{} calls another Kite home", path.display()))
            .because("a repository's hooks call one")
            .hinted("run `kite uninit` with that home first: it stands in the hook"),
    )
}

/// The file itself: a link stays what it is, and is renamed as one.
fn snapshot(path: PathBuf, bytes: Option<Vec<u8>>, missing_dirs: Vec<PathBuf>) -> Snapshot {
    Snapshot {
        named: path.clone(),
        real: path,
        bytes,
        mode: MODE,
        missing_dirs,
    }
}

fn find(path: &Path) -> Result<Found, Error> {
    let failed = |cause: io::Error| Error::io("read", path, &cause);
    let meta = match fs::symlink_metadata(path) {
        Ok(meta) => meta,
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(Found::Nothing),
        Err(cause) => return Err(failed(cause)),
    };
    if meta.is_dir() {
        return Err(Error::new(format!("{} is a directory", path.display()))
            .hinted("git would not run it either; remove it, or leave --git-hooks out"));
    }
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(Found::Another(None)),
        Err(cause) => return Err(failed(cause)),
    };
    Ok(match meta.is_file() && hook_script::is_kites(&bytes) {
        true => Found::Kites {
            executable: meta.permissions().mode() & 0o111 != 0,
            bytes,
        },
        false => Found::Another(Some(bytes)),
    })
}

fn is_there(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}
