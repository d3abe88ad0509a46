use super::{names, play};

const MODELS: &str = r#""""What the shop knows."""
from dataclasses import dataclass
from django.db import models

LIMIT = 5
_cache = {}
Pair = tuple[int, int]


@dataclass
class User:
    """Somebody."""
    name: str
    email: str = ""
    _secret: str = ""

    def __init__(self, name: str, email: str):
        self.name = name

    def rename(self, to: str) -> None:
        # the new one
        self.name = to

    @property
    def short(self) -> str:
        return self.name[:3]

    def _hidden(self, a):
        return a


class Order(models.Model):
    total = models.IntegerField(default=0)


async def login(name: str, *, otp: str | None = None) -> User:
    return User(name, "")


def logout(user):
    _cache.clear()


def _private(a, b):
    return a


if True:
    def extra(a): ...
"#;

#[test]
fn what_others_use_is_noticed() {
    play(
        "shop/models.py",
        MODELS,
        &[
            (
                "async def login(name: str,",
                "async def login(name: str, age: int,",
                &[
                    "async login(name: str, *, otp: str | None = None) -> async login(name: str, age: int, *, otp: str | None = None)",
                ],
            ),
            (
                "-> User:",
                "-> User | None:",
                &["login() returns User -> User | None"],
            ),
            (
                "def logout(user):\n    _cache.clear()\n",
                "",
                &["removed: def logout"],
            ),
            (
                "def logout(user)",
                "def sign_out(user)",
                &["logout(user) -> sign_out(user)"],
            ),
            (
                "    email: str = \"\"",
                "    emails: list[str]",
                &["User.email -> User.emails[]"],
            ),
            (
                "    @property\n    def short",
                "    def short",
                &["@property User.short(self) -> User.short(self)"],
            ),
            (
                "def rename(self, to: str)",
                "def rename(self, to: str, why: str)",
                &["User.rename(self, to: str) -> User.rename(self, to: str, why: str)"],
            ),
            (
                "models.IntegerField(default=0)",
                "models.TextField()",
                &["Order.total: models.IntegerField(default=0) -> models.TextField()"],
            ),
            (
                "class Order(models.Model)",
                "class Order(Base)",
                &["Order: (models.Model) -> (Base)"],
            ),
            (
                "    def extra(a): ...",
                "    def extra(a, b): ...",
                &["extra(a) -> extra(a, b)"],
            ),
            ("LIMIT = 5\n", "", &["removed: name LIMIT"]),
        ],
    );
}

#[test]
fn bodies_comments_layout_and_additions_are_not() {
    play(
        "shop/models.py",
        MODELS,
        &[
            (
                "    _cache.clear()",
                "    _cache.clear()\n    print(user)",
                &[],
            ),
            ("        # the new one\n", "        # another\n\n", &[]),
            (
                "async def login(name: str, *,",
                "async def login(\n    name: str,  # who\n    *,",
                &[],
            ),
            ("\"\"\"Somebody.\"\"\"", "\"\"\"Anybody.\"\"\"", &[]),
            ("LIMIT = 5", "LIMIT = 6", &[]),
            ("def _private(a, b)", "def _private(a)", &[]),
            ("    def _hidden(self, a)", "    def _hidden(self)", &[]),
            ("    name: str\n", "    name: str\n    age: int = 0\n", &[]),
        ],
    );
}

#[test]
fn a_text_in_the_middle_of_an_edit_says_nothing() {
    play(
        "m.py",
        MODELS,
        &[("def logout(user):", "def logout(user", &[])],
    );
}

#[test]
fn a_constructor_is_used_by_the_name_of_its_class() {
    let changed = MODELS.replace(
        "def __init__(self, name: str, email: str)",
        "def __init__(self)",
    );
    assert_eq!(names("m.py", MODELS, &changed), ["User"]);
}
