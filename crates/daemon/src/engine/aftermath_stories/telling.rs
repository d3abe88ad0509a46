//! Who is told of what a command changed, and who hears nothing.

use kite_undo::restore::{Selection, UndoOptions};
use serde_json::json;

use super::{recorded::COMMANDS, *};

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
fn an_undo_by_a_command_is_one_entry_and_only_the_other_side_hears_of_it() {
    story(hurried(), async |world| {
        let (a, b) = both_have_work(&world).await;
        shell(&world, &b, "sed -i s/by/BY/ a.txt", "call").await;
        let number = entry_of(&world, "call").unwrap().entry.number;
        told(&world, &a).await;
        told(&world, &b).await;
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
