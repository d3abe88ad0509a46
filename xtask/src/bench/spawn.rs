//! Agents: how long until programs run that are asked for at once, next to starting the same programs
//! plainly; and what Kite itself costs while fifty of them run.

use std::{
    fs,
    io::ErrorKind,
    os::unix::net::{UnixListener, UnixStream},
    path::{Path, PathBuf},
    process::{Command, ExitCode, Stdio},
    thread,
    time::{Duration, Instant},
};

use kite_wire::{
    client::Client,
    reply::{agents::Agents, agents::OneAgent, trust::Trust},
    request::{AgentList, AgentSpawn, AgentStop, Caller, TrustSet, TrustShow},
};

use super::{Kite, median, row};
use crate::say;

/// The word that makes this program the one that is started: it says so to a socket, and ends.
pub(crate) const COMMAND: &str = "say-started";
/// How many are asked for at once.
const AT_ONCE: usize = 20;
const ROUNDS: usize = 7;
/// How many run while Kite's own use is measured, and for how long that is.
const SLEEPERS: usize = 50;
const WATCHED_FOR: Duration = Duration::from_secs(10);
/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(30);

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// Says that this program runs.
pub(crate) fn say_started(socket: &str) -> ExitCode {
    match UnixStream::connect(socket) {
        Ok(_) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

pub(crate) fn run(kite: &Kite) {
    if let Err(error) = try_run(kite) {
        say(&format!("  not measured: {error}"));
    }
}

fn try_run(kite: &Kite) -> Outcome<()> {
    let stage = Stage::new(kite)?;
    times(&stage)?;
    costs(&stage)
}

fn times(stage: &Stage<'_>) -> Outcome<()> {
    let (mut ratios, mut spawned, mut plainly) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..=ROUNDS {
        let through_kite = stage.until_all_run(|| stage.start_through_kite())?;
        stage.until_none_runs()?;
        let plain = stage.until_all_run(|| stage.start_plainly())?;
        if round > 0 {
            ratios.push(through_kite / plain);
            spawned.push(through_kite);
            plainly.push(plain);
        }
    }
    row(
        "20 agents asked for at once, until the last one's program runs",
        &mut ratios,
        "the same program started 20 times at once",
        "at most 30 x",
    );
    say(&format!(
        "    {:.0} ms, plainly {:.0} ms",
        median(&mut spawned) * 1e3,
        median(&mut plainly) * 1e3
    ));
    Ok(())
}

fn costs(stage: &Stage<'_>) -> Outcome<()> {
    let daemon = stage.daemon()?;
    let before = private_kib(daemon);
    let mut client = stage.client()?;
    for _ in 0..SLEEPERS {
        client.ask::<OneAgent>(stage.spawn("sleeper"))?;
    }
    let running = until(|| {
        let agents = stage.agents().ok()?;
        (agents.running == SLEEPERS as u64).then_some(agents)
    });
    let agents = running.ok_or("fifty agents do not run in time")?;
    let supervisors = supervisors(&stage.kite.home());
    let own: Vec<u32> = supervisors.iter().copied().chain([daemon]).collect();
    let ticks = || own.iter().map(|pid| ticks(*pid)).sum::<u64>();
    let began = ticks();
    thread::sleep(WATCHED_FOR);
    // A tick is 10 ms everywhere that has them.
    let percent = (ticks() - began) as f64 / WATCHED_FOR.as_secs_f64();
    let mut memory: Vec<f64> = supervisors
        .iter()
        .map(|pid| private_kib(*pid) as f64)
        .collect();
    let all = memory.iter().sum::<f64>() / 1024.0;
    say(&format!(
        "  {} agents that wait: Kite's own CPU {percent:.2} % of a core; reach: at most 1 %",
        supervisors.len()
    ));
    say(&format!(
        "  private memory of a supervisor: {:.0} KiB, of all {all:.1} MiB; reach: at most 2,048 KiB each",
        median(&mut memory)
    ));
    say(&format!(
        "  private memory of the daemon: {before} KiB before, {} KiB with them",
        private_kib(daemon)
    ));
    for agent in agents.agents {
        let stop = AgentStop {
            agent: agent.id,
            ..AgentStop::default()
        };
        client.ask::<OneAgent>(stop)?;
    }
    stage.until_none_runs()
}

/// A trusted project, and presets that start next to nothing.
struct Stage<'a> {
    kite: &'a Kite,
    project: PathBuf,
    socket: PathBuf,
    listener: UnixListener,
}

impl<'a> Stage<'a> {
    fn new(kite: &'a Kite) -> Outcome<Self> {
        let project = kite.scratch().join("agents");
        fs::create_dir(&project)?;
        let socket = kite.scratch().join("started");
        let listener = UnixListener::bind(&socket)?;
        listener.set_nonblocking(true)?;
        let me = std::env::current_exe()?;
        let config = format!(
            "max_agents = {SLEEPERS}\nagent_descendants_max = 1000\n\n\
             [agents.starter]\nargv = [{:?}, {COMMAND:?}, {:?}]\n\n\
             [agents.sleeper]\nargv = [\"sleep\", \"600\"]\n",
            me.display().to_string(),
            socket.display().to_string(),
        );
        kite.command().args(["daemon", "stop"]).output()?;
        fs::write(kite.home().join("config.toml"), config)?;
        kite.command().args(["daemon", "start"]).output()?;
        let stage = Stage {
            kite,
            project,
            socket,
            listener,
        };
        let mut client = stage.client()?;
        let shown: Trust = client.ask(TrustShow::default())?;
        let fingerprint = shown.fingerprint;
        client.ask::<Trust>(TrustSet {
            fingerprint,
            ..TrustSet::default()
        })?;
        Ok(stage)
    }

    fn client(&self) -> Result<Client, kite_wire::client::Error> {
        let caller = Caller {
            client: "person".to_owned(),
            pid: Some(std::process::id()),
            cwd: Some(self.project.display().to_string()),
            ..Caller::default()
        };
        Client::connect(&self.kite.socket(), "cli", "bench", Some(caller))
    }

    fn spawn(&self, preset: &str) -> AgentSpawn {
        AgentSpawn {
            prompt: Some("run".to_owned()),
            agent: Some(preset.to_owned()),
            worktree: Some("none".to_owned()),
            ..AgentSpawn::default()
        }
    }

    fn start_through_kite(&self) -> Result<(), String> {
        let asked = self.client().and_then(|mut client| {
            let spawn = self.spawn("starter");
            client.ask::<OneAgent>(spawn)
        });
        asked.map(drop).map_err(|error| error.to_string())
    }

    fn start_plainly(&self) -> Result<(), String> {
        let start = || {
            let mut command = Command::new(std::env::current_exe()?);
            command.arg(COMMAND).arg(&self.socket);
            command.stdin(Stdio::null()).status()
        };
        start().map(drop).map_err(|error| error.to_string())
    }

    /// Seconds until all have said that they run, each started by a thread of its own.
    fn until_all_run(&self, start: impl Fn() -> Result<(), String> + Sync) -> Outcome<f64> {
        let began = Instant::now();
        thread::scope(|scope| {
            let starting: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(&start)).collect();
            let heard = self.hear_all(began);
            for one in starting {
                one.join().map_err(|_| "a thread failed")??;
            }
            heard
        })
    }

    fn hear_all(&self, began: Instant) -> Outcome<f64> {
        let mut heard = 0;
        while heard < AT_ONCE {
            match self.listener.accept() {
                Ok(_) => heard += 1,
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    thread::sleep(Duration::from_micros(200));
                }
                Err(error) => return Err(error.into()),
            }
            if began.elapsed() > PATIENCE {
                return Err(format!("{heard} of {AT_ONCE} programs ran").into());
            }
        }
        Ok(began.elapsed().as_secs_f64())
    }

    fn until_none_runs(&self) -> Outcome<()> {
        let none = until(|| {
            let agents = self.agents().ok()?;
            (agents.running + agents.queued == 0).then_some(())
        });
        none.ok_or_else(|| "agents do not end in time".into())
    }

    fn agents(&self) -> Result<Agents, kite_wire::client::Error> {
        let list = AgentList {
            limit: Some(200),
            ..AgentList::default()
        };
        self.client()?.ask(list)
    }

    fn daemon(&self) -> Outcome<u32> {
        Ok(self.client()?.welcome.pid)
    }
}

fn until<T>(mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        if let Some(found) = look() {
            return Some(found);
        }
        thread::sleep(Duration::from_millis(5));
    }
    None
}

/// The supervisors of a home: `kite supervise DIRECTORY`.
fn supervisors(home: &Path) -> Vec<u32> {
    let Ok(processes) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    let pids = processes.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    let supervises = |pid: &u32| {
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line).into_owned();
        let mut words = line.split('\0').skip(1);
        // Not a child of one that does not run its program yet.
        field(*pid, SESSION) == Some(u64::from(*pid))
            && words.next() == Some("supervise")
            && words
                .next()
                .is_some_and(|directory| Path::new(directory).starts_with(home))
    };
    pids.filter(supervises).collect()
}

fn private_kib(pid: u32) -> u64 {
    let smaps = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
    let private = smaps.lines().filter(|line| line.starts_with("Private_"));
    private
        .filter_map(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok())
        .sum()
}

/// CPU that a process has used, in clock ticks.
fn ticks(pid: u32) -> u64 {
    let used = USED.map(|number| field(pid, number).unwrap_or(0));
    used.iter().sum()
}

/// Numbers of fields of `/proc/PID/stat`, from the one after the name.
const SESSION: usize = 3;
const USED: [usize; 2] = [11, 12];

fn field(pid: u32, number: usize) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, fields) = stat.rsplit_once(')')?;
    fields.split_whitespace().nth(number)?.parse().ok()
}
