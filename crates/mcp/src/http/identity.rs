//! Who a request over HTTP comes from.
//!
//! The token has let it in; these say whose it is, the first that is there:
//!
//! 1. `Kite-Caller`: the agent's own process and session, as `kite serve --headers` tells them. Then
//!    it is the same session as that process's hooks.
//! 2. A handle, given as the argument `session` of a tool call.
//! 3. `Mcp-Session-Id`, in the older protocol era only: in the newer one it means nothing.
//!
//! `Kite-Directory` says where a client of the last two kinds works.

use hyper::{HeaderMap, http::request::Parts};
use kite_wire::request::Caller;
use rmcp::{
    RoleServer,
    model::{Extensions, ProtocolVersion},
    service::RequestContext,
    transport::streamable_http_server::session::SessionRestoreMarker,
};
use serde_json::Value;

use super::handles::{self, HANDLE_PARAM, Handle, Handles};
use crate::{
    caller::{Introduction, client_name, clipped},
    catalogue,
};

/// JSON of a [`Caller`], in ASCII.
pub(crate) const CALLER: &str = "kite-caller";
/// An absolute path.
pub(crate) const DIRECTORY: &str = "kite-directory";
const SESSION: &str = "mcp-session-id";

/// Bytes of a header that is looked at.
const HEADER_BYTES_MAX: usize = 8 << 10;

/// The caller of a request that is no tool call, or of one that changes nothing.
pub(crate) fn caller(introduction: &Introduction, context: &RequestContext<RoleServer>) -> Caller {
    told(context).unwrap_or_else(|| anonymous(introduction, context))
}

/// The caller of a tool call, and the handle that is made for it where it `acts` and nothing says
/// who it is. The error is the text for the model.
pub(crate) fn identify(
    handles: &Handles,
    introduction: &Introduction,
    context: &RequestContext<RoleServer>,
    given: Option<Value>,
    acts: bool,
) -> Result<(Caller, Option<Handle>), String> {
    let named = match given {
        None | Some(Value::Null) => None,
        Some(text) => Some(
            text.as_str()
                .and_then(|text| handles.read(text))
                .ok_or_else(not_given_here)?,
        ),
    };
    if let Some(caller) = told(context) {
        return Ok((caller, None));
    }
    let mut caller = anonymous(introduction, context);
    if let Some(handle) = named {
        caller.client_session_id = Some(handle.session_id());
    } else if acts && caller.client_session_id.is_none() {
        let handle = handles.mint()?;
        caller.client_session_id = Some(handle.session_id());
        return Ok((caller, Some(handle)));
    }
    Ok((caller, None))
}

/// What the daemon calls the session of the older era that these headers name.
pub(super) fn session_of(headers: &HeaderMap) -> Option<String> {
    let session = headers.get(SESSION)?.to_str().ok()?;
    Some(handles::session_id(session))
}

/// The id of the session of the older era in which something is asked.
pub(crate) fn session_id(context: &RequestContext<RoleServer>) -> Option<&str> {
    session(context)
}

/// The id of a session that comes back from disk, and says so with its handshake.
pub(crate) fn restored(extensions: &Extensions) -> Option<&str> {
    let marker: &SessionRestoreMarker = extensions.get()?;
    Some(marker.id.as_ref())
}

/// Whether this client has to say who it is with each call.
pub(crate) fn needs_handle(context: &RequestContext<RoleServer>) -> bool {
    told(context).is_none() && session(context).is_none()
}

fn not_given_here() -> String {
    format!(
        "Nothing was done: `{HANDLE_PARAM}` is none that this server has given. Leave it out; the answer to a call \
         that changes something names yours."
    )
}

/// What the client's wiring says of it.
fn told(context: &RequestContext<RoleServer>) -> Option<Caller> {
    let caller: Caller = serde_json::from_str(header(context, CALLER)?).ok()?;
    (caller.pid.is_some() || caller.client_session_id.is_some()).then(|| Caller {
        client: client_name(&caller.client),
        fingerprint: Some(catalogue::fingerprint()),
        ..caller
    })
}

/// What is known without that. It has no process that could be watched.
fn anonymous(introduction: &Introduction, context: &RequestContext<RoleServer>) -> Caller {
    let (name, version) = introduction.client.clone().unwrap_or_default();
    Caller {
        client: client_name(&name),
        pid: None,
        // Codex says it with each call, and its hooks say the same.
        client_session_id: introduction
            .session_id
            .clone()
            .or_else(|| session(context).map(handles::session_id)),
        cwd: directory(context),
        client_version: Some(clipped(&version)).filter(|version| !version.is_empty()),
        fingerprint: Some(catalogue::fingerprint()),
        agent: None,
    }
}

fn session(context: &RequestContext<RoleServer>) -> Option<&str> {
    let has_sessions = context
        .protocol_version()
        .is_some_and(|version| version < ProtocolVersion::V_2026_07_28);
    header(context, SESSION).filter(|_| has_sessions)
}

fn directory(context: &RequestContext<RoleServer>) -> Option<String> {
    header(context, DIRECTORY)
        .filter(|path| path.starts_with('/'))
        .map(str::to_owned)
}

fn header<'a>(context: &'a RequestContext<RoleServer>, name: &str) -> Option<&'a str> {
    let parts = context.extensions.get::<Parts>()?;
    let value = parts.headers.get(name)?.to_str().ok()?;
    (value.len() <= HEADER_BYTES_MAX).then_some(value)
}
