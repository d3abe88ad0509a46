//! Java: what is public or protected, and Spring mappings.

use tree_sitter::Node;

use super::{DEPTH_MAX, routes};
use crate::{
    Item,
    item::Text,
    tree::{Parsed, child, children},
};

const MAPPINGS: &[(&str, &str)] = &[
    ("GetMapping", "get"),
    ("PostMapping", "post"),
    ("PutMapping", "put"),
    ("PatchMapping", "patch"),
    ("DeleteMapping", "delete"),
    ("RequestMapping", "all"),
];

pub(super) fn exports(parsed: &Parsed<'_>, items: &mut Vec<Item>) {
    for node in children(parsed.root()) {
        declared_type(parsed, node, None, false, DEPTH_MAX, items);
    }
}

/// `implied`: whoever is not marked is public, as in an interface.
fn declared_type(
    parsed: &Parsed<'_>,
    node: Node<'_>,
    owner: Option<&str>,
    implied: bool,
    depth: usize,
    items: &mut Vec<Item>,
) {
    let kind = match node.kind() {
        "class_declaration" => "class",
        "interface_declaration" => "interface",
        "record_declaration" => "record",
        "enum_declaration" => "enum",
        "annotation_type_declaration" => "annotation",
        _ => return,
    };
    if depth == 0 || !is_visible(parsed, node, implied) {
        return;
    }
    let name = parsed.field(node, "name").unwrap_or_default();
    let terms = [
        node.child_by_field_name("superclass"),
        node.child_by_field_name("interfaces"),
        child(node, &["extends_interfaces"]),
    ];
    items.push(Item {
        parameters: parsed.text_at(node, "type_parameters"),
        terms: parsed.text_of(&terms),
        ..Item::new(kind, name).of(owner, ".")
    });
    if kind == "record" {
        let components = node.child_by_field_name("parameters").map(children);
        for component in components.unwrap_or_default() {
            let result = parsed.text_at(component, "type");
            let of = parsed.field(component, "name").unwrap_or_default();
            let item = Item::new("component", of).of(Some(name), ".");
            items.push(Item { result, ..item });
        }
    }
    if let Some(body) = node.child_by_field_name("body") {
        let implied = matches!(kind, "interface" | "annotation");
        members(parsed, body, name, implied, depth, items);
    }
}

fn members(
    parsed: &Parsed<'_>,
    body: Node<'_>,
    owner: &str,
    implied: bool,
    depth: usize,
    items: &mut Vec<Item>,
) {
    for node in children(body) {
        match node.kind() {
            "enum_body_declarations" if depth > 0 => {
                members(parsed, node, owner, false, depth - 1, items);
            }
            "enum_constant" => {
                let name = parsed.field(node, "name").unwrap_or_default();
                items.push(Item::new("constant", name).of(Some(owner), "."));
            }
            "method_declaration" | "constructor_declaration" => {
                mapping(parsed, node, items);
                if is_visible(parsed, node, implied) {
                    method(parsed, node, owner, items);
                }
            }
            "annotation_type_element_declaration" => {
                let name = parsed.field(node, "name").unwrap_or_default();
                let result = parsed.text_at(node, "type");
                let item = Item::new("element", name).of(Some(owner), ".");
                items.push(Item { result, ..item });
            }
            "field_declaration" | "constant_declaration" if is_visible(parsed, node, implied) => {
                let mut cursor = node.walk();
                for declarator in node.children_by_field_name("declarator", &mut cursor) {
                    let name = parsed.field(declarator, "name").unwrap_or_default();
                    let result = parsed.text_at(node, "type");
                    let item = Item::new("field", name).of(Some(owner), ".");
                    items.push(Item { result, ..item });
                }
            }
            _ => declared_type(parsed, node, Some(owner), implied, depth - 1, items),
        }
    }
}

fn method(parsed: &Parsed<'_>, node: Node<'_>, owner: &str, items: &mut Vec<Item>) {
    let name = parsed.field(node, "name").unwrap_or_default();
    let is_static = words(parsed, node).any(|word| word == "static");
    let kind = match node.kind() {
        "constructor_declaration" => "constructor",
        _ => "method",
    };
    items.push(Item {
        modifiers: if is_static { "static" } else { "" }.to_owned(),
        parameters: parsed
            .text_at(node, "parameters")
            .by_place(&Text::default(), &places(parsed, node)),
        result: parsed.text_of(&[
            node.child_by_field_name("type_parameters"),
            node.child_by_field_name("type"),
        ]),
        terms: parsed.text_of(&[child(node, &["throws"])]),
        ..Item::new(kind, name).of(Some(owner), ".")
    });
}

/// Of each parameter all but its name: its type, and its annotations, which frameworks read.
fn places(parsed: &Parsed<'_>, node: Node<'_>) -> Vec<String> {
    let parameters = node.child_by_field_name("parameters").map(children);
    let parameters = parameters.unwrap_or_default().into_iter();
    let parameters = parameters.filter(|it| !it.is_extra());
    let place = |parameter: Node<'_>| {
        let name = parameter.child_by_field_name("name").map(|name| name.id());
        let pieces = children(parameter).into_iter();
        let pieces =
            pieces.filter(|it| Some(it.id()) != name && it.kind() != "variable_declarator");
        let pieces: Vec<_> = pieces.map(Some).collect();
        let many = parameter.kind() == "spread_parameter";
        let of = parsed.text_of(&pieces).tokens;
        if many { format!("{of} ...") } else { of }
    };
    parameters.map(place).collect()
}

/// The words and annotations before a declaration.
fn words<'a>(parsed: &'a Parsed<'_>, node: Node<'a>) -> impl Iterator<Item = &'a str> {
    let modifiers = child(node, &["modifiers"]);
    let mut all = Vec::new();
    if let Some(modifiers) = modifiers {
        let mut cursor = modifiers.walk();
        all.extend(modifiers.children(&mut cursor).map(|it| parsed.word(it)));
    }
    all.into_iter()
}

fn is_visible(parsed: &Parsed<'_>, node: Node<'_>, implied: bool) -> bool {
    let mut words = words(parsed, node);
    if implied {
        return !words.any(|word| word == "private");
    }
    words.any(|word| matches!(word, "public" | "protected"))
}

/// `@GetMapping("/users")`.
fn mapping(parsed: &Parsed<'_>, node: Node<'_>, items: &mut Vec<Item>) {
    let Some(modifiers) = child(node, &["modifiers"]) else {
        return;
    };
    for annotation in children(modifiers) {
        let name = parsed.field(annotation, "name").unwrap_or_default();
        let Some((_, method)) = MAPPINGS.iter().find(|(mapping, _)| *mapping == name) else {
            continue;
        };
        let arguments = annotation.child_by_field_name("arguments").map(children);
        for argument in arguments.unwrap_or_default() {
            let is_path = matches!(parsed.field(argument, "key"), None | Some("value" | "path"));
            let value = argument.child_by_field_name("value").unwrap_or(argument);
            let path = routes::path(parsed.word(value)).filter(|_| is_path);
            if let (Some(path), Some(method)) = (path, routes::method(method)) {
                items.push(routes::route(method, path));
            }
        }
    }
}
