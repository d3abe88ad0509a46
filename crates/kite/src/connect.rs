//! Finding the home, the daemon and who is calling.

use std::{
    env,
    io::IsTerminal as _,
    path::PathBuf,
    time::{Duration, Instant},
};

use kite_daemon::lifecycle;
use kite_wire::{
    client::{self, Client},
    home::Home,
    reply::{self, Push},
    request::{Caller, Envelope, Request},
};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{
    ancestry,
    error::{Error, Kind},
    wiring::BUILD,
};

/// How long a daemon that went away (a restart, a hand-over) is waited for.
const RETURN_WAIT: Duration = Duration::from_secs(10);
/// Pause between two attempts to find it again.
const RETURN_PAUSE: Duration = Duration::from_millis(50);

/// The Kite home of this call.
pub(crate) fn home() -> Result<Home, Error> {
    Home::find().ok_or_else(|| {
        Error::failed("cannot tell where Kite's home is")
            .because("neither KITE_HOME nor HOME is set")
            .hinted("set KITE_HOME to a directory, such as ~/.kite")
    })
}

/// The program that a daemon of this home is started with: the installed one, else this one.
pub(crate) fn executable(home: &Home) -> Result<PathBuf, Error> {
    let installed = home.bin().join("kite");
    if installed.is_file() {
        return Ok(installed);
    }
    env::current_exe().map_err(|e| Error::failed("cannot find this program's own path").because(e))
}

/// Who is calling: the agent this runs inside of, else a person, known by the shell.
pub(crate) fn caller() -> Caller {
    let cwd = env::current_dir()
        .ok()
        .and_then(|dir| dir.into_os_string().into_string().ok());
    // The agent that Kite started, where this runs inside of one.
    let started = env::var("KITE_AGENT").ok().filter(|id| !id.is_empty());
    match ancestry::agent() {
        Some(agent) => Caller {
            client: agent.client.to_owned(),
            pid: agent.pid,
            client_session_id: agent.session_id,
            cwd,
            agent: started,
            ..Caller::default()
        },
        None => Caller {
            client: "person".to_owned(),
            pid: shell(),
            cwd,
            agent: started,
            ..Caller::default()
        },
    }
}

/// The shell that stands for a person: the leader of the terminal's session, whatever runs in
/// between (`timeout`, `cargo run`, a script); without a terminal, the parent.
fn shell() -> Option<u32> {
    let parent = rustix::process::getppid().map(|pid| pid.as_raw_nonzero().get().cast_unsigned());
    let on_a_terminal =
        rustix::stdio::stdin().is_terminal() || rustix::stdio::stdout().is_terminal();
    ancestry::session_leader()
        .filter(|leader| on_a_terminal && *leader != std::process::id())
        .or(parent)
}

/// A connection to the daemon of this home.
///
/// A daemon that goes away between two requests is found again: every request carries a key by
/// which the daemon knows a repetition, so that it acts once.
pub(crate) struct Daemon {
    pub(crate) home: Home,
    client: Client,
    caller: Caller,
}

impl Daemon {
    /// Connects as the caller of this program, starting the daemon where there is none.
    pub(crate) fn connect() -> Result<Daemon, Error> {
        let (daemon, _) = Daemon::connect_starting(home()?)?;
        Ok(daemon)
    }

    /// Like [`Daemon::connect`]; also tells whether this call has started it. A daemon that ends
    /// between being found and being spoken to is started anew.
    pub(crate) fn connect_starting(home: Home) -> Result<(Daemon, bool), Error> {
        let give_up = Instant::now() + RETURN_WAIT;
        loop {
            let running = start(&home)?;
            match Daemon::connect_running(home.clone()) {
                Err(error) if error.kind == Kind::Unreachable && Instant::now() < give_up => {
                    std::thread::sleep(RETURN_PAUSE);
                }
                connected => return Ok((connected?, running.started)),
            }
        }
    }

    /// Connects to a daemon that runs already.
    pub(crate) fn connect_running(home: Home) -> Result<Daemon, Error> {
        Daemon::connect_as(home, caller())
    }

    /// Connects as somebody else: the scripted sessions of `kite demo`.
    pub(crate) fn connect_as(home: Home, caller: Caller) -> Result<Daemon, Error> {
        let client = open(&home, &caller)?;
        Ok(Daemon {
            home,
            client,
            caller,
        })
    }

    /// What the daemon said of itself.
    pub(crate) fn welcome(&self) -> &reply::Welcome {
        &self.client.welcome
    }

    /// Asks, and reads the answer as `T`.
    pub(crate) fn ask<T: DeserializeOwned>(
        &mut self,
        request: impl Into<Request>,
    ) -> Result<T, Error> {
        self.ask_for(None, request)
    }

    /// Asks on behalf of another session.
    pub(crate) fn ask_for<T: DeserializeOwned>(
        &mut self,
        session_id: Option<&str>,
        request: impl Into<Request>,
    ) -> Result<T, Error> {
        read(self.ask_value(request.into(), session_id, Client::ask_raw)?)
    }

    /// Asks, and tells `watch` of every push that comes before the answer.
    pub(crate) fn ask_watching(
        &mut self,
        request: impl Into<Request>,
        mut watch: impl FnMut(&Push),
    ) -> Result<Value, Error> {
        self.ask_value(request.into(), None, |client, request, envelope| {
            client.ask_watching(request, envelope, &mut watch)
        })
    }

    fn ask_value(
        &mut self,
        request: Request,
        session_id: Option<&str>,
        mut send: impl FnMut(&mut Client, Request, Envelope) -> Result<Value, client::Error>,
    ) -> Result<Value, Error> {
        let envelope = Envelope {
            op_id: changes_state(&request).then(op_id).transpose()?,
            session_id: session_id.map(str::to_owned),
            ..Envelope::default()
        };
        match send(&mut self.client, request.clone(), envelope.clone()) {
            Err(client::Error::Io(cause)) if went_away(&cause) => {
                start(&self.home)?;
                self.find_again()?;
                Ok(send(&mut self.client, request, envelope)?)
            }
            other => Ok(other?),
        }
    }

    /// Waits for the next push, at most `timeout`.
    pub(crate) fn next_push(
        &mut self,
        timeout: Option<Duration>,
    ) -> Result<Option<Push>, client::Error> {
        self.client.next_push(timeout)
    }

    /// Connects anew to a daemon that went away, waiting for it to come back.
    pub(crate) fn find_again(&mut self) -> Result<(), Error> {
        let give_up = Instant::now() + RETURN_WAIT;
        loop {
            match open(&self.home, &self.caller) {
                Ok(client) => {
                    self.client = client;
                    return Ok(());
                }
                Err(error) if error.kind != Kind::Unreachable || Instant::now() >= give_up => {
                    return Err(error);
                }
                Err(_) => std::thread::sleep(RETURN_PAUSE),
            }
        }
    }
}

/// Reads a reply as `T`, or as the fault it carries.
pub(crate) fn read<T: DeserializeOwned>(value: Value) -> Result<T, Error> {
    reply::read(value).map_err(Error::from)
}

/// Starts the daemon of this home where there is none.
pub(crate) fn start(home: &Home) -> Result<lifecycle::Running, Error> {
    lifecycle::ensure(home, &executable(home)?).map_err(|cause| {
        Error::new(Kind::Unreachable, "cannot start the Kite daemon")
            .because(cause.message)
            .hinted(cause.hint)
    })
}

/// Lets the daemon of this home end. False where there was none.
pub(crate) fn stop(home: &Home) -> Result<bool, Error> {
    lifecycle::stop(home).map_err(|cause| {
        Error::failed("cannot stop the Kite daemon")
            .because(cause.message)
            .hinted(cause.hint)
    })
}

fn open(home: &Home, caller: &Caller) -> Result<Client, Error> {
    match Client::connect(&home.socket(), "cli", BUILD, Some(caller.clone())) {
        Ok(client) => Ok(client),
        Err(error) if error.is_absent() => Err(Error::no_daemon(home)),
        Err(error) => Err(error.into()),
    }
}

fn went_away(cause: &std::io::Error) -> bool {
    use std::io::ErrorKind::{BrokenPipe, ConnectionReset, UnexpectedEof};
    matches!(cause.kind(), BrokenPipe | ConnectionReset | UnexpectedEof)
}

/// Requests that only read need no key.
fn changes_state(request: &Request) -> bool {
    !matches!(
        request,
        Request::Hello(_)
            | Request::TaskList(_)
            | Request::TaskShow(_)
            | Request::FileChangers(_)
            | Request::TrustShow(_)
            | Request::ToolList(_)
            | Request::Query(_)
            | Request::Subscribe(_)
            | Request::Cancel(_)
            | Request::Shutdown(_)
    )
}

/// An unguessable key, 32 hexadecimal digits.
pub(crate) fn op_id() -> Result<String, Error> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)
        .map_err(|e| Error::failed("the system gives no random numbers").because(e))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
