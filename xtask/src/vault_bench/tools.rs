//! Programs and packages that the measure needs and this repository does not: fetched by apt into
//! the target directory, installed nowhere.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// Where everything of this bench is kept between runs.
pub(super) fn kept() -> PathBuf {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
    top.unwrap_or(Path::new(".")).join("target/vault-bench")
}

/// A program on the path, or out of a package of Debian.
pub(super) fn program(name: &str, package: &str) -> Result<PathBuf, String> {
    let on_path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&on_path).map(|it| it.join(name));
    if let Some(found) = found.into_iter().find(|it| it.is_file()) {
        return Ok(found);
    }
    let unpacked = unpacked(package)?.join("usr/bin").join(name);
    match unpacked.is_file() {
        true => Ok(unpacked),
        false => Err(format!("the package {package} has no {name}")),
    }
}

/// The files of a package.
pub(super) fn unpacked(package: &str) -> Result<PathBuf, String> {
    let place = kept().join("packages").join(package);
    if place.is_dir() {
        return Ok(place);
    }
    let downloads = kept().join("downloads").join(package);
    fs::create_dir_all(&downloads).map_err(|it| it.to_string())?;
    run(Command::new("apt-get")
        .args(["download", package])
        .current_dir(&downloads))?;
    let file = fs::read_dir(&downloads)
        .map_err(|it| it.to_string())?
        .flatten()
        .map(|it| it.path())
        .find(|it| it.extension().is_some_and(|end| end == "deb"))
        .ok_or_else(|| format!("apt-get brought no file for {package}"))?;
    let half = place.with_extension("half");
    let _ = fs::remove_dir_all(&half);
    fs::create_dir_all(&half).map_err(|it| it.to_string())?;
    run(Command::new("dpkg-deb").arg("-x").arg(file).arg(&half))?;
    fs::rename(&half, &place).map_err(|it| it.to_string())?;
    Ok(place)
}

fn run(command: &mut Command) -> Result<(), String> {
    let done = command
        .output()
        .map_err(|it| format!("{command:?}: {it}"))?;
    match done.status.success() {
        true => Ok(()),
        false => Err(format!(
            "{command:?} failed (this bench needs Debian's apt): {}",
            String::from_utf8_lossy(&done.stderr)
        )),
    }
}
