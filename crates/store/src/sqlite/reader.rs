//! Reads that need the disk, away from the callers' thread.

use std::{
    sync::mpsc::{Receiver, Sender, channel},
    thread::{self, JoinHandle},
};

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::{error::Outcome, load};
use crate::{Page, StoreError, mirror::page_of};

/// What can be asked for.
#[derive(Debug)]
pub(super) enum Ask {
    Changes {
        after: u64,
        max: usize,
        reply: oneshot::Sender<Result<Page, StoreError>>,
    },
    Answer {
        op_id: String,
        reply: oneshot::Sender<Result<Option<Vec<u8>>, StoreError>>,
    },
}

/// Starts the thread, on a read-only connection. It ends when the sender is dropped.
pub(super) fn start(connection: Connection) -> std::io::Result<(Sender<Ask>, JoinHandle<()>)> {
    let (asks, asked) = channel();
    let thread = thread::Builder::new()
        .name("kite-reader".to_owned())
        .spawn(move || run(&connection, &asked))?;
    Ok((asks, thread))
}

fn run(connection: &Connection, asked: &Receiver<Ask>) {
    while let Ok(ask) = asked.recv() {
        // Whoever asked may have gone: nobody to tell then.
        match ask {
            Ask::Changes { after, max, reply } => {
                let _ = reply.send(page(connection, after, max).map_err(StoreError::from));
            }
            Ask::Answer { op_id, reply } => {
                let _ = reply.send(load::answer(connection, &op_id).map_err(StoreError::from));
            }
        }
    }
}

/// One page, its ends and its rows seen at one moment.
fn page(connection: &Connection, after: u64, max: usize) -> Outcome<Page> {
    let snapshot = connection.unchecked_transaction()?;
    let (oldest, newest) = load::feed_ends(&snapshot)?;
    let rows = load::changes(&snapshot, after, max)?;
    Ok(page_of(after, oldest, newest, || rows))
}
