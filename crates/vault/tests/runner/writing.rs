//! What is written arrives whole, once, inside the vault, and says who wrote it.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    thread,
};

use kite_vault::{Author, Draft, Error, Outcome, Reach, Scope, Target, Trust, Vault};

use crate::support::Notes;

fn author(op: &str) -> Author {
    Author {
        session: "3f2a91bc".to_owned(),
        task: Some("1a2b3c4d".to_owned()),
        commit: Some("0123abcd".to_owned()),
        project: None,
        wall_ms: 1_790_000_000_000,
        op: op.to_owned(),
        person: false,
    }
}

fn draft(title: &str, text: &str) -> Draft {
    Draft {
        title: title.to_owned(),
        text: text.to_owned(),
        tags: vec!["auth".to_owned()],
        target: Target::New,
    }
}

fn under(title: &str, heading: &str, text: &str) -> Draft {
    Draft {
        target: Target::Under {
            note: None,
            heading: heading.to_owned(),
        },
        ..draft(title, text)
    }
}

fn vault(notes: &Notes) -> Vault {
    Vault::chosen(notes.path(""), Scope::Person)
}

#[test]
fn a_written_note_is_found_and_says_who_wrote_it() {
    let mut notes = Notes::new();
    let written = vault(&notes)
        .write(
            &draft("Token: refresh?", "Refresh tokens rotate.\n"),
            &author("1"),
        )
        .expect("written");
    assert_eq!(written.in_vault, Path::new("Token refresh.md"));
    assert_eq!(written.outcome, Outcome::Created);
    let text = fs::read_to_string(&written.path).expect("a note");
    assert_eq!(
        text,
        "---\ntitle: \"Token: refresh?\"\ntags: [\"auth\"]\nreviewed: false\nkite-written:\n  - \
         \"2026-09-21T14:13:20Z session 3f2a91bc task 1a2b3c4d commit 0123abcd op 1\"\n---\n\n\
         Refresh tokens rotate.\n"
    );
    notes.rescan();
    let answers = notes.ask("rotate", &["auth"], &Reach::everything());
    assert_eq!(answers[0].title, "Token: refresh?");
    assert!(!answers[0].reviewed);
    let seen = vault(&notes).read(&written.in_vault).expect("a note").hash;
    vault(&notes)
        .review(&written.in_vault, &seen)
        .expect("reviewed");
    notes.rescan();
    assert!(notes.answers("rotate")[0].reviewed);
    let stale = vault(&notes).review(&written.in_vault, &seen);
    assert!(matches!(stale, Err(Error::NoNote { .. })), "{stale:?}");
}

#[test]
fn the_same_write_changes_nothing_the_second_time() {
    let notes = Notes::new();
    let vault = vault(&notes);
    let write = |draft: &Draft, op: &str| vault.write(draft, &author(op)).expect("written");
    assert_eq!(write(&draft("A", "one"), "1").outcome, Outcome::Created);
    assert_eq!(
        write(&draft("A", "one, retried"), "1").outcome,
        Outcome::Unchanged
    );
    assert_eq!(write(&draft("A", "one"), "2").outcome, Outcome::Unchanged);
    let second = write(&draft("A", "two"), "3");
    assert_eq!(second.in_vault, Path::new("A 2.md"));
    assert_eq!(second.similar, Some(notes.path("A.md")));
    for (op, outcome) in [
        ("4", Outcome::Appended),
        ("4", Outcome::Unchanged),
        ("5", Outcome::Unchanged),
    ] {
        assert_eq!(write(&under("A", "Log", "- entry"), op).outcome, outcome);
    }
    let text = fs::read_to_string(notes.path("A.md")).expect("a note");
    assert_eq!(text.matches("- entry").count(), 1);
}

#[test]
fn a_text_goes_to_the_end_of_its_section_and_nothing_else_changes() {
    let notes = Notes::new();
    notes.put(
        "Diary.md",
        "---\r\n# mine\r\naliases: [D]\r\ntags:\r\n- life\r\nreviewed: true\r\n---\r\n# Diary\r\n\r\n\
         ## Log\r\n\r\n- first\r\n\r\n### Detail\r\n\r\ndeep\r\n\r\n## Other\r\n\r\nkept\r\n",
    );
    let written = vault(&notes).write(&under("Diary", "log", "- second"), &author("1"));
    assert_eq!(written.expect("written").outcome, Outcome::Appended);
    assert_eq!(
        fs::read_to_string(notes.path("Diary.md")).expect("a note"),
        "---\r\n# mine\r\naliases: [D]\r\ntags: [\"life\", \"auth\"]\r\nreviewed: false\r\n\
         kite-written:\r\n  - \"2026-09-21T14:13:20Z session 3f2a91bc task 1a2b3c4d commit 0123abcd \
         op 1\"\r\n---\r\n# Diary\r\n\r\n## Log\r\n\r\n- first\r\n\r\n### Detail\r\n\r\ndeep\r\n\r\n\
         - second\r\n\r\n## Other\r\n\r\nkept\r\n"
    );
}

#[test]
fn a_heading_that_is_missing_is_added() {
    let notes = Notes::new();
    notes.put("N.md", "plain\n");
    let vault = vault(&notes);
    vault
        .write(&under("N", "## New #one", "text"), &author("1"))
        .expect("written");
    let text = fs::read_to_string(notes.path("N.md")).expect("a note");
    assert!(
        text.ends_with("---\nplain\n\n## New #one\n\ntext\n"),
        "{text}"
    );
    vault
        .write(&under("Fresh", "Log", "text"), &author("2"))
        .expect("written");
    let text = fs::read_to_string(notes.path("Fresh.md")).expect("a note");
    assert!(text.ends_with("---\n\n## Log\n\ntext\n"), "{text}");
}

#[test]
fn nothing_is_written_outside_the_vault() {
    let notes = Notes::new();
    let outside = notes.directory.path().join("outside");
    fs::create_dir(&outside).expect("a folder");
    fs::write(outside.join("target.md"), "untouched\n").expect("a file");
    symlink(&outside, notes.path("away")).expect("a link");
    symlink(outside.join("target.md"), notes.path("Linked.md")).expect("a link");
    let vault = vault(&notes);
    let at = |path: &str| Draft {
        target: Target::Under {
            note: Some(PathBuf::from(path)),
            heading: "Log".to_owned(),
        },
        ..draft("x", "text")
    };
    for path in [
        "../outside/target.md",
        "/tmp/x.md",
        "away/target.md",
        "away/new.md",
        "Linked.md",
        ".obsidian/x.md",
        "x.txt",
        "",
        "a/../../outside/target.md",
    ] {
        let refused = vault.write(&at(path), &author("1"));
        assert!(refused.is_err(), "{path}: {refused:?}");
    }
    for title in [
        "../../.bashrc",
        "/etc/passwd",
        "..",
        "away/new",
        "CON",
        "-rf",
        "a\nb",
        "\u{202e}",
    ] {
        let written = vault
            .write(&draft(title, "text"), &author(""))
            .expect("written");
        assert_eq!(
            written.path.parent(),
            Some(notes.path("").as_path()),
            "{title}"
        );
        assert_eq!(written.in_vault.components().count(), 1, "{title}");
    }
    // A link in the way of a new note is somebody's: the note gets another name.
    let written = vault.write(&draft("Linked", "text"), &author("2"));
    assert!(matches!(written, Err(Error::Escapes { .. })), "{written:?}");
    assert_eq!(fs::read_dir(&outside).expect("a folder").count(), 1);
    assert_eq!(
        fs::read_to_string(outside.join("target.md")).expect("a file"),
        "untouched\n"
    );
}

#[test]
fn a_project_vault_is_made_where_it_is_missing_and_never_behind_a_link() {
    let notes = Notes::new();
    let worktree = notes.directory.path().join("repo");
    fs::create_dir(&worktree).expect("a worktree");
    let vault = Vault::of_project(&worktree, "repo", Trust::Trusted);
    vault
        .write(&draft("A", "text"), &author("1"))
        .expect("written");
    assert!(worktree.join(".kite/vault/A.md").is_file());
    let untrusted = Vault::of_project(&worktree, "repo", Trust::Untrusted);
    assert!(matches!(
        untrusted.write(&draft("B", "text"), &author("2")),
        Err(Error::Refused { .. })
    ));
    fs::remove_dir_all(worktree.join(".kite")).expect("removed");
    symlink(notes.path(""), worktree.join(".kite")).expect("a link");
    assert!(matches!(
        vault.write(&draft("C", "text"), &author("3")),
        Err(Error::Escapes { .. })
    ));
    let gone = Vault::of_project(notes.directory.path().join("gone"), "gone", Trust::Trusted);
    assert!(matches!(
        gone.write(&draft("D", "text"), &author("4")),
        Err(Error::Io { .. })
    ));
}

#[test]
fn front_matter_that_cannot_be_changed_safely_is_left_alone() {
    let notes = Notes::new();
    for (number, front) in [
        "a: [",
        "reviewed: &x false\nother: *x",
        "- a list",
        "{reviewed: true, other: 1}",
        "a: |\n  text\nreviewed: >\n",
    ]
    .iter()
    .enumerate()
    {
        let name = format!("N{number}.md");
        let text = format!("---\n{front}\n---\nbody\n");
        notes.put(&name, &text);
        let refused = vault(&notes).write(&under(&format!("N{number}"), "Log", "x"), &author("1"));
        let after = fs::read_to_string(notes.path(&name)).expect("a note");
        if let Err(fault) = refused {
            assert!(matches!(fault, Error::NoNote { .. }), "{fault:?}");
            assert_eq!(after, text);
        } else {
            assert_eq!(number, 4, "{front}: {after}");
        }
    }
}

#[test]
fn limits_are_said_and_nothing_is_written() {
    let notes = Notes::new();
    let vault = vault(&notes);
    for draft in [
        draft("A", " \n"),
        draft(" ", "text"),
        draft("A", &"x".repeat(65 << 10)),
        under("A", "##", "text"),
        Draft {
            tags: vec!["t".to_owned(); 33],
            ..draft("A", "text")
        },
    ] {
        assert!(matches!(
            vault.write(&draft, &author("1")),
            Err(Error::Refused { .. })
        ));
    }
    assert_eq!(fs::read_dir(notes.path("")).expect("a folder").count(), 0);
}

#[test]
fn many_writers_at_once_lose_nothing() {
    const WRITERS: usize = 8;
    const ENTRIES: usize = 12;
    let notes = Notes::new();
    notes.put("Log.md", "# Log\n\n## Entries\n\n## After\n\nkept\n");
    thread::scope(|scope| {
        for writer in 0..WRITERS {
            let vault = vault(&notes);
            scope.spawn(move || {
                for entry in 0..ENTRIES {
                    let text = format!("- entry {writer}.{entry} end");
                    let op = format!("{writer}-{entry}");
                    vault
                        .write(&under("Log", "Entries", &text), &author(&op))
                        .expect("written");
                }
            });
        }
        // A person's editor, which knows nothing of Kite: it saves by renaming.
        let path = notes.path("Log.md");
        scope.spawn(move || {
            for save in 0..ENTRIES {
                let mut text = fs::read_to_string(&path).expect("a note");
                text.push_str(&format!("save {save}\n"));
                let beside = path.with_extension("new");
                fs::write(&beside, &text).expect("a file");
                let _ = fs::rename(&beside, &path);
            }
        });
    });
    // What the editor overwrote is the editor's doing; what Kite wrote it did not overwrite
    // anybody with: the last save is there.
    let text = fs::read_to_string(notes.path("Log.md")).expect("a note");
    assert!(text.contains(&format!("save {}", ENTRIES - 1)) && text.contains("kept"));
    let names: Vec<_> = fs::read_dir(notes.path(""))
        .expect("a folder")
        .flatten()
        .collect();
    assert_eq!(names.len(), 1, "nothing is left lying: {names:?}");
}

#[test]
fn writers_of_one_vault_alone_lose_nothing_at_all() {
    let notes = Notes::new();
    thread::scope(|scope| {
        for writer in 0..6 {
            let vault = vault(&notes);
            scope.spawn(move || {
                for entry in 0..10 {
                    let text = format!("- entry {writer}.{entry} end");
                    let op = format!("{writer}-{entry}");
                    vault
                        .write(&under("Log", "Entries", &text), &author(&op))
                        .expect("written");
                }
            });
        }
    });
    let text = fs::read_to_string(notes.path("Log.md")).expect("a note");
    assert_eq!(text.matches(" end\n").count(), 60);
    assert_eq!(text.matches("session 3f2a91bc").count(), 60);
}

#[test]
fn what_one_project_wrote_is_not_carried_into_another() {
    let notes = Notes::new();
    let of = |project: &str, op: &str| Author {
        project: Some(project.to_owned()),
        ..author(op)
    };
    let write = |draft: Draft, author: Author| {
        let written = vault(&notes).write(&draft, &author).expect("written");
        (written.in_vault.display().to_string(), written.similar)
    };
    let deep = "/a long path".repeat(100);
    for op in ["a", "b"] {
        let written = write(under("Deep", "Part", op), of(&deep, op));
        assert_eq!(written.0, "Deep.md");
    }
    let first = write(draft("Deploy", "Shop's secret way."), of("/shop", "1"));
    assert_eq!(first.0, "Deploy.md");
    // Neither added to, nor taken for the same, nor told of.
    let same = write(draft("Deploy", "Shop's secret way."), of("/bank", "2"));
    assert_eq!(same, ("Deploy 2.md".to_owned(), None));
    let added = write(under("Deploy", "More", "The bank's."), of("/bank", "3"));
    assert_eq!(added.0, "Deploy 2.md");
    let shop = fs::read_to_string(notes.path("Deploy.md")).expect("a note");
    assert!(!shop.contains("bank"), "{shop}");
    let path = Target::Under {
        note: Some(PathBuf::from("Deploy.md")),
        heading: "More".to_owned(),
    };
    let named = Draft {
        target: path,
        ..draft("Deploy", "by name")
    };
    let refused = vault(&notes).write(&named, &of("/bank", "4"));
    assert!(matches!(refused, Err(Error::NoNote { .. })), "{refused:?}");
    // Once a person has reviewed it, it is everybody's.
    let seen = vault(&notes).read(Path::new("Deploy.md")).expect("a note");
    vault(&notes)
        .review(Path::new("Deploy.md"), &seen.hash)
        .expect("reviewed");
    let added = write(under("Deploy", "More", "The bank's."), of("/bank", "5"));
    assert_eq!(added.0, "Deploy.md");
}

#[test]
fn what_a_person_writes_counts_as_reviewed() {
    let mut notes = Notes::new();
    let person = |op: &str| Author {
        person: true,
        ..author(op)
    };
    let vault = vault(&notes);
    let write = |draft: Draft, author: Author| vault.write(&draft, &author).expect("written");
    write(draft("Mine", "A kraken of mine."), person("1"));
    write(draft("Theirs", "A kraken of theirs."), author("2"));
    // Adding to it is not reading it.
    write(under("Theirs", "More", "A word of mine."), person("3"));
    notes.put("Plain.md", "A kraken by hand.\n");
    write(under("Plain", "More", "And by command."), person("4"));
    notes.rescan();
    let mut reviewed: Vec<(String, bool)> = notes
        .answers("kraken")
        .into_iter()
        .map(|it| (it.title, it.reviewed))
        .collect();
    reviewed.sort();
    let expected = [("Mine", true), ("Plain", true), ("Theirs", false)];
    assert_eq!(reviewed, expected.map(|(title, it)| (title.to_owned(), it)));
}
