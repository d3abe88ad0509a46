//! Which programs a scene uses.

use std::{
    env,
    io::{self, Write as _},
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

use super::Fault;

/// Path of the Claude Code program.
const CLAUDE: &str = "KITE_CLAUDE";

/// Folder of the programs `codex`, `gemini` and `opencode`.
const CLIENTS: &str = "KITE_CLIENTS";

/// Path of a built `kite`. Without it, one is built.
const KITE: &str = "KITE_BIN";

/// Where this is set, a scene that cannot play fails.
const REQUIRED: &str = "KITE_SCENES_REQUIRED";

/// Claude Code, or `None` after one line on why the scene does not play.
pub(super) fn claude() -> Result<Option<PathBuf>, Fault> {
    match env::var_os(CLAUDE).map(PathBuf::from) {
        Some(path) if path.is_file() => Ok(Some(path.canonicalize()?)),
        Some(path) => skip(format!("{CLAUDE} names no file: {}", path.display())),
        None => skip(format!(
            "{CLAUDE} names no Claude Code program (`.ci/run` installs one)"
        )),
    }
}

/// The folder of the other clients' programs, or `None` after one line on why the scene does not
/// play.
pub(super) fn clients() -> Result<Option<PathBuf>, Fault> {
    match env::var_os(CLIENTS).map(PathBuf::from) {
        Some(path) if path.join("codex").exists() => Ok(Some(path.canonicalize()?)),
        Some(path) => skip(format!(
            "{CLIENTS} names no folder of clients: {}",
            path.display()
        )),
        None => skip(format!(
            "{CLIENTS} names no folder of Codex, Gemini CLI and opencode (`.ci/run` installs them)"
        )),
    }
}

/// The program of one of the other clients.
pub(super) fn client(name: &str) -> Result<PathBuf, Fault> {
    let folder = env::var_os(CLIENTS).ok_or_else(|| format!("{CLIENTS} is not set"))?;
    Ok(Path::new(&folder).canonicalize()?.join(name))
}

fn skip(why: String) -> Result<Option<PathBuf>, Fault> {
    if env::var_os(REQUIRED).is_some() {
        return Err(why.into());
    }
    let name = std::thread::current().name().unwrap_or("scene").to_owned();
    writeln!(io::stderr(), "{name}: skipped, {why}")?;
    Ok(None)
}

/// The `kite` under test.
pub(super) fn kite() -> Result<PathBuf, Fault> {
    static BUILT: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    if let Some(path) = env::var_os(KITE) {
        return Ok(PathBuf::from(path).canonicalize()?);
    }
    Ok(BUILT.get_or_init(build).clone()?)
}

/// Builds it with the profile of this program; takes a moment only where something has changed.
fn build() -> Result<PathBuf, String> {
    // This program lies in `<target>/<profile>/deps/`.
    let here = env::current_exe().map_err(|e| format!("cannot find this program: {e}"))?;
    let built = here
        .ancestors()
        .nth(2)
        .ok_or("this program is not in a target directory")?;
    let mut cargo = Command::new(env!("CARGO"));
    cargo
        .args(["build", "--quiet", "--package", "kite"])
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."));
    if built.ends_with("release") {
        cargo.arg("--release");
    }
    let output = cargo
        .output()
        .map_err(|e| format!("cannot run cargo: {e}"))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    Ok(built.join("kite"))
}
