//! Go: what begins with a capital.

use tree_sitter::Node;

use crate::{
    Item,
    tree::{Parsed, child, children},
};

pub(super) fn exports(parsed: &Parsed<'_>, items: &mut Vec<Item>) {
    for node in children(parsed.root()) {
        match node.kind() {
            "function_declaration" => function(parsed, node, None, items),
            "method_declaration" => {
                if let Some(owner) = receiver(parsed, node).filter(|owner| is_exported(owner)) {
                    function(parsed, node, Some(owner), items);
                }
            }
            "type_declaration" => {
                for spec in children(node) {
                    declared_type(parsed, spec, items);
                }
            }
            "const_declaration" => values(parsed, node, "const", items),
            "var_declaration" => values(parsed, node, "var", items),
            _ => {}
        }
    }
}

fn is_exported(name: &str) -> bool {
    name.chars().next().is_some_and(char::is_uppercase)
}

/// The type that a method belongs to, without pointer and type parameters.
fn receiver<'a>(parsed: &Parsed<'a>, node: Node<'_>) -> Option<&'a str> {
    let list = node.child_by_field_name("receiver")?;
    let declared = parsed.field(*children(list).first()?, "type")?;
    let name = declared.trim_start_matches(['*', ' ']);
    name.split(['[', ' ']).next()
}

fn function(parsed: &Parsed<'_>, node: Node<'_>, owner: Option<&str>, items: &mut Vec<Item>) {
    let Some(name) = parsed.field(node, "name").filter(|name| is_exported(name)) else {
        return;
    };
    let generics = node.child_by_field_name("type_parameters");
    let parameters = node.child_by_field_name("parameters");
    items.push(Item {
        parameters: parsed
            .text_of(&[generics, parameters])
            .by_place(&parsed.text_of(&[generics]), &places(parsed, parameters)),
        result: parsed.text_at(node, "result"),
        ..Item::new("func", name).of(owner, ".")
    });
}

/// The type of each parameter: `a, b int` are two.
fn places(parsed: &Parsed<'_>, parameters: Option<Node<'_>>) -> Vec<String> {
    let mut places = Vec::new();
    for declared in parameters.map(children).unwrap_or_default() {
        if declared.is_extra() {
            continue;
        }
        let mut cursor = declared.walk();
        let names = declared.children_by_field_name("name", &mut cursor);
        let names = names.filter(|name| name.is_named()).count();
        let many = declared.kind().starts_with("variadic");
        let of = parsed.text_at(declared, "type").tokens;
        let of = if many { format!("... {of}") } else { of };
        places.extend(std::iter::repeat_n(of, names.max(1)));
    }
    places
}

fn declared_type(parsed: &Parsed<'_>, spec: Node<'_>, items: &mut Vec<Item>) {
    let Some(name) = parsed.field(spec, "name").filter(|name| is_exported(name)) else {
        return;
    };
    let parameters = parsed.text_at(spec, "type_parameters");
    let Some(is) = spec.child_by_field_name("type") else {
        return;
    };
    let mut item = Item {
        parameters,
        ..Item::new("type", name)
    };
    match is.kind() {
        "struct_type" => {
            items.push(item);
            fields(parsed, is, name, items);
        }
        "interface_type" => {
            let elements = children(is);
            let embedded = elements.iter().filter(|it| it.kind() == "type_elem");
            let embedded: Vec<_> = embedded.map(|it| Some(*it)).collect();
            item.terms = parsed.text_of(&embedded);
            items.push(item);
            for method in elements.iter().filter(|it| it.kind() == "method_elem") {
                function(parsed, *method, Some(name), items);
            }
        }
        _ => {
            item.result = parsed.text(is);
            items.push(item);
        }
    }
}

fn fields(parsed: &Parsed<'_>, of: Node<'_>, owner: &str, items: &mut Vec<Item>) {
    let list = child(of, &["field_declaration_list"]);
    for field in list.map(children).unwrap_or_default() {
        if field.kind() != "field_declaration" {
            continue;
        }
        let result = parsed.text_at(field, "type");
        // What goes over the wire: `json:"email"`.
        let terms = parsed.text_at(field, "tag");
        let mut cursor = field.walk();
        let names: Vec<_> = field.children_by_field_name("name", &mut cursor).collect();
        let embedded = names.is_empty().then(|| result.shown.clone());
        let names = names.into_iter().map(|name| parsed.word(name).to_owned());
        for name in names.chain(embedded) {
            let last = name.trim_start_matches('*').rsplit('.').next();
            if last.is_some_and(is_exported) {
                items.push(Item {
                    result: result.clone(),
                    terms: terms.clone(),
                    ..Item::new("field", name).of(Some(owner), ".")
                });
            }
        }
    }
}

fn values(parsed: &Parsed<'_>, node: Node<'_>, kind: &'static str, items: &mut Vec<Item>) {
    let mut specs = children(node);
    if let Some(list) = specs.iter().find(|it| it.kind() == "var_spec_list") {
        specs = children(*list);
    }
    for spec in specs {
        let mut cursor = spec.walk();
        for name in spec.children_by_field_name("name", &mut cursor) {
            let name = parsed.word(name);
            if is_exported(name) {
                let result = parsed.text_at(spec, "type");
                items.push(Item {
                    result,
                    ..Item::new(kind, name)
                });
            }
        }
    }
}
