//! Stories of notes: written, found where they may be, kept from where they may not.

use std::{
    cell::RefCell,
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
    process::Command,
    rc::Rc,
    time::{Duration, Instant},
};

use kite_wire::request::{Caller, Hello, Request};
use serde_json::{Value, json};

use super::super::stage::{Agent, World, story};
use crate::{
    config::Config,
    doors::{Answers, Connection, PushSender},
};

/// What is expected within this is waited for.
const SOON: Duration = Duration::from_secs(20);

/// A request of somebody who stands in a directory.
async fn ask(world: &World, client: &str, agent: &Agent, cwd: &Path, request: Value) -> Value {
    let caller = Caller {
        client: client.to_owned(),
        pid: Some(agent.child.id()),
        cwd: Some(cwd.display().to_string()),
        ..Caller::default()
    };
    let hello = Hello {
        role: "cli".into(),
        caller: Some(caller),
        protocol: (1, 1),
        ..Hello::default()
    };
    let connection = Rc::new(Connection {
        id: 1,
        peer_pid: None,
        push: PushSender::nowhere(),
        hello: RefCell::new(Some(hello)),
    });
    let (envelope, request) = Request::parse(request.to_string().as_bytes()).unwrap();
    let line = Rc::clone(&world.engine)
        .request(connection, envelope, request)
        .await;
    serde_json::from_slice(&line).unwrap()
}

/// A repository beside the shop.
fn repository(world: &World, name: &str) -> PathBuf {
    let top = world.home().canonicalize().unwrap().join(name);
    fs::create_dir_all(&top).unwrap();
    git(&top, &["init", "-q"]);
    git(&top, &["commit", "-q", "--allow-empty", "-m", "first"]);
    top
}

fn git(directory: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .args(["-c", "user.name=k", "-c", "user.email=k@example.org"])
        .args(arguments)
        .current_dir(directory)
        .output()
        .unwrap();
    assert!(output.status.success(), "git {arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn search(query: &str) -> Value {
    json!({"type": "vault_search", "query": query})
}

/// The titles that answer.
fn titles(answer: &Value) -> Vec<String> {
    assert_eq!(answer["ok"], true, "{answer}");
    let notes = answer["notes"].as_array().unwrap();
    let mut titles: Vec<String> = notes
        .iter()
        .map(|note| note["title"].as_str().unwrap().to_owned())
        .collect();
    titles.sort();
    titles
}

/// Asks until the answer is that, and says how long it took.
async fn until(
    world: &World,
    client: &str,
    agent: &Agent,
    cwd: &Path,
    query: &str,
    expected: &[&str],
) -> Duration {
    let began = Instant::now();
    loop {
        let answer = ask(world, client, agent, cwd, search(query)).await;
        if titles(&answer) == expected {
            return began.elapsed();
        }
        assert!(
            began.elapsed() < SOON,
            "{query}: {answer}, not {expected:?}"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[test]
fn what_one_session_learns_the_next_one_knows() {
    story(Config::default(), |world| async move {
        let shop = repository(&world, "shop");
        let (first, second) = (world.agent("first"), world.agent("second"));
        let write = json!({"type": "vault_write", "op_id": "op-1", "title": "Token refresh",
            "text": "Refresh tokens rotate. API_KEY=sk_live_4242424242424242abcd", "tags": ["auth"]});
        let written = ask(&world, "claude-code", &first, &shop, write.clone()).await;
        assert_eq!(written["outcome"], "created", "{written}");
        assert_eq!(written["reviewed"], false);
        assert_eq!(written["redacted"], true);
        let path = PathBuf::from(written["path"].as_str().unwrap());
        assert_eq!(path, world.home().join("vault/Token refresh.md"));
        let text = fs::read_to_string(&path).unwrap();
        let head = git(&shop, &["rev-parse", "HEAD"]);
        for said in [
            "reviewed: false",
            "session ",
            "project ",
            &format!("commit {head:.12}"),
        ] {
            assert!(text.contains(said), "{said}: {text}");
        }
        assert!(!text.contains("4242"), "{text}");
        assert!(!text.contains("op-1"), "a key is not for others: {text}");
        let mode = fs::metadata(world.home().join("vault"))
            .unwrap()
            .permissions();
        assert_eq!(mode.mode() & 0o777, 0o700);

        // The same again, and the same by another's words.
        let again = ask(&world, "claude-code", &first, &shop, write).await;
        assert_eq!(again, written);
        assert_eq!(fs::read_to_string(&path).unwrap(), text);

        let found = ask(
            &world,
            "claude-code",
            &second,
            &shop,
            search("rotating tokens"),
        )
        .await;
        let note = &found["notes"][0];
        assert_eq!(note["path"], written["path"], "{found}");
        assert_eq!(note["reviewed"], false);
        assert_eq!(note["vault"], "home");
        assert_eq!(note["tags"], json!(["auth"]));
        assert_eq!(git(&shop, &["status", "--porcelain"]), "");
    });
}

#[test]
fn a_projects_notes_never_reach_another() {
    story(Config::default(), |world| async move {
        let (shop, bank) = (repository(&world, "shop"), repository(&world, "bank"));
        for (top, word) in [(&shop, "shops"), (&bank, "banks")] {
            fs::create_dir_all(top.join(".kite/vault")).unwrap();
            let note = format!("The kraken of the {word}.\n");
            fs::write(top.join(format!(".kite/vault/{word}.md")), note).unwrap();
        }
        let (at_shop, at_bank, person) = (world.agent("a"), world.agent("b"), world.agent("p"));
        let write = |title: &str| json!({"type": "vault_write", "title": title, "text": "A kraken, they say."});
        for (agent, top, title) in [(&at_shop, &shop, "By a"), (&at_bank, &bank, "By b")] {
            let written = ask(&world, "claude-code", agent, top, write(title)).await;
            assert_eq!(written["outcome"], "created", "{written}");
        }
        // Not trusted: the repositories' vaults are not read.
        until(&world, "claude-code", &at_shop, &shop, "kraken", &["By a"]).await;
        let project = |top: &Path| top.join(".git").display().to_string();
        world.engine.trust_as_it_is(&project(&shop)).await;
        until(
            &world,
            "claude-code",
            &at_shop,
            &shop,
            "kraken",
            &["By a", "shops"],
        )
        .await;
        until(&world, "claude-code", &at_bank, &bank, "kraken", &["By b"]).await;
        world.engine.trust_as_it_is(&project(&bank)).await;
        until(
            &world,
            "claude-code",
            &at_bank,
            &bank,
            "kraken",
            &["By b", "banks"],
        )
        .await;
        until(
            &world,
            "claude-code",
            &at_shop,
            &shop,
            "kraken",
            &["By a", "shops"],
        )
        .await;
        let all = ["By a", "By b", "banks", "shops"];
        until(&world, "person", &person, &shop, "kraken", &all).await;

        // Neither by naming it, nor by a path, nor by a list.
        let mut other = search("kraken");
        other["project"] = json!(bank);
        let refused = ask(&world, "claude-code", &at_shop, &shop, other).await;
        assert_eq!(refused["error"]["code"], "not_allowed", "{refused}");
        for path in [
            bank.join(".kite/vault/banks.md"),
            world.home().join("vault/By b.md"),
        ] {
            let read = json!({"type": "vault_read", "path": path});
            let read = ask(&world, "claude-code", &at_shop, &shop, read).await;
            assert_eq!(read["error"]["code"], "unknown_note", "{read}");
        }
        let listed = ask(
            &world,
            "claude-code",
            &at_shop,
            &shop,
            json!({"type": "vault_list"}),
        )
        .await;
        assert_eq!(titles(&listed), ["By a", "shops"]);
    });
}

#[test]
fn a_clones_vault_is_neither_read_nor_written_until_it_is_trusted() {
    story(Config::default(), |world| async move {
        let shop = repository(&world, "shop");
        let linked = world.home().canonicalize().unwrap().join("linked");
        git(
            &shop,
            &["worktree", "add", "-q", &linked.display().to_string()],
        );
        let agent = world.agent("a");
        let write = json!({"type": "vault_write", "vault": "project", "title": "Deploy", "text": "Kraken first."});
        let answer = ask(&world, "claude-code", &agent, &linked, write.clone()).await;
        assert_eq!(answer["error"]["code"], "not_trusted", "{answer}");
        world
            .engine
            .trust_as_it_is(&shop.join(".git").display().to_string())
            .await;
        let answer = ask(&world, "claude-code", &agent, &linked, write.clone()).await;
        assert_eq!(answer["error"]["code"], "no_vault", "{answer}");
        assert!(!shop.join(".kite").exists());

        let outside = world.home().join("outside");
        fs::create_dir(&outside).unwrap();
        fs::create_dir(shop.join(".kite")).unwrap();
        symlink(&outside, shop.join(".kite/vault")).unwrap();
        let answer = ask(&world, "claude-code", &agent, &linked, write.clone()).await;
        assert_eq!(answer["error"]["code"], "no_vault", "{answer}");
        fs::remove_file(shop.join(".kite/vault")).unwrap();
        fs::create_dir(shop.join(".kite/vault")).unwrap();
        let answer = ask(&world, "claude-code", &agent, &linked, write).await;
        let expected = shop.join(".kite/vault/Deploy.md");
        assert_eq!(answer["path"], json!(expected), "{answer}");
        until(
            &world,
            "claude-code",
            &agent,
            &linked,
            "kraken",
            &["Deploy"],
        )
        .await;
        let text = fs::read_to_string(expected).unwrap();
        assert!(
            !text.contains(&shop.display().to_string()),
            "no path of this machine: {text}"
        );
    });
}

#[test]
fn what_a_person_changes_by_hand_is_found_within_a_second() {
    let notes = tempfile::tempdir().unwrap();
    fs::write(notes.path().join("Old.md"), "an octopus\n").unwrap();
    let mut config = Config::default();
    config.vault.folders = vec![notes.path().display().to_string(), "relative".to_owned()];
    story(config, |world| async move {
        let shop = repository(&world, "shop");
        let agent = world.agent("a");
        until(&world, "claude-code", &agent, &shop, "octopus", &["Old"]).await;
        fs::write(notes.path().join("New.md"), "another octopus\n").unwrap();
        let took = until(
            &world,
            "claude-code",
            &agent,
            &shop,
            "octopus",
            &["New", "Old"],
        )
        .await;
        assert!(took < Duration::from_secs(1), "{took:?}");
        fs::remove_file(notes.path().join("Old.md")).unwrap();
        until(&world, "claude-code", &agent, &shop, "octopus", &["New"]).await;
        // The home's vault comes to be by hand, after the start.
        fs::create_dir(world.home().join("vault")).unwrap();
        fs::write(world.home().join("vault/Late.md"), "a late octopus\n").unwrap();
        until(
            &world,
            "claude-code",
            &agent,
            &shop,
            "octopus",
            &["Late", "New"],
        )
        .await;
        let listed = ask(
            &world,
            "claude-code",
            &agent,
            &shop,
            json!({"type": "vault_list"}),
        )
        .await;
        let why = listed["skipped"][0]["why"].as_str().unwrap();
        assert!(why.contains("absolute"), "{listed}");
    });
}

#[test]
fn an_index_that_is_deleted_or_damaged_is_made_anew() {
    story(Config::default(), |world| async move {
        let shop = repository(&world, "shop");
        let agent = world.agent("a");
        fs::create_dir(world.home().join("vault")).unwrap();
        let note = world.home().join("vault/N.md");
        fs::write(&note, "a squid\n").unwrap();
        until(&world, "claude-code", &agent, &shop, "squid", &["N"]).await;
        let index = world.home().join("vault.index");
        for end in ["", "-wal", "-shm"] {
            let _ = fs::remove_file(format!("{}{end}", index.display()));
        }
        fs::write(&note, "a squid, and a whale\n").unwrap();
        until(&world, "claude-code", &agent, &shop, "whale", &["N"]).await;
        assert_eq!(
            fs::metadata(&index).unwrap().permissions().mode() & 0o777,
            0o600
        );

        // Written over while it is open.
        let length = fs::metadata(&index).unwrap().len();
        fs::write(&index, vec![7_u8; usize::try_from(length).unwrap()]).unwrap();
        let person = world.agent("p");
        let refused = ask(
            &world,
            "claude-code",
            &agent,
            &shop,
            json!({"type": "vault_reindex"}),
        )
        .await;
        assert_eq!(refused["error"]["code"], "not_allowed");
        let made = ask(
            &world,
            "person",
            &person,
            &shop,
            json!({"type": "vault_reindex"}),
        )
        .await;
        assert_eq!(made["notes"], 1, "{made}");
        until(&world, "claude-code", &agent, &shop, "whale", &["N"]).await;
    });
}

#[test]
fn only_a_person_reviews_and_only_what_they_saw() {
    story(Config::default(), |world| async move {
        let (shop, bank) = (repository(&world, "shop"), repository(&world, "bank"));
        let (agent, other, person) = (world.agent("a"), world.agent("b"), world.agent("p"));
        let write = |text: &str, heading: Value| json!({"type": "vault_write", "title": "Deploy", "text": text, "heading": heading});
        let written = ask(
            &world,
            "claude-code",
            &agent,
            &shop,
            write("Kraken first.", Value::Null),
        )
        .await;
        let path = written["path"].clone();
        let read = ask(
            &world,
            "person",
            &person,
            &bank,
            json!({"type": "vault_read", "path": path}),
        )
        .await;
        assert_eq!(read["note"]["reviewed"], false, "{read}");
        let review = |hash: &Value| json!({"type": "vault_review", "path": path, "hash": hash});
        let refused = ask(&world, "claude-code", &agent, &shop, review(&read["hash"])).await;
        assert_eq!(refused["error"]["code"], "not_allowed");
        ask(
            &world,
            "claude-code",
            &agent,
            &shop,
            write("And more.", json!("Later")),
        )
        .await;
        let stale = ask(&world, "person", &person, &bank, review(&read["hash"])).await;
        assert_eq!(stale["error"]["code"], "stale_write", "{stale}");
        until(&world, "claude-code", &other, &bank, "kraken", &[]).await;
        let read = ask(
            &world,
            "person",
            &person,
            &bank,
            json!({"type": "vault_read", "path": path}),
        )
        .await;
        let reviewed = ask(&world, "person", &person, &bank, review(&read["hash"])).await;
        assert_eq!(reviewed["note"]["reviewed"], true, "{reviewed}");
        // Now it is everybody's.
        until(&world, "claude-code", &other, &bank, "kraken", &["Deploy"]).await;
        let unreviewed = json!({"type": "vault_list", "unreviewed": true});
        let listed = ask(&world, "person", &person, &bank, unreviewed).await;
        assert_eq!(titles(&listed), Vec::<String>::new());
        let by_hand = json!({"type": "vault_write", "title": "Mine", "text": "by me"});
        let mine = ask(&world, "person", &person, &bank, by_hand).await;
        assert_eq!(mine["reviewed"], true, "{mine}");
    });
}

#[test]
fn what_was_learnt_by_a_task_is_kept_and_never_in_its_way() {
    story(Config::default(), |world| async move {
        let shop = repository(&world, "shop");
        let agent = world.agent("a");
        let done = async |title: &str, learnt: &str| {
            let create = json!({"type": "task_create", "title": title});
            let task = ask(&world, "claude-code", &agent, &shop, create).await;
            let id = task["task"]["id"].clone();
            ask(
                &world,
                "claude-code",
                &agent,
                &shop,
                json!({"type": "task_claim", "task": id}),
            )
            .await;
            let complete =
                json!({"type": "task_complete", "task": id, "learnt": learnt, "op_id": title});
            ask(&world, "claude-code", &agent, &shop, complete).await
        };
        let answer = done("Rotate tokens", "The kraken wants two keys.").await;
        assert_eq!(answer["outcome"], "completed", "{answer}");
        assert_eq!(answer["learnt"]["outcome"], "created", "{answer}");
        let path = answer["learnt"]["path"].as_str().unwrap();
        let text = fs::read_to_string(path).unwrap();
        assert!(
            text.contains("two keys") && text.contains(" task "),
            "{text}"
        );
        until(
            &world,
            "claude-code",
            &agent,
            &shop,
            "kraken",
            &["Rotate tokens"],
        )
        .await;
        let complete = json!({"type": "task_complete", "task": answer["task"]["id"], "learnt": "x", "op_id": "Rotate tokens"});
        let again = ask(&world, "claude-code", &agent, &shop, complete).await;
        assert_eq!(again, answer);

        fs::remove_dir_all(world.home().join("vault")).unwrap();
        fs::write(world.home().join("vault"), "in the way").unwrap();
        let answer = done("Second", "Lost.").await;
        assert_eq!(answer["outcome"], "completed", "{answer}");
        assert_eq!(answer["learnt"]["outcome"], "failed", "{answer}");
        let why = answer["learnt"]["why"].as_str().unwrap();
        assert!(why.contains("vault"), "{why}");
    });
}

#[test]
fn what_cannot_be_read_is_told_and_the_rest_is_found() {
    story(Config::default(), |world| async move {
        use std::os::unix::ffi::OsStrExt;
        let shop = repository(&world, "shop");
        let person = world.agent("p");
        let vault = world.home().join("vault");
        fs::create_dir(&vault).unwrap();
        fs::write(vault.join("Good.md"), "a clam\n").unwrap();
        fs::write(vault.join("latin.md"), b"a clam \xe9\n").unwrap();
        fs::write(vault.join("huge.md"), vec![b'a'; (1 << 20) + 1]).unwrap();
        fs::write(vault.join("a\u{202e}\n[x].md"), "a clam too\n").unwrap();
        fs::write(vault.join(std::ffi::OsStr::from_bytes(b"\xff.md")), "no").unwrap();
        symlink("/etc/passwd", vault.join("link.md")).unwrap();
        until(
            &world,
            "person",
            &person,
            &shop,
            "clam",
            &["Good", "a\u{202e}\n[x]"],
        )
        .await;
        let listed = ask(
            &world,
            "person",
            &person,
            &shop,
            json!({"type": "vault_list"}),
        )
        .await;
        assert_eq!(listed["skipped_count"], 4, "{listed}");
        for why in [
            "not UTF-8",
            "larger than",
            "symbolic link",
            "name is not UTF-8",
        ] {
            let told = listed["skipped"].as_array().unwrap();
            let told = told
                .iter()
                .any(|it| it["why"].as_str().unwrap().contains(why));
            assert!(told, "{why}: {listed}");
        }
        for query in [
            "\"",
            "((",
            "AND OR NOT",
            "*",
            "a:b",
            "",
            "\u{0}",
            "NEAR(x,y)",
        ] {
            let answer = ask(&world, "person", &person, &shop, search(query)).await;
            assert_eq!(answer["ok"], true, "{query}: {answer}");
        }
    });
}
