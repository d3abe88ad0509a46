//! A change on disk is told, soon.

use std::{
    fs,
    sync::mpsc::channel,
    time::{Duration, Instant},
};

use kite_vault::{Changes, Scope, Vault, Watch};

use crate::support::Notes;

/// How long a change may take until it is told. The promise is a second; a busy machine gets more.
const PATIENCE: Duration = Duration::from_secs(20);

#[test]
fn a_change_made_by_hand_is_found() {
    let mut notes = Notes::new();
    notes.put("a.md", "alpha\n");
    notes.rescan();
    let vaults = [
        Vault::chosen(notes.path(""), Scope::Person),
        Vault::chosen(notes.path("missing"), Scope::Person),
    ];
    let (sender, receiver) = channel();
    let watch = Watch::start(&vaults, move |changes| {
        let _ = sender.send(changes);
    });
    assert_eq!(watch.unwatched().len(), 1);
    notes.put("a.md", "beta\n").put("folder/b.md", "gamma\n");
    fs::create_dir(notes.path("empty")).expect("a folder");
    let deadline = Instant::now() + PATIENCE;
    while notes.names("beta").is_empty() || notes.names("gamma").is_empty() {
        let left = deadline.saturating_duration_since(Instant::now());
        match receiver
            .recv_timeout(left)
            .expect("a change is told in time")
        {
            Changes::Paths(paths) => notes.index.changed(&paths).expect("a look"),
            Changes::Everything => notes.index.rescan().expect("a scan"),
        };
    }
    drop(watch);
    while receiver.recv_timeout(PATIENCE).is_ok() {}
}
