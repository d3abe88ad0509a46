//! One resource that is no list has no pages: what is too long of it is left out, and counted.

use serde_json::{Map, Value};

use super::{CONTENT_BYTES_MAX, escape};
use crate::text;

/// Bytes for saying what was left out.
const OMITTED_BYTES_MAX: usize = 256;
/// Characters that stay of a task's own texts where nothing else is left to leave out.
const TEXT_CHARS_MAX: usize = 2_000;

/// Where tasks stand that are shown for another's sake.
const NEIGHBOURS: [&str; 2] = ["/dependencies", "/dependents"];
/// What is left out, one after the other until it fits: where it stands, how it is called, and
/// whether its oldest, which stand first, go first.
const LISTS: [(&str, &str, bool); 6] = [
    ("/dependents", "dependents", false),
    ("/dependencies", "dependencies", false),
    ("/history", "history", true),
    ("/task/paths", "paths", false),
    ("/task/late_results", "late_results", true),
    ("/task/reasons", "reasons", true),
];

/// Makes a task's content at most [`CONTENT_BYTES_MAX`] long as text, escaped: what says least of
/// the task itself goes first. `omitted` then counts what is missing.
pub(super) fn fit(content: &mut Value) {
    // Before it is measured: escaping makes it longer.
    escape(content);
    let room = CONTENT_BYTES_MAX - OMITTED_BYTES_MAX;
    if size(content) <= room {
        return;
    }
    for at in NEIGHBOURS {
        let neighbours = content.pointer_mut(at).and_then(Value::as_array_mut);
        for fields in neighbours.into_iter().flatten() {
            if let Some(fields) = fields.as_object_mut() {
                fields.remove("paths");
            }
        }
    }
    let mut surplus = size(content).saturating_sub(room);
    let mut omitted = Map::new();
    for (at, name, oldest_first) in LISTS {
        let list = content.pointer_mut(at).and_then(Value::as_array_mut);
        let count = list.map_or(0, |list| shorten(list, oldest_first, &mut surplus));
        if count > 0 {
            omitted.insert(name.to_owned(), count.into());
        }
    }
    if surplus > 0 {
        for at in ["/task/description", "/task/result"] {
            if let Some(Value::String(text)) = content.pointer_mut(at) {
                *text = text::clipped(text, TEXT_CHARS_MAX);
            }
        }
    }
    if !omitted.is_empty() {
        content["omitted"] = omitted.into();
    }
}

/// Takes entries away until nothing is too much, or none are left. Returns how many.
fn shorten(list: &mut Vec<Value>, oldest_first: bool, surplus: &mut usize) -> usize {
    let mut count = 0;
    while *surplus > 0 && count < list.len() {
        let entry = match oldest_first {
            true => &list[count],
            false => &list[list.len() - 1 - count],
        };
        // With the comma.
        *surplus = surplus.saturating_sub(size(entry) + 1);
        count += 1;
    }
    match oldest_first {
        true => drop(list.drain(..count)),
        false => list.truncate(list.len() - count),
    }
    count
}

fn size(value: &Value) -> usize {
    value.to_string().len()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn neighbours(count: usize, path: &str) -> Value {
        let task = json!({"id": "1a2b", "title": "x".repeat(200), "paths": vec![path; 64]});
        vec![task; count].into()
    }

    fn is_bounded(content: &Value) -> bool {
        size(content) <= CONTENT_BYTES_MAX
    }

    #[test]
    fn what_fits_stays_whole() {
        let whole =
            json!({"task": {"id": "1a"}, "dependents": neighbours(2, "src/a.rs"), "history": []});
        let mut content = whole.clone();
        fit(&mut content);
        assert_eq!(content, whole);
    }

    #[test]
    fn paths_of_neighbours_go_first_and_no_neighbour_with_them() {
        let path = "p".repeat(4_096);
        let mut content = json!({"task": {"id": "1a", "paths": ["src/"]}, "dependencies": neighbours(64, &path),
            "dependents": neighbours(64, &path), "history": [{"seq": 1}]});
        fit(&mut content);
        assert!(is_bounded(&content));
        for at in NEIGHBOURS {
            let shown = content.pointer(at).and_then(Value::as_array).expect("some");
            assert_eq!(shown.len(), 64, "{at}");
            assert!(shown.iter().all(|task| task.get("paths").is_none()));
        }
        assert_eq!(content["task"]["paths"], json!(["src/"]), "its own stay");
        assert!(content.get("omitted").is_none());
    }

    #[test]
    fn neighbours_that_do_not_fit_are_counted_and_those_that_wait_go_first() {
        let dependency = json!({"id": "1a2b", "result": "\u{202e}".repeat(90)});
        let mut content = json!({"task": {"id": "1a"}, "dependencies": vec![dependency.clone(); 64],
            "dependents": vec![dependency; 64], "history": [{"seq": 1}]});
        fit(&mut content);
        assert!(is_bounded(&content));
        let left = content["dependents"].as_array().map_or(0, Vec::len);
        assert!(left > 0, "no more than has to go");
        assert_eq!(content["omitted"], json!({"dependents": 64 - left}));
        assert_eq!(content["dependencies"].as_array().map(Vec::len), Some(64));
    }

    #[test]
    fn a_task_that_is_too_long_by_itself_is_bounded_too() {
        let hidden = "\u{202e}".repeat(8_000);
        let events: Vec<Value> = (0..2_000).map(|seq| json!({"seq": seq})).collect();
        let mut content = json!({"task": {"id": "1a", "description": hidden, "result": hidden,
            "paths": vec!["p".repeat(4_096); 64]}, "dependencies": neighbours(3, ""), "dependents": [], "history": events});
        fit(&mut content);
        assert!(is_bounded(&content), "{}", size(&content));
        assert_eq!(
            content["omitted"],
            json!({"dependencies": 3, "history": 2_000, "paths": 64})
        );
    }
}
