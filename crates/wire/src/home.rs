//! Where Kite lives on this machine: its home directory, and the files in it that more than one
//! program knows.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

/// Longest socket path that every target binds (macOS: 104 bytes with the final zero).
pub const SOCKET_PATH_BYTES_MAX: usize = 103;

/// A Kite home: the directory that one daemon serves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Home(PathBuf);

impl Home {
    /// `KITE_HOME`, else the folder above the executable's `bin` where that folder is a Kite home
    /// (it holds [`Home::marker`]), else `~/.kite`. `None` where there is no home directory either.
    #[must_use]
    pub fn find() -> Option<Home> {
        if let Some(set) = env::var_os("KITE_HOME").filter(|v| !v.is_empty()) {
            return std::path::absolute(set).ok().map(Home);
        }
        if let Ok(executable) = env::current_exe()
            && let Some(bin) = executable.parent()
            && bin.file_name().is_some_and(|name| name == "bin")
            && let Some(above) = bin.parent()
            && Home(above.to_owned()).marker().exists()
        {
            return Some(Home(above.to_owned()));
        }
        let user = env::var_os("HOME").filter(|v| !v.is_empty())?;
        std::path::absolute(user)
            .ok()
            .map(|user| Home(user.join(".kite")))
    }

    /// The home at a path that is already known.
    #[must_use]
    pub fn at(path: impl Into<PathBuf>) -> Home {
        Home(path.into())
    }

    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Says that this directory is a Kite home. Written by whoever makes it.
    #[must_use]
    pub fn marker(&self) -> PathBuf {
        self.0.join("kite-home")
    }

    /// Installed programs: `kite` and `kite-hook`.
    #[must_use]
    pub fn bin(&self) -> PathBuf {
        self.0.join("bin")
    }

    /// The singleton lock. Its holder is the daemon, and nobody else unlinks the socket.
    #[must_use]
    pub fn daemon_lock(&self) -> PathBuf {
        self.0.join("daemon.lock")
    }

    /// The daemon's socket. Always `kite.sock` in the home; where that path is too long for a
    /// socket, the real path stands in the file `socket` as text.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        let usual = self.0.join("kite.sock");
        if usual.as_os_str().len() <= SOCKET_PATH_BYTES_MAX {
            return usual;
        }
        match fs::read_to_string(self.0.join("socket")) {
            Ok(text) => PathBuf::from(text.trim_end_matches('\n')),
            Err(_) => usual,
        }
    }

    /// One line for each hook call that went unanswered: `<unix ms> <event> <reason>`, where the
    /// reason is `unreachable`, `timeout` or `other`. Appended by the hook, counted by the daemon.
    #[must_use]
    pub fn hook_faults(&self) -> PathBuf {
        self.0.join("hook-faults")
    }

    /// When a hook last went unanswered for too long (unix ms). Two such moments in short order
    /// make [`Home::stand_aside`].
    #[must_use]
    pub fn hook_timeout(&self) -> PathBuf {
        self.0.join("hook-timeout")
    }

    /// When a hook last started the daemon (unix ms), so that many at once start it once.
    #[must_use]
    pub fn hook_start(&self) -> PathBuf {
        self.0.join("hook-start")
    }

    /// While this file's text (unix ms) lies in the future, hooks let everything pass at once.
    #[must_use]
    pub fn stand_aside(&self) -> PathBuf {
        self.0.join("stand-aside")
    }

    /// Exists where `guard = "strict"`: a hook that finds no answer refuses instead of letting pass.
    #[must_use]
    pub fn strict(&self) -> PathBuf {
        self.0.join("strict")
    }
}
