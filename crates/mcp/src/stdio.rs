//! The life of a stdio server: from the first byte to an exit that nobody has to wait for.

use std::{process::ExitCode, sync::Arc, time::Duration};

use rmcp::{ServiceExt, service::ServerInitializeError};
use tokio::{runtime, time::timeout};
use tokio_util::sync::CancellationToken;

use crate::{
    Options,
    caller::{Clients, Surroundings},
    parent::Parent,
    server::{Common, Server},
    signals::Signals,
    streams::{self, Input, Output},
    transport::Lines,
};

/// How long calls under way may go on after the end of input. Together with [`FAREWELL`],
/// [`LAST_WORDS`] and the exit itself this stays below the 300 ms that a client should ever have to wait.
const FINISH: Duration = Duration::from_millis(120);
/// How long subscriptions of the newer era have for their result: that they end, and not by mistake.
const FAREWELL: Duration = Duration::from_millis(40);
/// How long calls that are told to end may take over it.
const LAST_WORDS: Duration = Duration::from_millis(80);
/// Threads for what blocks: stdin and stdout where they are neither sockets nor pipes, and starting
/// the daemon.
const BLOCKING_THREADS_MAX: usize = 4;

/// Exit code where the runtime or the signal handlers could not be set up.
const EXIT_SETUP: u8 = 1;

pub(crate) fn run(options: Options) -> ExitCode {
    let parent = Parent::observe();
    let common = Common::new(options, Clients::Pipe(Surroundings::observe()));
    let runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(BLOCKING_THREADS_MAX)
        .build();
    let Ok(runtime) = runtime else {
        return ExitCode::from(EXIT_SETUP);
    };
    let code = runtime.block_on(serve(&common, parent));
    // A thread that is blocked in reading stdin is left behind: the exit ends it.
    runtime.shutdown_background();
    code
}

async fn serve(common: &Arc<Common>, parent: Parent) -> ExitCode {
    // Before anything is served, so that no signal meets the default handler.
    let Ok(mut signals) = Signals::install() else {
        return ExitCode::from(EXIT_SETUP);
    };
    let ended = CancellationToken::new();
    let stop = CancellationToken::new();
    let (input, output) = streams::standard();
    let serving = tokio::spawn(converse(
        Server::new(common),
        Lines::new(input, output, ended.clone()),
        stop.clone(),
    ));
    let mut serving = std::pin::pin!(serving);
    tokio::select! {
        _ = &mut serving => return ExitCode::SUCCESS,
        // Nothing more comes in; what came may still be answered.
        () = ended.cancelled() => if timeout(FINISH, &mut serving).await.is_ok() { return ExitCode::SUCCESS },
        () = signals.any() => {}
        () = parent.died() => {}
    }
    common.stopping.cancel();
    if !common.listening.is_empty() && timeout(FAREWELL, &mut serving).await.is_ok() {
        return ExitCode::SUCCESS;
    }
    stop.cancel();
    // Whether they made it or not, this process ends now.
    let _ = timeout(LAST_WORDS, &mut serving).await;
    ExitCode::SUCCESS
}

/// Handshake and requests, until the input ends or `stop`.
async fn converse(
    server: Server,
    lines: Lines<Input, Output>,
    stop: CancellationToken,
) -> Result<(), ServerInitializeError> {
    let running = server.serve_with_ct(lines, stop).await?;
    // How it ended makes no difference: nobody is left to be told.
    let _ = running.waiting().await;
    Ok(())
}
