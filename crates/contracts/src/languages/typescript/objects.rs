//! Values that are declarations: functions, objects, what a schema library makes of an object,
//! and `module.exports`.

use tree_sitter::Node;

use super::{Reader, is_function};
use crate::{
    Item,
    tree::{child, children},
};

/// Calls that a call may be made on: `z.object({}).strict().optional()`.
const CHAIN_MAX: usize = 16;

impl<'a> Reader<'a> {
    /// A value that is exported under this name.
    pub(super) fn value(
        &mut self,
        name: &str,
        value: Node<'a>,
        declarator: Option<Node<'a>>,
        owner: Option<&str>,
    ) {
        let mut item = Item::new("const", name).of(owner, ".");
        if let Some(declarator) = declarator {
            item.result = self.annotation(declarator, "type");
        }
        let value = unwrapped(value);
        match value.kind() {
            _ if is_function(value) => {
                let kind = "function";
                self.function(value, Item { kind, ..item });
            }
            "class" => self.declaration(value, Some(name), owner, 0),
            "object" => {
                self.items.push(item);
                self.pairs(value, name, false);
            }
            "call_expression" => {
                self.items.push(item);
                if let Some(object) = object_of(value) {
                    self.pairs(object, name, true);
                }
            }
            _ => self.items.push(item),
        }
    }

    /// The keys of an object. `is_schema`: what they hold is what a library makes a type of.
    fn pairs(&mut self, object: Node<'_>, owner: &str, is_schema: bool) {
        for pair in children(object) {
            let item = |name: &str| {
                let name = name.trim_matches(['"', '\'']);
                Item::new("field", name).of(Some(owner), ".")
            };
            match pair.kind() {
                "shorthand_property_identifier" => self.items.push(item(self.parsed.word(pair))),
                "method_definition" => {
                    let name = self.parsed.field(pair, "name").unwrap_or_default();
                    self.function(pair, item(name));
                }
                "pair" => {
                    let name = self.parsed.field(pair, "key").unwrap_or_default();
                    let value = pair.child_by_field_name("value").map(unwrapped);
                    match value {
                        Some(value) if is_function(value) => self.function(value, item(name)),
                        Some(value) if is_schema && value.kind() == "call_expression" => {
                            let result = self.parsed.text(value);
                            self.items.push(Item {
                                result,
                                ..item(name)
                            });
                        }
                        _ => self.items.push(item(name)),
                    }
                }
                _ => {}
            }
        }
    }

    /// `module.exports = { a, b }`, `module.exports = f`, `exports.a = ...`.
    pub(super) fn common_js(&mut self, statement: Node<'a>) {
        let Some(assignment) = child(statement, &["assignment_expression"]) else {
            return;
        };
        let (Some(left), Some(value)) = (
            self.parsed.field(assignment, "left"),
            assignment.child_by_field_name("right"),
        ) else {
            return;
        };
        let named = left
            .strip_prefix("module.exports.")
            .or_else(|| left.strip_prefix("exports."));
        if let Some(name) = named {
            self.exported(name, value);
        } else if left == "module.exports" && value.kind() == "object" {
            for pair in children(value) {
                let name = self.parsed.field(pair, "key");
                match (pair.kind(), name, pair.child_by_field_name("value")) {
                    ("shorthand_property_identifier", ..) => {
                        self.exported(self.parsed.word(pair), pair);
                    }
                    ("pair", Some(name), Some(value)) => self.exported(name, value),
                    ("method_definition", ..) => {
                        let name = self.parsed.field(pair, "name").unwrap_or_default();
                        self.function(pair, Item::new("function", name));
                    }
                    _ => {}
                }
            }
        } else if left == "module.exports" {
            self.exported("default", value);
        }
    }

    /// A value under this name; a local declaration where the value only names one.
    fn exported(&mut self, name: &str, value: Node<'a>) {
        match self.locals.get(self.parsed.word(value)).cloned() {
            Some(locals) => {
                let alias = (name != "default").then_some(name);
                self.local(&locals, alias, 1);
            }
            None => self.value(name, value, None, None),
        }
    }
}

/// Without `as const`, `satisfies T` and parentheses.
fn unwrapped(mut value: Node<'_>) -> Node<'_> {
    for _ in 0..CHAIN_MAX {
        let is_wrapped = matches!(
            value.kind(),
            "as_expression" | "satisfies_expression" | "parenthesized_expression"
        );
        match value.named_child(0).filter(|_| is_wrapped) {
            Some(inner) => value = inner,
            None => break,
        }
    }
    value
}

/// The first object that a call, or the call that it is made on, is given.
fn object_of(mut call: Node<'_>) -> Option<Node<'_>> {
    let mut found = None;
    for _ in 0..CHAIN_MAX {
        let arguments = call.child_by_field_name("arguments").map(children);
        let arguments = arguments.unwrap_or_default();
        let object = arguments.into_iter().find(|it| it.kind() == "object");
        found = object.or(found);
        let function = call.child_by_field_name("function");
        let on = function.and_then(|function| function.child_by_field_name("object"));
        match on.filter(|on| on.kind() == "call_expression") {
            Some(inner) => call = inner,
            None => break,
        }
    }
    found
}
