//! Requests as strangers write them: what is wrong is named, with the nearest thing that is right.
#![cfg(feature = "messages")]

use kite_wire::{
    reply::Fault,
    request::{ENVELOPE_FIELDS, Envelope, Query, Request, TYPES, TaskCreate},
};

#[track_caller]
fn refused(line: impl AsRef<[u8]>) -> Fault {
    Request::parse(line.as_ref())
        .expect_err("a request that cannot be read")
        .1
}

#[track_caller]
fn is_refused(line: &str, code: &str, words: &[&str]) {
    let fault = refused(line);
    let text = fault.to_string();
    assert_eq!(fault.code, code, "{text}");
    for word in words {
        assert!(text.contains(word), "`{word}` is not in: {text}");
    }
}

#[test]
fn a_request_of_few_words() {
    let line = br#"{"type":"query","target":"sessions"}"#;
    let (envelope, request) = Request::parse(line).expect("a request");
    assert_eq!(envelope, Envelope::default());
    assert_eq!(
        request,
        Query {
            target: "sessions".to_owned(),
            ..Query::default()
        }
        .into()
    );
}

#[test]
fn mistakes_name_what_was_meant() {
    is_refused(
        r#"{"type":"qeury"}"#,
        "unknown_type",
        &["`qeury`", "did you mean `query`?"],
    );
    is_refused(
        r#"{"type":"file_tuch"}"#,
        "unknown_type",
        &["did you mean `file_touch`?"],
    );
    is_refused(
        r#"{"type":"teleport"}"#,
        "unknown_type",
        &["`teleport`", "known: hello, register"],
    );
    is_refused(
        r#"{"type":"query","tarqet":"tasks"}"#,
        "unknown_field",
        &["`tarqet` in `query`", "did you mean `target`?"],
    );
    is_refused(
        r#"{"type":"lock","op_ID":"x"}"#,
        "unknown_field",
        &["did you mean `op_id`?"],
    );
    is_refused(
        r#"{"type":"heartbeat","zzzzzz":1}"#,
        "unknown_field",
        &["known: id, op_id, session_id"],
    );
    is_refused(
        r#"{"type":"task_create","title":"x","priority":5}"#,
        "invalid_field",
        &["`task_create.priority`", "string"],
    );
    is_refused(
        r#"{"type":"lock","paths":"a.rs"}"#,
        "invalid_field",
        &["`lock.paths`"],
    );
    is_refused(
        r#"{"type":"lock","ttl_s":-1}"#,
        "invalid_field",
        &["`lock.ttl_s`"],
    );
    is_refused(
        r#"{"type":"lock","id":"one"}"#,
        "invalid_field",
        &["`lock.id`"],
    );
    is_refused(
        r#"{"type":"hello","protocol":[1,1],"caller":{"client":"x","Pid":1}}"#,
        "invalid_field",
        &["`hello.caller`", "`Pid`"],
    );
}

#[test]
fn what_is_no_request_is_said_to_be_none() {
    is_refused("", "invalid_json", &["one JSON object on one line"]);
    is_refused("\u{feff}{}", "invalid_json", &[]);
    is_refused(r#"{"type":"query""#, "invalid_json", &[]);
    is_refused(r#"{"type":"query"} {}"#, "invalid_json", &[]);
    is_refused("[]", "invalid_request", &["JSON object"]);
    is_refused("null", "invalid_request", &[]);
    is_refused("{}", "invalid_request", &["`type`", "known types"]);
    is_refused(r#"{"type":7}"#, "invalid_request", &[]);
    assert_eq!(refused(b"\xFF\xFE{}").code, "invalid_json");
    assert_eq!(refused(br#"{"type":"lock","reason":"#).code, "invalid_json");
}

#[test]
fn an_error_is_answered_under_its_id() {
    let (id, _) = Request::parse(br#"{"type":"qeury","id":7}"#).expect_err("no such type");
    assert_eq!(id, Some(7));
}

#[test]
fn an_error_repeats_little_of_what_was_sent() {
    let long = "x".repeat(1 << 20);
    for line in [
        format!(r#"{{"type":"{long}"}}"#),
        format!(r#"{{"type":"query","{long}":1}}"#),
        format!(r#"{{"type":"lock","ttl_s":"{long}"}}"#),
        format!(r#"{{"type":"hello","caller":{{"{long}":1}}}}"#),
    ] {
        let fault = refused(line);
        assert!(
            fault.to_string().len() < 1_000,
            "{} bytes",
            fault.to_string().len()
        );
    }
}

#[test]
fn ids_are_exact_past_two_to_the_53() {
    let line = br#"{"type":"cancel","id":18446744073709551615,"request":9007199254740993}"#;
    let (envelope, request) = Request::parse(line).expect("a request");
    assert_eq!(envelope.id, Some(u64::MAX));
    let again = String::from_utf8(request.to_line(&envelope)).expect("text");
    assert_eq!(again.trim_end().as_bytes(), line);

    is_refused(
        r#"{"type":"cancel","request":18446744073709551616}"#,
        "invalid_field",
        &["`cancel.request`"],
    );
    is_refused(
        r#"{"type":"cancel","request":9007199254740993.0}"#,
        "invalid_field",
        &[],
    );
    is_refused(r#"{"type":"heartbeat","id":1e400}"#, "invalid_json", &[]);
}

#[test]
fn depth_is_limited() {
    for (open, close) in [("[", "]"), (r#"{"a":"#, "}")] {
        let deep = format!(
            r#"{{"type":"query","target":{}1{}}}"#,
            open.repeat(200_000),
            close.repeat(200_000)
        );
        is_refused(&deep, "invalid_json", &["recursion limit"]);
        is_refused(&open.repeat(1 << 19), "invalid_json", &[]);
    }
}

#[test]
fn hostile_text_survives_on_one_line() {
    let title = "\u{0}\n\r\t\u{1b}[31m \u{202e} \u{2028} 𝄞 \"quoted\" \\".to_owned();
    let create = TaskCreate {
        title,
        ..TaskCreate::default()
    };
    let line = Request::from(create.clone()).to_line(&Envelope::default());
    assert_eq!(line.iter().filter(|b| **b == b'\n').count(), 1);
    let (_, read) = Request::parse(&line).expect("its own line");
    assert_eq!(read, create.into());
}

#[test]
fn no_request_has_a_field_that_the_envelope_takes() {
    let whole: serde_json::Value = serde_json::from_str(
        r#"{"type":"query","mcp_tool":"kite_sessions","target":"events","tool":"kite_file_lock"}"#,
    )
    .expect("JSON");
    let (envelope, request) = Request::parse(whole.to_string().as_bytes()).expect("a request");
    assert_eq!(envelope.tool.as_deref(), Some("kite_sessions"));
    let Request::Query(query) = request else {
        panic!("{request:?}")
    };
    assert_eq!(query.tool.as_deref(), Some("kite_file_lock"));
    for name in TYPES {
        let fields = Request::fields_of(name).expect("a known type");
        assert!(
            !fields.iter().any(|field| ENVELOPE_FIELDS.contains(field)),
            "{name}"
        );
    }
}
