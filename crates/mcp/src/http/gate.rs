//! What becomes of a request: refused, answered with a small page, or handed to rmcp.
//!
//! **Architecture Invariant:** nothing of a request's body is read before its names and its token
//! are found to be right, and rmcp is given whole messages only.

use std::{convert::Infallible, sync::Arc, time::Duration};

use http_body_util::{BodyExt, Full, Limited};
use hyper::{
    Method, Request, StatusCode,
    body::{Body, Bytes, Incoming},
    header,
};
use kite_wire::home::Home;
use rmcp::{
    ServerHandler, model::ProtocolVersion, transport::streamable_http_server::StreamableHttpService,
};
use serde::de::IgnoredAny;
use serde_json::{Value, json};
use tokio::time::timeout;

use super::{
    connections::Place,
    guard::{self, Names, single},
    identity,
    presence::Presence,
    reply::{PARSE_ERROR, Refusal, Reply, page, private},
    sessions::Sessions,
    token::Token,
};

/// Longest message, in bytes.
const MESSAGE_BYTES_MAX: usize = 4 << 20;
/// How long a message may take to arrive.
const MESSAGE_MAX: Duration = Duration::from_secs(10);

/// Stands before the service.
pub(super) struct Gate<H> {
    pub(super) home: Home,
    pub(super) build: String,
    pub(super) presence: Arc<Presence>,
    pub(super) token: Token,
    pub(super) names: Names,
    pub(super) service: StreamableHttpService<H, Sessions>,
}

impl<H: ServerHandler> Gate<H> {
    /// Answers a request of the connection that has this place.
    pub(super) async fn answer(
        &self,
        request: Request<Incoming>,
        place: &Place,
    ) -> Result<Reply, Infallible> {
        let reply = self.admit(request, place).await;
        Ok(private(reply.unwrap_or_else(Reply::from)))
    }

    async fn admit(&self, request: Request<Incoming>, place: &Place) -> Result<Reply, Refusal> {
        self.names.check(request.uri(), request.headers())?;
        let methods = methods(request.uri().path()).ok_or_else(|| {
            Refusal::new(
                StatusCode::NOT_FOUND,
                "there are /mcp, /healthz and /version",
            )
        })?;
        guard::check_token(&self.token, request.headers())?;
        if !place.know() {
            let text = "too many connections are open; close some";
            return Err(Refusal::new(StatusCode::SERVICE_UNAVAILABLE, text)
                .with_header(header::RETRY_AFTER, "5"));
        }
        if !methods.split(", ").any(|method| method == request.method()) {
            return Err(
                Refusal::new(StatusCode::METHOD_NOT_ALLOWED, format!("use {methods}"))
                    .with_header(header::ALLOW, methods),
            );
        }
        if request.method() == Method::POST {
            return self.take_message(request).await;
        }
        if !request.body().is_end_stream() {
            let text = "a request of this method has no body";
            return Err(Refusal::new(StatusCode::BAD_REQUEST, text));
        }
        match request.uri().path() {
            "/healthz" => Ok(page(StatusCode::OK, &json!({"status": "ok"}))),
            "/version" => Ok(page(StatusCode::OK, &self.version())),
            _ => {
                let (head, _) = request.into_parts();
                let ended = match head.method {
                    Method::DELETE => identity::session_of(&head.headers),
                    _ => None,
                };
                let empty = Request::from_parts(head, Full::<Bytes>::default());
                let mut reply = self.service.handle(empty).await;
                // rmcp says "accepted"; the official Python client takes that for a failure.
                if let Some(name) = ended
                    && reply.status() == StatusCode::ACCEPTED
                {
                    *reply.status_mut() = StatusCode::NO_CONTENT;
                    self.presence.end(&name, &self.home, &self.build).await;
                }
                Ok(reply)
            }
        }
    }

    async fn take_message(&self, request: Request<Incoming>) -> Result<Reply, Refusal> {
        check_media(&request)?;
        let (head, body) = request.into_parts();
        let body = read(body).await?;
        if let Err(error) = serde_json::from_slice::<IgnoredAny>(&body) {
            let text = format!("the body is no JSON: {error}");
            return Err(Refusal::new(StatusCode::BAD_REQUEST, text).with_code(PARSE_ERROR));
        }
        let reply = self
            .service
            .handle(Request::from_parts(head, Full::new(body.clone())))
            .await;
        // The media type is known to be right: rmcp means that it cannot read the message.
        if reply.status() == StatusCode::UNSUPPORTED_MEDIA_TYPE {
            return Err(no_message(&body));
        }
        Ok(reply)
    }

    fn version(&self) -> Value {
        json!({
            "name": "kite",
            "version": self.build,
            "protocolVersions": ProtocolVersion::KNOWN_VERSIONS,
            "fingerprint": crate::fingerprint(),
        })
    }
}

/// The methods of a path, as `Allow` names them.
fn methods(path: &str) -> Option<&'static str> {
    match path {
        "/mcp" => Some("GET, POST, DELETE"),
        "/healthz" | "/version" => Some("GET"),
        _ => None,
    }
}

fn check_media(request: &Request<Incoming>) -> Result<(), Refusal> {
    let headers = request.headers();
    let refused = |text: &str| Err(Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, text));
    let essence = single(headers, &header::CONTENT_TYPE)?
        .map(|media| media.split(';').next().unwrap_or_default().trim());
    if !essence.is_some_and(|media| media.eq_ignore_ascii_case("application/json")) {
        return refused("send the message as `Content-Type: application/json`");
    }
    match single(headers, &header::CONTENT_ENCODING)? {
        None | Some("identity") => Ok(()),
        Some(_) => refused("send the message without a content encoding"),
    }
}

async fn read(body: Incoming) -> Result<Bytes, Refusal> {
    let too_large = || {
        let text = format!("a message is at most {MESSAGE_BYTES_MAX} bytes");
        Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, text)
    };
    if body.size_hint().lower() > MESSAGE_BYTES_MAX as u64 {
        return Err(too_large());
    }
    let whole = timeout(MESSAGE_MAX, Limited::new(body, MESSAGE_BYTES_MAX).collect()).await;
    match whole {
        Err(_) => {
            let text = format!("a message arrives within {} s", MESSAGE_MAX.as_secs());
            Err(Refusal::new(StatusCode::REQUEST_TIMEOUT, text))
        }
        Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => Err(too_large()),
        Ok(Err(_)) => Err(Refusal::new(StatusCode::BAD_REQUEST, "the body is cut off")),
        Ok(Ok(whole)) => Ok(whole.to_bytes()),
    }
}

/// For JSON that is no message of the protocol: answered under its id, where it has one.
fn no_message(body: &[u8]) -> Refusal {
    let value: Value = serde_json::from_slice(body).unwrap_or_default();
    let text = match value {
        Value::Array(_) => "send one message a request; batches are not supported",
        _ => "not a message of this protocol",
    };
    let id = value.get("id").filter(|id| id.is_string() || id.is_i64());
    Refusal::new(StatusCode::BAD_REQUEST, text).with_id(id.cloned().unwrap_or_default())
}
