//! Planted secrets disappear, wherever they stand; what only looks like one stays.

use std::borrow::Cow;

use kite_redact::{redact, redact_json};
use serde_json::{Value, json};

/// One of each kind, put together at run time so that no scanner takes this file for a leak.
fn canaries() -> Vec<(&'static str, String)> {
    let letters = "Ab3dEf6hIj9lMn2pQr5tUv8xYz1BcD4fGh7jKl0nOp3rSt6vWx9z";
    let hex = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    vec![
        ("aws", format!("AKIA{}", "Q3EGRSTUVWXYZ234")),
        ("github", format!("ghp_{}", &letters[..36])),
        (
            "github",
            format!("github_pat_{}_{}", &letters[..22], &letters[..40]),
        ),
        ("gitlab", format!("glpat-{}", &letters[..20])),
        (
            "slack",
            format!("xoxb-{}-{}", "123456789012", &letters[..24]),
        ),
        ("google", format!("AIza{}", &letters[..35])),
        ("google", format!("ya29.{}", &letters[..40])),
        ("stripe", format!("sk_live_{}", &letters[..24])),
        ("npm", format!("npm_{}", &letters[..36])),
        ("pypi", format!("pypi-AgEIcHlwaS5vcmc{}", &letters[..40])),
        ("anthropic", format!("sk-ant-api03-{}", &letters[..40])),
        ("openai", format!("sk-proj-{}", &letters[..40])),
        ("openai", format!("sk-{}", &letters[..48])),
        (
            "jwt",
            format!("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.{}", &letters[..43]),
        ),
        ("token", format!("hf_{}", &letters[..34])),
        ("token", format!("dop_v1_{hex}")),
        (
            "private-key",
            format!(
                "-----BEGIN OPENSSH PRIVATE KEY-----\n{}\n{}\n-----END OPENSSH PRIVATE KEY-----",
                &letters[..48],
                &letters[4..52]
            ),
        ),
    ]
}

/// The part of a canary that must not survive: its last 12 characters before any ending.
fn tell_tale(canary: &str) -> &str {
    let body = canary.split("\n-----END").next().unwrap_or(canary);
    &body[body.len() - 12..]
}

fn base64(text: &str) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in text.as_bytes().chunks(3) {
        let bytes = [
            chunk[0],
            *chunk.get(1).unwrap_or(&0),
            *chunk.get(2).unwrap_or(&0),
        ];
        let bits = u32::from_be_bytes([0, bytes[0], bytes[1], bytes[2]]);
        for place in 0..4 {
            let letter = LETTERS[(bits >> (18 - 6 * place) & 63) as usize] as char;
            out.push(if place <= chunk.len() { letter } else { '=' });
        }
    }
    out
}

#[test]
fn known_shapes_are_taken_out_of_any_surroundings() {
    for (kind, canary) in canaries() {
        let json = json!({ "command": format!("echo {canary}") }).to_string();
        let nested = json!({ "body": json }).to_string();
        for text in [
            canary.clone(),
            format!("before {canary} after"),
            format!("x={canary}&y=1"),
            format!("x%3D{canary}%26y"),
            format!("'{canary}',"),
            format!("<{canary}>"),
            format!("ключ: {canary}。"),
            json,
            nested,
        ] {
            let out = redact(&text);
            assert!(!out.contains(tell_tale(&canary)), "{kind}: {text} -> {out}");
            assert!(out.contains("[redacted:"), "{out}");
            assert!(
                matches!(redact(&out), Cow::Borrowed(_)),
                "twice is once: {out}"
            );
        }
        assert_eq!(
            redact(&format!("a {canary} b")),
            format!("a [redacted:{kind}] b")
        );
    }
}

#[test]
fn base64_hides_nothing() {
    for (kind, canary) in canaries() {
        let hidden = base64(&format!("user:{canary}"));
        let out = redact(&hidden);
        assert!(
            out.contains("[redacted:encoded]"),
            "{kind}: {hidden} -> {out}"
        );
    }
    let harmless = base64("just some text that hides nothing at all");
    assert_eq!(redact(&harmless), harmless);
}

#[test]
fn what_is_named_a_secret_is_one() {
    for text in [
        "API_KEY=hunter2xx",
        "export DB_PASSWORD=hunter2xx",
        "DB_PASSWORD='hunter2xx and more'",
        r#"{"password":"hunter2xx"}"#,
        r#"{"password": "say \"hunter2xx\" loud"}"#,
        r#"{"body":"{\"api_key\": \"hunter2xx\"}"}"#,
        r#""{\\\"client_secret\\\":\\\"hunter2xx\\\"}""#,
        "password: hunter2xx",
        "let password = \"hunter2xx\";",
        "apiKey: 'hunter2xx'",
        "https://example.org/?access_token=hunter2xx&x=1",
        "access_token%3Dhunter2xx",
        "curl -H 'Authorization: Bearer hunter2xx' https://example.org",
        "Authorization: Basic aHVudGVyMnh4Cg==hunter2xx",
        "\"authorization\": \"token hunter2xx\"",
        "Bearer abc1hunter2xx",
        "Cookie: sid=hunter2xx; theme=dark",
        "postgres://app:hunter2xx@db.example.org/app",
        "redis://:hunter2xx@localhost:6379",
        "curl -u admin:hunter2xx https://example.org",
        "mysql --password hunter2xx",
        "mysql --password=hunter2xx",
        "machine example.org login me password hunter2xx",
        "//registry.npmjs.org/:_authToken=hunter2xx",
        "SECRET_KEY_BASE = hunter2xx",
        "AWS_SECRET_ACCESS_KEY: hunter2xx",
        "x: y\nz: 1, token: hunter2xx",
    ] {
        let out = redact(text);
        assert!(!out.contains("hunter2xx"), "{text} -> {out}");
        assert!(
            matches!(redact(&out), Cow::Borrowed(_)),
            "twice is once: {out}"
        );
    }
}

#[test]
fn what_surrounds_a_secret_stays() {
    assert_eq!(
        redact("curl -H 'Authorization: Bearer hunter2xx' https://example.org"),
        "curl -H 'Authorization: Bearer [redacted:auth]' https://example.org"
    );
    assert_eq!(
        redact("A=1 API_KEY=hunter2xx B=2"),
        "A=1 API_KEY=[redacted:assigned] B=2"
    );
    assert_eq!(
        redact("postgres://app:hunter2xx@db/app"),
        "postgres://app:[redacted:url]@db/app"
    );
}

#[test]
fn harmless_text_is_borrowed_unchanged() {
    for text in [
        "",
        "commit 03a1767f2b9c5de8a1f0c3b4d5e6f7a8b9c0d1e2",
        "3f2a91bc-1234-4abc-9def-0123456789ab",
        "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "integrity sha512-z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg==",
        "let token = self.next_token();",
        "fn parse(token: &str, password: String) -> Option<Token> {",
        "const apiKey = process.env.API_KEY;",
        "password = os.environ['DB_PASSWORD']",
        "export TOKEN=$GITHUB_TOKEN",
        "PASSWORD=${PASSWORD}",
        "max_tokens: 4096, tokens: 12, token_count=7",
        "match token { Token::Plus => 1 }",
        "if token == expected_token { }",
        "basic understanding of bearer certificates and token verification",
        "the password is asked for at the prompt",
        "http://localhost:8080/@user/path?x=1",
        "https://github.com/org/repo.git",
        "git@github.com:org/repo.git",
        "user: alice, path: /home/alice/src/main.rs",
        "sk-navigation-bar sk-some-long-class-name",
        "src/tokenizer/mod.rs:120: unused variable `token`",
        "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHarmlessPublicKeyHarmlessPublicKey me@host",
    ] {
        let out = redact(text);
        assert!(matches!(out, Cow::Borrowed(_)), "{text} -> {out}");
    }
}

#[test]
fn a_cut_private_key_is_taken_out_to_the_end() {
    let text = "-----BEGIN RSA PRIVATE KEY-----\\nMIIEowIBAAKCAQEA7bq";
    assert_eq!(redact(text), "[redacted:private-key]");
}

#[test]
fn json_is_searched_in_every_field() {
    for (kind, canary) in canaries() {
        let mut value = json!({
            "tool_input": { "command": format!("echo {canary}"), "deep": [[{ "x": canary }]] },
            canary.clone(): 1,
            "numbers": [1, 2.5, null, true],
        });
        redact_json(&mut value);
        let text = value.to_string();
        assert!(!text.contains(tell_tale(&canary)), "{kind}: {text}");
        assert_eq!(value["numbers"], json!([1, 2.5, null, true]));
    }
}

#[test]
fn json_keys_tell_what_is_secret() {
    let mut value = json!({
        "password": "short",
        "api_key": 12345,
        "Authorization": ["Basic x", "y"],
        "credentials": { "user": "a", "pass": "b", "more": { "x": "c" } },
        "env": [{ "name": "DB_PASSWORD", "value": "d" }, { "name": "PATH", "value": "/bin" }],
        "args": ["--verbose", "--token", "e", "file.txt"],
        "token": null,
        "secret": "",
        "has_password": false,
        "max_tokens": 100,
        "path": "src/a.rs",
    });
    redact_json(&mut value);
    let named = "[redacted:named]";
    assert_eq!(
        value,
        json!({
            "password": named,
            "api_key": named,
            "Authorization": [named, named],
            "credentials": { "user": named, "pass": named, "more": { "x": named } },
            "env": [{ "name": "DB_PASSWORD", "value": named }, { "name": "PATH", "value": "/bin" }],
            "args": ["--verbose", "--token", named, "file.txt"],
            "token": null,
            "secret": "",
            "has_password": false,
            "max_tokens": 100,
            "path": "src/a.rs",
        })
    );
    let once = value.clone();
    redact_json(&mut value);
    assert_eq!(value, once, "twice is once");
}

#[test]
fn no_input_takes_long_or_panics() {
    let started = std::time::Instant::now();
    for piece in [
        "a",
        "a=",
        "password=",
        "\"",
        "\\\"",
        "token: \"",
        "://:",
        "-----BEGIN ",
        "é=",
        "eyJ.",
        "A1",
    ] {
        let text = piece.repeat(100_000 / piece.len());
        let _ = redact(&text);
        let mut value = Value::String(text);
        redact_json(&mut value);
    }
    // Linear: far below a second in a release build. Quadratic: hours.
    assert!(
        started.elapsed().as_secs() < 60,
        "took {:?}",
        started.elapsed()
    );
}
