//! Durable task creations a second through the daemon's socket, next to an echo server of the
//! same payload; 100 clients.

use std::{
    cell::Cell,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    rc::Rc,
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::UnixStream,
    task::LocalSet,
};

use super::{Kite, echo, row};

const CLIENTS: usize = 100;
const ROUNDS: usize = 7;
const WINDOW: Duration = Duration::from_millis(1_500);

/// How clients connect.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Connections {
    Kept,
    NewEach,
}

pub(crate) fn run(kite: &Kite) {
    for (connections, what, reach) in [
        (
            Connections::Kept,
            "durable task creations/s, 100 clients, connections kept",
            "at least 0.10 x",
        ),
        (
            Connections::NewEach,
            "durable task creations/s, 100 clients, a new connection each",
            "at least 0.35 x",
        ),
    ] {
        let Some(echo) = Echo::start(kite, connections) else {
            return;
        };
        let mut ratios = Vec::new();
        for round in 0..=ROUNDS {
            let project = kite
                .scratch()
                .join(format!("load-{round}-{}", connections as u8));
            let _ = std::fs::create_dir(&project);
            let kite_rate = rate(&kite.socket(), connections, true, &project);
            let echo_rate = rate(&echo.path, connections, false, &project);
            if round > 0 {
                ratios.push(kite_rate / echo_rate);
                crate::say(&format!(
                    "    round {round}: kite {kite_rate:.0}/s, echo {echo_rate:.0}/s"
                ));
            }
        }
        row(
            what,
            &mut ratios,
            "a current_thread tokio echo of the same payload",
            reach,
        );
    }
}

struct Echo {
    path: PathBuf,
    child: Child,
}

impl Echo {
    fn start(kite: &Kite, connections: Connections) -> Option<Echo> {
        let name = if connections == Connections::Kept {
            "echo.kept"
        } else {
            "echo.once"
        };
        let path = kite.scratch().join(name);
        let mut command = Command::new(std::env::current_exe().ok()?);
        let child = command
            .arg(echo::COMMAND)
            .arg(&path)
            .stdin(Stdio::null())
            .spawn()
            .ok()?;
        let deadline = Instant::now() + Duration::from_secs(5);
        while std::os::unix::net::UnixStream::connect(&path).is_err() {
            if Instant::now() > deadline {
                return None;
            }
            std::thread::yield_now();
        }
        Some(Echo { path, child })
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Requests answered a second.
fn rate(socket: &Path, connections: Connections, hello: bool, project: &Path) -> f64 {
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
    else {
        return f64::NAN;
    };
    let local = LocalSet::new();
    let answered = Rc::new(Cell::new(0_u64));
    let began = Instant::now();
    let until = began + WINDOW;
    for client in 0..CLIENTS {
        let (answered, socket, project) =
            (Rc::clone(&answered), socket.to_owned(), project.to_owned());
        local.spawn_local(async move {
            let load = Load {
                client,
                project: project.display().to_string(),
                until,
            };
            match connections {
                Connections::Kept => load.kept(&socket, hello, &answered).await,
                Connections::NewEach => load.new_each(&socket, &answered).await,
            }
        });
    }
    runtime.block_on(local);
    #[expect(
        clippy::cast_precision_loss,
        reason = "a count of seconds' worth of requests"
    )]
    let count = answered.get() as f64;
    count / began.elapsed().as_secs_f64()
}

struct Load {
    client: usize,
    project: String,
    until: Instant,
}

impl Load {
    fn line(&self, number: u64) -> String {
        let Load {
            client, project, ..
        } = self;
        format!(
            "{{\"type\":\"task_create\",\"title\":\"task {client}-{number}\",\"project\":\"{project}\"}}\n"
        )
    }

    async fn kept(&self, socket: &Path, hello: bool, answered: &Cell<u64>) {
        let Ok(mut stream) = UnixStream::connect(socket).await else {
            return;
        };
        let mut buffer = vec![0; 16_384];
        if hello
            && exchange(
                &mut stream,
                b"{\"type\":\"hello\",\"protocol\":[1,1]}\n",
                &mut buffer,
            )
            .await
            .is_none()
        {
            return;
        }
        let mut number = 0;
        while Instant::now() < self.until {
            number += 1;
            match exchange(&mut stream, self.line(number).as_bytes(), &mut buffer).await {
                Some(length) if answer_is_good(&buffer[..length]) => {
                    answered.set(answered.get() + 1)
                }
                _ => return,
            }
        }
    }

    async fn new_each(&self, socket: &Path, answered: &Cell<u64>) {
        let mut buffer = vec![0; 16_384];
        let mut number = 0;
        while Instant::now() < self.until {
            number += 1;
            let Ok(mut stream) = UnixStream::connect(socket).await else {
                tokio::task::yield_now().await;
                continue;
            };
            if stream
                .write_all(self.line(number).as_bytes())
                .await
                .is_err()
            {
                continue;
            }
            let mut length = 0;
            while let Ok(read @ 1..) = stream.read(&mut buffer[length..]).await {
                length += read;
            }
            if answer_is_good(&buffer[..length]) {
                answered.set(answered.get() + 1);
            }
        }
    }
}

/// A refusal is not work done. The echo's answer is the request, which holds no `"ok"`.
fn answer_is_good(answer: &[u8]) -> bool {
    !answer.is_empty() && !answer.windows(10).any(|part| part == b"\"ok\":false")
}

async fn exchange(stream: &mut UnixStream, line: &[u8], buffer: &mut [u8]) -> Option<usize> {
    stream.write_all(line).await.ok()?;
    let mut length = 0;
    loop {
        let read = stream.read(&mut buffer[length..]).await.ok()?;
        length += read;
        if read == 0 || length == buffer.len() {
            return None;
        }
        if buffer[length - 1] == b'\n' {
            return Some(length);
        }
    }
}
