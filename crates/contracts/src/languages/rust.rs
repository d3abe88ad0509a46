//! Rust: what has a visibility, traits with their items, and axum routes.

use tree_sitter::Node;

use super::{DEPTH_MAX, routes};
use crate::{
    Item,
    item::Text,
    tree::{Down, Parsed, child, children, walk},
};

pub(super) fn exports(parsed: &Parsed<'_>, items: &mut Vec<Item>) {
    let mut reader = Reader { parsed, items };
    reader.declarations(parsed.root(), None, DEPTH_MAX);
    walk(parsed.root(), |node| {
        if node.kind() == "call_expression" {
            reader.route(node);
        }
        Down::Into
    });
}

struct Reader<'a> {
    parsed: &'a Parsed<'a>,
    items: &'a mut Vec<Item>,
}

impl Reader<'_> {
    fn declarations(&mut self, list: Node<'_>, module: Option<&str>, depth: usize) {
        for node in children(list) {
            match node.kind() {
                "impl_item" if node.child_by_field_name("trait").is_none() => self.methods(node),
                "foreign_mod_item" if depth > 0 => {
                    if let Some(body) = node.child_by_field_name("body") {
                        self.declarations(body, module, depth - 1);
                    }
                }
                _ if is_visible(self.parsed, node) => self.declaration(node, module, depth),
                _ => {}
            }
        }
    }

    fn declaration(&mut self, node: Node<'_>, module: Option<&str>, depth: usize) {
        let name = self.parsed.field(node, "name").unwrap_or_default();
        let item = |kind| Item::new(kind, name).of(module, "::");
        match node.kind() {
            "function_item" | "function_signature_item" => self.function(node, module),
            "const_item" | "static_item" => {
                let result = self.parsed.text_at(node, "type");
                self.items.push(Item {
                    result,
                    ..item("const")
                });
            }
            "type_item" => {
                let result = self.parsed.text_at(node, "type");
                let parameters = self.parsed.text_at(node, "type_parameters");
                self.items.push(Item {
                    result,
                    parameters,
                    ..item("type")
                });
            }
            "struct_item" | "union_item" => {
                self.holder(node, item("struct"));
                self.fields(node, name);
            }
            "enum_item" => {
                self.holder(node, item("enum"));
                self.variants(node, name);
            }
            "trait_item" => {
                self.holder(node, item("trait"));
                let body = node.child_by_field_name("body");
                for method in body.map(children).unwrap_or_default() {
                    if method.kind().starts_with("function") {
                        self.function(method, Some(name));
                    }
                }
            }
            "mod_item" if depth > 0 => {
                if let Some(body) = node.child_by_field_name("body") {
                    self.declarations(body, Some(name), depth - 1);
                }
            }
            "use_declaration" => self.reexports(node, module),
            "macro_definition" => self.items.push(Item::new("macro", name)),
            _ => {}
        }
    }

    fn function(&mut self, node: Node<'_>, owner: Option<&str>) {
        let name = self.parsed.field(node, "name").unwrap_or_default();
        let modifiers = child(node, &["function_modifiers"]);
        let modifiers = modifiers.map(|node| self.parsed.text(node).shown);
        let generics = node.child_by_field_name("type_parameters");
        let parameters = node.child_by_field_name("parameters");
        let places = parameters.map(children).unwrap_or_default().into_iter();
        let places = places.filter(|it| !it.is_extra() && it.kind() != "attribute_item");
        let places = places.map(|it| {
            let of = it.child_by_field_name("type").unwrap_or(it);
            self.parsed.text(of).tokens
        });
        let places: Vec<_> = places.collect();
        self.items.push(Item {
            modifiers: modifiers.unwrap_or_default(),
            parameters: self
                .parsed
                .text_of(&[generics, parameters])
                .by_place(&self.parsed.text_of(&[generics]), &places),
            result: self.parsed.text_at(node, "return_type"),
            terms: self.parsed.text_of(&[child(node, &["where_clause"])]),
            ..Item::new("fn", name).of(owner, "::")
        });
    }

    fn holder(&mut self, node: Node<'_>, item: Item) {
        let terms = [
            node.child_by_field_name("bounds"),
            child(node, &["where_clause"]),
        ];
        self.items.push(Item {
            parameters: self.parsed.text_at(node, "type_parameters"),
            terms: self.parsed.text_of(&terms),
            ..item
        });
    }

    fn fields(&mut self, node: Node<'_>, owner: &str) {
        let Some(body) = node.child_by_field_name("body") else {
            return;
        };
        let mut position = 0_usize;
        let mut visible = false;
        for field in children(body) {
            match field.kind() {
                "field_declaration" if is_visible(self.parsed, field) => {
                    let name = self.parsed.field(field, "name").unwrap_or_default();
                    let result = self.parsed.text_at(field, "type");
                    let item = Item::new("field", name).of(Some(owner), ".");
                    self.items.push(Item { result, ..item });
                }
                "field_declaration" | "attribute_item" => {}
                "visibility_modifier" => visible = true,
                // In a tuple struct: the types, each with its visibility before it.
                _ if body.kind() == "ordered_field_declaration_list" && !field.is_extra() => {
                    if visible {
                        let result = self.parsed.text(field);
                        let item = Item::new("field", position.to_string());
                        let item = item.of(Some(owner), ".");
                        self.items.push(Item { result, ..item });
                    }
                    visible = false;
                    position += 1;
                }
                _ => {}
            }
        }
    }

    fn variants(&mut self, node: Node<'_>, owner: &str) {
        let body = node.child_by_field_name("body");
        for variant in body.map(children).unwrap_or_default() {
            if variant.kind() != "enum_variant" {
                continue;
            }
            let name = self.parsed.field(variant, "name").unwrap_or_default();
            let item = Item::new("variant", name).of(Some(owner), "::");
            let mut parameters = self.parsed.text_at(variant, "body");
            if parameters.shown.starts_with('{') {
                parameters.shown.insert(0, ' ');
            }
            self.items.push(Item { parameters, ..item });
        }
    }

    /// The visible methods of a type.
    fn methods(&mut self, node: Node<'_>) {
        let Some(of) = node.child_by_field_name("type") else {
            return;
        };
        let of = of.child_by_field_name("type").unwrap_or(of);
        let owner = self.parsed.word(of);
        let body = node.child_by_field_name("body");
        for item in body.map(children).unwrap_or_default() {
            if !is_visible(self.parsed, item) {
                continue;
            }
            match item.kind() {
                "function_item" => self.function(item, Some(owner)),
                "const_item" => self.declaration(item, Some(owner), 0),
                _ => {}
            }
        }
    }

    /// The names that a `pub use` makes.
    fn reexports(&mut self, node: Node<'_>, module: Option<&str>) {
        let Some(argument) = node.child_by_field_name("argument") else {
            return;
        };
        let mut names = Vec::new();
        walk(argument, |node| match node.kind() {
            "use_as_clause" => {
                names.extend(self.parsed.field(node, "alias"));
                Down::Past
            }
            "scoped_identifier" => {
                names.extend(self.parsed.field(node, "name"));
                Down::Past
            }
            "scoped_use_list" | "use_list" => Down::Into,
            "identifier" => {
                // The path of a list is no name that it makes.
                let is_path = node.parent().is_some_and(|parent| {
                    parent.child_by_field_name("path").map(|path| path.id()) == Some(node.id())
                });
                names.extend((!is_path).then(|| self.parsed.word(node)));
                Down::Past
            }
            _ => Down::Past,
        });
        for name in names {
            self.items.push(Item::new("use", name).of(module, "::"));
        }
    }

    /// `.route("/users", get(list).post(add))`.
    fn route(&mut self, call: Node<'_>) {
        let function = call.child_by_field_name("function");
        let is_route = function.and_then(|f| self.parsed.field(f, "field")) == Some("route");
        let arguments = call.child_by_field_name("arguments").map(children);
        let Some([path, handlers, ..]) = arguments.as_deref().filter(|_| is_route) else {
            return;
        };
        let Some(path) = routes::path(self.parsed.word(*path)) else {
            return;
        };
        walk(*handlers, |node| {
            if node.kind() == "call_expression" {
                let function = node.child_by_field_name("function");
                let name = function.map(|f| {
                    let last = f.child_by_field_name("field");
                    let last = last.or_else(|| f.child_by_field_name("name"));
                    self.parsed.word(last.unwrap_or(f))
                });
                if let Some(method) = name.and_then(routes::method) {
                    self.items.push(routes::route(method, path));
                }
            }
            Down::Into
        });
    }
}

/// Whether other files can use it. `pub(self)` is for nobody else.
fn is_visible(parsed: &Parsed<'_>, node: Node<'_>) -> bool {
    if node.kind() == "macro_definition" {
        let before = node.prev_named_sibling();
        return before.is_some_and(|node| {
            node.kind() == "attribute_item" && parsed.word(node).contains("macro_export")
        });
    }
    let visibility = child(node, &["visibility_modifier"]);
    visibility.is_some_and(|visibility| parsed.text(visibility) != Text::plain("pub ( self )"))
}
