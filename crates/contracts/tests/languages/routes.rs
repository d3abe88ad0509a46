use super::{names, play};

#[test]
fn routes_of_the_common_frameworks_are_exports() {
    play(
        "server.js",
        "const app = express();\napp.get('/users', list);\nrouter.post('/users/:id', auth, save);\naxios.get('/remote', {});\n",
        &[
            ("'/users',", "'/people',", &["GET /users -> GET /people"]),
            ("router.post", "router.put", &["removed: POST /users/:id"]),
            ("axios.get('/remote'", "axios.get('/elsewhere'", &[]),
            ("list", "listAll", &[]),
        ],
    );
    play(
        "api.py",
        "@app.get(\"/users\")\nasync def users(): ...\n\n@app.route(\"/old\", methods=[\"GET\", \"POST\"])\ndef old(): ...\n",
        &[
            ("\"/users\"", "\"/people\"", &["GET /users -> GET /people"]),
            (", \"POST\"]", "]", &["removed: POST /old"]),
        ],
    );
    play(
        "api.rs",
        "fn routes() -> Router {\n    Router::new()\n        .route(\"/users\", get(list).post(add))\n        .route(\"/health\", axum::routing::get(health))\n}\n",
        &[
            (".post(add)", "", &["removed: POST /users"]),
            (
                "\"/health\"",
                "\"/healthz\"",
                &["GET /health -> GET /healthz"],
            ),
            ("get(list)", "get(all)", &[]),
        ],
    );
    play(
        "Api.java",
        "public class Api {\n    @GetMapping(\"/users\")\n    List<User> all() { return null; }\n}\n",
        &[("\"/users\"", "\"/people\"", &["GET /users -> GET /people"])],
    );
}

#[test]
fn a_fixed_path_is_a_name_and_a_pattern_is_none() {
    let before = "app.get('/users', a);\napp.get('/users/:id', b);\n";
    assert_eq!(names("a.js", before, ""), ["/users"]);
}
