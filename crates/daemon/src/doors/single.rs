//! A connection from its first byte to the point where it is known what it is for, and the
//! connection that is for a single request.

use std::{
    cell::RefCell,
    future::{Future, poll_fn},
    io,
    pin::pin,
    rc::Rc,
    task::Poll,
    time::Duration,
};

use kite_wire::{
    frame::{LINE_BYTES_MAX, MAGIC},
    reply::{Fault, fault_line},
    request::Request,
};

use super::{
    Answers, Connection,
    exchange::{Deadline, Exchange},
    hook, lasting,
};

/// How long a client may take until its first line is there.
pub const FIRST_LINE_PATIENCE: Duration = Duration::from_secs(10);
/// The same while the daemon drains: for those who had connected just before.
const DRAINING_PATIENCE: Duration = Duration::from_millis(100);

/// Serves one connection to its end.
pub(super) async fn serve<A: Answers>(
    mut exchange: Exchange,
    answers: Rc<A>,
    connection: Rc<Connection>,
) {
    match first_line(&mut exchange, &connection).await {
        Some(First::Line(line)) if line.starts_with(MAGIC) => {
            hook::serve(exchange, &line, answers, connection).await;
        }
        Some(First::Line(line)) => match Request::parse(&line) {
            Ok((envelope, Request::Hello(hello))) => {
                *connection.hello.borrow_mut() = Some(hello.clone());
                let request = Request::Hello(hello);
                lasting::serve(exchange, answers, connection, (envelope, request)).await;
            }
            Ok((envelope, request)) => {
                let reply = answers.request(Rc::clone(&connection), envelope, request);
                if let Some(reply) = while_present(&mut exchange, reply).await {
                    // The client may have gone; that is its own affair.
                    let _ = exchange.write_all(&reply).await;
                }
            }
            Err((id, fault)) => exchange.part(&fault_line(id, &fault)).await,
        },
        Some(First::Overlong) => exchange.part(&fault_line(None, &too_long())).await,
        None => {}
    }
}

enum First {
    Line(Vec<u8>),
    Overlong,
}

/// `None` where the client went away, took too long or came too late.
async fn first_line(exchange: &mut Exchange, connection: &Connection) -> Option<First> {
    let mailbox = &connection.push.0;
    let mut deadline = Deadline::after(FIRST_LINE_PATIENCE);
    loop {
        if let Some(line) = exchange.take_line() {
            let is_within_limit = line.len() <= LINE_BYTES_MAX + 1;
            return Some(if is_within_limit {
                First::Line(line.to_vec())
            } else {
                First::Overlong
            });
        }
        if exchange.is_overlong() {
            return Some(First::Overlong);
        }
        if exchange.ended {
            // A line that ends with the stream is a line.
            let line = exchange.take_all();
            return (!line.is_empty()).then_some(First::Line(line));
        }
        let filled = poll_fn(|cx| {
            mailbox.register(cx);
            if mailbox.is_draining() {
                deadline.shorten(DRAINING_PATIENCE);
            }
            match exchange.poll_fill(cx) {
                Poll::Pending => deadline
                    .poll(cx)
                    .map(|()| Err(io::ErrorKind::TimedOut.into())),
                ready => ready,
            }
        });
        filled.await.ok()?;
    }
}

/// Awaits `future` as long as the client is there. `None`: it went away, and `future` is dropped.
async fn while_present<T>(exchange: &mut Exchange, future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    let exchange = RefCell::new(exchange);
    poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(value) => Poll::Ready(Some(value)),
        Poll::Pending => exchange.borrow_mut().poll_gone(cx, true).map(|()| None),
    })
    .await
}

pub(super) fn too_long() -> Fault {
    let message = format!("the line is longer than {LINE_BYTES_MAX} bytes");
    Fault::new("too_long", message).hint("send less at once; long texts belong in files")
}
