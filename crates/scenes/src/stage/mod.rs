//! The stage of one scene: temporary homes, a git repository, a model, and whoever works there.
//!
//! Scenes play one at a time, since they measure time and share two cores. When a stage is
//! dropped, its daemon is ended and its directories are removed.

mod agents;
mod client;
mod git;
mod kite;
mod player;
mod programs;
mod serve;
mod session;
mod wait;

use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
    process::Command,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tempfile::TempDir;

pub use self::{
    client::Client,
    git::Repository,
    player::Player,
    serve::Serving,
    session::{Ending, Session, SessionBuilder},
    wait::{wait_until, within},
};
use crate::model::{Model, Script};

/// What a scene returns. The error says which expectation of the stage was not met.
pub type Scene = Result<(), Fault>;

/// Something that should not have happened on the stage.
pub type Fault = Box<dyn std::error::Error + Send + Sync>;

/// One scene at a time in this process.
static PLAYING: Mutex<()> = Mutex::new(());

/// A prepared stage. `kite init` has not been run yet: see [`Stage::init`].
pub struct Stage {
    pub model: Model,
    pub project: Repository,
    claude: PathBuf,
    /// The folder of other clients' programs, where they are to be found.
    clients: Option<PathBuf>,
    kite: PathBuf,
    dir: TempDir,
    _turn: MutexGuard<'static, ()>,
}

impl Stage {
    /// Prepares a stage with a repository of these files. `None`: there is no Claude Code on this
    /// machine; one line has said so, and the scene is to end.
    pub fn set(files: &[(&str, &str)]) -> Result<Option<Stage>, Fault> {
        let Some(claude) = programs::claude()? else {
            return Ok(None);
        };
        let turn = PLAYING.lock().unwrap_or_else(PoisonError::into_inner);
        let kite = programs::kite()?;
        let dir = tempfile::Builder::new().prefix("kite-scene-").tempdir()?;
        // The daemon and git tell canonical paths.
        let root = dir.path().canonicalize()?;
        for name in ["home", "out", "tmp"] {
            fs::create_dir(root.join(name))?;
        }
        let project = Repository::create(&root.join("project"), &root.join("home"), files)?;
        Ok(Some(Stage {
            model: Model::start()?,
            project,
            claude,
            clients: None,
            kite,
            dir,
            _turn: turn,
        }))
    }

    /// Prepares a stage and wires its project with `kite init`.
    pub fn set_with_kite(files: &[(&str, &str)]) -> Result<Option<Stage>, Fault> {
        let stage = Self::set(files)?;
        if let Some(stage) = &stage {
            stage.init()?;
        }
        Ok(stage)
    }

    /// Prepares a stage where Codex, Gemini CLI and opencode are found, and wires them all.
    pub fn set_with_clients(files: &[(&str, &str)]) -> Result<Option<Stage>, Fault> {
        let (Some(clients), Some(mut stage)) = (programs::clients()?, Self::set(files)?) else {
            return Ok(None);
        };
        stage.clients = Some(clients);
        client::settle(&stage.path("home"))?;
        stage.init()?;
        Ok(Some(stage))
    }

    /// A second repository of these files beside the project, which Kite does not know.
    pub fn add_repository(&self, name: &str, files: &[(&str, &str)]) -> Result<Repository, Fault> {
        Repository::create(&self.path(name), &self.path("home"), files)
    }

    /// Teaches the model this script and prepares a session that plays it. The first line of its
    /// prompt is `intent`.
    pub fn session(&self, intent: &str, script: Script) -> SessionBuilder<'_> {
        SessionBuilder::new(self, intent, script)
    }

    /// The Kite home of this stage.
    #[must_use]
    pub fn kite_home(&self) -> PathBuf {
        self.root().join("kite")
    }

    /// A path beside the project, for what a scene needs itself.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.root().join(name)
    }

    /// Fails where the model itself ran into trouble, which makes every other finding doubtful.
    pub fn check_model(&self) -> Scene {
        match self.model.faults().as_slice() {
            [] => Ok(()),
            faults => Err(faults.join("; ").into()),
        }
    }

    fn root(&self) -> PathBuf {
        // Was canonicalized when the stage was set.
        self.project
            .path()
            .parent()
            .map(Path::to_owned)
            .unwrap_or_default()
    }

    /// A command with nothing of the caller's environment but the search path.
    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        let claude = self.claude.parent().map(Path::to_owned).into_iter();
        let claude = claude.chain(self.clients.clone());
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path = std::env::join_paths(claude.chain(std::env::split_paths(&path)));
        command
            .env_clear()
            .env("PATH", path.unwrap_or_default())
            .env("HOME", self.root().join("home"))
            .env("TMPDIR", self.root().join("tmp"))
            .env("KITE_HOME", self.kite_home())
            .current_dir(self.project.path());
        command
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        // The installed one is there as long as the home; the built one may be replaced meanwhile.
        let installed = self.kite_home().join("bin/kite");
        let kite = if installed.exists() {
            &installed
        } else {
            &self.kite
        };
        if self.kite_home().exists() {
            let _ = self.command(kite).args(["daemon", "stop"]).output();
        }
        if std::env::var_os("KITE_SCENES_KEEP").is_some() {
            self.dir.disable_cleanup(true);
            let _ = writeln!(io::stderr(), "kept: {}", self.dir.path().display());
        }
    }
}

/// How long a session may take from its start to its end.
pub const SESSION_MAX: Duration = Duration::from_secs(40);

/// Prints a finding that is no verdict, past the test runner's capture.
pub fn tell(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}
