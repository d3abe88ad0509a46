//! A connection that carries one hook call.

use std::{
    future::{Future, poll_fn},
    io,
    pin::pin,
    rc::Rc,
    task::{Context, Poll},
    time::Duration,
};

use kite_wire::frame::{AnswerLine, Header, INPUT_BYTES_MAX, OUTPUT_BYTES_MAX, RECEIPT, TOLD};
use tokio::time::timeout;

use super::{Answers, Connection, HookAnswer, WaitSender, exchange::Exchange};

/// How long a hook may take to send its input.
const INPUT_PATIENCE: Duration = Duration::from_secs(5);
/// How long a hook may take to write out what it was answered.
const TOLD_PATIENCE: Duration = Duration::from_secs(5);
/// What is set aside for an input before any of it has come.
const INPUT_RESERVED_BYTES_MAX: usize = 256 << 10;

pub(super) async fn serve<A: Answers>(
    mut exchange: Exchange,
    header: &[u8],
    answers: Rc<A>,
    connection: Rc<Connection>,
) {
    let (mut answer, gives_receipt) = match read(&mut exchange, header).await {
        Ok((header, input)) => {
            let gives_receipt = header.env(RECEIPT).is_some();
            let extend = WaitSender(Rc::clone(&connection.push.0));
            let answer = answers.hook(Rc::clone(&connection), header, input, extend);
            match extended(&mut exchange, &connection, answer).await {
                Some(answer) => (answer, gives_receipt),
                None => return,
            }
        }
        // A fault of the hook's own: the agent goes on, and whoever looks sees why.
        Err(why) => {
            let stderr = format!("kite: {why}\n").into_bytes();
            return exchange
                .part(&frame(&HookAnswer {
                    stderr,
                    ..HookAnswer::default()
                }))
                .await;
        }
    };
    // The hook may have gone: then its receipt is dropped with it.
    let receipt = answer.receipt.take().filter(|_| is_sent_whole(&answer));
    let is_written = exchange.write_all(&frame(&answer)).await.is_ok();
    if let Some(receipt) = receipt
        && is_written
        && (!gives_receipt || is_told(&mut exchange).await)
    {
        receipt.give();
    }
}

/// Whether the hook says that it has written its answer out.
async fn is_told(exchange: &mut Exchange) -> bool {
    let told = async {
        loop {
            if let Some(line) = exchange.take_line() {
                return line == TOLD;
            }
            if exchange.unused().len() > TOLD.len() || exchange.ended {
                return false;
            }
            if poll_fn(|cx| exchange.poll_fill(cx)).await.is_err() {
                return false;
            }
        }
    };
    timeout(TOLD_PATIENCE, told).await.unwrap_or_default()
}

async fn read(exchange: &mut Exchange, header: &[u8]) -> Result<(Header, Vec<u8>), String> {
    let Some(header) = Header::parse(header) else {
        return Err(
            "this daemon does not understand the hook's header; run `kite init`".to_owned(),
        );
    };
    if header.input_len > INPUT_BYTES_MAX {
        return Err(format!(
            "the hook's input is longer than {INPUT_BYTES_MAX} bytes"
        ));
    }
    let mut input = exchange.take_all();
    input.truncate(header.input_len);
    input.reserve((header.input_len - input.len()).min(INPUT_RESERVED_BYTES_MAX));
    match timeout(
        INPUT_PATIENCE,
        exchange.read_into(&mut input, header.input_len),
    )
    .await
    {
        Ok(Ok(true)) => Ok((header, input)),
        Ok(Ok(false)) => Err("the hook's input is shorter than announced".to_owned()),
        Ok(Err(e)) => Err(format!("the hook's input cannot be read: {e}")),
        Err(_) => Err("the hook's input did not come in time".to_owned()),
    }
}

/// Awaits `answer` as long as the hook is there, and passes on each word to wait longer.
async fn extended(
    exchange: &mut Exchange,
    connection: &Connection,
    answer: impl Future<Output = HookAnswer>,
) -> Option<HookAnswer> {
    let mut answer = pin!(answer);
    let mut waits = Vec::new();
    let done = poll_fn(|cx| {
        connection.push.0.register(cx);
        let answered = answer.as_mut().poll(cx);
        if let Some(ms) = connection.push.0.take_wait_ms() {
            waits.extend(AnswerLine::Wait { ms }.to_line().bytes());
        }
        if poll_flush(exchange, &mut waits, cx).is_err() {
            return Poll::Ready(None);
        }
        match answered {
            Poll::Ready(answer) => Poll::Ready(Some(answer)),
            Poll::Pending => exchange.poll_gone(cx, true).map(|()| None),
        }
    });
    let answer = done.await?;
    exchange.write_all(&waits).await.ok()?;
    Some(answer)
}

/// Writes what goes out without waiting; the rest stays.
fn poll_flush(
    exchange: &mut Exchange,
    bytes: &mut Vec<u8>,
    cx: &mut Context<'_>,
) -> io::Result<()> {
    while !bytes.is_empty() {
        match exchange.poll_write(cx, bytes)? {
            Poll::Ready(written) => drop(bytes.drain(..written)),
            Poll::Pending => break,
        }
    }
    Ok(())
}

/// Longer ones are dropped, since no hook takes them.
fn is_sent_whole(answer: &HookAnswer) -> bool {
    answer.stdout.len() + answer.stderr.len() <= OUTPUT_BYTES_MAX
}

fn frame(answer: &HookAnswer) -> Vec<u8> {
    let HookAnswer {
        exit,
        stdout,
        stderr,
        ..
    } = answer;
    let (exit, stdout, stderr) = if is_sent_whole(answer) {
        (*exit, stdout.as_slice(), stderr.as_slice())
    } else {
        (
            0,
            &[][..],
            &b"kite: the answer was too long and was dropped\n"[..],
        )
    };
    let line = AnswerLine::Done {
        exit,
        stdout_len: stdout.len(),
        stderr_len: stderr.len(),
    };
    [line.to_line().as_bytes(), stdout, stderr].concat()
}
