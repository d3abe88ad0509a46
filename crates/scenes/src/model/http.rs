//! As much of HTTP/1.1 as a well-behaved client on loopback needs.

use std::io::{self, BufRead, Read, Write};

/// Longest request line and headers together, in bytes.
const HEAD_BYTES_MAX: u64 = 64 << 10;

/// Longest body, in bytes. A request of Claude Code is some 100 KiB and grows with its work.
const BODY_BYTES_MAX: u64 = 64 << 20;

pub(super) struct Request {
    pub(super) method: String,
    pub(super) path: String,
    headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Request {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, value)| value.as_str())
    }
}

/// The next request of a connection; `None` where it was closed.
pub(super) fn read(reader: &mut impl BufRead) -> io::Result<Option<Request>> {
    let mut head = Vec::new();
    let mut limited = reader.by_ref().take(HEAD_BYTES_MAX);
    loop {
        let before = head.len();
        if limited.read_until(b'\n', &mut head)? == 0 {
            return if head.is_empty() {
                Ok(None)
            } else {
                Err(bad("the head is cut off or too long"))
            };
        }
        if matches!(&head[before..], b"\r\n" | b"\n") {
            break;
        }
    }
    let head = String::from_utf8(head).map_err(|_| bad("the head is not text"))?;
    let mut lines = head.lines();
    let mut first = lines
        .next()
        .unwrap_or_default()
        .split(' ')
        .map(str::to_owned);
    let (Some(method), Some(path)) = (first.next(), first.next()) else {
        return Err(bad("no request line"));
    };
    let headers = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let mut request = Request {
        method,
        path,
        headers,
        body: Vec::new(),
    };
    if request.header("transfer-encoding").is_some() {
        return Err(bad("a chunked body is not supported"));
    }
    let length = request
        .header("content-length")
        .map_or(Ok(0), str::parse::<u64>);
    let length = length.map_err(|_| bad("content-length is not a number"))?;
    if length > BODY_BYTES_MAX {
        return Err(bad("the body is too long"));
    }
    reader
        .by_ref()
        .take(length)
        .read_to_end(&mut request.body)?;
    Ok(Some(request))
}

/// Answers 200 with a body, which a HEAD request does not get.
pub(super) fn write(
    mut to: impl Write,
    request: &Request,
    kind: &str,
    body: &str,
) -> io::Result<()> {
    let length = body.len();
    let head =
        format!("HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\n\r\n");
    let body = if request.method == "HEAD" { "" } else { body };
    to.write_all(format!("{head}{body}").as_bytes())?;
    to.flush()
}

fn bad(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn two_requests_on_one_connection() {
        let bytes: &[u8] =
            b"POST /v1/messages?x=1 HTTP/1.1\r\nContent-Length: 2\r\nX-A: b\r\n\r\n{}\
            HEAD /api/hello HTTP/1.1\r\n\r\n";
        let mut reader = bytes;
        let first = read(&mut reader).ok().flatten();
        assert_eq!(first.as_ref().map(|r| r.body.as_slice()), Some(&b"{}"[..]));
        assert_eq!(first.as_ref().and_then(|r| r.header("x-a")), Some("b"));
        let second = read(&mut reader).ok().flatten();
        assert_eq!(second.map(|r| r.method), Some("HEAD".to_owned()));
        assert!(matches!(read(&mut reader), Ok(None)));
    }

    #[test]
    fn a_head_without_end_is_refused() {
        let mut reader = &b"GET / HTTP/1.1\r\nnever"[..];
        assert!(read(&mut reader).is_err());
    }
}
