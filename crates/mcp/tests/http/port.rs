//! The port.

use std::{fs, net::TcpListener, process::Stdio};

use tempfile::tempdir;

use crate::server::{Server, command, complaint};

#[test]
#[cfg(target_os = "linux")]
fn who_has_the_port_is_named_with_what_to_do() {
    let home = tempdir().expect("a directory");
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = taken.local_addr().expect("bound").port();
    let text = complaint(command(home.path(), port));
    assert!(
        text.contains(&format!("(pid {})", std::process::id())),
        "{text}"
    );
    assert!(text.contains("kite serve --port"), "{text}");
}

#[test]
fn the_token_is_in_no_argument_no_log_and_for_no_other_user() {
    let home = tempdir().expect("a directory");
    let mut server = Server::start(home.path());
    server.ask(
        "",
        &serde_json::json!({"jsonrpc": "2.0", "id": 1, "method": "ping"}),
    );
    assert!(!server.log().contains(&server.token));
    #[cfg(target_os = "linux")]
    for what in ["cmdline", "environ"] {
        let text = fs::read(format!("/proc/{}/{what}", server.pid())).expect("it runs");
        assert!(
            !String::from_utf8_lossy(&text).contains(&server.token),
            "{what}"
        );
    }
    server.terminate();
    assert!(server.exit().success());

    // A token that others could have read is no token.
    use std::os::unix::fs::PermissionsExt;
    let file = home.path().join("http-token");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).expect("ours");
    let mut again = command(home.path(), 0);
    again.stdin(Stdio::null());
    let text = complaint(again);
    assert!(text.contains("others can read it"), "{text}");
}
