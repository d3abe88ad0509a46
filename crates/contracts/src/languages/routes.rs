//! HTTP routes, as the common frameworks write them.

use crate::Item;

const METHODS: &[&str] = &[
    "get", "post", "put", "patch", "delete", "head", "options", "all",
];
/// Longest path of a route that is looked at.
const PATH_BYTES_MAX: usize = 200;

/// The HTTP method that a function of this name registers, in capitals.
pub(super) fn method(name: &str) -> Option<String> {
    METHODS.contains(&name).then(|| name.to_ascii_uppercase())
}

/// The path in a string literal, if it looks like one.
pub(super) fn path(literal: &str) -> Option<&str> {
    let inner = literal.trim_matches(['"', '\'', '`']);
    let is_literal = inner.len() + 2 == literal.len();
    let fits = is_literal && inner.starts_with('/') && inner.len() <= PATH_BYTES_MAX;
    (fits && !inner.contains(char::is_whitespace)).then_some(inner)
}

/// `GET /users`: its name is the path, what it belongs to the method.
pub(super) fn route(method: String, path: &str) -> Item {
    Item::new("route", path).of(Some(&method), " ")
}
