//! What the wiring knows of the machine. It is given, never asked for along the way, so that a
//! test can wire an imaginary machine inside a temporary directory.

use std::{
    env,
    ffi::OsString,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use kite_wire::home::Home;

use super::{build_id::BuildId, embedded, error::Error};

/// The places and programs that wiring works with.
#[derive(Debug, Clone)]
pub(crate) struct Machine {
    pub(crate) home: Home,
    /// The user's home directory.
    pub(crate) user_home: PathBuf,
    /// `CLAUDE_CONFIG_DIR`: where Claude Code keeps its settings instead of the user's home.
    pub(crate) claude_config: Option<PathBuf>,
    /// `CODEX_HOME`: where Codex keeps its settings instead of `.codex` in the user's home.
    pub(crate) codex_config: Option<PathBuf>,
    /// `GEMINI_CLI_HOME`: what Gemini CLI takes for the user's home.
    pub(crate) gemini_home: Option<PathBuf>,
    /// `XDG_CONFIG_HOME`, where opencode keeps its settings.
    pub(crate) xdg_config: Option<PathBuf>,
    /// `PATH`, to look for agents.
    pub(crate) path: OsString,
    pub(crate) programs: Programs,
}

/// The programs that are installed into a home.
#[derive(Debug, Clone)]
pub(crate) struct Programs {
    /// The running `kite`.
    pub(crate) kite: PathBuf,
    /// The bytes of `kite-hook`.
    pub(crate) hook: &'static [u8],
    pub(crate) build: BuildId,
}

impl Machine {
    /// This machine, as the environment describes it.
    ///
    /// # Errors
    /// Where there is no home directory, or the running program cannot be found.
    pub(crate) fn this() -> Result<Machine, Error> {
        let home = Home::find().ok_or_else(|| {
            Error::new("cannot tell where Kite's home is").hinted("set KITE_HOME or HOME")
        })?;
        let user_home = set("HOME")
            .ok_or_else(|| Error::new("cannot find your settings").because("HOME is not set"))?;
        let kite = env::current_exe().map_err(|cause| {
            Error::new("cannot find the running kite").because(cause.to_string())
        })?;
        let build = embedded::BUILD.parse().map_err(|()| {
            Error::new(format!(
                "this kite has an unreadable build number, {}",
                embedded::BUILD
            ))
        })?;
        Ok(Machine {
            home,
            user_home: PathBuf::from(user_home),
            claude_config: set("CLAUDE_CONFIG_DIR").map(PathBuf::from),
            codex_config: set("CODEX_HOME").map(PathBuf::from),
            gemini_home: set("GEMINI_CLI_HOME").map(PathBuf::from),
            xdg_config: set("XDG_CONFIG_HOME").map(PathBuf::from),
            path: set("PATH").unwrap_or_default(),
            programs: Programs {
                kite,
                hook: embedded::HOOK,
                build,
            },
        })
    }

    /// Claude Code's own file: local and user-wide MCP servers, and much else.
    pub(crate) fn claude_state(&self) -> PathBuf {
        self.claude_config
            .as_ref()
            .unwrap_or(&self.user_home)
            .join(".claude.json")
    }

    /// Claude Code's settings for all projects of this user.
    pub(crate) fn user_settings(&self) -> PathBuf {
        match &self.claude_config {
            Some(dir) => dir.join("settings.json"),
            None => self.user_home.join(".claude/settings.json"),
        }
    }

    /// Whether a program called `claude` is on the path.
    pub(crate) fn has_claude(&self) -> bool {
        self.has_program("claude")
    }

    /// Whether a program of that name is on the path.
    pub(crate) fn has_program(&self, name: &str) -> bool {
        env::split_paths(&self.path).any(|dir| is_program(&dir.join(name)))
    }

    /// The path as a person would write it, with `~` for the user's home.
    pub(crate) fn shown(&self, path: &Path) -> String {
        match path.strip_prefix(&self.user_home) {
            Ok(rest) => format!("~/{}", rest.display()),
            Err(_) => path.display().to_string(),
        }
    }
}

fn set(name: &str) -> Option<OsString> {
    env::var_os(name).filter(|value| !value.is_empty())
}

fn is_program(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|m| m.is_file() && m.permissions().mode() & 0o111 != 0)
}
