//! Whose doing a change is: a command's, an edit's, or nobody's.

use serde_json::json;

use super::*;

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
        world.before(&a, "Edit", "c.txt", "t1").await;
        world.write("c.txt", "edited\n");
        world.after(&a, "Edit", "c.txt", "t1").await;
        world.write("c.txt", "edited and formatted\n");
        world.batch_end(&a, "t1").await;
        world.before(&a, "Edit", "d.txt", "t2").await;
        world.write("d.txt", "half way\n");
        end(&world, &b, "make", "long", "PostToolUse").await;
        world.after(&a, "Edit", "d.txt", "t2").await;
        world.batch_end(&a, "t2").await;
        shell(&world, &b, "echo x > own.txt", "next").await;
        for file in ["c.txt", "d.txt"] {
            assert_eq!(changers(&world, file), std::slice::from_ref(&ida), "{file}");
        }
        assert!(entry_of(&world, "long").is_none());
        assert_eq!(
            (told(&world, &a).await, told(&world, &b).await),
            (None, None)
        );
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
