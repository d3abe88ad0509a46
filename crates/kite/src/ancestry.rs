//! Which agent this program runs inside of, if any.
//!
//! An agent tells its children by environment variables. Because those can be lost on the way
//! (`env -i`, `sudo`), the parents of this process are looked at too: by name, and where the
//! system shows it, by the environment they were started with.
//!
//! On Linux parents are read from `/proc`. Elsewhere `ps` is asked for their names alone.

use std::{env, path::Path};

/// Most generations that are looked at.
const GENERATIONS_MAX: usize = 64;

/// The process and session of an agent, as far as they are known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Agent {
    pub(crate) client: &'static str,
    pub(crate) pid: Option<u32>,
    pub(crate) session_id: Option<String>,
}

/// Programs that are agents, and what Kite calls them.
const PROGRAMS: &[(&str, &str)] = &[
    ("claude", "claude-code"),
    ("codex", "codex"),
    ("gemini", "gemini"),
    ("opencode", "opencode"),
];

/// The agent that this process runs inside of. `None` where a person calls.
pub(crate) fn agent() -> Option<Agent> {
    let variable = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
    let told = Told {
        pid: variable("CLAUDE_PID"),
        session_id: variable("CLAUDE_CODE_SESSION_ID"),
    };
    if let Some(mut agent) = told.agent() {
        if agent.pid.is_none() {
            agent.pid = parents()
                .find(|p| p.client() == Some(agent.client))
                .map(|p| p.pid);
        }
        return Some(agent);
    }
    parents().find_map(|parent| match parent.client() {
        Some(client) => Some(Agent {
            client,
            pid: Some(parent.pid),
            session_id: None,
        }),
        None => parent.told().agent(),
    })
}

/// What Claude Code tells its children.
#[derive(Default)]
struct Told {
    pid: Option<String>,
    session_id: Option<String>,
}

impl Told {
    fn agent(self) -> Option<Agent> {
        if self.pid.is_none() && self.session_id.is_none() {
            return None;
        }
        let pid = self
            .pid
            .and_then(|pid| pid.parse().ok())
            .filter(|pid| *pid > 1);
        Some(Agent {
            client: "claude-code",
            pid,
            session_id: self.session_id,
        })
    }
}

struct Process {
    pid: u32,
    parent: u32,
    /// Its own name, and the first words of its command line.
    names: Vec<String>,
}

impl Process {
    fn client(&self) -> Option<&'static str> {
        let base = |name: &str| {
            Path::new(name)
                .file_name()
                .map(|base| base.to_string_lossy().into_owned())
        };
        PROGRAMS.iter().find_map(|(program, client)| {
            self.names
                .iter()
                .filter_map(|name| base(name))
                .any(|name| name == *program)
                .then_some(*client)
        })
    }
}

/// The leader of the terminal session that this process belongs to. `None` where that leader is
/// not of this PID namespace, as in a container that a shell was started in from outside.
#[cfg(target_os = "linux")]
pub(crate) fn session_leader() -> Option<u32> {
    // Not by `rustix::process::getsid`: its answer cannot be 0, and the kernel's can.
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // `pid (name) state parent group session ...`, where the name may hold anything.
    let (_, tail) = stat.rsplit_once(')')?;
    let leader = tail.split_ascii_whitespace().nth(3)?.parse().ok()?;
    (leader != 0).then_some(leader)
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn session_leader() -> Option<u32> {
    let leader = rustix::process::getsid(None).ok()?;
    Some(leader.as_raw_nonzero().get().cast_unsigned())
}

fn parents() -> impl Iterator<Item = Process> {
    let mut next = rustix::process::getppid().map(|pid| pid.as_raw_nonzero().get().cast_unsigned());
    std::iter::from_fn(move || {
        let process = look(next.filter(|pid| *pid > 1)?)?;
        next = Some(process.parent);
        Some(process)
    })
    .take(GENERATIONS_MAX)
}

#[cfg(target_os = "linux")]
fn look(pid: u32) -> Option<Process> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // `pid (name) state parent ...`, where the name may hold anything, also parentheses.
    let (head, tail) = stat.rsplit_once(')')?;
    let name = head.split_once('(')?.1.to_owned();
    let parent = tail.split_ascii_whitespace().nth(1)?.parse().ok()?;
    let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    // The program, and the script where the program is an interpreter.
    let words = line
        .split(|b| *b == 0)
        .take(2)
        .map(|word| String::from_utf8_lossy(word).into_owned());
    Some(Process {
        pid,
        parent,
        names: std::iter::once(name).chain(words).collect(),
    })
}

#[cfg(not(target_os = "linux"))]
fn look(pid: u32) -> Option<Process> {
    let output = std::process::Command::new("/bin/ps")
        .args(["-o", "ppid=,comm=", "-p", &pid.to_string()])
        .stdin(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let (parent, name) = text.trim().split_once(' ')?;
    Some(Process {
        pid,
        parent: parent.parse().ok()?,
        names: vec![name.trim().to_owned()],
    })
}

impl Process {
    /// What this process was told when it was started.
    #[cfg(target_os = "linux")]
    fn told(&self) -> Told {
        let environment = std::fs::read(format!("/proc/{}/environ", self.pid)).unwrap_or_default();
        let value = |name: &[u8]| {
            let entry = environment
                .split(|b| *b == 0)
                .find_map(|entry| entry.strip_prefix(name))?;
            String::from_utf8(entry.to_vec())
                .ok()
                .filter(|value| !value.is_empty())
        };
        Told {
            pid: value(b"CLAUDE_PID="),
            session_id: value(b"CLAUDE_CODE_SESSION_ID="),
        }
    }

    /// Other systems do not show it.
    #[cfg(not(target_os = "linux"))]
    fn told(&self) -> Told {
        Told::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agent_is_known_by_what_it_tells() {
        let told = Told {
            pid: Some("7633".into()),
            session_id: Some("0034".into()),
        };
        let agent = told.agent().unwrap();
        assert_eq!((agent.client, agent.pid), ("claude-code", Some(7633)));
        assert_eq!(
            Told {
                pid: Some("x".into()),
                session_id: None
            }
            .agent()
            .unwrap()
            .pid,
            None
        );
        assert_eq!(Told::default().agent(), None);
    }

    #[test]
    fn an_agent_is_known_by_its_name() {
        let process = |names: &[&str]| Process {
            pid: 9,
            parent: 1,
            names: names.iter().map(|n| (*n).into()).collect(),
        };
        assert_eq!(
            process(&["node", "node", "/opt/bin/claude"]).client(),
            Some("claude-code")
        );
        assert_eq!(
            process(&["claude", "claude", "--resume"]).client(),
            Some("claude-code")
        );
        assert_eq!(process(&["bash", "-bash", ""]).client(), None);
    }

    #[test]
    fn the_parents_of_this_process_can_be_looked_at() {
        assert!(parents().next().is_some());
    }
}
