use super::play;

const CART: &str = r#"const tax = 0.2;

function total(items, discount) {
  return items.length * (1 - discount);
}

class Cart {
  add(item) { this.items.push(item); }
}

const helper = () => 1;

exports.rate = (country) => tax;

module.exports = { total, Cart, limits: { max: 5 }, round(n) { return n; } };
"#;

#[test]
fn common_js_exports_what_it_names() {
    play(
        "lib/cart.js",
        CART,
        &[
            (
                "function total(items, discount)",
                "function total(items)",
                &["total(items, discount) -> total(items)"],
            ),
            (
                "  add(item) {",
                "  add(item, count) {",
                &["Cart.add(item) -> Cart.add(item, count)"],
            ),
            (
                "round(n) {",
                "round(n, digits) {",
                &["round(n) -> round(n, digits)"],
            ),
            (
                "exports.rate = (country)",
                "exports.rate = (country, year)",
                &["rate(country) -> rate(country, year)"],
            ),
            ("{ total, Cart,", "{ Cart,", &["removed: function total"]),
            ("return items.length", "return 2 * items.length", &[]),
            ("const helper = () => 1;", "", &[]),
            ("max: 5", "max: 6", &[]),
        ],
    );
}

#[test]
fn modules_export_what_they_export() {
    let module = "export function f(a) { return a }\n\
        export const api = { list() {}, get: async (id) => id, base: '/api' }\n\
        export * from './other.js'\n";
    play(
        "m.mjs",
        module,
        &[
            ("f(a)", "f(a, b = {})", &["f(a) -> f(a, b = {})"]),
            (
                "(id) =>",
                "(id, fields) =>",
                &["async api.get(id) -> async api.get(id, fields)"],
            ),
            ("base: '/api'", "root: '/api'", &["api.base -> api.root"]),
            ("export * from './other.js'\n", "", &["removed: export *"]),
            ("return a ", "return 1 ", &[]),
        ],
    );
}
