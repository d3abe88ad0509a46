//! A scripted model on loopback, in the APIs that Claude Code, Codex, Gemini CLI and opencode ask.
//!
//! It keeps no conversation. Which script plays is said by a marker in the newest user message
//! that has one (`[script NAME]`), and which turn of it by the number of assistant messages after
//! that message; so any number of sessions and subagents may talk to it at once. A turn is read
//! when it is told: a script that is replaced while a session waits at a cue is what it goes on with.
//!
//! **Architecture Invariant:** the model never acts on files or processes. What a session does,
//! it does by itself, because the script made its model ask for it.

mod api;
mod call;
mod cue;
mod http;
mod record;
mod script;

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use self::{api::Api, cue::Cues, http::Request, script::Turn};
pub use self::{
    call::Call,
    record::{Exchange, ToolResult},
    script::{Script, marker},
};

/// How long a session waits at a cue before the scene is called broken.
pub const CUE_WAIT_MAX: Duration = Duration::from_secs(45);

/// A running model server. It ends with the process.
pub struct Model {
    address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    scripts: Mutex<BTreeMap<String, Script>>,
    exchanges: Mutex<Vec<Exchange>>,
    faults: Mutex<BTreeSet<String>>,
    cues: Cues,
}

impl Model {
    /// Starts a model on a free port of 127.0.0.1.
    pub fn start() -> io::Result<Model> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared::default());
        let model = Model {
            address,
            shared: Arc::clone(&shared),
        };
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&shared);
                thread::spawn(move || shared.serve(&stream));
            }
        });
        Ok(model)
    }

    /// Where it is: `ANTHROPIC_BASE_URL`, `GOOGLE_GEMINI_BASE_URL`; `/v1` below it is OpenAI's.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Learns a script. One of the same name is replaced.
    pub fn learn(&self, script: Script) {
        lock(&self.shared.scripts).insert(script.name.clone(), script);
    }

    /// How many have arrived at a cue so far.
    #[must_use]
    pub fn arrived(&self, cue: &str) -> usize {
        self.shared.cues.arrived(cue)
    }

    /// Lets everybody at a cue go on, now and later, whatever number it waits for.
    pub fn open(&self, cue: &str) {
        self.shared.cues.open(cue);
    }

    /// Every request that asked for an answer of this script, in the order of arrival.
    #[must_use]
    pub fn exchanges(&self, script: &str) -> Vec<Exchange> {
        lock(&self.shared.exchanges)
            .iter()
            .filter(|e| e.script == script)
            .cloned()
            .collect()
    }

    /// The results of tool calls that this script's model has received, in order.
    #[must_use]
    pub fn results(&self, script: &str) -> Vec<ToolResult> {
        self.exchanges(script)
            .iter()
            .flat_map(Exchange::results)
            .collect()
    }

    /// The newest request of this script, which may still wait at a cue.
    #[must_use]
    pub fn newest(&self, script: &str) -> Option<Exchange> {
        lock(&self.shared.exchanges)
            .iter()
            .rev()
            .find(|e| e.script == script)
            .cloned()
    }

    /// What went wrong with the scripts themselves: nobody came to a cue, an unknown script.
    #[must_use]
    pub fn faults(&self) -> Vec<String> {
        lock(&self.shared.faults).iter().cloned().collect()
    }
}

impl Shared {
    /// Answers the requests of one connection until its other end closes it.
    fn serve(&self, stream: &TcpStream) {
        let mut reader = io::BufReader::new(stream);
        while let Ok(Some(request)) = http::read(&mut reader) {
            let (kind, body) = self.answer(&request);
            if http::write(stream, &request, kind, &body).is_err() {
                return;
            }
        }
    }

    fn answer(&self, request: &Request) -> (&'static str, String) {
        let path = request.path.split('?').next().unwrap_or_default();
        if let Some(api) = Api::of(path) {
            return self.speak(api, path, request);
        }
        match path {
            "/v1/messages/count_tokens" => (
                "application/json",
                json!({"input_tokens": request.body.len() / 4}).to_string(),
            ),
            _ => ("application/json", "{}".to_owned()),
        }
    }

    /// Finds the turn that is asked for, waits for its cue, and tells it.
    fn speak(&self, api: Api, path: &str, request: &Request) -> (&'static str, String) {
        let arrived = Instant::now();
        let asked: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        if !api.is_turn(&asked) {
            return api.answer(path, &asked, &Turn::says("A title").blocks);
        }
        let session = request
            .header("x-claude-code-session-id")
            .unwrap_or_default()
            .to_owned();
        let exchange = Exchange::read(session, api.read(asked.clone()), arrived);
        let mut turn = self.turn_for(&exchange.script, exchange.turn);
        let (script, number) = (exchange.script.clone(), exchange.turn);
        let caller = (exchange.session.clone(), script.clone(), number);
        let at = self.record(exchange);
        if let Some((cue, expected)) = &turn.cue {
            if !self.cues.wait(cue, *expected, caller, CUE_WAIT_MAX) {
                self.fault(format!("cue `{cue}`: fewer than {expected} came"));
            }
            turn = self.turn_for(&script, number);
        }
        let answer = api.answer(path, &asked, &turn.blocks);
        lock(&self.exchanges)[at].answered = Some(Instant::now());
        answer
    }

    /// Keeps a request, and returns its place in the record.
    fn record(&self, exchange: Exchange) -> usize {
        let mut exchanges = lock(&self.exchanges);
        exchanges.push(exchange);
        exchanges.len() - 1
    }

    fn turn_for(&self, script: &str, number: usize) -> Turn {
        let scripts = lock(&self.scripts);
        match scripts.get(script) {
            Some(script) => script.turn_at(number),
            None => {
                self.fault(format!("unknown script `{script}`"));
                Turn::says("There is no script for this.")
            }
        }
    }

    fn fault(&self, text: String) {
        lock(&self.faults).insert(text);
    }
}

/// The scene's own panics must not hide behind a poisoned lock.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
