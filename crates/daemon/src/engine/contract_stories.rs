//! Stories of files that export something else than what a session has read.

use std::rc::Rc;

use kite_rules::{
    session::{Owner, Session},
    touch::Content,
};
use kite_store::Store;
use serde_json::{Value, json};

use super::stage::{Agent, World, denied, hurried, said, story};
use crate::config::Config;

const SCHEMA: &str = "export interface User {\n  email: string;\n}\n\nexport function find(id: number): User {\n  return users[id];\n}\n";
/// Another signature.
const EMAILS: (&str, &str) = ("email: string", "emails: string[]");
/// Another body.
const BODY: (&str, &str) = ("return users[id];", "return all.get(id);");
/// How a file uses what it imports.
const USES: &str = "import { User } from \"./schema\";\nsend(user.email);\n";

async fn read(world: &World, agent: &Agent, file: &str, call: &str) {
    let input = json!({"tool_name": "Read", "tool_use_id": call, "tool_input": {"file_path": world.file(file)}, "tool_response": {}});
    world.hook(agent, "PostToolUse", input).await;
}

async fn shell(world: &World, agent: &Agent, call: &str) -> Value {
    let input =
        json!({"tool_name": "Bash", "tool_use_id": call, "tool_input": {"command": "make"}});
    world.hook(agent, "PreToolUse", input).await
}

/// Everything that is due has been looked at, however long that takes here.
async fn settle(world: &World, agent: &Agent) {
    let Some(owner) = owner(world, agent) else {
        return;
    };
    world.engine.look_at_contracts(&owner).await;
    while world.engine.contracts.is_looking() {
        tokio::task::yield_now().await;
    }
}

fn owner(world: &World, agent: &Agent) -> Option<Owner> {
    let pid = agent.child.id();
    world.engine.store.read(|ledger| {
        let mut sessions = ledger.sessions.values();
        let of = |session: &&Session| session.process.is_some_and(|process| process.pid == pid);
        sessions.find(of).map(|session| Owner::session(session.id))
    })
}

/// What an agent is told before a command.
async fn hears(world: &World, agent: &Agent, call: &str) -> String {
    settle(world, agent).await;
    said(&shell(world, agent, call).await)
        .unwrap_or_default()
        .to_owned()
}

/// An edit that is about to put `new` into a file.
async fn puts(world: &World, agent: &Agent, file: &str, new: &str, call: &str) -> Value {
    settle(world, agent).await;
    let input = json!({"file_path": world.file(file), "old_string": "x", "new_string": new});
    let input = json!({"tool_name": "Edit", "tool_use_id": call, "tool_input": input});
    world.hook(agent, "PreToolUse", input).await
}

/// The edit has been made, whatever it did.
async fn over(world: &World, agent: &Agent, file: &str, call: &str) {
    world.after(agent, "Edit", file, call).await;
    world.batch_end(agent, call).await;
}

fn with(change: (&str, &str)) -> String {
    assert!(SCHEMA.contains(change.0));
    SCHEMA.replace(change.0, change.1)
}

/// Two sessions; the first has read the schema.
async fn one_has_read(world: &World) -> (Agent, Agent) {
    world.write("schema.ts", SCHEMA);
    let (reader, other) = (world.agent("reader"), world.agent("other"));
    world
        .hook(
            &other,
            "UserPromptSubmit",
            json!({"prompt": "Many addresses"}),
        )
        .await;
    read(world, &reader, "schema.ts", "r1").await;
    (reader, other)
}

#[test]
fn a_changed_signature_is_told_once() {
    story(hurried(), async |world| {
        let (reader, other) = one_has_read(&world).await;
        assert_eq!(hears(&world, &reader, "c0").await, "");
        world.edit(&other, "schema.ts", &with(EMAILS), "t1").await;
        let told = hears(&world, &reader, "c1").await;
        assert!(
            told.starts_with("schema.ts changed since you read it ("),
            "{told}"
        );
        assert!(told.ends_with("): User.email -> User.emails[]"), "{told}");
        assert_eq!(hears(&world, &reader, "c2").await, "", "once");
        assert_eq!(
            hears(&world, &other, "c3").await,
            "",
            "who changed it knows"
        );
        world
            .edit(&other, "schema.ts", &(with(EMAILS) + "\n"), "t2")
            .await;
        assert_eq!(hears(&world, &reader, "c4").await, "", "no news");
        let both = with(EMAILS).replace("find(id: number)", "find(id: string)");
        world.edit(&other, "schema.ts", &both, "t3").await;
        let told = hears(&world, &reader, "c5").await;
        assert!(
            told.contains("find(id: number) -> find(id: string)"),
            "news: {told}"
        );
    });
}

#[test]
fn bodies_additions_and_prose_are_silent() {
    story(hurried(), async |world| {
        let (reader, other) = one_has_read(&world).await;
        world.write("README.md", "User has an email.\n");
        read(&world, &reader, "README.md", "r2").await;
        world.edit(&other, "schema.ts", &with(BODY), "t1").await;
        assert_eq!(hears(&world, &reader, "c1").await, "");
        let more = with(BODY) + "export const more = 1;\n";
        world.edit(&other, "schema.ts", &more, "t2").await;
        world
            .edit(&other, "README.md", "User has emails.\n", "t3")
            .await;
        assert_eq!(hears(&world, &reader, "c2").await, "");
        let answer = puts(&world, &reader, "app.ts", USES, "e1").await;
        assert_eq!(answer, Value::Null);
    });
}

#[test]
fn what_is_changed_back_or_read_again_is_silent() {
    story(hurried(), async |world| {
        let (reader, other) = one_has_read(&world).await;
        world.edit(&other, "schema.ts", &with(EMAILS), "t1").await;
        world.edit(&other, "schema.ts", SCHEMA, "t2").await;
        assert_eq!(hears(&world, &reader, "c1").await, "", "changed back");
        world.edit(&other, "schema.ts", &with(EMAILS), "t3").await;
        read(&world, &reader, "schema.ts", "r2").await;
        assert_eq!(hears(&world, &reader, "c2").await, "", "read again");
        let answer = puts(&world, &reader, "app.ts", USES, "e1").await;
        assert_eq!(denied(&answer), None, "it knows what it does");
    });
}

#[test]
fn what_was_told_and_is_changed_back_is_told_too() {
    story(hurried(), async |world| {
        let (reader, other) = one_has_read(&world).await;
        world.edit(&other, "schema.ts", &with(EMAILS), "t1").await;
        assert_ne!(hears(&world, &reader, "c1").await, "");
        world.edit(&other, "schema.ts", SCHEMA, "t2").await;
        let told = hears(&world, &reader, "c2").await;
        assert_eq!(told, "schema.ts is again as you read it.");
        assert_eq!(hears(&world, &reader, "c3").await, "", "once");
        let answer = puts(&world, &reader, "app.ts", USES, "e1").await;
        assert_eq!(denied(&answer), None);
    });
}

#[test]
fn an_edit_that_uses_a_changed_name_is_refused_once_and_passes_repeated() {
    story(hurried(), async |world| {
        let (reader, other) = one_has_read(&world).await;
        world.edit(&other, "schema.ts", &with(EMAILS), "t1").await;
        assert_ne!(hears(&world, &reader, "c1").await, "");
        let unrelated = puts(&world, &reader, "app.ts", "let emails = 1;", "e1").await;
        assert_eq!(denied(&unrelated), None);
        over(&world, &reader, "app.ts", "e1").await;
        let answer = puts(&world, &reader, "app.ts", USES, "e2").await;
        let reason = denied(&answer).unwrap_or_else(|| panic!("{answer}"));
        for part in [
            "schema.ts changed since you read it (",
            "User.email -> User.emails[]",
            "\"email\"",
            "repeat this same edit",
        ] {
            assert!(reason.contains(part), "{part} in {reason}");
        }
        assert_eq!(world.engine.prevented_and_cost().0.stale_writes, 1);
        let answer = puts(&world, &other, "app.ts", "send(user.emails)", "t2").await;
        assert_eq!(denied(&answer), None, "the refused call keeps nobody out");
        over(&world, &other, "app.ts", "t2").await;
        let answer = puts(&world, &reader, "app.ts", USES, "e3").await;
        assert_eq!(denied(&answer), None, "the same edit passes");
    });
}

#[test]
fn an_edit_made_before_the_note_could_be_read_is_refused_with_it() {
    story(hurried(), async |world| {
        let (reader, other) = one_has_read(&world).await;
        world.write("app.ts", USES);
        world.edit(&other, "schema.ts", &with(EMAILS), "t1").await;
        let answer = puts(&world, &reader, "app.ts", "reply(user.email)", "e1").await;
        let reason = denied(&answer).unwrap_or_else(|| panic!("{answer}"));
        assert!(reason.contains("User.email -> User.emails[]"), "{reason}");
        assert_eq!(
            hears(&world, &reader, "c1").await,
            "",
            "the refusal has told it"
        );
        let answer = puts(&world, &reader, "app.ts", "reply(user.email)", "e2").await;
        assert_eq!(denied(&answer), None);
    });
}

#[test]
fn a_members_name_that_has_nothing_to_do_with_the_file_refuses_nobody() {
    story(hurried(), async |world| {
        let (reader, other) = one_has_read(&world).await;
        world.edit(&other, "schema.ts", &with(EMAILS), "t1").await;
        assert_ne!(hears(&world, &reader, "c1").await, "");
        for (file, new) in [
            ("mail.ts", "export function send(email: string) {}"),
            ("README.md", "A User has one email."),
            ("schema.ts", "export interface User { email: string }"),
        ] {
            let answer = puts(&world, &reader, file, new, file).await;
            assert_eq!(denied(&answer), None, "{file}");
            over(&world, &reader, file, file).await;
        }
    });
}

#[test]
fn a_plain_word_in_an_unrelated_file_or_another_language_refuses_nobody() {
    const JOB: &str = "package job\n\nfunc Run(a int) {}\n";
    const TABLE: &str = "CREATE TABLE users (id int);\n";
    story(hurried(), async |world| {
        let (reader, other) = one_has_read(&world).await;
        let renamed = SCHEMA.replace("find(id: number)", "find(id: string)");
        for directory in ["job", "mail"] {
            std::fs::create_dir(world.file(directory)).unwrap();
        }
        for (n, (file, before, after)) in [
            ("job/job.go", JOB, &*JOB.replace("a int", "a, b int")),
            ("tables.sql", TABLE, "CREATE TABLE people (id int);\n"),
            ("schema.ts", SCHEMA, &*renamed),
        ]
        .into_iter()
        .enumerate()
        {
            world.write(file, before);
            read(&world, &reader, file, &format!("r{n}a")).await;
            world.edit(&other, file, after, &format!("t{n}")).await;
        }
        let told = hears(&world, &reader, "c1").await;
        assert_eq!(told.lines().count(), 3, "the note is told: {told}");
        for (file, new) in [
            ("job/tool.py", "# Run it for all users\ndef find(id): pass"),
            ("mail/mail.go", "// Run of users, see schema\nvar find = 1"),
            ("list.ts", "const users = names.find(Run);"),
            ("settings.yaml", "Run: find users"),
        ] {
            let answer = puts(&world, &reader, file, new, file).await;
            assert_eq!(denied(&answer), None, "{file}");
            over(&world, &reader, file, file).await;
        }
        for (file, new, name) in [
            ("job/other.go", "func all() { Run(1) }", "Run"),
            ("load.py", "db.run('SELECT id FROM users')", "users"),
            ("app.ts", "import { find } from \"./schema\";", "find"),
        ] {
            let answer = puts(&world, &reader, file, new, file).await;
            let reason = denied(&answer).unwrap_or_else(|| panic!("{file}: {answer}"));
            assert!(reason.contains(&format!("uses \"{name}\"")), "{reason}");
        }
    });
}

#[test]
fn a_removed_file_and_one_in_the_middle_of_an_edit() {
    story(hurried(), async |world| {
        let (reader, other) = one_has_read(&world).await;
        world
            .edit(&other, "schema.ts", "export interface User {\n  em", "t1")
            .await;
        assert_eq!(hears(&world, &reader, "c1").await, "", "not nonsense");
        world.edit(&other, "schema.ts", &with(EMAILS), "t2").await;
        assert!(hears(&world, &reader, "c2").await.contains("User.emails[]"));
        world.before(&other, "Edit", "schema.ts", "t3").await;
        std::fs::remove_file(world.file("schema.ts")).unwrap();
        world.after(&other, "Edit", "schema.ts", "t3").await;
        let told = hears(&world, &reader, "c3").await;
        assert!(
            told.starts_with("schema.ts was removed since you read it ("),
            "{told}"
        );
    });
}

#[test]
fn subagents_are_readers_of_their_own_and_kin_do_not_bother_each_other() {
    story(hurried(), async |world| {
        let (parent, other) = one_has_read(&world).await;
        let as_agent = |mut input: Value| {
            input["agent_id"] = json!("one");
            input
        };
        let file = world.file("schema.ts");
        let input =
            json!({"tool_name": "Read", "tool_use_id": "s1", "tool_input": {"file_path": file}});
        world.hook(&parent, "PostToolUse", as_agent(input)).await;
        world.edit(&parent, "schema.ts", &with(EMAILS), "p1").await;
        let command =
            json!({"tool_name": "Bash", "tool_use_id": "s2", "tool_input": {"command": "make"}});
        let answer = world
            .hook(&parent, "PreToolUse", as_agent(command.clone()))
            .await;
        assert_eq!(said(&answer), None, "its parent's change");
        let both = with(EMAILS).replace("find(id: number)", "find(id: string)");
        world.edit(&other, "schema.ts", &both, "t1").await;
        let answer = world.hook(&parent, "PreToolUse", as_agent(command)).await;
        assert!(
            said(&answer).unwrap_or_default().contains("find(id"),
            "{answer}"
        );
        assert!(hears(&world, &parent, "p2").await.contains("find(id"));
    });
}

#[test]
fn who_is_alone_or_wants_no_notes_is_told_nothing_and_kept_nothing() {
    story(hurried(), async |world| {
        world.write("schema.ts", SCHEMA);
        let alone = world.agent("alone");
        read(&world, &alone, "schema.ts", "r1").await;
        assert_eq!(
            world.edit(&alone, "schema.ts", &with(EMAILS), "t1").await,
            Value::Null
        );
        assert_eq!(
            puts(&world, &alone, "app.ts", USES, "e1").await,
            Value::Null
        );
        assert_eq!(world.engine.contracts.kept(), (0, 0));
    });
    let quiet = Config {
        notes: false,
        ..hurried()
    };
    story(quiet, async |world| {
        let (reader, other) = one_has_read(&world).await;
        world.edit(&other, "schema.ts", &with(EMAILS), "t1").await;
        assert_eq!(hears(&world, &reader, "c1").await, "");
        assert_eq!(
            puts(&world, &reader, "app.ts", USES, "e1").await,
            Value::Null
        );
        assert_eq!(world.engine.contracts.kept(), (0, 0));
    });
}

#[test]
fn what_a_shell_command_changed_is_compared_with_what_was_read() {
    story(hurried(), async |world| {
        let (reader, other) = one_has_read(&world).await;
        shell(&world, &other, "t1").await;
        world.write("schema.ts", &with(EMAILS));
        shell_changed(&world, &other).await;
        assert!(hears(&world, &reader, "c1").await.contains("User.emails[]"));
    });
}

#[test]
fn what_nobody_kept_is_asked_of_the_last_commit() {
    story(hurried(), async |world| {
        world.write("schema.ts", SCHEMA);
        for arguments in [
            &["init", "-q", "."][..],
            &["add", "."],
            &[
                "-c",
                "user.name=t",
                "-c",
                "user.email=t@t",
                "commit",
                "-qm",
                "x",
            ],
        ] {
            let mut git = std::process::Command::new("git");
            let run = git
                .args(arguments)
                .current_dir(world.shop())
                .output()
                .unwrap();
            assert!(run.status.success(), "{arguments:?}");
        }
        let reader = world.agent("reader");
        read(&world, &reader, "schema.ts", "r1").await;
        assert_eq!(world.engine.contracts.kept(), (0, 0), "it was alone");
        let other = world.agent("other");
        shell(&world, &other, "t1").await;
        world.write("schema.ts", &with(EMAILS));
        shell_changed(&world, &other).await;
        assert!(hears(&world, &reader, "c1").await.contains("User.emails[]"));
    });
}

#[test]
fn files_that_hold_secrets_are_neither_kept_nor_compared() {
    story(hurried(), async |world| {
        let (reader, other) = one_has_read(&world).await;
        let before = world.engine.contracts.kept();
        world.write("secrets.yaml", "key: one\n");
        read(&world, &reader, "secrets.yaml", "r2").await;
        world.edit(&other, "secrets.yaml", "key: two\n", "t1").await;
        assert_eq!(world.engine.contracts.kept(), before);
        assert_eq!(hears(&world, &reader, "c1").await, "");
        world.write("settings.yaml", "port: 80\n");
        read(&world, &reader, "settings.yaml", "r3").await;
        world
            .edit(&other, "settings.yaml", "port: 81\n", "t2")
            .await;
        let told = hears(&world, &reader, "c2").await;
        assert!(told.ends_with("): port: 80 -> port: 81"), "{told}");
    });
}

#[test]
fn many_changed_files_are_told_of_a_few_at_a_time() {
    story(hurried(), async |world| {
        let (reader, other) = one_has_read(&world).await;
        for n in 0..20 {
            let file = format!("m{n}.ts");
            world.write(&file, SCHEMA);
            read(&world, &reader, &file, &format!("r{n}")).await;
            world
                .edit(&other, &file, &with(EMAILS), &format!("t{n}"))
                .await;
        }
        let mut told = Vec::new();
        for step in 0..20 {
            let news = hears(&world, &reader, &format!("c{step}")).await;
            let lines: Vec<String> = news.lines().map(str::to_owned).collect();
            assert!(lines.len() <= 3, "{news}");
            told.extend(lines);
        }
        told.sort();
        told.dedup();
        assert_eq!(told.len(), 20, "each once");
    });
}

/// The engine learns that this agent has changed the schema by a command.
async fn shell_changed(world: &Rc<World>, agent: &Agent) {
    let owner = owner(world, agent).unwrap();
    let file = world
        .engine
        .resolve(&owner, &world.file("schema.ts"))
        .await
        .unwrap();
    let content = super::edits::content(&file).await.unwrap();
    assert!(matches!(content, Content::Hash(_)));
    world.engine.file_changed(&owner, &file, content);
}
