//! Requests that must not get in. Each is sent as bytes; none is accepted, and a good client is
//! served all the while.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use serde_json::json;
use tempfile::tempdir;

use crate::server::{SOON, Server, modern};

/// What a request is made of, each as it should be.
struct Request {
    method: &'static str,
    target: String,
    host: Vec<String>,
    origin: Option<String>,
    authorization: Vec<String>,
    content_type: Option<&'static str>,
    accept: &'static str,
    more: &'static str,
    body: String,
}

/// One wrong thing about a request, and the answers that may follow it.
type Case = (&'static str, &'static [u16], fn(&mut Request));

const OURS: &str = "OURS";

#[rustfmt::skip]
const CASES: &[Case] = &[
    // Names by which this server is not called.
    ("a foreign host", &[403], |r| r.host = vec!["evil.example".into()]),
    ("a foreign host with the right port", &[403], |r| r.host = vec![format!("evil.example:{OURS}")]),
    ("a host that begins like ours", &[403], |r| r.host = vec![format!("localhost.evil.example:{OURS}")]),
    ("a host that ends like ours", &[403], |r| r.host = vec![format!("evil-localhost:{OURS}")]),
    ("an address that is ours in words only", &[403], |r| r.host = vec![format!("127.0.0.1.evil.example:{OURS}")]),
    ("another address", &[403], |r| r.host = vec![format!("10.0.0.1:{OURS}")]),
    ("all addresses", &[403], |r| r.host = vec![format!("0.0.0.0:{OURS}")]),
    ("another address in brackets", &[403], |r| r.host = vec![format!("[2001:db8::1]:{OURS}")]),
    ("a user before the host", &[400, 403], |r| r.host = vec![format!("evil@localhost:{OURS}")]),
    ("no host", &[400], |r| r.host = vec![]),
    ("an empty host", &[400], |r| r.host = vec![String::new()]),
    ("two hosts, the right one first", &[400], |r| r.host.push("evil.example".into())),
    ("two hosts, the right one last", &[400], |r| r.host.insert(0, "evil.example".into())),
    ("a host that is none", &[400], |r| r.host = vec!["local host".into()]),
    ("a host with a path", &[400], |r| r.host = vec!["localhost/mcp".into()]),
    ("a target of another host", &[400], |r| r.target = "http://evil.example/mcp".into()),
    // Pages of other sites.
    ("a foreign origin", &[403], |r| r.origin = Some("http://evil.example".into())),
    ("a foreign origin, encrypted", &[403], |r| r.origin = Some("https://evil.example".into())),
    ("no origin at all", &[403], |r| r.origin = Some("null".into())),
    ("an empty origin", &[403], |r| r.origin = Some(String::new())),
    ("another port's page", &[403], |r| r.origin = Some("http://localhost:1".into())),
    ("an origin that begins like ours", &[403], |r| r.origin = Some(format!("http://127.0.0.1:{OURS}.evil.example"))),
    ("an extension's page", &[403], |r| r.origin = Some("chrome-extension://abcdefgh".into())),
    ("a file's page", &[403], |r| r.origin = Some("file://".into())),
    // Without the token.
    ("no token", &[401], |r| r.authorization = vec![]),
    ("an empty token", &[401], |r| r.authorization = vec!["Bearer ".into()]),
    ("the word alone", &[401], |r| r.authorization = vec!["Bearer".into()]),
    ("another token", &[401], |r| r.authorization = vec![format!("Bearer {}", "0".repeat(64))]),
    ("half the token", &[401], |r| { let half = r.authorization[0].len() - 32; r.authorization[0].truncate(half); }),
    ("the token and more", &[401], |r| r.authorization[0].push('0')),
    ("the token in capitals", &[401], |r| r.authorization[0] = r.authorization[0].to_uppercase()),
    ("the token without its scheme", &[401], |r| r.authorization[0] = r.authorization[0].replace("Bearer ", "")),
    ("another scheme", &[401], |r| r.authorization[0] = r.authorization[0].replace("Bearer", "Basic")),
    ("two tokens, one of them right", &[400, 401], |r| r.authorization.push("Bearer x".into())),
    ("the token in the address", &[401], |r| {
        r.target = format!("/mcp?token={0}&access_token={0}", r.authorization[0].replace("Bearer ", ""));
        r.authorization.clear();
    }),
    ("the token as a cookie", &[401], |r| { r.authorization.clear(); r.more = "Cookie: token=x\r\n"; }),
    ("no token for the small pages", &[401], |r| { r.target = "/version".into(); r.authorization.clear(); }),
    ("no token for the health page", &[401], |r| { r.target = "/healthz".into(); r.authorization.clear(); }),
    // Methods and paths.
    ("PUT", &[405], |r| r.method = "PUT"),
    ("PATCH", &[405], |r| r.method = "PATCH"),
    ("HEAD", &[405], |r| { r.method = "HEAD"; r.body.clear(); }),
    ("TRACE", &[405], |r| r.method = "TRACE"),
    ("CONNECT", &[400, 404, 405], |r| { r.method = "CONNECT"; r.target = "localhost:1".into(); }),
    ("a method of no kind", &[405], |r| r.method = "mcp"),
    ("a page asking whether it may", &[401, 403, 405], |r| {
        r.method = "OPTIONS";
        r.origin = Some("http://evil.example".into());
        r.more = "Access-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: authorization\r\n";
    }),
    ("another path", &[404], |r| r.target = "/".into()),
    ("a path below", &[404], |r| r.target = "/mcp/../mcp".into()),
    ("a path that is a file", &[404], |r| r.target = "/../../http-token".into()),
    ("POST to a small page", &[405], |r| r.target = "/healthz".into()),
    // Media.
    ("no content type", &[415], |r| r.content_type = None),
    ("a form", &[415], |r| r.content_type = Some("application/x-www-form-urlencoded")),
    ("plain text", &[415], |r| r.content_type = Some("text/plain")),
    ("plain text that mentions JSON", &[415], |r| r.content_type = Some("text/plain; application/json")),
    ("parts", &[415], |r| r.content_type = Some("multipart/form-data; boundary=application/json")),
    ("two content types", &[400], |r| r.more = "Content-Type: text/plain\r\n"),
    ("packed", &[415], |r| r.more = "Content-Encoding: gzip\r\n"),
    ("a client that does not take streams", &[406], |r| r.accept = "application/json"),
    ("a client that takes anything", &[406], |r| r.accept = "*/*"),
    // Bodies.
    ("no body", &[400], |r| r.body.clear()),
    ("no JSON", &[400], |r| r.body = "{\"jsonrpc\":".into()),
    ("bytes that are no text", &[400], |r| r.body = "\u{0}\u{1}".into()),
    ("deep JSON", &[400], |r| r.body = "[".repeat(100_000)),
    ("a batch", &[400], |r| r.body = format!("[{0},{0}]", r.body)),
    ("a number", &[400], |r| r.body = "7".into()),
    ("no message", &[400], |r| r.body = "{}".into()),
    // Between the lines.
    ("two lengths", &[400], |r| r.more = "Content-Length: 1\r\n"),
    ("a length and parts", &[400], |r| r.more = "Transfer-Encoding: chunked\r\n"),
    ("a space before the colon", &[400], |r| r.more = "Host : localhost\r\n"),
    ("a line that is no header", &[400], |r| r.more = "nonsense\r\n"),
    ("a negative length", &[400], |r| r.more = "Content-Length: -1\r\n"),
    ("a session that is not there", &[404], |r| r.more = "Mcp-Session-Id: 00000000-0000-0000-0000-000000000000\r\n"),
];

fn good(server: &Server) -> Request {
    Request {
        method: "POST",
        target: "/mcp".into(),
        host: vec![server.address.to_string()],
        origin: None,
        authorization: vec![format!("Bearer {}", server.token)],
        content_type: Some("application/json"),
        accept: "application/json, text/event-stream",
        more: "",
        body: json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"}).to_string(),
    }
}

impl Request {
    fn text(&self, port: u16) -> String {
        let mut text = format!("{} {} HTTP/1.1\r\n", self.method, self.target);
        let mut header = |name: &str, value: &str| {
            text.push_str(&format!(
                "{name}: {}\r\n",
                value.replace(OURS, &port.to_string())
            ));
        };
        self.host.iter().for_each(|host| header("Host", host));
        self.origin
            .iter()
            .for_each(|origin| header("Origin", origin));
        self.authorization
            .iter()
            .for_each(|given| header("Authorization", given));
        self.content_type
            .iter()
            .for_each(|media| header("Content-Type", media));
        header("Accept", self.accept);
        header("Content-Length", &self.body.len().to_string());
        format!("{text}{}\r\n{}", self.more, self.body)
    }
}

#[test]
fn nothing_hostile_gets_in_and_nobody_else_is_disturbed() {
    assert!(CASES.len() >= 40);
    let home = tempdir().expect("a directory");
    let server = Server::start(home.path());
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let good_client = scope.spawn(|| good_client(&server, &done));
        // Also where an assertion fails: else the good client would go on for ever.
        let over = Over(&done);
        let mut silent = Vec::new();
        for (what, answers, spoil) in CASES {
            let mut request = good(&server);
            spoil(&mut request);
            let mut wire = server.connect();
            wire.send(&request.text(server.address.port()));
            wire.end_sending();
            // A connection that is closed without a word has not been accepted either.
            let answer = wire.try_answer();
            if answer.is_none() {
                silent.push(*what);
            }
            if let Some(answer) = answer {
                assert!(answers.contains(&answer.status), "{what}: {answer:?}");
                assert!(
                    answer.header("access-control-allow-origin").is_none(),
                    "{what}: {answer:?}"
                );
                assert!(!answer.body.contains(&server.token), "{what}");
            }
        }
        // Silence is no proof: most are told.
        assert!(silent.len() < CASES.len() / 10, "{silent:?}");
        drop(over);
        let (asked, slowest) = good_client.join().expect("it was served");
        assert!(asked > 0 && slowest < SOON, "{asked} asked, {slowest:?}");
    });
}

#[test]
fn what_the_cases_are_made_of_is_let_in() {
    let home = tempdir().expect("a directory");
    let server = Server::start(home.path());
    let session = server.initialize();
    for host in ["127.0.0.1", "localhost", "LOCALHOST", "[::1]"] {
        let mut request = good(&server);
        request.host = vec![format!("{host}:{OURS}")];
        request.origin = Some(format!("http://{host}:{OURS}"));
        let mut text = request.text(server.address.port());
        text = text.replacen("\r\n", &format!("\r\n{session}"), 1);
        let mut wire = server.connect();
        wire.send(&text);
        assert_eq!(wire.answer().status, 200, "{host}");
    }
}

/// Says that it is over when it is dropped.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Asks until `done`, and says how often and how long the slowest answer took.
fn good_client(server: &Server, done: &AtomicBool) -> (usize, Duration) {
    let headers = "MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: tools/list\r\n";
    let (mut asked, mut slowest) = (0, Duration::ZERO);
    while !done.load(Ordering::Relaxed) {
        let begun = Instant::now();
        let answer = server.ask(headers, &modern(1, "tools/list", json!({})));
        assert_eq!(answer.status, 200, "{answer:?}");
        asked += 1;
        slowest = slowest.max(begun.elapsed());
    }
    (asked, slowest)
}
