//! Python: names of the module and of its classes that do not begin with an underscore, and the
//! routes of Flask and FastAPI.

use tree_sitter::Node;

use super::{DEPTH_MAX, routes};
use crate::{
    Item,
    item::Text,
    tree::{Parsed, child, children},
};

/// Decorators that change how something is used.
const TELLING: &[&str] = &["property", "staticmethod", "classmethod", "cached_property"];

pub(super) fn exports(parsed: &Parsed<'_>, items: &mut Vec<Item>) {
    statements(parsed, parsed.root(), None, DEPTH_MAX, items);
}

fn is_public(name: &str) -> bool {
    !name.starts_with('_') || matches!(name, "__init__" | "__call__" | "__version__")
}

fn statements(
    parsed: &Parsed<'_>,
    list: Node<'_>,
    owner: Option<&str>,
    depth: usize,
    items: &mut Vec<Item>,
) {
    if depth == 0 {
        return;
    }
    for node in children(list) {
        match node.kind() {
            "function_definition" => function(parsed, node, owner, &[], items),
            "class_definition" => class(parsed, node, owner, depth, items),
            "decorated_definition" => decorated(parsed, node, owner, depth, items),
            "expression_statement" => {
                if let Some(assignment) = child(node, &["assignment"]) {
                    value(parsed, assignment, owner, items);
                }
            }
            "type_alias_statement" => alias(parsed, node, items),
            // `if TYPE_CHECKING:`, `try: import`.
            "if_statement" | "try_statement" | "else_clause" | "elif_clause" | "except_clause"
            | "block" => statements(parsed, node, owner, depth - 1, items),
            _ => {}
        }
    }
}

fn decorated(
    parsed: &Parsed<'_>,
    node: Node<'_>,
    owner: Option<&str>,
    depth: usize,
    items: &mut Vec<Item>,
) {
    let mut telling = Vec::new();
    for decorator in children(node) {
        let Some(expression) = children(decorator).into_iter().next() else {
            continue;
        };
        if decorator.kind() != "decorator" {
            continue;
        }
        let word = parsed.word(expression);
        if TELLING.contains(&word) || word.starts_with("dataclass") {
            telling.push(word);
        }
        mapping(parsed, expression, items);
    }
    let Some(definition) = node.child_by_field_name("definition") else {
        return;
    };
    match definition.kind() {
        "function_definition" => function(parsed, definition, owner, &telling, items),
        _ => class(parsed, definition, owner, depth, items),
    }
}

fn function(
    parsed: &Parsed<'_>,
    node: Node<'_>,
    owner: Option<&str>,
    telling: &[&str],
    items: &mut Vec<Item>,
) {
    let Some(name) = parsed.field(node, "name").filter(|name| is_public(name)) else {
        return;
    };
    let mut modifiers: Vec<_> = telling.iter().map(|word| format!("@{word}")).collect();
    if child(node, &["async"]).is_some() {
        modifiers.push("async".to_owned());
    }
    items.push(Item {
        modifiers: modifiers.join(" "),
        parameters: parsed.text_at(node, "parameters"),
        result: parsed.text_at(node, "return_type"),
        ..Item::new("def", name).of(owner, ".")
    });
}

fn class(
    parsed: &Parsed<'_>,
    node: Node<'_>,
    owner: Option<&str>,
    depth: usize,
    items: &mut Vec<Item>,
) {
    let Some(name) = parsed.field(node, "name").filter(|name| is_public(name)) else {
        return;
    };
    items.push(Item {
        terms: parsed.text_at(node, "superclasses"),
        ..Item::new("class", name).of(owner, ".")
    });
    if let Some(body) = node.child_by_field_name("body") {
        statements(parsed, body, Some(name), depth - 1, items);
    }
}

/// `email: str`, `LIMIT = 5`, `email = models.EmailField()`. What a plain value is does not count;
/// of what is made by a call, the call is the declaration.
fn value(parsed: &Parsed<'_>, node: Node<'_>, owner: Option<&str>, items: &mut Vec<Item>) {
    let Some(left) = node.child_by_field_name("left") else {
        return;
    };
    if left.kind() != "identifier" || !is_public(parsed.word(left)) {
        return;
    }
    let mut result = parsed.text_at(node, "type");
    let right = node.child_by_field_name("right");
    let made = right.filter(|right| right.kind() == "call" && owner.is_some());
    if let Some(made) = made {
        let call = parsed.text(made);
        result = match result.tokens.is_empty() {
            true => call,
            false => Text {
                tokens: format!("{} = {}", result.tokens, call.tokens),
                shown: format!("{} = {}", result.shown, call.shown),
            },
        };
    }
    let kind = if owner.is_some() { "field" } else { "name" };
    let item = Item::new(kind, parsed.word(left)).of(owner, ".");
    items.push(Item { result, ..item });
}

fn alias(parsed: &Parsed<'_>, node: Node<'_>, items: &mut Vec<Item>) {
    let name = parsed.field(node, "left").unwrap_or_default();
    if is_public(name) {
        let result = parsed.text_at(node, "right");
        items.push(Item {
            result,
            ..Item::new("type", name)
        });
    }
}

/// `@app.get("/users")`, `@app.route("/users", methods=["POST"])`.
fn mapping(parsed: &Parsed<'_>, call: Node<'_>, items: &mut Vec<Item>) {
    let function = call.child_by_field_name("function");
    let Some(name) = function.and_then(|function| parsed.field(function, "attribute")) else {
        return;
    };
    let arguments = call.child_by_field_name("arguments").map(children);
    let arguments = arguments.unwrap_or_default();
    let first = arguments.first().map(|first| parsed.word(*first));
    let Some(path) = first.and_then(routes::path) else {
        return;
    };
    if name == "route" {
        let methods = arguments.iter().find(|argument| {
            argument.kind() == "keyword_argument"
                && parsed.field(**argument, "name") == Some("methods")
        });
        let listed = methods.and_then(|methods| methods.child_by_field_name("value"));
        let named: Vec<_> = (listed.map(children).unwrap_or_default().into_iter())
            .map(|method| {
                parsed
                    .word(method)
                    .trim_matches(['"', '\''])
                    .to_ascii_lowercase()
            })
            .filter_map(|method| routes::method(&method))
            .collect();
        let none = named.is_empty().then(|| "GET".to_owned());
        for method in named.into_iter().chain(none) {
            items.push(routes::route(method, path));
        }
    } else if let Some(method) = routes::method(name) {
        items.push(routes::route(method, path));
    }
}
