//! A stand-in for the engine: it answers by what a task's title says.
//!
//! `echo ...`: at once. `slow <ms>`: after so long. `never`: not at all, until it is dropped.
//! `flood <n>`: so many pushes, then an answer.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::Duration,
};

use kite_daemon::{
    doors::{Answers, Connection, HookAnswer, WaitSender},
    lifecycle::{Service, Stop},
};
use kite_wire::{
    frame,
    reply::{Fault, OneTask, Push, Task, Welcome, fault_line, ok_line},
    request::{Envelope, Request},
};

#[derive(Default)]
pub(crate) struct StandIn {
    pub(crate) stop: Stop,
    /// Requests and hooks that are being answered now.
    pub(crate) under_way: Cell<usize>,
    pub(crate) under_way_max: Cell<usize>,
    pub(crate) closed: Cell<usize>,
    pub(crate) drained: Cell<bool>,
    pub(crate) peers: RefCell<Vec<Option<u32>>>,
}

struct UnderWay(Rc<StandIn>);

impl UnderWay {
    fn new(stand_in: &Rc<StandIn>) -> Self {
        let now = stand_in.under_way.get() + 1;
        stand_in.under_way.set(now);
        stand_in
            .under_way_max
            .set(stand_in.under_way_max.get().max(now));
        UnderWay(Rc::clone(stand_in))
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.under_way.set(self.0.under_way.get() - 1);
    }
}

impl Answers for StandIn {
    async fn request(
        self: Rc<Self>,
        connection: Rc<Connection>,
        envelope: Envelope,
        request: Request,
    ) -> Vec<u8> {
        let _under_way = UnderWay::new(&self);
        self.peers.borrow_mut().push(connection.peer_pid);
        match request {
            Request::Hello(_) => ok_line(envelope.id, &Welcome::default()),
            Request::Shutdown(_) => {
                self.stop.request();
                ok_line(envelope.id, &Welcome::default())
            }
            Request::TaskCreate(task) => {
                act(&connection, &task.title).await;
                let task = Task {
                    title: task.title,
                    ..Task::default()
                };
                ok_line(
                    envelope.id,
                    &OneTask {
                        task,
                        ..OneTask::default()
                    },
                )
            }
            other => fault_line(envelope.id, &Fault::new("unknown", other.name())),
        }
    }

    async fn hook(
        self: Rc<Self>,
        connection: Rc<Connection>,
        header: frame::Header,
        input: Vec<u8>,
        extend: WaitSender,
    ) -> HookAnswer {
        let _under_way = UnderWay::new(&self);
        if header.event == "Extend" {
            extend.send(700);
            act(&connection, "slow 50").await;
        } else {
            act(&connection, &header.event).await;
        }
        let stdout = format!("{} {} {}", header.event, header.client, input.len()).into_bytes();
        HookAnswer {
            exit: 2,
            stdout,
            stderr: b"why".to_vec(),
            receipt: None,
        }
    }

    fn closed(&self, _connection: &Connection) {
        self.closed.set(self.closed.get() + 1);
    }
}

impl Service for StandIn {
    async fn drained(self: Rc<Self>) {
        self.drained.set(true);
    }
}

async fn act(connection: &Connection, title: &str) {
    let (verb, rest) = title.split_once(' ').unwrap_or((title, ""));
    let number = || rest.parse::<u64>().expect("a number");
    match verb {
        "slow" => tokio::time::sleep(Duration::from_millis(number())).await,
        "never" => std::future::pending().await,
        "flood" => {
            for _ in 0..number() {
                let push = Push {
                    push: "x".repeat(4_096),
                    ..Push::default()
                };
                if connection.push.try_send(push).is_err() {
                    return;
                }
            }
        }
        _ => {}
    }
}
