//! What changes on disk is found, and nothing on disk is fatal.

use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
};

use kite_vault::{Index, Listing, Reach, Scan, Scope, Vault};

use crate::support::Notes;

#[test]
fn a_scan_reads_only_what_changed() {
    let mut notes = Notes::new();
    notes.put("a.md", "alpha\n").put("b.md", "beta\n");
    let first = notes.rescan();
    assert_eq!((first.notes, first.indexed), (2, 2));
    assert_eq!(notes.rescan().indexed, 0);
    notes.put("b.md", "gamma\n");
    fs::remove_file(notes.path("a.md")).expect("removed");
    let second = notes.rescan();
    assert_eq!(
        second,
        Scan {
            notes: 1,
            indexed: 1,
            removed: 1,
            skipped: 0
        }
    );
    assert!(notes.names("alpha").is_empty() && notes.names("beta").is_empty());
    assert_eq!(notes.names("gamma"), ["b.md"]);
}

#[test]
fn changed_paths_are_enough() {
    let mut notes = Notes::new();
    notes.put("a.md", "alpha\n");
    notes.rescan();
    notes
        .put("a.md", "beta\n")
        .put("folder/c.md", "gamma\n")
        .put(".hidden/d.md", "delta\n");
    let paths = ["a.md", "folder", ".hidden/d.md"].map(|name| notes.path(name));
    notes.index.changed(&paths).expect("a look");
    assert_eq!(notes.names("beta"), ["a.md"]);
    assert_eq!(notes.names("gamma"), ["folder/c.md"]);
    assert!(notes.names("delta").is_empty());
    fs::remove_file(notes.path("a.md")).expect("removed");
    let paths = [notes.path("a.md"), "/elsewhere/x.md".into()];
    assert_eq!(notes.index.changed(&paths).expect("a look").removed, 1);
    fs::remove_dir_all(notes.path("folder")).expect("removed");
    notes
        .index
        .changed(&[notes.path("folder")])
        .expect("a look");
    assert!(notes.names("gamma").is_empty());
}

#[test]
fn hidden_and_ignored_files_are_left_alone() {
    let mut notes = Notes::new();
    notes
        .put(".obsidian/workspace.md", "word")
        .put(".trash/old.md", "word");
    notes
        .put(".gitignore", "drafts/\n")
        .put("drafts/x.md", "word")
        .put("kept.md", "word");
    notes.put("picture.png", "word").put("notes.txt", "word");
    assert_eq!(notes.found("word"), ["kept.md"]);
    notes
        .index
        .changed(&[notes.path("drafts/x.md")])
        .expect("a look");
    assert_eq!(notes.names("word"), ["kept.md"]);
    assert!(notes.skipped().is_empty());
}

#[test]
fn a_project_that_ignores_its_vault_still_has_it() {
    let mut notes = Notes::new();
    fs::write(notes.directory.path().join(".gitignore"), "vault\n").expect("rules");
    notes.put("a.md", "alpha\n");
    assert_eq!(notes.found("alpha"), ["a.md"]);
}

#[test]
fn what_is_no_note_is_listed_with_its_reason() {
    let mut notes = Notes::new();
    notes
        .put("good.md", "word\n")
        .put("latin.md", b"caf\xe9 word\n");
    notes.put("huge.md", "word ".repeat(300_000));
    fs::write(notes.directory.path().join("outside.md"), "word outside\n").expect("a file");
    symlink("../outside.md", notes.path("link.md")).expect("a link");
    symlink("..", notes.path("up")).expect("a link");
    fs::create_dir(notes.path("folder.md")).expect("a folder");
    notes.put("broken.md", "---\na: [\n---\nword in a broken one\n");
    assert_eq!(notes.found("word").len(), 2);
    let skipped = notes.skipped();
    let names: Vec<&str> = skipped.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["huge.md", "latin.md", "link.md"]);
    assert_eq!(
        notes.rescan().indexed,
        0,
        "what was skipped is not read again"
    );
    assert_eq!(notes.skipped(), skipped);
    let listed = notes
        .searcher
        .list(&Reach::everything(), &Listing::default())
        .expect("a list");
    let remark = listed[0].remark.as_deref().expect("a remark");
    assert!(remark.contains("not YAML"), "{remark}");
    assert!(!listed[0].inject, "it may have said so");
    notes.put("latin.md", "café word\n");
    assert_eq!(notes.found("word").len(), 3);
    assert_eq!(notes.skipped().len(), 2);
}

#[test]
fn a_vault_behind_a_link_of_the_repository_is_not_read() {
    let mut notes = Notes::of(|home| {
        fs::create_dir_all(home.join("repo/.kite")).expect("folders");
        fs::create_dir_all(home.join("private")).expect("folders");
        fs::write(home.join("private/diary.md"), "word\n").expect("a note");
        symlink("../../private", home.join("repo/.kite/vault")).expect("a link");
        vec![Vault::of_project(
            home.join("repo"),
            "repo",
            kite_vault::Trust::Trusted,
        )]
    });
    assert!(notes.found("word").is_empty());
    let skipped = notes.searcher.skipped().expect("a list");
    assert!(skipped[0].why.contains("symbolic link"), "{skipped:?}");
}

#[test]
fn the_index_is_private_and_can_be_thrown_away() {
    let mut notes = Notes::new();
    notes.put("a.md", "alpha\n");
    notes.rescan();
    let file = notes.directory.path().join("vault.db");
    let mode = |end: &str| {
        let name = format!("{}{end}", file.display());
        fs::metadata(name)
            .map(|it| it.permissions().mode() & 0o777)
            .expect("a file")
    };
    assert_eq!((mode(""), mode("-wal")), (0o600, 0o600));
    fs::remove_file(&file).expect("deleted under its users");
    assert_eq!(notes.rescan().indexed, 1);
    assert_eq!(notes.names("alpha"), ["a.md"]);
}

#[test]
fn a_damaged_or_strange_index_is_made_anew() {
    for rubbish in [
        "not a database at all, but long enough to look like one".repeat(100),
        String::new(),
    ] {
        let directory = tempfile::tempdir().expect("a directory");
        let vault = directory.path().join("vault");
        fs::create_dir(&vault).expect("a vault");
        fs::write(vault.join("a.md"), "alpha\n").expect("a note");
        let file = directory.path().join("vault.db");
        fs::write(&file, rubbish).expect("a file");
        let vaults = vec![Vault::chosen(&vault, Scope::Person)];
        let mut index = Index::open(&file, vaults).expect("an index");
        assert_eq!(index.rescan().expect("a scan").indexed, 1);
    }
}

#[test]
fn notes_of_a_vault_that_is_no_longer_named_are_forgotten() {
    let mut notes = Notes::new();
    notes.put("a.md", "alpha\n");
    assert_eq!(notes.found("alpha"), ["a.md"]);
    notes.index.set_vaults(Vec::new()).expect("no vaults");
    assert!(notes.names("alpha").is_empty());
}
