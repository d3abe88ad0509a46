use super::play;

const STORE: &str = r#"// Package store keeps things.
package store

import "context"

const Limit = 5

var ErrGone = errors.New("gone")

type ID int64

type User struct {
	Name, Nick string
	Email      string `json:"email"`
	age        int
	Base
}

type Store interface {
	Get(ctx context.Context, id ID) (*User, error)
	io.Closer
}

func New(path string) (*User, error) {
	return nil, nil
}

func (u *User) Rename(to string) {
	u.Name = to
}

func (s *hidden) Public() {}

func helper(a int) int { return a }
"#;

#[test]
fn what_others_use_is_noticed() {
    play(
        "store/store.go",
        STORE,
        &[
            (
                "func New(path string)",
                "func New(path string, size int)",
                &["New(path string) -> New(path string, size int)"],
            ),
            (
                "func New(path string) (*User, error)",
                "func New(path string) *User",
                &["New() returns (*User, error) -> *User"],
            ),
            (
                "	Email      string `json:\"email\"`",
                "	Emails     []string `json:\"email\"`",
                &["User.Email -> User.Emails[]"],
            ),
            (
                "`json:\"email\"`",
                "`json:\"mail\"`",
                &["User.Email: `json:\"email\"` -> `json:\"mail\"`"],
            ),
            ("Name, Nick string", "Name string", &["removed: User.Nick"]),
            (
                "	Get(ctx context.Context, id ID)",
                "	Get(id ID)",
                &["Store.Get(ctx context.Context, id ID) -> Store.Get(id ID)"],
            ),
            (
                "func (u *User) Rename(to string)",
                "func (u *User) Rename(to string, at int)",
                &["User.Rename(to string) -> User.Rename(to string, at int)"],
            ),
            ("type ID int64", "type ID string", &["ID: int64 -> string"]),
            (
                "var ErrGone = errors.New(\"gone\")\n",
                "",
                &["removed: var ErrGone"],
            ),
            ("	io.Closer\n", "", &["Store: io.Closer -> nothing"]),
        ],
    );
}

#[test]
fn bodies_comments_layout_and_additions_are_not() {
    play(
        "store/store.go",
        STORE,
        &[
            ("func New(path string)", "func New(name string)", &[]),
            ("	u.Name = to", "	u.Name = strings.TrimSpace(to)", &[]),
            (
                "// Package store keeps things.",
                "// Package store loses things.",
                &[],
            ),
            ("	age        int\n", "	years int\n", &[]),
            ("func helper(a int) int", "func helper(a string) int", &[]),
            ("const Limit = 5", "const Limit = 6", &[]),
            ("	Base\n", "	Base\n	Phone string\n", &[]),
            ("func (s *hidden) Public() {}\n", "", &[]),
            ("func New(path string)", "func New(\n	path string,\n)", &[]),
            (
                "func New(path string) (*User, error) {",
                "func New(path string) (*User, error",
                &[],
            ),
        ],
    );
}
