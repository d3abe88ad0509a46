//! What is found and kept, and comes back byte for byte.

use std::{fs::File, time::SystemTime};

use serde_json::json;

use super::*;
use crate::config::Config;

/// Commands that change files of all kinds: committed ones, another session's, a person's, new
/// ones.
pub(super) const COMMANDS: &[&str] = &[
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
fn what_looks_keep_goes_by_the_limits_that_are_set() {
    let config = Config {
        undo_days: 60,
        ..hurried()
    };
    story(config, async |world| {
        let (_a, b) = both_have_work(&world).await;
        let blobs = world.home().join("undo/blobs");
        let ago = |hours: u64| SystemTime::now() - Duration::from_secs(hours * 60 * 60);
        let touch = |path: &Path, at| {
            let file = File::options().append(true).open(path).unwrap();
            file.set_modified(at).unwrap();
        };
        let mut old = Vec::new();
        for directory in std::fs::read_dir(&blobs).unwrap() {
            let directory = directory.unwrap().path();
            if directory.is_dir() {
                let files = std::fs::read_dir(directory).unwrap();
                old.extend(files.map(|file| file.unwrap().path()));
            }
        }
        assert!(!old.is_empty());
        old.iter().for_each(|blob| touch(blob, ago(30 * 24)));
        // The next content that is new has the store pruned.
        touch(&blobs.join("pruned"), ago(2));
        shell(&world, &b, "echo something new > c.txt", "call").await;
        assert!(entry_of(&world, "call").is_some());
        let pruned = std::fs::metadata(blobs.join("pruned")).unwrap();
        assert!(pruned.modified().unwrap() > ago(1));
        assert!(old.iter().all(|blob| blob.exists()));
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
fn edits_of_two_sessions_with_one_id_are_two_entries() {
    story(hurried(), async |world| {
        let (a, b) = both_have_work(&world).await;
        world.before(&a, "Edit", "a.txt", "call_1").await;
        world.before(&b, "Edit", "b.txt", "call_1").await;
        world.write("a.txt", "a again\n");
        world.after(&a, "Edit", "a.txt", "call_1").await;
        world.write("b.txt", "b again\n");
        world.after(&b, "Edit", "b.txt", "call_1").await;
        let of_call = entries(&world).into_iter().filter(|record| {
            matches!(&record.entry.kind, EntryKind::Edit { tool_use_id, .. } if tool_use_id.as_deref() == Some("call_1"))
        });
        let mut paths: Vec<Vec<PathBuf>> = of_call
            .map(|record| record.entry.paths().map(Path::to_owned).collect())
            .collect();
        paths.sort();
        assert_eq!(paths, [[PathBuf::from("a.txt")], [PathBuf::from("b.txt")]]);
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
        std::io::Write::write_all(&mut std::io::stderr(), shown.as_bytes()).unwrap();
    });
}
