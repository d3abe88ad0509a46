//! Copies the running `kite` and the hook it carries into the home's `bin`.
//!
//! Files are replaced by renaming, so a session that runs the old program keeps it until it ends.

use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
};

use kite_daemon::lifecycle;

use super::{
    build_id::BuildId,
    error::Error,
    files,
    machine::{Machine, Programs},
    report::Report,
};

const MODE: u32 = 0o700;

/// What `install` did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Installed {
    /// There was none before.
    New,
    /// The same build was there already.
    Same,
    /// Another build was there.
    Replaced(Option<BuildId>),
}

/// Installs the programs of `machine` into its home.
///
/// # Errors
/// Where an installed build is newer and nobody agrees to replace it, where the home is a
/// directory of something else, or where writing fails.
pub(crate) fn install(
    machine: &Machine,
    allow_downgrade: bool,
    report: &mut dyn Report,
) -> Result<Installed, Error> {
    let home = machine.home.path();
    check_home(machine)?;
    let installed = installed_build(machine);
    if is_current(machine, installed.as_ref()) {
        return Ok(Installed::Same);
    }
    if let Some(newer) = installed
        .as_ref()
        .filter(|build| **build > machine.programs.build)
    {
        confirm_downgrade(newer, &machine.programs.build, allow_downgrade, report)?;
    }
    let bin = machine.home.bin();
    private_dir(home)?;
    // First: what is not marked must not hold anything.
    if !machine.home.marker().exists() {
        files::replace(
            &machine.home.marker(),
            b"This directory is a Kite home.\n",
            0o600,
        )?;
    }
    private_dir(&bin)?;
    let was_there = kite(&bin).exists();
    copy(&machine.programs, &bin)?;
    // Last, so that a copy cut short counts as not installed.
    files::replace(
        &build_file(&bin),
        format!("{}\n", machine.programs.build).as_bytes(),
        0o600,
    )?;
    Ok(if was_there {
        Installed::Replaced(installed)
    } else {
        Installed::New
    })
}

/// The build that is installed in the home, if it says so.
pub(crate) fn installed_build(machine: &Machine) -> Option<BuildId> {
    fs::read_to_string(build_file(&machine.home.bin()))
        .ok()?
        .parse()
        .ok()
}

fn build_file(bin: &Path) -> PathBuf {
    bin.join("build")
}

fn kite(bin: &Path) -> PathBuf {
    bin.join("kite")
}

fn hook(bin: &Path) -> PathBuf {
    bin.join("kite-hook")
}

/// A directory that holds something else must not become a Kite home: its mode would change.
fn check_home(machine: &Machine) -> Result<(), Error> {
    let home = &machine.home;
    match lifecycle::holds_something_else(home) {
        Ok(false) => Ok(()),
        Ok(true) => Err(
            Error::new(format!("{} is not a Kite home", home.path().display()))
                .because("it holds other files")
                .hinted("set KITE_HOME to a directory that is new or empty"),
        ),
        Err(cause) => Err(Error::io("read", home.path(), &cause)),
    }
}

/// The build number alone is not believed: a development build may change under one number.
fn is_current(machine: &Machine, installed: Option<&BuildId>) -> bool {
    let bin = machine.home.bin();
    let Programs {
        kite: running,
        hook: hook_bytes,
        build,
    } = &machine.programs;
    machine.home.marker().exists()
        && installed == Some(build)
        && same_content(running, &kite(&bin))
        && fs::read(hook(&bin)).is_ok_and(|bytes| bytes == *hook_bytes)
}

fn same_content(a: &Path, b: &Path) -> bool {
    let (Ok(meta_a), Ok(meta_b)) = (fs::metadata(a), fs::metadata(b)) else {
        return false;
    };
    if (meta_a.dev(), meta_a.ino()) == (meta_b.dev(), meta_b.ino()) {
        return true;
    }
    meta_a.len() == meta_b.len() && matches!((fs::read(a), fs::read(b)), (Ok(a), Ok(b)) if a == b)
}

fn confirm_downgrade(
    newer: &BuildId,
    ours: &BuildId,
    allowed: bool,
    report: &mut dyn Report,
) -> Result<(), Error> {
    let question = format!("Kite {newer} is installed; replace it with the older {ours}?");
    if allowed || report.ask(&question) == Some(true) {
        return Ok(());
    }
    Err(Error::new(format!(
        "Kite {newer} is installed, and this is the older {ours}"
    ))
    .hinted("use the installed one, or add --allow-downgrade; nothing has been changed"))
}

fn copy(programs: &Programs, bin: &Path) -> Result<(), Error> {
    if programs.hook.is_empty() {
        return Err(Error::new("this kite carries no hook").hinted("build it again with cargo"));
    }
    files::replace(&hook(bin), programs.hook, MODE)?;
    let target = kite(bin);
    if same_content(&programs.kite, &target) {
        return private(&target);
    }
    let bytes =
        fs::read(&programs.kite).map_err(|cause| Error::io("read", &programs.kite, &cause))?;
    files::replace(&target, &bytes, MODE)
}

fn private_dir(path: &Path) -> Result<(), Error> {
    files::make_private_dir(path)?;
    private(path)
}

fn private(path: &Path) -> Result<(), Error> {
    fs::set_permissions(path, fs::Permissions::from_mode(MODE))
        .map_err(|cause| Error::io("protect", path, &cause))
}
