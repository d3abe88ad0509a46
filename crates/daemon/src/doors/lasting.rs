//! A connection that stays open after `hello`: many requests under way, answered in any order,
//! and lines pushed in between.
//!
//! One task does it all, so that answers which are ready together leave in one write.

use std::{
    future::{Future, poll_fn},
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
};

use kite_wire::{
    frame::LINE_BYTES_MAX,
    reply::{fault_line, push_line},
    request::{Envelope, Request},
};

use super::{Answers, Connection, exchange::Exchange, single::too_long};

/// Most requests of one connection that are under way. Further ones stay in the socket.
pub const IN_FLIGHT_MAX: usize = 64;
/// Most bytes of answers that wait for the client to read before its next request is read.
pub const OUTBOX_BYTES_MAX: usize = 1 << 20;
/// What the buffer of answers keeps when it is empty.
const OUTBOX_KEPT_BYTES_MAX: usize = 64 << 10;

pub(super) async fn serve<A: Answers>(
    exchange: Exchange,
    answers: Rc<A>,
    connection: Rc<Connection>,
    (envelope, hello): (Envelope, Request),
) {
    let mut talk = Talk {
        exchange,
        answers,
        connection,
        in_flight: Vec::new(),
        outbox: Vec::new(),
        written: 0,
        refused: false,
    };
    talk.begin(envelope, hello);
    poll_fn(|cx| talk.poll(cx)).await;
    if talk.refused {
        talk.exchange.part(&[]).await;
    }
}

struct Talk<A> {
    exchange: Exchange,
    answers: Rc<A>,
    connection: Rc<Connection>,
    in_flight: Vec<Pin<Box<dyn Future<Output = Vec<u8>>>>>,
    outbox: Vec<u8>,
    /// How much of `outbox` is written.
    written: usize,
    /// The client broke the protocol: nothing more is read.
    refused: bool,
}

impl<A: Answers> Talk<A> {
    fn begin(&mut self, envelope: Envelope, request: Request) {
        let answers = Rc::clone(&self.answers);
        self.in_flight.push(Box::pin(answers.request(
            Rc::clone(&self.connection),
            envelope,
            request,
        )));
    }

    /// Does what can be done now. Ready when the connection is over.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.connection.push.0.register(cx);
        let mut polled = 0;
        loop {
            if self.connection.push.0.is_closed() {
                return Poll::Ready(());
            }
            polled = self.collect(cx, polled);
            self.collect_pushes();
            if self.write(cx).is_err() {
                return Poll::Ready(());
            }
            let may_read = self.may_read();
            match may_read.then(|| self.read(cx)) {
                Some(Ok(true)) => continue,
                Some(Err(_)) => return Poll::Ready(()),
                Some(Ok(false)) | None => {}
            }
            if self.is_over() {
                return Poll::Ready(());
            }
            let is_reading = may_read && !self.exchange.ended;
            return if is_reading {
                Poll::Pending
            } else {
                self.exchange.poll_gone(cx, false)
            };
        }
    }

    /// Takes the answers that are ready, of the requests from `from` on. Returns how many are
    /// still under way: those need not be looked at again before the next wake-up.
    fn collect(&mut self, cx: &mut Context<'_>, from: usize) -> usize {
        let mut at = from;
        while let Some(answer) = self.in_flight.get_mut(at) {
            match answer.as_mut().poll(cx) {
                Poll::Ready(line) => {
                    self.outbox.extend_from_slice(&line);
                    drop(self.in_flight.swap_remove(at));
                }
                Poll::Pending => at += 1,
            }
        }
        at
    }

    fn collect_pushes(&mut self) {
        while self.outbox.len() - self.written < OUTBOX_BYTES_MAX
            && let Some(push) = self.connection.push.0.take_push()
        {
            self.outbox.extend_from_slice(&push_line(&push));
        }
    }

    fn write(&mut self, cx: &mut Context<'_>) -> std::io::Result<()> {
        while self.written < self.outbox.len() {
            match self.exchange.poll_write(cx, &self.outbox[self.written..])? {
                Poll::Ready(written) => self.written += written,
                Poll::Pending => return Ok(()),
            }
        }
        self.outbox.clear();
        self.outbox.shrink_to(OUTBOX_KEPT_BYTES_MAX);
        self.written = 0;
        Ok(())
    }

    fn may_read(&self) -> bool {
        !self.refused
            && !self.connection.push.0.is_draining()
            && self.in_flight.len() < IN_FLIGHT_MAX
            && self.outbox.len() - self.written < OUTBOX_BYTES_MAX
    }

    /// Begins the requests that have come. True where something has changed.
    fn read(&mut self, cx: &mut Context<'_>) -> std::io::Result<bool> {
        let mut has_begun = false;
        while self.in_flight.len() < IN_FLIGHT_MAX
            && let Some(line) = self.exchange.take_line()
        {
            has_begun = true;
            if line.len() > LINE_BYTES_MAX + 1 {
                self.refuse();
                return Ok(true);
            }
            if line.trim_ascii().is_empty() {
                continue;
            }
            match Request::parse(line) {
                Ok((envelope, request)) => self.begin(envelope, request),
                Err((id, fault)) => self.outbox.extend_from_slice(&fault_line(id, &fault)),
            }
        }
        if has_begun {
            return Ok(true);
        }
        if self.exchange.is_overlong() {
            self.refuse();
            return Ok(true);
        }
        if self.exchange.ended {
            return Ok(false);
        }
        match self.exchange.poll_fill(cx)? {
            Poll::Ready(_) => Ok(true),
            Poll::Pending => Ok(false),
        }
    }

    fn refuse(&mut self) {
        self.refused = true;
        self.outbox
            .extend_from_slice(&fault_line(None, &too_long()));
    }

    /// True where everything asked for is answered and nothing more will be.
    fn is_over(&self) -> bool {
        let is_last = self.exchange.ended || self.refused || self.connection.push.0.is_draining();
        is_last && self.in_flight.is_empty() && self.outbox.is_empty()
    }
}
