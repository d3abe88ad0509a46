//! HTTP as bytes: what is sent is sent as it is written, however wrong.

use std::{
    io::{ErrorKind, Read, Write},
    net::{Shutdown, SocketAddr, TcpStream},
    time::Duration,
};

use serde_json::Value;

use crate::server::SOON;

/// A connection.
pub(crate) struct Wire {
    stream: TcpStream,
    /// Read, and not yet part of an answer.
    unread: Vec<u8>,
}

/// An answer, with its body whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: String,
}

impl Wire {
    pub(crate) fn connect(address: SocketAddr) -> Wire {
        let stream = TcpStream::connect(address).expect("it listens");
        stream.set_read_timeout(Some(2 * SOON)).expect("a socket");
        stream.set_write_timeout(Some(2 * SOON)).expect("a socket");
        Wire {
            stream,
            unread: Vec::new(),
        }
    }

    pub(crate) fn send(&mut self, text: &str) {
        self.stream.write_all(text.as_bytes()).expect("it reads");
    }

    /// Sends as much as the other side takes. False once it takes no more.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> bool {
        self.stream.write_all(bytes).is_ok()
    }

    /// How long the other side may take nothing before [`Wire::push`] says so.
    pub(crate) fn give_up_writing_after(&self, limit: Duration) {
        self.stream
            .set_write_timeout(Some(limit))
            .expect("a socket");
    }

    pub(crate) fn end_sending(&self) {
        // The other side may have closed it already.
        let _ = self.stream.shutdown(Shutdown::Write);
    }

    /// The answer, or `None` where the connection was closed without one.
    pub(crate) fn try_answer(&mut self) -> Option<Answer> {
        let head = self.read_until(b"\r\n\r\n")?;
        let head = String::from_utf8(head).expect("a head is text");
        let status = head.split(' ').nth(1)?.parse().expect("a status");
        let mut answer = Answer {
            status,
            head: head.to_ascii_lowercase(),
            body: String::new(),
        };
        let mut body = Vec::new();
        if answer.header("transfer-encoding").is_some() {
            while let Some(part) = self.chunk() {
                body.extend(part);
            }
        } else if let Some(length) = answer.header("content-length") {
            body = self.read(length.parse().expect("a length"))?;
        }
        answer.body = String::from_utf8(body).expect("text");
        Some(answer)
    }

    pub(crate) fn answer(&mut self) -> Answer {
        self.try_answer().expect("an answer")
    }

    /// The head of an answer whose body does not end.
    pub(crate) fn stream_head(&mut self) -> String {
        let head = self.read_until(b"\r\n\r\n").expect("a head");
        String::from_utf8(head).expect("text")
    }

    /// The next message on a stream. `None` where it ends. Signs of life are passed over.
    pub(crate) fn event(&mut self) -> Option<String> {
        loop {
            let part = String::from_utf8(self.chunk()?).expect("text");
            if !part.starts_with(':') {
                return Some(part);
            }
        }
    }

    /// One part of a body that comes in parts.
    fn chunk(&mut self) -> Option<Vec<u8>> {
        let size = self.read_until(b"\r\n")?;
        let size = String::from_utf8(size).expect("a size is text");
        let size = usize::from_str_radix(size.trim(), 16).expect("a size");
        let mut part = self.read(size + 2)?;
        part.truncate(size);
        (size > 0).then_some(part)
    }

    fn read_until(&mut self, end: &[u8]) -> Option<Vec<u8>> {
        loop {
            let found = self.unread.windows(end.len()).position(|part| part == end);
            if let Some(at) = found {
                return Some(self.unread.drain(..at + end.len()).collect());
            }
            self.fill()?;
        }
    }

    fn read(&mut self, bytes: usize) -> Option<Vec<u8>> {
        while self.unread.len() < bytes {
            self.fill()?;
        }
        Some(self.unread.drain(..bytes).collect())
    }

    fn fill(&mut self) -> Option<()> {
        let mut part = [0; 16 << 10];
        match self.stream.read(&mut part) {
            Ok(0) => None,
            Ok(read) => {
                self.unread.extend_from_slice(&part[..read]);
                Some(())
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => panic!("no answer in time"),
            // Closed with something of ours unread.
            Err(_) => None,
        }
    }
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }

    /// The last JSON of the answer, be it a page or a stream.
    pub(crate) fn json(&self) -> Value {
        let line = self.body.lines().rev().find(|line| line.contains('{'));
        let line = line.unwrap_or_else(|| panic!("no JSON: {self:?}"));
        let line = line.strip_prefix("data: ").unwrap_or(line);
        serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    /// The text of a tool's answer.
    pub(crate) fn text(&self) -> String {
        let json = self.json();
        let text = json["result"]["content"][0]["text"].as_str();
        text.unwrap_or_else(|| panic!("no text: {self:?}"))
            .to_owned()
    }
}
