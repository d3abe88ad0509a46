use super::{names, play};

const AUTH: &str = r#"//! Who may come in.

use std::fmt;

pub use crate::token::{Claims, Token as Bearer};

/// How long a login lasts.
pub const LIFETIME: Duration = Duration::from_secs(3_600);

#[derive(Clone, Debug)]
pub struct User {
    pub name: String,
    pub email: String,
    pub(crate) age: u32,
    secret: Vec<u8>,
}

pub struct Id(pub u64, bool);

pub enum Refusal {
    Unknown,
    Locked { until: u64 },
    Wrong(u8),
}

pub trait Keeper: Send {
    fn keep(&self, user: &User) -> Result<(), Refusal>;
}

impl User {
    pub fn new(name: &str, email: &str) -> User {
        User { name: name.into(), email: email.into(), age: 0, secret: vec![] }
    }

    pub async fn rename(&mut self, to: &str) {
        self.name = to.to_owned();
    }

    fn hidden(&self) -> u32 {
        self.age
    }
}

impl fmt::Display for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// Lets somebody in.
pub fn login<K: Keeper>(keeper: &K, name: &str) -> Result<User, Refusal> {
    let user = User::new(name, "");
    keeper.keep(&user)?;
    Ok(user)
}

pub fn logout(user: User) {
    drop(user);
}

pub mod codes {
    pub fn fresh() -> u32 {
        4
    }
}

fn private(a: u8) -> u8 {
    a
}
"#;

#[test]
fn what_others_use_is_noticed() {
    play(
        "src/auth.rs",
        AUTH,
        &[
            (
                "pub fn logout(user: User)",
                "pub fn logout(user: User, everywhere: bool)",
                &["logout(user: User) -> logout(user: User, everywhere: bool)"],
            ),
            (
                "name: &str) -> Result<User, Refusal> {",
                "name: &str) -> Option<User> {",
                &["login() returns Result<User, Refusal> -> Option<User>"],
            ),
            (
                "pub fn logout(user: User) {\n    drop(user);\n}\n",
                "",
                &["removed: fn logout"],
            ),
            (
                "pub fn logout",
                "pub fn sign_out",
                &["logout(user: User) -> sign_out(user: User)"],
            ),
            ("pub fn logout", "fn logout", &["removed: fn logout"]),
            (
                "pub email: String",
                "pub emails: Vec<String>",
                &["User.email -> User.emails[]"],
            ),
            (
                "pub email: String",
                "pub email: Email",
                &["User.email: String -> Email"],
            ),
            ("    pub email: String,\n", "", &["removed: User.email"]),
            ("pub(crate) age: u32", "age: u32", &["removed: User.age"]),
            ("pub u64, bool", "pub u128, bool", &["Id.0: u64 -> u128"]),
            (
                "    Wrong(u8),",
                "    Wrong(u8, u8),",
                &["Refusal::Wrong(u8) -> Refusal::Wrong(u8, u8)"],
            ),
            (
                "    Locked { until: u64 },",
                "    Locked {\n        #[serde(default)]\n        since: u64,\n    },",
                &["Refusal::Locked { until: u64 } -> Refusal::Locked { since: u64 }"],
            ),
            ("    Unknown,\n", "", &["removed: Refusal::Unknown"]),
            (
                "fn keep(&self, user: &User)",
                "fn keep(&mut self, user: &User)",
                &["Keeper::keep(&self, user: &User) -> Keeper::keep(&mut self, user: &User)"],
            ),
            (
                "pub async fn rename",
                "pub fn rename",
                &["async User::rename(&mut self, to: &str) -> User::rename(&mut self, to: &str)"],
            ),
            (
                "pub const LIFETIME: Duration",
                "pub const LIFETIME: u64",
                &["LIFETIME: Duration -> u64"],
            ),
            (
                "pub fn fresh() -> u32",
                "pub fn fresh() -> u64",
                &["codes::fresh() returns u32 -> u64"],
            ),
            ("Token as Bearer", "Token", &["removed: use Bearer"]),
            (
                "pub trait Keeper: Send",
                "pub trait Keeper: Send + Sync",
                &["Keeper: : Send -> : Send + Sync"],
            ),
        ],
    );
}

#[test]
fn bodies_comments_layout_and_additions_are_not() {
    play(
        "src/auth.rs",
        AUTH,
        &[
            (
                "    drop(user);",
                "    let name = user.name;\n    println!(\"{name}\");",
                &[],
            ),
            ("/// Lets somebody in.", "/// Lets nobody in.", &[]),
            (
                "pub fn logout(user: User) {",
                "pub fn logout(\n    user: User, // who\n) {",
                &[],
            ),
            (
                "pub fn logout(user: User) {",
                "pub fn logout(who: User) {",
                &[],
            ),
            ("from_secs(3_600)", "from_secs(60)", &[]),
            ("fn private(a: u8) -> u8", "fn private(a: u16) -> u16", &[]),
            (
                "fn hidden(&self) -> u32",
                "fn hidden(&self, more: u8) -> u32",
                &[],
            ),
            ("    secret: Vec<u8>,", "    secret: String,", &[]),
            ("    Unknown,", "    Unknown,\n    Expired,", &[]),
            (
                "pub mod codes",
                "pub fn added(a: u8) {}\n\npub mod codes",
                &[],
            ),
            ("fn hidden", "pub fn hidden", &[]),
            ("#[derive(Clone, Debug)]", "#[derive(Clone)]", &[]),
        ],
    );
}

#[test]
fn a_text_in_the_middle_of_an_edit_says_nothing() {
    play(
        "src/auth.rs",
        AUTH,
        &[
            (
                "pub fn logout(user: User) {",
                "pub fn logout(user: User, {",
                &[],
            ),
            (
                "    keeper.keep(&user)?;\n    Ok(user)\n}",
                "    keeper.keep(&user)?;\n    Ok(us",
                &[],
            ),
        ],
    );
}

#[test]
fn a_renamed_type_is_one_line_and_many_changes_are_three() {
    let renamed = AUTH.replace("User", "Account");
    let said = kite_contracts::compare("a.rs", AUTH, &renamed).unwrap();
    assert!(
        said.lines.contains(&"User -> Account".to_owned()),
        "{said:?}"
    );
    let gone = kite_contracts::compare("a.rs", AUTH, "").unwrap();
    assert_eq!(gone.lines.len(), 3);
    assert!(gone.lines[2].ends_with(" more"), "{gone:?}");
}

#[test]
fn the_names_are_those_that_mean_something_else_now() {
    let changed = AUTH
        .replace("pub email: String", "pub emails: Vec<String>")
        .replace(
            "pub fn logout(user: User)",
            "pub fn logout(user: User, all: bool)",
        )
        .replace(
            "pub fn new(name: &str, email: &str)",
            "pub fn new(name: &str)",
        );
    assert_eq!(
        names("a.rs", AUTH, &changed),
        ["User", "User.email", "logout"]
    );
}
