//! From a definition with its values to a process under a supervisor.

use std::{
    env, fs,
    os::unix::fs::{DirBuilderExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    rc::Rc,
};

use kite_store::Store;
use kite_supervisor::{Gate, Run};
use kite_wire::reply::Fault;

use super::{Record, State};
use crate::{config::tools::Definition, engine::Engine, translate::words::inline};

/// Seconds between being asked to end and being ended.
const GRACE_S: u64 = 5;
/// Bytes of output that are kept on disk.
const LOG_BYTES_MAX: u64 = 4 << 20;
/// Directories below the home, one for each run.
const DIRECTORY: &str = "tool-runs";

/// Variables of the daemon that every tool is given.
const ENVIRONMENT: &[&str] = &[
    "HOME",
    "LANG",
    "LANGUAGE",
    "LC_ALL",
    "LC_CTYPE",
    "LOGNAME",
    "PATH",
    "SHELL",
    "SSH_AUTH_SOCK",
    "TMPDIR",
    "TZ",
    "USER",
    "XDG_CACHE_HOME",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
    "XDG_RUNTIME_DIR",
];

/// What is to run.
pub(super) struct Order {
    run: Run,
}

/// Makes the order: finds the program and the directory, off the loop.
///
/// # Errors
/// `unknown_tool` where there is no such program or directory.
pub(super) async fn order(
    tool: &Definition,
    argv: Vec<String>,
    worktree: PathBuf,
    id: &str,
) -> Result<Order, Fault> {
    let (tool, id) = (tool.clone(), id.to_owned());
    let making = tokio::task::spawn_blocking(move || make(&tool, argv, &worktree, id));
    let made = making.await.map_err(|_| "the daemon is ending".to_owned());
    made.and_then(|made| made).map_err(|why| {
        Fault::new(
            "unknown_tool",
            format!("The project's tool cannot run: {why}. Nothing was run."),
        )
        .hint("Tell the person; its definition stands in .kite/config.toml.")
    })
}

fn make(
    tool: &Definition,
    mut argv: Vec<String>,
    worktree: &Path,
    id: String,
) -> Result<Order, String> {
    let directory = fs::canonicalize(worktree.join(&tool.directory))
        .map_err(|error| format!("its directory `{}`: {error}", inline(&tool.directory, 100)))?;
    let top = fs::canonicalize(worktree).map_err(|error| error.to_string())?;
    if !directory.starts_with(&top) {
        let shown = inline(&tool.directory, 100);
        return Err(format!(
            "its directory `{shown}` leads out of the repository"
        ));
    }
    let program = argv.first().cloned().unwrap_or_default();
    let found = match tool.own_program(worktree) {
        Some(own) => Some(own).filter(|own| is_program(own)),
        None if program.starts_with('/') => {
            Some(PathBuf::from(&program)).filter(|it| is_program(it))
        }
        None => on_the_path(&program),
    };
    let found = found.ok_or_else(|| format!("there is no program `{}`", inline(&program, 100)))?;
    let found = found.into_os_string().into_string();
    argv[0] = found.map_err(|_| "its program's path is not plain text".to_owned())?;
    let mut environment: Vec<(String, String)> = Vec::new();
    for name in ENVIRONMENT
        .iter()
        .copied()
        .chain(tool.environment.iter().map(String::as_str))
    {
        if let Ok(value) = env::var(name)
            && !environment.iter().any(|(known, _)| known == name)
        {
            environment.push((name.to_owned(), value));
        }
    }
    environment.push(("NO_COLOR".to_owned(), "1".to_owned()));
    environment.push(("TERM".to_owned(), "dumb".to_owned()));
    Ok(Order {
        run: Run {
            argv,
            directory,
            environment,
            cookie: id,
            input: String::new(),
            time_max_s: Some(tool.timeout_s),
            grace_s: GRACE_S,
            output_bytes_max: LOG_BYTES_MAX,
            umask: 0o022,
        },
    })
}

/// A program by its bare name, from an absolute entry of the path.
fn on_the_path(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path)
        .filter(|directory| directory.is_absolute())
        .map(|directory| directory.join(name))
        .find(|file| is_program(file))
}

fn is_program(file: &Path) -> bool {
    file.metadata()
        .is_ok_and(|it| it.is_file() && it.permissions().mode() & 0o111 != 0)
}

impl<S: Store> Engine<S> {
    /// Starts a run that has its turn. It is durable before its program runs.
    pub(super) async fn launch(self: &Rc<Self>, run: Record, order: Order) -> Result<(), Fault> {
        let directory = self.tool_run_directory(&run.id);
        let kite = self.kite_program();
        let begin = move || -> Result<Gate, String> {
            let parent = directory.parent().unwrap_or(&directory);
            let made = fs::DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(parent);
            made.map_err(|error| format!("{}: {error}", parent.display()))?;
            kite_supervisor::prepare(&directory, &order.run).map_err(|error| error.to_string())?;
            let kite = kite.ok_or("Kite's own program was not found")?;
            kite_supervisor::start(&kite, &directory).map_err(|error| error.to_string())
        };
        let gate = tokio::task::spawn_blocking(begin).await;
        let gate = match gate.unwrap_or_else(|_| Err("the daemon is ending".to_owned())) {
            Ok(gate) => gate,
            Err(why) => {
                return self
                    .end_run(&run.id, |run| {
                        run.state = State::NotStarted;
                        run.reason = Some(why);
                    })
                    .await;
            }
        };
        if let Err(fault) = self.keep_run(&run).await {
            // Not let go, it never ran.
            drop(gate);
            self.project_tools.forget(&run.id);
            self.end_turn(&run).await;
            return Err(fault);
        }
        // Where the supervisor has died, whoever watches it finds out.
        let _ = tokio::task::spawn_blocking(move || gate.open()).await;
        self.run_noted(&run, "started");
        let engine = Rc::clone(self);
        tokio::task::spawn_local(async move { engine.watch_run(&run.id).await });
        Ok(())
    }

    pub(super) fn tool_run_directory(&self, id: &str) -> PathBuf {
        self.identity.home.path().join(DIRECTORY).join(id)
    }

    /// The program that supervises: the installed one, else this one.
    fn kite_program(&self) -> Option<PathBuf> {
        let installed = self.identity.home.bin().join("kite");
        let installed = Some(installed).filter(|it| is_program(it));
        installed.or_else(|| env::current_exe().ok())
    }
}
