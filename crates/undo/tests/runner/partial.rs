//! An undo of one path of a number, and what is left of that number.

use std::path::Path;

use kite_undo::{
    journal::{Filter, Record},
    restore::Selection,
};

use crate::support::Desk;

#[test]
fn what_is_undone_of_one_path_leaves_the_others_to_be_undone() {
    let desk = Desk::new();
    desk.write("a.txt", "a changed\n");
    desk.write("b.txt", "b changed\n");
    let number = desk.agent_git("git checkout -q -- .");
    let only = |path: &str| Selection {
        number: Some(number),
        path: Some(path.into()),
        ..Selection::default()
    };
    let of = |number: u64| -> Record {
        let filter = Filter {
            number: Some(number),
            ..Filter::default()
        };
        let records = desk.history().list(&filter).expect("a list");
        records.into_iter().next().expect("a record")
    };
    let first = desk.undo_what(&only("a.txt")).number.expect("changed");
    assert_eq!(of(number).undone_by, None);
    assert!(of(number).is_undone(Some(Path::new("a.txt"))));
    let second = desk.undo_what(&only("b.txt")).number.expect("changed");
    assert_eq!(of(number).undone_by, Some(second));
    desk.undo(first);
    assert_eq!(of(number).undone_by, None);
    assert_eq!(desk.text("a.txt"), "one\ntwo\nthree\n");
    assert_eq!(desk.text("b.txt"), "b changed\n");
}
