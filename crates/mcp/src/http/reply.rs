//! Replies that are Kite's own: refusals, and the two small pages beside `/mcp`.

use std::convert::Infallible;

use http_body_util::{BodyExt, Full, combinators::BoxBody};
use hyper::{
    Response, StatusCode,
    body::Bytes,
    header::{self, HeaderName, HeaderValue},
};
use serde_json::{Value, json};

/// As rmcp answers.
pub(super) type Reply = Response<BoxBody<Bytes, Infallible>>;

/// JSON-RPC: what was sent is no JSON.
pub(super) const PARSE_ERROR: i32 = -32700;
/// JSON-RPC: what was sent is no request of this protocol.
pub(super) const INVALID_REQUEST: i32 = -32600;

/// A request that goes no further.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    code: i32,
    /// Why, and what to do now.
    text: String,
    header: Option<(HeaderName, &'static str)>,
    /// Of the request, where it could be read.
    id: Option<Box<Value>>,
}

impl Refusal {
    pub(super) fn new(status: StatusCode, text: impl Into<String>) -> Refusal {
        Refusal {
            status,
            code: INVALID_REQUEST,
            text: text.into(),
            header: None,
            id: None,
        }
    }

    #[must_use]
    pub(super) fn with_header(mut self, name: HeaderName, value: &'static str) -> Refusal {
        self.header = Some((name, value));
        self
    }

    #[must_use]
    pub(super) fn with_code(mut self, code: i32) -> Refusal {
        self.code = code;
        self
    }

    #[must_use]
    pub(super) fn with_id(mut self, id: Value) -> Refusal {
        self.id = Some(Box::new(id));
        self
    }
}

impl From<Refusal> for Reply {
    fn from(refusal: Refusal) -> Reply {
        let body = json!({
            "jsonrpc": "2.0",
            "id": refusal.id,
            "error": {"code": refusal.code, "message": refusal.text},
        });
        let mut reply = page(refusal.status, &body);
        if let Some((name, value)) = refusal.header {
            reply
                .headers_mut()
                .insert(name, HeaderValue::from_static(value));
        }
        reply
    }
}

/// A page of JSON.
pub(super) fn page(status: StatusCode, body: &Value) -> Reply {
    let mut reply = Response::new(Full::new(Bytes::from(format!("{body}\n"))).boxed());
    *reply.status_mut() = status;
    let json = HeaderValue::from_static("application/json");
    reply.headers_mut().insert(header::CONTENT_TYPE, json);
    private(reply)
}

/// Nothing of it is kept on the way, nor taken for something else than it says it is.
pub(super) fn private(mut reply: Reply) -> Reply {
    let headers = reply.headers_mut();
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    reply
}
