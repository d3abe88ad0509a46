use kite_contracts::compare;

use super::play;

#[test]
fn of_an_unknown_language_declarations_are_told_from_bodies_by_their_look() {
    let header = "#include <a.h>\n\n#define MAX 5\n\n/* opens it */\nint shop_open(const char *path);\nstatic int inner(void)\n{\n    return 1;\n}\n";
    play(
        "shop.h",
        header,
        &[
            (
                "int shop_open(const char *path);",
                "int shop_open(const char *path, int flags);",
                &[
                    "int shop_open(const char *path); -> int shop_open(const char *path, int flags);",
                ],
            ),
            (
                "#define MAX 5",
                "#define MAX 6",
                &["#define MAX 5 -> #define MAX 6"],
            ),
            ("    return 1;", "    return 2;", &[]),
            ("/* opens it */", "/* shuts it */", &[]),
            (
                "int shop_open(const char *path);",
                "int  shop_open(const char *path);\nint shop_shut(void);",
                &[],
            ),
        ],
    );
    play(
        "user.rb",
        "class User\n  attr_reader :email\n  def rename(to)\n    @name = to\n  end\nend\n",
        &[
            (
                "def rename(to)",
                "def rename(to, why)",
                &["def rename(to) -> def rename(to, why)"],
            ),
            ("@name = to", "@name = to.strip", &[]),
        ],
    );
}

#[test]
fn of_a_schema_or_settings_each_line_counts() {
    play(
        "user.proto",
        "// Somebody.\nmessage User {\n  string email = 1;\n  int32 age = 2;\n}\n",
        &[
            (
                "  string email = 1;",
                "  repeated string emails = 1;",
                &["string email = 1; -> repeated string emails = 1;"],
            ),
            ("  int32 age = 2;\n", "", &["removed: int32 age = 2;"]),
            ("  int32 age = 2;", "  int32 age = 2;\n  bool old = 3;", &[]),
            ("// Somebody.", "// Anybody.", &[]),
            ("  string email", "    string email", &[]),
        ],
    );
}

#[test]
fn prose_and_generated_files_are_silent() {
    for path in [
        "README.md",
        "notes.txt",
        "package-lock.json",
        "Cargo.lock",
        "a.csv",
        ".env",
    ] {
        assert_eq!(compare(path, "a = 1\nb = 2\n", "a = 2\n"), None, "{path}");
    }
}
