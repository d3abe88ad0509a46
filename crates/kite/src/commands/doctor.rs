//! `kite doctor`: what is well and what is not. It looks and never changes anything.

use std::{
    os::unix::fs::MetadataExt as _,
    path::Path,
    time::{SystemTime, UNIX_EPOCH},
};

use clap::Args;
use kite_wire::{
    home::Home,
    reply::{Sessions, Stats},
    request::Query,
};
use serde::Serialize;

use crate::{
    connect::{self, Daemon},
    error::{Error, Exit},
    hook, machine,
    proof::prove_enforcement,
    render::{self, Terminal},
    wiring::{self, BUILD, Machine, Project},
};

/// Below this there is cause for concern: the daemon refuses writes on a full disk.
const FREE_BYTES_LOW: u64 = 200 << 20;
/// Below this it will not be long.
const FREE_BYTES_MIN: u64 = 20 << 20;

/// Check that Kite works here. Changes nothing; exit code 1 where something does not work.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  kite doctor
  kite doctor --json | jq '.checks[] | select(.state != \"ok\")'")]
pub(crate) struct DoctorArgs {
    /// Print one JSON object: {\"ok\": ..., \"checks\": [...]}.
    #[arg(long)]
    json: bool,
}

/// How a check came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum State {
    Ok,
    Warn,
    Fail,
}

/// One check.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Check {
    /// A stable word for programs.
    pub(crate) name: &'static str,
    pub(crate) state: State,
    /// What was found.
    pub(crate) found: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) hint: Option<String>,
}

/// All checks, and whether none failed.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) ok: bool,
    pub(crate) checks: Vec<Check>,
}

pub(crate) fn run(args: &DoctorArgs, terminal: &mut Terminal) -> Result<Exit, Error> {
    let home = connect::home()?;
    let checks = examine(&home);
    let report = Report { ok: checks.iter().all(|check| check.state != State::Fail), checks };
    if args.json {
        terminal.json(&report)?;
    } else {
        render::doctor::print(terminal, &report)?;
    }
    Ok(if report.ok { Exit::Success } else { Exit::Error })
}

impl Check {
    fn ok(name: &'static str, found: impl Into<String>) -> Check {
        Check { name, state: State::Ok, found: found.into(), hint: None }
    }

    fn warn(name: &'static str, found: impl Into<String>, hint: impl Into<String>) -> Check {
        Check { name, state: State::Warn, found: found.into(), hint: Some(hint.into()) }
    }

    fn fail(name: &'static str, found: impl Into<String>, hint: impl Into<String>) -> Check {
        Check { name, state: State::Fail, found: found.into(), hint: Some(hint.into()) }
    }

    fn failed(name: &'static str, error: &Error) -> Check {
        let found = match &error.why {
            Some(why) => format!("{}: {why}", error.what),
            None => error.what.clone(),
        };
        Check { name, state: State::Fail, found, hint: error.hint.clone() }
    }
}

fn examine(home: &Home) -> Vec<Check> {
    let mut checks = vec![home_directory(home)];
    if checks[0].state == State::Fail {
        return checks;
    }
    let machine = Machine::this();
    let hook = installed_hook(home, machine.as_ref().ok());
    checks.extend([file_system(home), free_space(home), hook, installed_program(home)]);
    match Daemon::connect_running(home.clone()) {
        Ok(mut daemon) => {
            checks.push(daemon_build(home, &daemon));
            checks.extend(daemon_state(&mut daemon));
            checks.push(outdated_sessions(&mut daemon));
            checks.push(enforcement(home));
        }
        Err(error) => checks.push(Check::failed("daemon", &error)),
    }
    checks.extend([stand_aside(home), last_stop(home), project_wiring(machine)]);
    checks
}

fn home_directory(home: &Home) -> Check {
    const NAME: &str = "home";
    let shown = home.path().display();
    match std::fs::metadata(home.path()) {
        Err(cause) => Check::fail(NAME, format!("{shown}: {cause}"), "run `kite init` in a project"),
        Ok(found) if !found.is_dir() => {
            Check::fail(NAME, format!("{shown} is not a directory"), "set KITE_HOME to a directory")
        }
        Ok(found) if found.uid() != rustix::process::geteuid().as_raw() => Check::fail(
            NAME,
            format!("{shown} belongs to user {}", found.uid()),
            "set KITE_HOME to a directory of your own",
        ),
        Ok(found) if found.mode() & 0o077 != 0 => Check::fail(
            NAME,
            format!("{shown} is open to others (mode {:o})", found.mode() & 0o777),
            format!("chmod 700 {shown}"),
        ),
        Ok(_) => Check::ok(NAME, format!("{shown}, open to you alone")),
    }
}

fn file_system(home: &Home) -> Check {
    const NAME: &str = "file_system";
    match machine::file_system(home.path()) {
        Some(kind) if kind.is_network => Check::fail(
            NAME,
            format!("{}: locks and the database do not work reliably there", kind.name),
            "set KITE_HOME to a directory on a local disk",
        ),
        Some(kind) => Check::ok(NAME, kind.name),
        None => Check::warn(NAME, "of unknown kind", "Kite wants a local disk; network file systems do not do"),
    }
}

fn free_space(home: &Home) -> Check {
    const NAME: &str = "disk_space";
    let Ok(free) = machine::free_bytes(home.path()) else {
        return Check::warn(NAME, "cannot be told", "see `df`");
    };
    let found = format!("{} MiB free", free >> 20);
    match free {
        ..FREE_BYTES_MIN => Check::fail(NAME, found, "free some space: a full disk makes Kite refuse writes"),
        ..FREE_BYTES_LOW => Check::warn(NAME, found, "free some space soon"),
        _ => Check::ok(NAME, found),
    }
}

fn installed_hook(home: &Home, machine: Option<&Machine>) -> Check {
    const NAME: &str = "hook";
    let path = hook::installed(home);
    let shown = path.display();
    match std::fs::read(&path) {
        Err(cause) => Check::fail(NAME, format!("{shown}: {cause}"), "run `kite init` to install it"),
        Ok(_) if !is_executable(&path) => {
            Check::fail(NAME, format!("{shown} may not be run"), "run `kite init` to install it anew")
        }
        Ok(bytes) if machine.is_none_or(|machine| bytes != machine.programs.hook) => Check::warn(
            NAME,
            format!("{shown} is of another build than this program ({})", BUILD),
            "run `kite init` with the newer of the two",
        ),
        Ok(_) => Check::ok(NAME, format!("{shown}, of this build")),
    }
}

fn installed_program(home: &Home) -> Check {
    const NAME: &str = "program";
    let path = home.bin().join("kite");
    let shown = path.display();
    let same = |path: &Path| {
        let own = std::env::current_exe().and_then(std::fs::read).ok();
        std::fs::read(path).ok() == own && own.is_some()
    };
    if !path.is_file() {
        Check::fail(NAME, format!("{shown} is missing"), "run `kite init` to install it")
    } else if !same(&path) {
        let hint = "`kite init` installs this program";
        Check::warn(NAME, format!("{shown} is another build than this program ({})", BUILD), hint)
    } else {
        Check::ok(NAME, format!("{shown}, build {}", BUILD))
    }
}

fn is_executable(path: &Path) -> bool {
    rustix::fs::access(path, rustix::fs::Access::EXEC_OK).is_ok()
}

fn daemon_build(home: &Home, daemon: &Daemon) -> Check {
    const NAME: &str = "daemon";
    let welcome = daemon.welcome();
    let found = format!("pid {}, build {}", welcome.pid, welcome.build);
    let same_home = |told: &str| std::fs::canonicalize(told).ok() == std::fs::canonicalize(home.path()).ok();
    if !same_home(&welcome.home) {
        Check::fail(NAME, format!("{found}, serves another home: {}", welcome.home), "kite daemon restart")
    } else if welcome.build != BUILD {
        let found = format!("{found}; this program is build {}", BUILD);
        Check::warn(NAME, found, "kite daemon restart")
    } else {
        Check::ok(NAME, found)
    }
}

fn daemon_state(daemon: &mut Daemon) -> Vec<Check> {
    let stats: Stats = match daemon.ask(Query { target: "stats".to_owned(), ..Query::default() }) {
        Ok(stats) => stats,
        Err(error) => return vec![Check::failed("daemon_state", &error)],
    };
    let state = match stats.daemon.state.as_str() {
        "ok" => Check::ok("daemon_state", "accepts everything"),
        "storage_full" => Check::fail("daemon_state", "the disk is full: writes are refused", "free some space"),
        other => Check::warn("daemon_state", other, "ask again in a moment"),
    };
    let faults = stats.faults;
    let count = faults.unreachable + faults.timeouts + faults.other;
    let hooks = if count == 0 {
        Check::ok("hook_faults", "every hook call was answered")
    } else {
        let found = format!(
            "{count} hook calls let the agent go on unguarded: {} found no daemon, {} got no answer in time, {} other",
            faults.unreachable, faults.timeouts, faults.other
        );
        Check::warn("hook_faults", found, "old ones do no harm; if the number grows, see `kite log`")
    };
    vec![state, hooks]
}

fn outdated_sessions(daemon: &mut Daemon) -> Check {
    const NAME: &str = "sessions";
    let query = Query { target: "sessions".to_owned(), ..Query::default() };
    match daemon.ask::<Sessions>(query) {
        Err(error) => Check::failed(NAME, &error),
        Ok(sessions) => {
            let outdated: Vec<&str> = sessions
                .sessions
                .iter()
                .filter(|session| session.outdated)
                .map(|session| render::text::short_id(&session.id))
                .collect();
            if outdated.is_empty() {
                Check::ok(NAME, "all run with the tools of this build")
            } else {
                let found = format!("run with the tools of another build: {}", outdated.join(", "));
                Check::warn(NAME, found, "restart these agents when it suits")
            }
        }
    }
}

fn enforcement(home: &Home) -> Check {
    const NAME: &str = "enforcement";
    match prove_enforcement(home) {
        Ok(proof) => Check::ok(NAME, format!("a dry edit was refused in {:.1} ms: {}", proof.took_ms, proof.refusal)),
        Err(error) => Check::failed(NAME, &error),
    }
}

fn stand_aside(home: &Home) -> Check {
    const NAME: &str = "stand_aside";
    let text = std::fs::read_to_string(home.stand_aside()).unwrap_or_default();
    let until: Option<u128> = text.trim().parse().ok();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_millis());
    match until {
        Some(until) if until > now => Check::warn(
            NAME,
            format!("hooks let everything pass for {} s more, since the daemon was too slow", (until - now) / 1_000),
            "it ends by itself; `kite log` shows what took long",
        ),
        _ => Check::ok(NAME, "hooks ask about every edit"),
    }
}

/// Whether the daemon before this one ended by itself.
fn last_stop(home: &Home) -> Check {
    const NAME: &str = "last_stop";
    match std::fs::read_to_string(home.path().join("unclean-stop")) {
        Ok(text) => Check::warn(
            NAME,
            format!("the daemon before this one did not end by itself: {}", text.trim()),
            "nothing is lost; if it happens again, see `kite log --since 1h`",
        ),
        Err(_) => Check::ok(NAME, "the daemon before this one ended by itself"),
    }
}

/// The wiring of the project that this directory is in.
fn project_wiring(machine: Result<Machine, wiring::Error>) -> Check {
    const NAME: &str = "wiring";
    let here = std::env::current_dir().unwrap_or_default();
    let inspected = machine.and_then(|machine| {
        let project = Project::holding(&here, &machine)?;
        Ok(wiring::inspect(&project, &machine))
    });
    let inspection = match inspected {
        Ok(inspection) => inspection,
        Err(error) => return Check::failed(NAME, &error.into()),
    };
    let root = inspection.project.root.display();
    if let Some(other) = inspection.other_home() {
        let hint = format!("run `KITE_HOME={} kite uninit`, then `kite init`", other.display());
        return Check::fail(NAME, format!("{root} is wired to another home, {}", other.display()), hint);
    }
    let faults: Vec<&str> = inspection.wired().flat_map(|wiring| &wiring.faults).map(String::as_str).collect();
    if !faults.is_empty() {
        return Check::fail(NAME, faults.join("; "), "correct the file, then run `kite init`");
    }
    let scopes: Vec<&str> = inspection.wired().map(|wiring| wiring.scope.name()).collect();
    match (inspection.is_wired(), scopes.is_empty()) {
        (true, _) if inspection.hidden_from_git == Some(false) && inspection.personal.present => {
            Check::warn(NAME, format!("{root}: the personal settings show in `git status`"), "run `kite init`")
        }
        (true, _) => Check::ok(NAME, format!("{root} ({})", scopes.join(", "))),
        (false, true) => Check::warn(NAME, format!("{root} is not wired"), "run `kite init` there to guard its sessions"),
        (false, false) => Check::fail(NAME, format!("{root} is wired in part ({})", scopes.join(", ")), "run `kite init` there"),
    }
}
