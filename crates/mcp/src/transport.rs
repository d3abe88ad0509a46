//! The stdio transport: one JSON-RPC message a line, in and out.
//!
//! rmcp's own is not used, for what it does at the edges: a line it cannot read as a message is
//! answered without the request's id (the caller waits for ever) or not at all; a notification
//! before the handshake ends the process; and the end of input is only noticed by its loop, which
//! then waits five seconds for calls under way.
//!
//! A process serves both eras, in any order. rmcp, once begun without a handshake, would refuse the
//! older era for good; begun with one, it takes both. So where the newer era comes first, rmcp is
//! given a handshake that nobody sent, and whoever is of the older era must still send its own.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use rmcp::{
    RoleServer,
    model::{
        ClientJsonRpcMessage, ClientRequest, ErrorData, GetMeta, JsonRpcMessage, ProtocolVersion,
        RequestId, ServerJsonRpcMessage,
    },
    transport::Transport,
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader},
    sync::Mutex,
};
use tokio_util::sync::CancellationToken;

/// Longest message, in bytes. Longer ones are skipped and answered with an error.
const MESSAGE_BYTES_MAX: usize = 8 << 20;
/// Memory kept for the next message, in bytes.
const LINE_BYTES_KEPT: usize = 64 << 10;
/// Read at once, in bytes.
const READ_BYTES: usize = 8 << 10;

/// The id of the handshake that nobody sent.
const OWN_HANDSHAKE: &str = "kite: begin";

/// Lines in, lines out.
pub(crate) struct Lines<R, W> {
    reader: BufReader<R>,
    line: Vec<u8>,
    /// Within a line that is too long.
    skipping: bool,
    writer: Arc<Mutex<W>>,
    /// rmcp has chosen an era, and takes any message from now on.
    begun: bool,
    /// The client has sent a handshake.
    shaken: bool,
    /// To be passed on after the handshake that nobody sent.
    held: Option<ClientJsonRpcMessage>,
    /// The next answer to that handshake is for nobody.
    swallows: Arc<AtomicBool>,
    /// Cancelled when input has ended or output cannot be written.
    ended: CancellationToken,
}

/// What a line says.
enum Parsed {
    Message(Box<ClientJsonRpcMessage>),
    /// JSON, but no message: why, and the id to answer under.
    Wrong(String, Option<RequestId>),
    /// Not to be answered: to the other side, an answer to noise could be noise.
    Noise,
}

/// One line of input.
enum Line {
    /// It is in the buffer.
    Whole,
    TooLong,
    End,
}

impl<R, W> Lines<R, W>
where
    R: AsyncRead + Send + Unpin + 'static,
    W: AsyncWrite + Send + Unpin + 'static,
{
    pub(crate) fn new(reader: R, writer: W, ended: CancellationToken) -> Self {
        Lines {
            reader: BufReader::with_capacity(READ_BYTES, reader),
            line: Vec::new(),
            skipping: false,
            writer: Arc::new(Mutex::new(writer)),
            begun: false,
            shaken: false,
            held: None,
            swallows: Arc::default(),
            ended,
        }
    }

    /// Reads a line into the buffer. May be dropped and called again: nothing read is lost.
    async fn read_line(&mut self) -> Line {
        loop {
            let available = match self.reader.fill_buf().await {
                Ok([]) | Err(_) => return Line::End,
                Ok(available) => available,
            };
            let newline = available.iter().position(|byte| *byte == b'\n');
            let part = newline.map_or(available.len(), |at| at + 1);
            if !self.skipping {
                self.line.extend_from_slice(&available[..part]);
            }
            self.reader.consume(part);
            if self.line.len() > MESSAGE_BYTES_MAX {
                self.skipping = true;
                self.line = Vec::new();
            }
            match (newline, self.skipping) {
                (Some(_), false) => return Line::Whole,
                (Some(_), true) => {
                    self.skipping = false;
                    return Line::TooLong;
                }
                (None, _) => {}
            }
        }
    }

    /// Takes the line in the buffer as a message, where it is one that rmcp can take now.
    fn message(&mut self) -> Option<ClientJsonRpcMessage> {
        let parsed = parse(&self.line);
        self.line.clear();
        self.line.shrink_to(LINE_BYTES_KEPT);
        let message = match parsed {
            Parsed::Message(message) => *message,
            Parsed::Wrong(why, id) => {
                self.answer(why, id);
                return None;
            }
            Parsed::Noise => return None,
        };
        let JsonRpcMessage::Request(request) = &message else {
            return Some(message).filter(|_| self.begun);
        };
        let is_handshake = matches!(request.request, ClientRequest::InitializeRequest(_));
        self.shaken |= is_handshake;
        if self.begun && !self.shaken {
            let meta = request.request.get_meta();
            if meta.protocol_version().is_none() {
                let missing = meta.missing_required_keys(&ProtocolVersion::V_2026_07_28);
                let why = format!(
                    "request _meta is missing {}; or begin with `initialize`",
                    missing.join(", ")
                );
                self.respond(
                    ErrorData::invalid_params(why, None),
                    Some(request.id.clone()),
                );
                return None;
            }
        } else if !self.begun && begins(&request.request) {
            self.begun = true;
            if !is_handshake {
                return Some(self.hold(message));
            }
        }
        Some(message)
    }

    /// Keeps a message for later; what rmcp is to be given before it.
    fn hold(&mut self, message: ClientJsonRpcMessage) -> ClientJsonRpcMessage {
        let handshake = json!({"jsonrpc": "2.0", "id": OWN_HANDSHAKE, "method": "initialize", "params": {
            "protocolVersion": ProtocolVersion::V_2025_11_25, "capabilities": {},
            "clientInfo": {"name": "", "version": ""}}});
        match serde_json::from_value(handshake) {
            Ok(handshake) => {
                self.swallows.store(true, Ordering::Relaxed);
                self.held = Some(message);
                handshake
            }
            // Cannot be; and then the newer era is served all the same.
            Err(_) => message,
        }
    }

    /// Answers what rmcp never sees.
    fn answer(&mut self, why: String, id: Option<RequestId>) {
        self.respond(ErrorData::invalid_request(why, None), id);
    }

    fn respond(&mut self, error: ErrorData, id: Option<RequestId>) {
        let answer = ServerJsonRpcMessage::error(error, id);
        // On its own, because reading may be interrupted, and half a line must not be written.
        tokio::spawn(self.send(answer));
    }
}

impl<R, W> Transport<RoleServer> for Lines<R, W>
where
    R: AsyncRead + Send + Unpin + 'static,
    W: AsyncWrite + Send + Unpin + 'static,
{
    type Error = io::Error;

    fn send(
        &mut self,
        message: ServerJsonRpcMessage,
    ) -> impl Future<Output = Result<(), io::Error>> + Send + 'static {
        let writer = Arc::clone(&self.writer);
        let ended = self.ended.clone();
        let is_for_nobody = is_own(&message) && self.swallows.swap(false, Ordering::Relaxed);
        async move {
            if is_for_nobody {
                return Ok(());
            }
            let mut line = serde_json::to_vec(&message)?;
            line.push(b'\n');
            let mut writer = writer.lock().await;
            let written = async {
                writer.write_all(&line).await?;
                writer.flush().await
            };
            // Nobody hears any longer: there is nothing left to serve.
            written.await.inspect_err(|_| ended.cancel())
        }
    }

    async fn receive(&mut self) -> Option<ClientJsonRpcMessage> {
        if let Some(held) = self.held.take() {
            return Some(held);
        }
        loop {
            match self.read_line().await {
                Line::Whole => {
                    if let Some(message) = self.message() {
                        return Some(message);
                    }
                }
                Line::TooLong => {
                    self.answer(
                        format!("the message is longer than {MESSAGE_BYTES_MAX} bytes"),
                        None,
                    );
                }
                Line::End => {
                    self.ended.cancel();
                    return None;
                }
            }
        }
    }

    async fn close(&mut self) -> Result<(), io::Error> {
        Ok(())
    }
}

/// True for the answer to the handshake that nobody sent.
fn is_own(message: &ServerJsonRpcMessage) -> bool {
    let id = match message {
        JsonRpcMessage::Response(response) => Some(&response.id),
        _ => None,
    };
    matches!(id, Some(RequestId::String(id)) if &**id == OWN_HANDSHAKE)
}

/// True for a request on which rmcp leaves its opening state: there, anything but a request ends
/// the process.
fn begins(request: &ClientRequest) -> bool {
    match request {
        ClientRequest::InitializeRequest(_) => true,
        ClientRequest::DiscoverRequest(_) | ClientRequest::PingRequest(_) => false,
        other => {
            let meta = other.get_meta();
            let known =
                |version: ProtocolVersion| ProtocolVersion::KNOWN_VERSIONS.contains(&version);
            meta.protocol_version().is_some_and(known)
                && meta
                    .missing_required_keys(&ProtocolVersion::V_2026_07_28)
                    .is_empty()
        }
    }
}

/// Reads a line.
fn parse(line: &[u8]) -> Parsed {
    if line.iter().all(u8::is_ascii_whitespace) {
        return Parsed::Noise;
    }
    let why = match serde_json::from_slice(line) {
        Ok(message) => return Parsed::Message(Box::new(message)),
        Err(why) => why,
    };
    let Ok(value) = serde_json::from_slice::<Value>(line) else {
        return Parsed::Noise;
    };
    let id = value
        .get("id")
        .and_then(|id| serde_json::from_value::<RequestId>(id.clone()).ok());
    match &value {
        Value::Array(_) => Parsed::Wrong(
            "send one message a line; batches are not supported".to_owned(),
            None,
        ),
        // A notification is never answered.
        Value::Object(fields) if fields.contains_key("method") && id.is_none() => Parsed::Noise,
        _ => Parsed::Wrong(format!("not a message of this protocol: {why}"), id),
    }
}
