//! Kite's tools over Streamable HTTP: `kite serve`.
//!
//! ```text
//! listen ──► connections ──► gate (guard, token) ──► rmcp ──► Server
//!                                                     │
//!                                         sessions ──► store
//! ```
//!
//! It serves any number of clients in both protocol eras at once, and is a client of the daemon's
//! socket like any other: streams and sessions survive a restart of the daemon.
//!
//! **Architecture Invariant:** only [`gate`] hands requests on, and only those that brought the
//! token. The token is in no log, no URL and no argument.

mod connections;
mod error;
mod gate;
mod guard;
pub(crate) mod handles;
mod holder;
pub(crate) mod identity;
mod listen;
mod patient;
pub(crate) mod presence;
mod reply;
mod sessions;
pub(crate) mod store;
mod token;

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    pin::pin,
    sync::Arc,
    time::Duration,
};

use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use kite_wire::home::Home;
use rmcp::{
    ServerHandler,
    transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService},
};
use tokio::{
    net::{TcpListener, TcpStream},
    runtime,
    task::JoinSet,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use crate::{
    Options,
    caller::Clients,
    server::{Common, Server},
    signals::Signals,
};
use connections::Connections;
pub use error::HttpError;
use gate::Gate;
use guard::Names;
use handles::Handles;
use patient::Patient;
use presence::Presence;
use sessions::Sessions;
use store::Store;
use token::Token;

/// Where `kite serve` listens where nothing else is asked for.
pub const PORT: u16 = 3001;

/// How long a request's head may take, and how long a connection may lie idle between two.
const HEAD_MAX: Duration = Duration::from_secs(120);
/// Headers of a request.
const HEADERS_MAX: usize = 64;
/// Bytes of a request's head.
const HEAD_BYTES_MAX: usize = 32 << 10;
/// Between two signs of life on a stream that has nothing to say.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// How long what is under way may take to end when the server is told to.
const LAST_WORDS: Duration = Duration::from_millis(300);
/// How long connections may take to close after that.
const CLOSING: Duration = Duration::from_millis(700);
/// Before the next attempt, where a connection cannot be accepted (no descriptors left, say).
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// Threads for what blocks: files of sessions, and starting the daemon.
const BLOCKING_THREADS_MAX: usize = 4;

/// Where HTTP is served.
#[derive(Clone, Debug)]
pub struct HttpOptions {
    /// The address to listen on. What is not loopback can be reached from other machines, and the
    /// token then crosses the network in the clear.
    pub address: IpAddr,
    /// 0 for one that is free.
    pub port: u16,
    /// Further names under which clients may speak to this server.
    pub hosts: Vec<String>,
}

impl Default for HttpOptions {
    fn default() -> Self {
        HttpOptions {
            address: Ipv4Addr::LOCALHOST.into(),
            port: PORT,
            hosts: Vec::new(),
        }
    }
}

/// The token of a home, made where there is none.
///
/// # Errors
/// Where its file cannot be read, written or trusted.
pub fn http_token(home: &Home) -> Result<String, HttpError> {
    Ok(Token::of(home)?.text().to_owned())
}

/// Serves MCP over HTTP until SIGINT or SIGTERM comes, then ends within a second or two. Calls
/// `ready` with the addresses once clients can connect.
///
/// # Errors
/// Where the port is taken, or the token's file is not as it must be.
pub fn run_http(
    options: Options,
    http: &HttpOptions,
    ready: impl FnOnce(&[SocketAddr]),
) -> Result<(), HttpError> {
    run_http_as(options, http, ready, |server| server)
}

/// [`run_http`] with a handler made from Kite's own, for tests that add to it.
#[doc(hidden)]
pub fn run_http_as<H: ServerHandler>(
    options: Options,
    http: &HttpOptions,
    ready: impl FnOnce(&[SocketAddr]),
    handler: impl Fn(Server) -> H + Send + Sync + 'static,
) -> Result<(), HttpError> {
    let runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(BLOCKING_THREADS_MAX)
        .build()
        .map_err(|cause| HttpError::new("cannot start the event loop").because(cause))?;
    let served = runtime.block_on(serve(options, http, ready, handler));
    runtime.shutdown_background();
    served
}

async fn serve<H: ServerHandler>(
    options: Options,
    http: &HttpOptions,
    ready: impl FnOnce(&[SocketAddr]),
    handler: impl Fn(Server) -> H + Send + Sync + 'static,
) -> Result<(), HttpError> {
    // Before anything is served, so that no signal meets the default handler.
    let mut signals = Signals::install()
        .map_err(|cause| HttpError::new("cannot catch signals").because(cause))?;
    let token = Token::of(&options.home)?;
    let listeners = listen::bind(http.address, http.port)?;
    let addresses: Vec<SocketAddr> = listeners
        .iter()
        .filter_map(|listener| listener.local_addr().ok())
        .collect();

    let store = Arc::new(Store::of(&options.home));
    let (home, build) = (options.home.clone(), options.build.clone());
    let presence = Arc::new(Presence::default());
    let handles = Handles::of_token(token.text());
    let clients = Clients::Http(handles, Arc::clone(&presence), Arc::clone(&store));
    let common = Common::new(options, clients);
    let ended = CancellationToken::new();
    let mut config = StreamableHttpServerConfig::default()
        // The gate has checked them, and more strictly.
        .disable_allowed_hosts()
        .with_sse_keep_alive(Some(KEEP_ALIVE))
        .with_cancellation_token(ended.clone());
    let sessions = Arc::new(Sessions::new(Arc::clone(&store)));
    config.session_store = Some(store);
    let of_client = Arc::clone(&common);
    let service = StreamableHttpService::new(
        move || Ok(handler(Server::new(&of_client))),
        Arc::clone(&sessions),
        config,
    );
    let gate = Arc::new(Gate {
        home: home.clone(),
        build: build.clone(),
        presence: Arc::clone(&presence),
        token,
        names: Names::new(http.hosts.clone(), &addresses),
        service,
    });

    let closing = CancellationToken::new();
    let mut doors = JoinSet::new();
    let connections = Arc::new(Connections::default());
    for listener in listeners {
        let (gate, connections) = (Arc::clone(&gate), Arc::clone(&connections));
        doors.spawn(accept(listener, gate, connections, closing.clone()));
    }
    let speaking = tokio::spawn(async move { presence.keep(home, build).await });
    ready(&addresses);
    signals.any().await;
    speaking.abort();
    common.stopping.cancel();
    end(&sessions, doors, (&closing, &ended)).await;
    Ok(())
}

/// Calls that wait are being answered; those who listen are told that it is over.
async fn end(
    sessions: &Sessions,
    mut doors: JoinSet<()>,
    (closing, ended): (&CancellationToken, &CancellationToken),
) {
    sessions.say_goodbye().await;
    closing.cancel();
    sleep(LAST_WORDS).await;
    ended.cancel();
    let _ = timeout(CLOSING, async {
        while doors.join_next().await.is_some() {}
    })
    .await;
}

/// Accepts connections until `closing`, then waits for those that are open.
async fn accept<H: ServerHandler>(
    listener: TcpListener,
    gate: Arc<Gate<H>>,
    connections: Arc<Connections>,
    closing: CancellationToken,
) {
    let mut open = JoinSet::new();
    loop {
        tokio::select! {
            () = closing.cancelled() => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    let (gate, place) = (Arc::clone(&gate), connections.enter());
                    open.spawn(converse(stream, gate, place, closing.clone()));
                }
                Err(_) => sleep(ACCEPT_PAUSE).await,
            },
            Some(_) = open.join_next() => {}
        }
    }
    drop(listener);
    while open.join_next().await.is_some() {}
}

/// One connection, request after request.
async fn converse<H: ServerHandler>(
    stream: TcpStream,
    gate: Arc<Gate<H>>,
    place: connections::Place,
    closing: CancellationToken,
) {
    // Answers are small and go out at once. Without it they are only later.
    let _ = stream.set_nodelay(true);
    let service = service_fn(|request| gate.answer(request, &place));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_MAX)
        .max_headers(HEADERS_MAX)
        .max_buf_size(HEAD_BYTES_MAX)
        .serve_connection(TokioIo::new(Patient::new(stream)), service);
    let mut connection = pin!(connection);
    let mut lost = pin!(place.lost());
    let mut ending = false;
    loop {
        tokio::select! {
            // How it ended makes no difference: nobody is left to be told.
            _ = connection.as_mut() => return,
            () = &mut lost => return,
            () = closing.cancelled(), if !ending => {
                connection.as_mut().graceful_shutdown();
                ending = true;
            }
        }
    }
}
