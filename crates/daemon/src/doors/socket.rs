//! The Unix socket: who may come in, and how many.

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    fs::File,
    future::Future,
    io,
    rc::Rc,
    time::Duration,
};

use kite_wire::reply::{Fault, fault_line};
use rustix::process::geteuid;
use tokio::{
    net::{UnixListener, UnixStream},
    task::spawn_local,
    time::{sleep, timeout},
};

use super::{
    Answers, Connection, Connections, PushSender, exchange::Exchange, mailbox::Mailbox, single,
};

pub use super::{
    lasting::{IN_FLIGHT_MAX, OUTBOX_BYTES_MAX},
    single::FIRST_LINE_PATIENCE,
};

/// Most connections at a time; fewer where the system grants fewer descriptors.
pub const CONNECTIONS_MAX: usize = 4_096;
/// How long to wait before accepting again where the system has nothing left for it.
const EXHAUSTED_PAUSE: Duration = Duration::from_millis(50);

/// Accepts and serves connections.
pub struct Door<A> {
    answers: Rc<A>,
    open: Rc<Open>,
    connections_max: usize,
    /// Given up for a moment to tell a client that there are no descriptors left.
    reserve: RefCell<Option<File>>,
    next_id: Cell<u64>,
}

/// The connections that are open.
#[derive(Debug, Default)]
struct Open {
    mailboxes: RefCell<HashMap<u64, Rc<Mailbox>>>,
    closed: tokio::sync::Notify,
    /// As many as there are mailboxes.
    count: Connections,
}

impl Open {
    fn enter(&self, id: u64, mailbox: Rc<Mailbox>) {
        let mut mailboxes = self.mailboxes.borrow_mut();
        mailboxes.insert(id, mailbox);
        self.count.set(mailboxes.len());
    }

    fn leave(&self, id: u64) {
        let mut mailboxes = self.mailboxes.borrow_mut();
        mailboxes.remove(&id);
        self.count.set(mailboxes.len());
        self.closed.notify_waiters();
    }
}

impl<A: Answers> Door<A> {
    /// Keeps in `count` how many connections are open.
    #[must_use]
    pub fn new(answers: Rc<A>, connections_max: usize, count: Connections) -> Self {
        let open = Open {
            count,
            ..Open::default()
        };
        Door {
            answers,
            open: Rc::new(open),
            connections_max: connections_max.min(CONNECTIONS_MAX),
            reserve: RefCell::new(File::open("/dev/null").ok()),
            next_id: Cell::new(1),
        }
    }

    /// Accepts until `stop` is ready. Must run in a [`tokio::task::LocalSet`].
    pub async fn accept(&self, listener: &UnixListener, stop: impl Future<Output = ()>) {
        let mut stop = std::pin::pin!(stop);
        loop {
            let accepted = tokio::select! {
                biased;
                () = &mut stop => return,
                accepted = listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, _)) => self.admit(stream),
                Err(e) => self.refuse_exhausted(listener, &e).await,
            }
        }
    }

    /// Takes in those who have connected but were not yet accepted.
    pub async fn accept_waiting(&self, listener: &UnixListener) {
        while let Ok(Ok((stream, _))) = timeout(Duration::ZERO, listener.accept()).await {
            self.admit(stream);
        }
    }

    /// Finishes what is under way and begins nothing more. What is not finished after
    /// `patience` is left to be dropped.
    pub async fn drain(&self, patience: Duration) {
        let all_closed = async {
            loop {
                let closed = self.open.closed.notified();
                if self.open.mailboxes.borrow().is_empty() {
                    return;
                }
                closed.await;
            }
        };
        let mailboxes: Vec<_> = self.open.mailboxes.borrow().values().cloned().collect();
        mailboxes.iter().for_each(|mailbox| mailbox.drain());
        // Those who are not done by now had their time.
        let _ = timeout(patience, all_closed).await;
    }

    /// How many connections are open.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.open.count.count()
    }

    fn admit(&self, stream: UnixStream) {
        // Whoever is not this user is told nothing.
        let Ok(peer) = stream.peer_cred() else { return };
        if peer.uid() != geteuid().as_raw() {
            return;
        }
        if self.connections() >= self.connections_max {
            return refuse(&stream, self.connections_max);
        }
        let id = self.next_id.replace(self.next_id.get() + 1);
        let mailbox = Rc::new(Mailbox::default());
        self.open.enter(id, Rc::clone(&mailbox));
        let connection = Rc::new(Connection {
            id,
            peer_pid: peer
                .pid()
                .and_then(|pid| u32::try_from(pid).ok())
                .filter(|pid| *pid != 0),
            push: PushSender(mailbox),
            hello: RefCell::new(None),
        });
        let presence = Presence {
            answers: Rc::clone(&self.answers),
            open: Rc::clone(&self.open),
            connection: Rc::clone(&connection),
        };
        spawn_local(async move {
            single::serve(
                Exchange::new(stream),
                Rc::clone(&presence.answers),
                connection,
            )
            .await;
            drop(presence);
        });
    }

    /// Nothing left to accept with: the one who waits is told so, and the rest wait a moment.
    async fn refuse_exhausted(&self, listener: &UnixListener, error: &io::Error) {
        use rustix::io::Errno;
        let is_exhausted = [Errno::MFILE, Errno::NFILE]
            .iter()
            .any(|known| error.raw_os_error() == Some(known.raw_os_error()));
        if is_exhausted {
            drop(self.reserve.borrow_mut().take());
            if let Ok(Ok((stream, _))) = timeout(Duration::ZERO, listener.accept()).await {
                refuse(&stream, self.connections());
            }
            *self.reserve.borrow_mut() = File::open("/dev/null").ok();
        }
        sleep(EXHAUSTED_PAUSE).await;
    }
}

fn refuse(stream: &UnixStream, connections: usize) {
    let message = format!("the daemon serves {connections} connections already and takes no more");
    let fault = Fault::new("too_many_connections", message).hint("try again in a moment");
    // It fits into an empty socket buffer, or the client is gone.
    let _ = stream.try_write(&fault_line(None, &fault));
}

/// Says goodbye for a connection, however its task ends.
struct Presence<A: Answers> {
    answers: Rc<A>,
    open: Rc<Open>,
    connection: Rc<Connection>,
}

impl<A: Answers> Drop for Presence<A> {
    fn drop(&mut self) {
        self.connection.push.0.close();
        self.open.leave(self.connection.id);
        self.answers.closed(&self.connection);
    }
}
