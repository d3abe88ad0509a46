//! The socket's door, as clients of every kind meet it. A stand-in answers behind it.

mod support;

use std::{
    cell::RefCell,
    future::Future,
    io,
    path::{Path, PathBuf},
    rc::Rc,
    time::{Duration, Instant},
};

use kite_daemon::doors::{Connections, PUSHES_QUEUED_MAX, socket::Door, socket::IN_FLIGHT_MAX};
use kite_wire::frame::{AnswerLine, Header, INPUT_BYTES_MAX, LINE_BYTES_MAX};
use support::StandIn;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{UnixListener, UnixStream},
    task::{LocalSet, spawn_local},
    time::timeout,
};

const HELLO: &[u8] = b"{\"type\":\"hello\",\"protocol\":[1,1],\"id\":1}\n";
const PATIENCE: Duration = Duration::from_secs(30);

struct House {
    _directory: tempfile::TempDir,
    socket: PathBuf,
    stand_in: Rc<StandIn>,
    door: Rc<Door<StandIn>>,
    close: RefCell<Option<tokio::sync::oneshot::Sender<()>>>,
}

/// Runs `story` against an open door.
fn with_door<F: Future<Output = ()>>(connections_max: usize, story: impl FnOnce(Rc<House>) -> F) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    LocalSet::new().block_on(&runtime.expect("a runtime"), async {
        let directory = tempfile::tempdir().expect("a directory");
        let socket = directory.path().join("kite.sock");
        let listener = UnixListener::bind(&socket).expect("bound");
        let stand_in = Rc::new(StandIn::default());
        let door = Rc::new(Door::new(
            Rc::clone(&stand_in),
            connections_max,
            Connections::default(),
        ));
        let (close, closed) = tokio::sync::oneshot::channel();
        let accepting = Rc::clone(&door);
        spawn_local(async move {
            accepting
                .accept(&listener, async { drop(closed.await) })
                .await
        });
        let close = RefCell::new(Some(close));
        let house = House {
            _directory: directory,
            socket,
            stand_in,
            door,
            close,
        };
        timeout(PATIENCE, story(Rc::new(house)))
            .await
            .expect("the story ends in time");
    });
}

async fn connect(socket: &Path) -> UnixStream {
    UnixStream::connect(socket).await.expect("connected")
}

async fn send(socket: &Path, bytes: &[u8]) -> UnixStream {
    let mut stream = connect(socket).await;
    stream.write_all(bytes).await.expect("written");
    stream
}

async fn read_to_end(stream: &mut UnixStream) -> String {
    let mut text = Vec::new();
    stream
        .read_to_end(&mut text)
        .await
        .expect("read to the end");
    String::from_utf8(text).expect("text")
}

async fn read_line(stream: &mut UnixStream) -> String {
    let mut line = Vec::new();
    while line.last() != Some(&b'\n') {
        match stream.read_u8().await {
            Ok(byte) => line.push(byte),
            Err(_) => break,
        }
    }
    String::from_utf8(line).expect("text")
}

fn create(title: &str, id: u64) -> Vec<u8> {
    format!("{{\"type\":\"task_create\",\"title\":\"{title}\",\"id\":{id}}}\n").into_bytes()
}

/// Waits until `is_so`.
async fn until(what: &str, is_so: impl Fn() -> bool) {
    let started = Instant::now();
    while !is_so() {
        assert!(started.elapsed() < PATIENCE, "in vain: {what}");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[test]
fn one_line_gets_one_reply_and_the_end_of_the_stream() {
    with_door(100, |house| async move {
        let mut stream = send(&house.socket, &create("echo", 7)).await;
        let reply = read_to_end(&mut stream).await;
        assert!(
            reply.contains("\"id\":7") && reply.ends_with("}\n"),
            "{reply}"
        );
        assert_eq!(reply.lines().count(), 1);
        let me = house.stand_in.peers.borrow()[0];
        assert_eq!(me, Some(std::process::id()));
        until("the engine is told", || house.stand_in.closed.get() == 1).await;
    });
}

#[test]
fn whoever_half_closes_or_forgets_the_newline_still_gets_the_answer() {
    with_door(100, |house| async move {
        for text in [
            create("slow 400", 1),
            create("slow 20", 1),
            b"{\"type\":\"shutdown\"}".to_vec(),
        ] {
            let mut stream = send(&house.socket, &text).await;
            stream.shutdown().await.expect("half closed");
            assert!(read_to_end(&mut stream).await.contains("\"ok\":true"));
        }
    });
}

#[test]
fn after_hello_answers_come_in_any_order() {
    with_door(100, |house| async move {
        let lines = [
            HELLO,
            &create("slow 100", 2),
            &create("echo", 3),
            b"\n",
            b"nonsense\n",
        ]
        .concat();
        let mut stream = send(&house.socket, &lines).await;
        let mut replies = Vec::new();
        for _ in 0..4 {
            replies.push(read_line(&mut stream).await);
        }
        assert!(
            replies.iter().any(|reply| reply.contains("invalid_json")),
            "{replies:?}"
        );
        assert!(
            replies[3].contains("\"id\":2"),
            "the slow one is last: {replies:?}"
        );
        stream.shutdown().await.expect("half closed");
        assert_eq!(read_to_end(&mut stream).await, "");
    });
}

#[test]
fn lines_may_come_in_pieces_of_any_size() {
    with_door(100, |house| async move {
        let lines = [HELLO.to_vec(), create("echo é", 2), create("echo", 3)].concat();
        for size in [1, 2, 3, 7, 50] {
            let mut stream = connect(&house.socket).await;
            for piece in lines.chunks(size) {
                stream.write_all(piece).await.expect("written");
                tokio::task::yield_now().await;
            }
            for _ in 0..3 {
                assert!(read_line(&mut stream).await.contains("\"ok\":true"));
            }
        }
    });
}

#[test]
fn a_hook_call_is_answered_byte_for_byte() {
    with_door(100, |house| async move {
        for length in [0, 1, 5_000_000] {
            let header = Header {
                event: "PreToolUse".into(),
                client: "claude-code".into(),
                input_len: length,
                env: vec![],
            };
            let mut stream = send(&house.socket, &header.to_line()).await;
            stream
                .write_all(&vec![b'{'; length])
                .await
                .expect("written");
            let expected = format!("PreToolUse claude-code {length}");
            let done = AnswerLine::Done {
                exit: 2,
                stdout_len: expected.len(),
                stderr_len: 3,
            };
            let answer = read_to_end(&mut stream).await;
            assert_eq!(answer, format!("{}{expected}why", done.to_line()));
        }
    });
}

#[test]
fn a_hook_is_told_to_wait_before_it_is_answered() {
    with_door(100, |house| async move {
        let header = Header {
            event: "Extend".into(),
            ..Header::default()
        };
        let mut stream = send(&house.socket, &header.to_line()).await;
        assert_eq!(read_line(&mut stream).await, "wait 700\n");
        assert!(read_line(&mut stream).await.starts_with("done 2 "));
    });
}

#[test]
fn a_broken_hook_frame_lets_the_agent_go_on() {
    with_door(100, |house| async move {
        let huge = Header {
            input_len: INPUT_BYTES_MAX + 1,
            ..Header::default()
        };
        let short = Header {
            input_len: 10,
            ..Header::default()
        };
        for frame in [
            huge.to_line(),
            short.to_line(),
            b"hook\t9\tx\n".to_vec(),
            b"hook\t\xFF\n".to_vec(),
        ] {
            let mut stream = send(&house.socket, &frame).await;
            stream.shutdown().await.expect("half closed");
            let answer = read_to_end(&mut stream).await;
            assert!(answer.starts_with("done 0 0 "), "{answer}");
        }
    });
}

#[test]
fn an_endless_line_is_refused_by_name() {
    with_door(100, |house| async move {
        for start in [&b"{"[..], b"hook\t", HELLO] {
            let mut stream = send(&house.socket, start).await;
            let sent = stream.write_all(&vec![b'x'; 3 * LINE_BYTES_MAX]).await;
            sent.expect("it is taken in, and thrown away");
            stream.shutdown().await.expect("half closed");
            assert!(read_to_end(&mut stream).await.contains("too_long"));
        }
        let longest = format!(
            "{}{}",
            "{\"type\":\"task_create\",\"title\":\"",
            "x".repeat(LINE_BYTES_MAX - 33)
        );
        let longest = longest + "\"}\n";
        assert_eq!(
            longest.len(),
            LINE_BYTES_MAX + 1,
            "the limit does not count the newline"
        );
        let mut stream = send(&house.socket, longest.as_bytes()).await;
        assert!(read_to_end(&mut stream).await.contains("\"ok\":true"));
    });
}

#[test]
fn garbage_gets_an_error_and_harms_nobody() {
    with_door(100, |house| async move {
        let all_bytes: Vec<u8> = (0..=255)
            .cycle()
            .take(100_000)
            .filter(|b| *b != b'\n')
            .collect();
        let deep = [b"[".repeat(500_000), b"\n".to_vec()].concat();
        let with_newline = [all_bytes, b"\n".to_vec()].concat();
        for garbage in [
            with_newline,
            deep,
            b"GET / HTTP/1.1\r\n\r\n".to_vec(),
            b"\n".to_vec(),
            b"null\n".to_vec(),
        ] {
            let mut stream = send(&house.socket, &garbage).await;
            assert!(read_to_end(&mut stream).await.contains("\"ok\":false"));
        }
        let mut stream = send(&house.socket, &create("echo", 1)).await;
        assert!(read_to_end(&mut stream).await.contains("\"ok\":true"));
    });
}

#[test]
fn who_goes_away_waits_no_longer() {
    with_door(100, |house| async move {
        let hook = Header {
            event: "never".into(),
            ..Header::default()
        }
        .to_line();
        let lasting = [HELLO.to_vec(), create("never", 2), create("never", 3)].concat();
        for (bytes, waiting) in [(create("never", 1), 1), (lasting, 2), (hook, 1)] {
            let stream = send(&house.socket, &bytes).await;
            until("it waits", || house.stand_in.under_way.get() == waiting).await;
            drop(stream);
            until("it is cancelled", || house.stand_in.under_way.get() == 0).await;
            until("it is closed", || house.door.connections() == 0).await;
        }
        let mut stream = send(&house.socket, &create("never", 1)).await;
        stream.shutdown().await.expect("half closed");
        until("it waits", || house.stand_in.under_way.get() == 1).await;
        drop(stream);
        until("it is cancelled", || house.stand_in.under_way.get() == 0).await;
        assert_eq!(house.stand_in.closed.get(), 4);
    });
}

#[test]
fn a_slow_subscriber_is_dropped_and_a_quick_one_is_not() {
    with_door(100, |house| async move {
        let within = PUSHES_QUEUED_MAX - 1;
        let lines = [HELLO.to_vec(), create(&format!("flood {within}"), 2)].concat();
        let mut quick = send(&house.socket, &lines).await;
        for _ in 0..within + 2 {
            assert!(read_line(&mut quick).await.ends_with('\n'));
        }
        let lines = [HELLO.to_vec(), create("flood 100000", 2)].concat();
        let mut slow = send(&house.socket, &lines).await;
        until("it is dropped", || house.door.connections() == 1).await;
        let _ = slow.read_to_end(&mut Vec::new()).await;
        quick
            .write_all(&create("echo", 3))
            .await
            .expect("still open");
        assert!(read_line(&mut quick).await.contains("\"id\":3"));
    });
}

#[test]
fn only_so_many_requests_of_a_connection_are_under_way() {
    with_door(100, |house| async move {
        let mut lines = HELLO.to_vec();
        let total = 10 * IN_FLIGHT_MAX as u64;
        for id in 2..2 + total {
            lines.extend(create("slow 5", id));
        }
        let mut stream = send(&house.socket, &lines).await;
        for _ in 0..=total {
            assert!(read_line(&mut stream).await.contains("\"ok\":true"));
        }
        let most = house.stand_in.under_way_max.get();
        assert!(most == IN_FLIGHT_MAX, "{most} were under way");
    });
}

#[test]
fn a_client_that_never_reads_stops_being_read() {
    with_door(100, |house| async move {
        let mut stream = send(&house.socket, HELLO).await;
        let line = create(&"x".repeat(100_000), 2);
        let mut written = 0;
        while let Ok(sent) = timeout(Duration::from_millis(300), stream.write_all(&line)).await {
            sent.expect("open");
            written += line.len();
            assert!(written < 100 << 20, "it is taken in without an end");
        }
        drop(stream);
        until("it is closed", || house.door.connections() == 0).await;
    });
}

#[test]
fn one_connection_too_many_is_told_so() {
    with_door(3, |house| async move {
        let mut open = Vec::new();
        for _ in 0..3 {
            let mut stream = send(&house.socket, HELLO).await;
            read_line(&mut stream).await;
            open.push(stream);
        }
        let mut stream = connect(&house.socket).await;
        assert!(
            read_to_end(&mut stream)
                .await
                .contains("too_many_connections")
        );
        drop(open.pop());
        until("a place is free", || house.door.connections() == 2).await;
        let mut stream = send(&house.socket, &create("echo", 1)).await;
        assert!(read_to_end(&mut stream).await.contains("\"ok\":true"));
    });
}

#[test]
fn hundreds_of_silent_connections_harm_nobody_and_end() {
    with_door(4_000, |house| async move {
        let mut silent = Vec::new();
        for number in 0..400 {
            let bytes: &[u8] = if number % 2 == 0 { b"" } else { b"{\"type\":" };
            silent.push(send(&house.socket, bytes).await);
        }
        let mut lasting = send(&house.socket, HELLO).await;
        read_line(&mut lasting).await;
        let started = Instant::now();
        let mut stream = send(&house.socket, &create("echo", 1)).await;
        assert!(read_to_end(&mut stream).await.contains("\"ok\":true"));
        assert!(started.elapsed() < Duration::from_secs(1));
        until("the silent ones are closed", || {
            house.door.connections() == 1
        })
        .await;
        lasting
            .write_all(&create("echo", 2))
            .await
            .expect("a silent client after hello stays");
        assert!(read_line(&mut lasting).await.contains("\"id\":2"));
    });
}

#[test]
fn draining_answers_what_was_asked() {
    with_door(100, |house| async move {
        let lines = [HELLO.to_vec(), create("slow 300", 2), create("never", 3)].concat();
        let mut lasting = send(&house.socket, &lines).await;
        read_line(&mut lasting).await;
        let mut single = send(&house.socket, &create("slow 300", 1)).await;
        let mut idle = connect(&house.socket).await;
        until("all wait", || house.stand_in.under_way.get() == 3).await;
        house.close.borrow_mut().take();
        let draining = Rc::clone(&house);
        let drained = spawn_local(async move { draining.door.drain(Duration::from_secs(2)).await });
        assert!(read_line(&mut lasting).await.contains("\"id\":2"));
        assert!(read_to_end(&mut single).await.contains("\"ok\":true"));
        assert_eq!(read_to_end(&mut idle).await, "");
        drained.await.expect("drained, although one never ends");
        assert_eq!(house.door.connections(), 1);
    });
}

#[test]
fn errors_of_the_network_are_not_errors_of_the_daemon() {
    with_door(100, |house| async move {
        for _ in 0..200 {
            // Gone before it is answered: the answer meets a closed socket.
            drop(send(&house.socket, &create("slow 1", 1)).await);
        }
        until("all are closed", || house.door.connections() == 0).await;
        let mut stream = send(&house.socket, &create("echo", 1)).await;
        let reply: io::Result<usize> = stream.read(&mut [0; 64]).await;
        assert!(reply.expect("answered") > 0);
    });
}
