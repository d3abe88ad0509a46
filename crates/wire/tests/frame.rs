//! The hook frame: whatever goes in comes out again, and whatever else comes in is refused.

use kite_wire::frame::{AnswerLine, Header, decode, encode};

#[test]
fn a_header_survives_any_bytes() {
    let all: Vec<u8> = (0..=255).collect();
    let header = Header {
        event: "Pre\tTool\r\nUse \u{202e}é%41".to_owned(),
        client: String::new(),
        input_len: usize::MAX,
        env: vec![
            ("A%B\tC".to_owned(), all.clone()),
            ("EMPTY".to_owned(), Vec::new()),
            (String::new(), b"%".to_vec()),
        ],
    };

    let line = header.to_line();

    assert_eq!(
        line.iter().filter(|b| **b == b'\n').count(),
        1,
        "one line, whatever is in it"
    );
    assert_eq!(line.last(), Some(&b'\n'));
    let read = Header::parse(&line).expect("its own header");
    assert_eq!(read, header);
    assert_eq!(read.env("EMPTY"), Some(""));
    assert_eq!(read.env("A%B\tC"), None, "not text");
    assert_eq!(
        Header::parse(line.trim_ascii_end()),
        Some(header),
        "the newline is optional"
    );
}

#[test]
fn a_header_reads_as_documented() {
    let header = Header {
        event: "PreToolUse".to_owned(),
        client: "claude-code".to_owned(),
        input_len: 312,
        env: vec![("CLAUDE_PID".to_owned(), b"4711".to_vec())],
    };
    assert_eq!(
        header.to_line(),
        b"hook\t1\tPreToolUse\tclaude-code\t312\tCLAUDE_PID=4711\n"
    );
}

#[test]
fn what_is_no_header_is_refused() {
    let strangers: &[&[u8]] = &[
        b"",
        b"\n",
        b"hook",
        b"hook\t",
        b"hook\t1\n",
        b"hook\t1\tStop\tclaude-code\n",
        b"hook\t2\tStop\tclaude-code\t0\n",
        b"hook\t1\tStop\tclaude-code\t-1\n",
        b"hook\t1\tStop\tclaude-code\t99999999999999999999999\n",
        b"hook\t1\tStop\tclaude-code\t0\tNO_EQUALS_SIGN\n",
        b"hook\t1\t%FF\tclaude-code\t0\n",
        b"{\"type\":\"query\",\"target\":\"sessions\"}\n",
        b"GET / HTTP/1.1\r\n",
    ];
    for line in strangers {
        assert_eq!(
            Header::parse(line),
            None,
            "{:?}",
            String::from_utf8_lossy(line)
        );
    }
}

#[test]
fn a_percent_sign_without_digits_stands_for_itself() {
    assert_eq!(decode(b"100%"), b"100%");
    assert_eq!(decode(b"%4"), b"%4");
    assert_eq!(decode(b"%zz%41%4g"), b"%zzA%4g");
    let mut encoded = Vec::new();
    encode(b"%zz", &mut encoded);
    assert_eq!(encoded, b"%25zz");
}

#[test]
fn answers_survive() {
    for answer in [
        AnswerLine::Wait { ms: u64::MAX },
        AnswerLine::Done {
            exit: 0,
            stdout_len: 0,
            stderr_len: 0,
        },
        AnswerLine::Done {
            exit: 255,
            stdout_len: usize::MAX,
            stderr_len: 1,
        },
    ] {
        let line = answer.to_line();
        assert_eq!(AnswerLine::parse(line.trim_end().as_bytes()), Some(answer));
    }
    for stranger in [
        "",
        "wait",
        "wait ",
        "wait x",
        "wait 1 2",
        "done 2 0",
        "done 256 0 0",
        "done 2 0 0 0",
        "Done 2 0 0",
        "done  2 0 0",
        "done 2 -1 0",
        "wait 99999999999999999999999",
    ] {
        assert_eq!(AnswerLine::parse(stranger.as_bytes()), None, "{stranger}");
    }
}
