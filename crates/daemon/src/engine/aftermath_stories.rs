//! Stories of what shell commands change: real files, real git, commands that really run.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use kite_undo::{
    History, Settings,
    journal::{EntryKind, Filter, Record},
    restore::{Outcome, Selection, UndoOptions},
};
use serde_json::{Value, json};

use super::stage::{Agent, World, denied, hurried, said, story};

/// What waits for the daemon waits at most so long.
const LIMIT: Duration = Duration::from_secs(20);
/// File times go in steps of up to 10 ms: so long between two things is long enough to tell them
/// apart.
const STEP: Duration = Duration::from_millis(30);

/// Two sessions in a repository. `a.txt` is changed by the first one and not committed, `b.txt` by
/// the second one; `person.txt` was changed by nobody of Kite's.
async fn both_have_work(world: &World) -> (Agent, Agent) {
    repository(world);
    world.write("person.txt", "by a person\n");
    let (a, b) = (world.agent("a"), world.agent("b"));
    for (agent, about) in [(&a, "Add OAuth login"), (&b, "Tidy up")] {
        let input = json!({"prompt": about});
        world.hook(agent, "UserPromptSubmit", input).await;
    }
    looked(world).await;
    world.edit(&a, "a.txt", "by a\n", "ta").await;
    world.edit(&b, "b.txt", "by b\n", "tb").await;
    (a, b)
}

fn repository(world: &World) {
    git(world, &["init", "-q", "-b", "main", "."]);
    for file in [
        "a.txt",
        "b.txt",
        "c.txt",
        "d.txt",
        "person.txt",
        "src/x.rs",
        "src/y.rs",
    ] {
        let path = PathBuf::from(world.file(file));
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        world.write(file, &format!("{file} committed\n"));
    }
    world.write(".gitignore", "node_modules/\n");
    commit(world, "first");
}

fn commit(world: &World, message: &str) {
    git(world, &["add", "."]);
    git(world, &["commit", "-qm", message]);
}

fn git(world: &World, arguments: &[&str]) {
    let run = Command::new("git")
        .args(["-c", "user.name=t", "-c", "user.email=t@t"])
        .args(arguments)
        .current_dir(world.shop())
        .output()
        .unwrap();
    assert!(run.status.success(), "{arguments:?}: {run:?}");
}

/// Waits for all looks that are under way.
async fn looked(world: &World) {
    let deadline = Instant::now() + LIMIT;
    while world.engine.is_looking() {
        assert!(Instant::now() < deadline, "a look does not end");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

async fn begin(world: &World, agent: &Agent, command: &str, call: &str) -> Value {
    let input =
        json!({"tool_name": "Bash", "tool_use_id": call, "tool_input": {"command": command}});
    world.hook(agent, "PreToolUse", input).await
}

async fn end(world: &World, agent: &Agent, command: &str, call: &str, event: &str) {
    let input = json!({"tool_name": "Bash", "tool_use_id": call,
        "tool_input": {"command": command}, "tool_response": {}});
    world.hook(agent, event, input).await;
    looked(world).await;
}

fn bash(world: &World, command: &str) -> bool {
    let run = Command::new("bash")
        .args(["-c", command])
        .env("GIT_CONFIG_COUNT", "2")
        .env("GIT_CONFIG_KEY_0", "user.name")
        .env("GIT_CONFIG_VALUE_0", "t")
        .env("GIT_CONFIG_KEY_1", "user.email")
        .env("GIT_CONFIG_VALUE_1", "t@t")
        .current_dir(world.shop())
        .output()
        .unwrap();
    run.status.success()
}

/// An agent's command, from before it to after it: what the agent was told before it ran.
async fn shell(world: &World, agent: &Agent, command: &str, call: &str) -> Option<String> {
    let before = begin(world, agent, command, call).await;
    assert_eq!(denied(&before), None, "{command}");
    let event = match bash(world, command) {
        true => "PostToolUse",
        false => "PostToolUseFailure",
    };
    end(world, agent, command, call, event).await;
    said(&before).map(str::to_owned)
}

/// What an agent is told at its next step.
async fn told(world: &World, agent: &Agent) -> Option<String> {
    let answer = begin(world, agent, "true", "t").await;
    said(&answer).map(str::to_owned)
}

fn history(world: &World) -> History {
    History::open(&world.home(), Path::new(&world.shop()), Settings::default()).unwrap()
}

fn entries(world: &World) -> Vec<Record> {
    history(world).list(&Filter::default()).unwrap()
}

/// The entry of this call.
fn entry_of(world: &World, call: &str) -> Option<Record> {
    let mut fitting = entries(world).into_iter().filter(|record| {
        matches!(&record.entry.kind, EntryKind::Edit { tool_use_id, .. } if tool_use_id.as_deref() == Some(call))
    });
    let entry = fitting.next();
    assert!(fitting.next().is_none(), "one call has one entry");
    entry
}

fn undo(world: &World, number: u64) -> Vec<(PathBuf, Outcome)> {
    let selection = Selection {
        number: Some(number),
        ..Selection::default()
    };
    let report = history(world)
        .undo(&selection, &UndoOptions::default())
        .unwrap();
    let paths = report.paths.into_iter();
    paths.map(|path| (path.path, path.outcome)).collect()
}

/// Every file of the working copy, with its content and its executable bit.
fn files(world: &World) -> Vec<(PathBuf, Vec<u8>, bool)> {
    fn walk(directory: &Path, into: &mut Vec<(PathBuf, Vec<u8>, bool)>) {
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                if path.file_name().unwrap() != ".git" {
                    walk(&path, into);
                }
                continue;
            }
            use std::os::unix::fs::PermissionsExt;
            let executable = path.metadata().unwrap().permissions().mode() & 0o100 != 0;
            into.push((path.clone(), std::fs::read(&path).unwrap(), executable));
        }
    }
    let mut found = Vec::new();
    walk(Path::new(&world.shop()), &mut found);
    found.sort();
    found
}

fn changers(world: &World, file: &str) -> Vec<String> {
    let touches = world.engine.touches.borrow();
    let owners = touches.changers(&world.file(file));
    owners
        .iter()
        .map(|owner| format!("{:.8}", owner.session))
        .collect()
}

/// The first eight digits of an agent's session.
async fn id(world: &World, agent: &Agent) -> String {
    let sessions = world
        .ask(agent, json!({"type": "query", "target": "sessions"}))
        .await;
    let sessions = sessions["sessions"].as_array().unwrap();
    let own = sessions
        .iter()
        .find(|session| session["pid"] == agent.child.id())
        .unwrap_or_else(|| panic!("{sessions:?}"));
    own["id"].as_str().unwrap()[..8].to_owned()
}

/// Commands that change files of all kinds: committed ones, another session's, a person's, new
/// ones.
const COMMANDS: &[&str] = &[
    "sed -i s/by/BY/ a.txt",
    "sed -i 's/committed/changed/' c.txt src/*.rs",
    "cat > a.txt <<EOF\nfrom a heredoc\nEOF",
    "cat > new.txt <<'EOF'\nfrom a heredoc\nEOF",
    "echo over > person.txt",
    "echo more >> b.txt; echo more >> c.txt",
    "mv a.txt moved.txt",
    "mv src lib",
    "mv c.txt a.txt",
    "rm a.txt person.txt",
    "rm -r src",
    "rm -rf src a.txt b.txt c.txt",
    "for f in *.txt src/*; do tr a-z A-Z < $f > .tmp && mv .tmp $f; done",
    "cp -p c.txt a.txt",
    "cp -rp src copy",
    "touch -d '2001-01-01' c.txt && sed -i s/c/k/ c.txt && touch -d '2001-01-01' c.txt",
    "chmod +x a.txt",
    "printf '\\000\\377binary' > a.txt",
    ": > a.txt",
    "mkdir -p deep/er && echo x > deep/er/file && rm d.txt",
    "python3 - <<'EOF' || perl -pi -e 's/by/with/' a.txt\nopen('a.txt','w').write('by a script')\nEOF",
];

#[test]
fn what_a_command_changes_is_attributed_and_comes_back_byte_for_byte() {
    for command in COMMANDS {
        story(hurried(), async |world| {
            let (_a, b) = both_have_work(&world).await;
            let before = files(&world);
            shell(&world, &b, command, "call").await;
            let after = files(&world);
            assert_ne!(before, after, "{command}");
            let entry = entry_of(&world, "call").unwrap_or_else(|| panic!("{command}: no entry"));
            let b = id(&world, &b).await;
            assert!(entry.entry.session.as_deref().unwrap().starts_with(&b));
            for path in entry.entry.paths() {
                let changers = changers(&world, path.to_str().unwrap());
                assert_eq!(changers.first(), Some(&b), "{command}: {path:?}");
            }
            let outcomes = undo(&world, entry.entry.number);
            assert_eq!(files(&world), before, "{command}: {outcomes:?}");
        });
    }
}

#[test]
fn both_sides_are_told_once_where_it_was_anothers_work() {
    story(hurried(), async |world| {
        let (a, b) = both_have_work(&world).await;
        shell(&world, &b, "sed -i s/by/BY/ a.txt", "call").await;
        let number = entry_of(&world, "call").unwrap().entry.number;
        let (ida, idb) = (id(&world, &a).await, id(&world, &b).await);

        let doer = told(&world, &b).await.unwrap();
        let way_back = format!("kite undo {number} --path a.txt");
        for part in [
            "Your command changed a.txt, which",
            &ida,
            "(\"Add OAuth login\") edited",
            &way_back,
        ] {
            assert!(doer.contains(part), "{part:?} in {doer:?}");
        }
        let other = told(&world, &a).await.unwrap();
        for part in [
            "a.txt: a shell command of",
            &idb,
            "changed it at",
            "(sed -i s/by/BY/ a.txt)",
            &way_back,
        ] {
            assert!(other.contains(part), "{part:?} in {other:?}");
        }
        assert_eq!(
            (told(&world, &a).await, told(&world, &b).await),
            (None, None)
        );
        // Nor is the other told again by what an edit is told of others' changes.
        let answer = world.before(&a, "Edit", "a.txt", "next").await;
        assert_eq!((denied(&answer), said(&answer)), (None, None));
        // The file is the doer's now, too: it says nothing when it changes it again.
        shell(&world, &b, "sed -i s/BY/By/ a.txt", "again").await;
        assert_eq!(
            (told(&world, &a).await, told(&world, &b).await),
            (None, None)
        );
    });
}

#[test]
fn several_files_are_told_in_one_text() {
    story(hurried(), async |world| {
        let (a, b) = both_have_work(&world).await;
        for n in 0..5 {
            world.edit(&a, &format!("n{n}.txt"), "by a\n", "t").await;
        }
        shell(&world, &b, "rm *.txt", "call").await;
        let number = entry_of(&world, "call").unwrap().entry.number;
        let doer = told(&world, &b).await.unwrap();
        for part in [
            "6 files",
            "a.txt, n0.txt, n1.txt and 3 more",
            &format!("kite undo {number}"),
        ] {
            assert!(doer.contains(part), "{part:?} in {doer:?}");
        }
        assert_eq!(doer.lines().count(), 1);
        assert_eq!(told(&world, &a).await.unwrap().lines().count(), 1);
    });
}

#[test]
fn a_locked_file_is_not_put_back_but_both_are_told() {
    story(hurried(), async |world| {
        let (a, b) = both_have_work(&world).await;
        let lock = world
            .ask(
                &a,
                json!({"type": "lock", "paths": ["c.txt"], "keep": true}),
            )
            .await;
        assert_eq!(lock["ok"], true, "{lock}");
        assert_eq!(shell(&world, &b, "echo x >> c.txt", "one").await, None);
        let doer = shell(&world, &b, "echo y >> c.txt", "two").await.unwrap();
        assert!(
            doer.contains("c.txt, which") && doer.contains("has locked"),
            "{doer}"
        );
        let content = std::fs::read_to_string(world.file("c.txt")).unwrap();
        assert_eq!(content, "c.txt committed\nx\ny\n");
        let other = told(&world, &a).await.unwrap();
        assert!(other.starts_with("c.txt: a shell command of"), "{other}");
        assert_eq!(
            (told(&world, &a).await, told(&world, &b).await),
            (None, None)
        );
    });
}

#[test]
fn of_its_own_files_and_of_a_persons_a_session_hears_nothing() {
    story(hurried(), async |world| {
        let (a, b) = both_have_work(&world).await;
        shell(
            &world,
            &a,
            "echo more >> a.txt; rm c.txt; echo x > person.txt",
            "call",
        )
        .await;
        assert_eq!(
            (told(&world, &a).await, told(&world, &b).await),
            (None, None)
        );
        let entry = entry_of(&world, "call").unwrap();
        assert_eq!(entry.entry.paths().count(), 3);
        undo(&world, entry.entry.number);
        let person = std::fs::read_to_string(world.file("person.txt")).unwrap();
        assert_eq!(person, "by a person\n");
    });
}

#[test]
fn a_lone_session_hears_nothing_of_all_this() {
    story(hurried(), async |world| {
        repository(&world);
        let a = world.agent("a");
        world
            .hook(&a, "SessionStart", json!({"source": "startup"}))
            .await;
        world
            .hook(&a, "UserPromptSubmit", json!({"prompt": "x"}))
            .await;
        looked(&world).await;
        for (at, command) in COMMANDS.iter().enumerate() {
            assert_eq!(
                shell(&world, &a, command, &format!("c{at}")).await,
                None,
                "{command}"
            );
        }
        assert_eq!(told(&world, &a).await, None);
    });
}

#[test]
fn what_a_person_changes_outside_of_commands_is_nobodys() {
    story(hurried(), async |world| {
        let (a, b) = both_have_work(&world).await;
        let ida = id(&world, &a).await;
        world.write("c.txt", "by a person\n");
        std::fs::remove_file(world.file("src/x.rs")).unwrap();
        std::thread::sleep(STEP);
        shell(&world, &b, "echo x > own.txt", "one").await;
        std::thread::sleep(STEP);
        world.write("a.txt", "by a, and a person\n");
        std::thread::sleep(STEP);
        shell(&world, &b, "echo y > own.txt", "two").await;
        assert!(changers(&world, "c.txt").is_empty());
        assert!(changers(&world, "src/x.rs").is_empty());
        assert_eq!(
            changers(&world, "a.txt"),
            [ida],
            "uncommitted work stays somebody's"
        );
        for call in ["one", "two"] {
            assert_eq!(entry_of(&world, call).unwrap().entry.paths().count(), 1);
        }
        assert_eq!(
            (told(&world, &a).await, told(&world, &b).await),
            (None, None)
        );
    });
}

#[test]
fn what_was_committed_and_then_changed_by_a_person_is_not_held_against_anybody() {
    story(hurried(), async |world| {
        let (_a, b) = both_have_work(&world).await;
        commit(&world, "all");
        world
            .hook(&b, "UserPromptSubmit", json!({"prompt": "x"}))
            .await;
        looked(&world).await;
        std::thread::sleep(STEP);
        world.write("a.txt", "by a person\n");
        world
            .hook(&b, "UserPromptSubmit", json!({"prompt": "x"}))
            .await;
        looked(&world).await;
        assert!(changers(&world, "a.txt").is_empty());
        let stash = begin(&world, &b, "git stash", "g").await;
        assert_eq!(denied(&stash), None, "{stash}");
    });
}

#[test]
fn of_two_commands_at_once_the_one_that_names_the_file_changed_it() {
    story(hurried(), async |world| {
        let (a, b) = both_have_work(&world).await;
        let (ida, idb) = (id(&world, &a).await, id(&world, &b).await);
        let (long, short) = ("make everything", "sed -i s/committed/x/ c.txt");
        begin(&world, &a, long, "long").await;
        begin(&world, &b, short, "short").await;
        assert!(bash(&world, short));
        world.write("d.txt", "by what was made\n");
        std::thread::sleep(STEP);
        // The long one ends first: what the short one names is still found with that.
        end(&world, &a, long, "long", "PostToolUse").await;
        end(&world, &b, short, "short", "PostToolUse").await;
        assert_eq!(changers(&world, "c.txt"), [idb]);
        assert_eq!(changers(&world, "d.txt"), [ida]);
        let paths = |call| -> Vec<PathBuf> {
            let entry = entry_of(&world, call).unwrap().entry;
            entry.paths().map(Path::to_owned).collect()
        };
        assert_eq!(paths("short"), [Path::new("c.txt")]);
        assert_eq!(paths("long"), [Path::new("d.txt")]);
    });
}

#[test]
fn what_an_edit_leaves_is_never_taken_for_a_commands_doing() {
    story(hurried(), async |world| {
        let (a, b) = both_have_work(&world).await;
        let ida = id(&world, &a).await;
        begin(&world, &b, "make", "long").await;
        // One edit is over before the command is, with a formatter behind it; another is not.
        world.edit(&a, "c.txt", "edited\n", "t1").await;
        world.write("c.txt", "edited and formatted\n");
        world.before(&a, "Edit", "d.txt", "t2").await;
        world.write("d.txt", "half way\n");
        end(&world, &b, "make", "long", "PostToolUse").await;
        world.after(&a, "Edit", "d.txt", "t2").await;
        world.batch_end(&a, "t2").await;
        shell(&world, &b, "echo x > own.txt", "next").await;
        assert_eq!(changers(&world, "c.txt"), [ida.clone()]);
        assert_eq!(changers(&world, "d.txt"), [ida]);
        assert!(entry_of(&world, "long").is_none());
        assert_eq!(
            (told(&world, &a).await, told(&world, &b).await),
            (None, None)
        );
    });
}

#[test]
fn a_command_that_fails_half_way_has_changed_what_it_has_changed() {
    story(hurried(), async |world| {
        let (a, b) = both_have_work(&world).await;
        let before = files(&world);
        shell(&world, &b, "rm a.txt; echo x > new.txt; false", "call").await;
        assert!(told(&world, &a).await.unwrap().contains("deleted it"));
        undo(&world, entry_of(&world, "call").unwrap().entry.number);
        assert_eq!(files(&world), before);
    });
}

#[test]
fn what_goes_on_behind_a_command_is_its_doing_where_it_names_the_file() {
    story(hurried(), async |world| {
        let (_a, b) = both_have_work(&world).await;
        let idb = id(&world, &b).await;
        let command = "sh -c 'sleep 1; echo x > c.txt' &";
        begin(&world, &b, command, "behind").await;
        end(&world, &b, command, "behind", "PostToolUse").await;
        std::thread::sleep(STEP);
        world.write("c.txt", "x\n");
        world.write("d.txt", "by a person\n");
        std::thread::sleep(STEP);
        shell(&world, &b, "echo x > own.txt", "next").await;
        assert_eq!(changers(&world, "c.txt"), [idb]);
        assert!(changers(&world, "d.txt").is_empty());
    });
}

#[test]
fn a_refused_command_changes_nothing_that_a_person_does_meanwhile() {
    story(hurried(), async |world| {
        let (_a, b) = both_have_work(&world).await;
        let answer = begin(&world, &b, "git stash", "refused").await;
        assert!(denied(&answer).is_some());
        world.write("c.txt", "by a person\n");
        // Nobody said that this one ended: its person withheld the permission.
        begin(&world, &b, "make", "withheld").await;
        world.write("d.txt", "by a person\n");
        std::thread::sleep(STEP);
        world
            .hook(&b, "UserPromptSubmit", json!({"prompt": "x"}))
            .await;
        looked(&world).await;
        assert!(changers(&world, "c.txt").is_empty());
        assert!(changers(&world, "d.txt").is_empty());
    });
}

#[test]
fn an_undo_by_a_command_is_one_entry_and_only_the_other_side_hears_of_it() {
    story(hurried(), async |world| {
        let (a, b) = both_have_work(&world).await;
        shell(&world, &b, "sed -i s/by/BY/ a.txt", "call").await;
        let number = entry_of(&world, "call").unwrap().entry.number;
        (told(&world, &a).await, told(&world, &b).await);
        let command = format!("kite undo {number}");
        begin(&world, &a, &command, "undo").await;
        let selection = Selection {
            number: Some(number),
            ..Selection::default()
        };
        let at_ms = world.engine.now().wall_ms;
        let options = UndoOptions {
            at_ms,
            ..UndoOptions::default()
        };
        let report = history(&world).undo(&selection, &options).unwrap();
        end(&world, &a, &command, "undo", "PostToolUse").await;
        assert!(entry_of(&world, "undo").is_none());
        assert_eq!(
            changers(&world, "a.txt").first(),
            Some(&id(&world, &a).await)
        );
        assert_eq!(told(&world, &a).await, None);
        let other = told(&world, &b).await.unwrap();
        let back = format!("kite undo {} --path a.txt", report.number.unwrap());
        assert!(other.contains(&back), "{other}");
    });
}

#[test]
fn a_git_commands_snapshot_is_the_way_back_and_commits_are_not_listed() {
    story(hurried(), async |world| {
        let (a, b) = both_have_work(&world).await;
        git(&world, &["branch", "other"]);
        commit(&world, "all");
        // The log of `HEAD` counts in seconds.
        std::thread::sleep(Duration::from_millis(1_100));
        shell(&world, &b, "git checkout -q other", "moved").await;
        assert!(entry_of(&world, "moved").is_none(), "both are committed");
        world.edit(&a, "a.txt", "by a again\n", "t").await;
        let before = files(&world);
        shell(
            &world,
            &b,
            "git checkout $NOTHING -- a.txt; echo x > new.txt",
            "lost",
        )
        .await;
        let snapshot = entries(&world)
            .into_iter()
            .find(|record| matches!(record.entry.kind, EntryKind::Snapshot { .. }))
            .unwrap();
        let other = told(&world, &a).await.unwrap();
        let back = format!("kite undo {} --path a.txt", snapshot.entry.number);
        assert!(other.contains(&back), "{other}");
        // What the snapshot does not cover has an entry of its own.
        let own = entry_of(&world, "lost").unwrap().entry;
        let paths: Vec<&Path> = own.paths().collect();
        assert_eq!(paths, [Path::new("new.txt")]);
        undo(&world, own.number);
        undo(&world, snapshot.entry.number);
        assert_eq!(files(&world), before);
    });
}

#[test]
fn without_git_files_that_tools_edited_are_known() {
    story(hurried(), async |world| {
        let (a, b) = (world.agent("a"), world.agent("b"));
        world
            .hook(&a, "UserPromptSubmit", json!({"prompt": "x"}))
            .await;
        world
            .hook(&b, "UserPromptSubmit", json!({"prompt": "x"}))
            .await;
        looked(&world).await;
        world.edit(&a, "a.txt", "by a\n", "t").await;
        shell(&world, &b, "rm a.txt", "call").await;
        let other = told(&world, &a).await.unwrap();
        assert!(other.contains("deleted it"), "{other}");
        let shop = PathBuf::from(world.shop());
        let history = History::recorder(&world.home(), &shop, &shop, Settings::default());
        let latest = history.list(&Filter::default()).unwrap().remove(0);
        let selection = Selection {
            number: Some(latest.entry.number),
            ..Selection::default()
        };
        history.undo(&selection, &UndoOptions::default()).unwrap();
        assert_eq!(
            std::fs::read_to_string(world.file("a.txt")).unwrap(),
            "by a\n"
        );
    });
}

#[test]
fn an_ignored_directory_of_ten_thousand_files_is_not_looked_at() {
    story(hurried(), async |world| {
        let (_a, b) = both_have_work(&world).await;
        let command = "mkdir -p node_modules/x && cd node_modules/x && seq 10000 | xargs touch && cd ../.. && echo x > own.txt";
        shell(&world, &b, command, "call").await;
        let paths = entry_of(&world, "call").unwrap().entry.paths().count();
        assert_eq!(paths, 1);
        let copies = world.engine.aftermath.known_files();
        assert!(copies < 20, "{copies} files known");
    });
}

#[test]
fn a_daemon_that_comes_in_the_middle_of_a_command_does_no_harm() {
    story(hurried(), async |world| {
        repository(&world);
        world.write("c.txt", "uncommitted\n");
        let a = world.agent("a");
        // The end of a command that another daemon saw begin.
        assert!(bash(&world, "echo x >> c.txt"));
        end(&world, &a, "echo x >> c.txt", "call", "PostToolUse").await;
        assert!(entry_of(&world, "call").is_none());
        // From now on it knows the files.
        std::thread::sleep(STEP);
        let before = files(&world);
        shell(&world, &a, "echo y >> c.txt", "next").await;
        undo(&world, entry_of(&world, "next").unwrap().entry.number);
        assert_eq!(files(&world), before);
    });
}

#[test]
fn a_command_that_only_reads_is_not_looked_after() {
    story(hurried(), async |world| {
        let (_a, b) = both_have_work(&world).await;
        begin(&world, &b, "cat a.txt | head -1", "call").await;
        world.write("c.txt", "by a person\n");
        end(&world, &b, "cat a.txt | head -1", "call", "PostToolUse").await;
        std::thread::sleep(STEP);
        assert!(changers(&world, "c.txt").is_empty());
        shell(&world, &b, "echo x > own.txt", "next").await;
        assert!(changers(&world, "c.txt").is_empty());
    });
}

/// Prints how long looks take; asserts nothing of time.
#[test]
fn figures_of_ten_thousand_files_and_a_hundred_dirty_ones() {
    story(hurried(), async |world| {
        git(&world, &["init", "-q", "."]);
        let making = "for d in $(seq 100); do mkdir d$d; for f in $(seq 100); do echo $d $f > d$d/f$f; done; done";
        assert!(bash(&world, making));
        commit(&world, "all");
        let dirty = "for d in $(seq 100); do echo dirty >> d$d/f1; done";
        assert!(bash(&world, dirty));
        let a = world.agent("a");
        let first = Instant::now();
        world
            .hook(&a, "UserPromptSubmit", json!({"prompt": "x"}))
            .await;
        looked(&world).await;
        let first = first.elapsed();
        let mut figures = vec![format!("first look {first:?}")];
        for (call, command) in [
            ("none", "make nothing || true"),
            ("one", "echo x >> d1/f1"),
            (
                "hundred",
                "for d in $(seq 100); do echo more >> d$d/f2; done",
            ),
        ] {
            let began = Instant::now();
            begin(&world, &a, command, call).await;
            let before = began.elapsed();
            bash(&world, command);
            let began = Instant::now();
            let input = json!({"tool_name": "Bash", "tool_use_id": call,
                "tool_input": {"command": command}, "tool_response": {}});
            world.hook(&a, "PostToolUse", input).await;
            let answered = began.elapsed();
            looked(&world).await;
            let whole = began.elapsed();
            figures.push(format!(
                "{call}: before {before:?}, answered {answered:?}, all kept {whole:?}"
            ));
        }
        assert_eq!(
            entry_of(&world, "hundred").unwrap().entry.paths().count(),
            100
        );
        let shown = figures.join("\n");
        std::fs::write(std::env::temp_dir().join("kite-aftermath-figures"), &shown).unwrap();
        std::io::Write::write_all(&mut std::io::stderr(), shown.as_bytes()).unwrap();
    });
}
