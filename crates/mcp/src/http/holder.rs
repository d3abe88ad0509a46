//! Which program listens on a port, as far as `/proc` tells. Linux only; elsewhere nobody is named.

use std::{
    fmt, fs,
    path::{Path, PathBuf},
};

/// State of a listening socket in `/proc/net/tcp`.
const LISTENING: &str = "0A";
/// Processes that are looked at.
const PROCESSES_MAX: usize = 65_536;

/// A process that listens.
pub(super) struct Holder {
    pub(super) pid: u32,
    program: String,
}

impl Holder {
    pub(super) fn is_kite(&self) -> bool {
        self.program == "kite"
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (pid {})", self.program, self.pid)
    }
}

/// Who listens on that port, in either address family. `None` also where it is another user's.
pub(super) fn of(port: u16) -> Option<Holder> {
    let sockets: Vec<PathBuf> = ["/proc/net/tcp", "/proc/net/tcp6"]
        .iter()
        .filter_map(|table| fs::read_to_string(table).ok())
        .flat_map(|table| inodes(&table, port))
        .map(|inode| PathBuf::from(format!("socket:[{inode}]")))
        .collect();
    if sockets.is_empty() {
        return None;
    }
    let processes = fs::read_dir("/proc").ok()?.flatten().take(PROCESSES_MAX);
    processes
        .filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok())
        .find(|pid| has_one_of(*pid, &sockets))
        .map(|pid| Holder {
            pid,
            program: program(pid),
        })
}

/// `sl local_address rem_address st ... inode`, where the address is `0100007F:0BB9`.
fn inodes(table: &str, port: u16) -> Vec<String> {
    let of_line = |line: &str| {
        let fields: Vec<&str> = line.split_ascii_whitespace().collect();
        let (_, listening) = fields.get(1)?.rsplit_once(':')?;
        let is_it =
            u16::from_str_radix(listening, 16).ok()? == port && fields.get(3)? == &LISTENING;
        is_it.then(|| fields.get(9).map(|inode| (*inode).to_owned()))?
    };
    table.lines().skip(1).filter_map(of_line).collect()
}

fn has_one_of(pid: u32, sockets: &[PathBuf]) -> bool {
    let Ok(descriptors) = fs::read_dir(format!("/proc/{pid}/fd")) else {
        return false;
    };
    descriptors
        .flatten()
        .filter_map(|descriptor| fs::read_link(descriptor.path()).ok())
        .any(|target| sockets.contains(&target))
}

/// The program's file name. Never its arguments: they may hold secrets.
fn program(pid: u32) -> String {
    let executable = fs::read_link(format!("/proc/{pid}/exe")).ok();
    let name = executable
        .as_deref()
        .and_then(Path::file_name)
        .map(|name| name.to_string_lossy().into_owned())
        .or_else(|| fs::read_to_string(format!("/proc/{pid}/comm")).ok());
    let name = name.unwrap_or_else(|| "a program".to_owned());
    crate::text::one_line(name.trim_end_matches(" (deleted)"), 64)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn this_process_is_found_by_its_port() {
        for address in ["127.0.0.1:0", "[::1]:0"] {
            let Ok(listener) = TcpListener::bind(address) else {
                continue;
            };
            let port = listener.local_addr().expect("bound").port();
            let holder = of(port).expect("somebody listens");
            assert_eq!(holder.pid, std::process::id());
            assert!(!holder.is_kite(), "{holder}");
        }
    }
}
