//! Queues for a lock: in order, left by those who go, told their place.

use std::{process::Stdio, thread};

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::{
    client::{Line, open},
    world::{Process, Session, World, eventually},
};

const WAITERS: usize = 12;

/// A session that waits in the queue, on a connection of its own.
struct Waiter {
    session: Session,
    line: Line,
    request: u64,
}

/// Asks for the file and waits. Returns once it has been told its place, which is the last one.
fn queue_up(world: &mut World, place: usize) -> Waiter {
    let session = world.session();
    let mut line = world.connect();
    let lock = json!({"type": "lock", "paths": ["a.rs"], "wait_s": 45, "session_id": session.id});
    let request = line.send(lock).unwrap();
    let told = line.read().unwrap();
    assert_eq!(
        told,
        json!({"push": "place", "request": request, "place": place})
    );
    Waiter {
        session,
        line,
        request,
    }
}

fn holder(world: &mut World) -> Session {
    let holder = world.session();
    let lock = json!({"type": "lock", "paths": ["a.rs"], "session_id": holder.id});
    let reply = world.ask(&lock);
    assert_eq!(reply["outcome"], "granted", "{reply}");
    holder
}

fn unlock(session: &Session) -> Value {
    json!({"type": "unlock", "paths": ["a.rs"], "session_id": session.id})
}

#[test]
fn who_comes_first_is_served_first_and_told_the_place() {
    let mut world = World::started();
    let holder = holder(&mut world);
    let waiters: Vec<Waiter> = (1..=WAITERS)
        .map(|place| queue_up(&mut world, place))
        .collect();
    let shown = world.ask(&json!({"type": "query", "target": "locks"}));
    assert_eq!(
        shown["locks"][0]["waiting"].as_array().unwrap().len(),
        WAITERS,
        "{shown}"
    );
    assert_eq!(world.ask(&unlock(&holder))["outcome"], "released");
    let mut epochs = Vec::new();
    for mut waiter in waiters {
        let reply = waiter.line.reply(waiter.request).unwrap();
        assert_eq!(reply["outcome"], "granted", "{reply}");
        epochs.push(reply["locks"][0]["epoch"].as_str().unwrap().to_owned());
        let unlocked = waiter.line.ask(unlock(&waiter.session)).unwrap();
        assert_eq!(unlocked["outcome"], "released", "{unlocked}");
    }
    let counter = |epoch: &String| epoch.split_once('.').unwrap().1.parse::<u64>().unwrap();
    assert!(
        epochs.is_sorted_by_key(counter),
        "not in their order: {epochs:?}"
    );
}

#[test]
fn who_cancels_hangs_up_or_is_killed_leaves_the_queue() {
    let mut world = World::started();
    let holder = holder(&mut world);
    let mut cancels = queue_up(&mut world, 1);
    let hangs_up = queue_up(&mut world, 2);
    let dies = queue_up(&mut world, 3);
    // A real client too: the command line, waiting for somebody.
    let in_agent = world.session();
    let mut command = world.kite(&["lock", "acquire", "a.rs", "--wait", "45"]);
    command.env("CLAUDE_PID", in_agent.process.0.to_string());
    command.env("CLAUDE_CODE_SESSION_ID", &in_agent.id);
    let mut killed = command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let waiting = |world: &World| {
        let shown = world.ask(&json!({"type": "query", "target": "locks"}));
        shown["locks"][0]["waiting"].as_array().map_or(0, Vec::len)
    };
    eventually("the command line waits", || waiting(&world) == 4);
    let mut last = queue_up(&mut world, 5);
    let mut told = |place: usize| {
        eventually("the last is told its place", || {
            last.line.read().unwrap()["place"] == place
        });
    };

    let request = cancels.request;
    cancels
        .line
        .send(json!({"type": "cancel", "request": request}))
        .unwrap();
    let answer = cancels.line.reply(request).unwrap();
    assert_eq!(answer["error"]["code"], "cancelled", "{answer}");
    told(4);
    drop(hangs_up.line);
    told(3);
    world.kill(&dies.session);
    told(2);
    Process::of(killed.id()).signal(Signal::KILL);
    killed.wait().unwrap();
    told(1);
    assert_eq!(world.ask(&unlock(&holder))["outcome"], "released");
    assert_eq!(last.line.reply(last.request).unwrap()["outcome"], "granted");
}

/// Its answer is nobody's any more, but what it asked for is done, and whoever waited is told.
#[test]
fn who_unlocks_and_hangs_up_at_once_has_unlocked() {
    let mut world = World::started();
    for round in 0..20 {
        let holder = holder(&mut world);
        let mut waiter = queue_up(&mut world, 1);
        let mut stream = open(&world.socket()).unwrap();
        let request = if round % 2 == 0 {
            unlock(&holder)
        } else {
            json!({"type": "session_end", "session_id": holder.id})
        };
        std::io::Write::write_all(&mut stream, format!("{request}\n").as_bytes()).unwrap();
        drop(stream);
        let granted = thread::scope(|scope| {
            let reply = scope.spawn(|| waiter.line.reply(waiter.request).unwrap());
            eventually("the next is told", || reply.is_finished());
            reply.join().unwrap()
        });
        assert_eq!(granted["outcome"], "granted", "round {round}: {granted}");
        assert_eq!(world.ask(&unlock(&waiter.session))["outcome"], "released");
    }
}
