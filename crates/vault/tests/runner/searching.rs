//! What is found, and how it is answered.

use kite_vault::{Listing, Reach, Scope, Trust, Vault};

use crate::support::Notes;

#[test]
fn a_note_is_found_by_every_part_of_it() {
    let mut notes = Notes::new();
    notes.put(
        "auth/login.md",
        "---\naliases: [Sign-in]\ntags: [security, web/session]\n---\n# Logging in\n\n\
         Tokens are refreshed by the gateway.\n\n## Passwords\n\nHashed with argon2. #crypto\n\
         See [[Key rotation|rotating keys]].\n",
    );
    notes.put("other.md", "Nothing of the kind.\n");
    for asked in [
        "logging",
        "login",
        "sign-in",
        "signin",
        "security",
        "session",
        "token",
        "refreshing",
        "password",
        "argon2",
        "crypto",
        "rotation",
        "GATEWAY",
    ] {
        let expected = if asked == "login" {
            ""
        } else {
            "auth/login.md"
        };
        let found = notes.found(asked);
        assert_eq!(
            found.first().map_or("", String::as_str),
            expected,
            "{asked}"
        );
    }
}

#[test]
fn the_answer_shows_the_best_section() {
    let mut notes = Notes::new();
    notes.put(
        "deploy.md",
        "# Deployment\n\nHow we ship.\n\n## Staging\n\nNothing special.\n\n## Production\n\n\
         The canary waits **ten minutes** before the rollout goes on.\n",
    );
    notes.rescan();
    let answers = notes.answers("how long does the canary wait before rollout?");
    let answer = &answers[0];
    assert_eq!(answer.title, "Deployment");
    assert_eq!(answer.heading, "Production");
    let snippet = &answer.snippet;
    assert!(snippet.text.contains("**ten minutes**"), "{snippet:?}");
    let shown: Vec<&str> = snippet
        .matches
        .iter()
        .map(|it| &snippet.text[it.clone()])
        .collect();
    assert_eq!(shown, ["canary", "waits", "rollout"]);
    assert!(answer.reviewed && answer.score > 0.0);
}

#[test]
fn identifiers_are_found_by_their_parts_and_as_a_whole() {
    let mut notes = Notes::new();
    notes.put(
        "a.md",
        "Call `getUserById` from src/auth.ts with `user_id`.\n",
    );
    notes.put("b.md", "The user reads by himself.\n");
    for asked in [
        "getUserById",
        "get_user_by_id",
        "getuserbyid",
        "auth.ts",
        "userId",
        "UserID",
    ] {
        assert_eq!(notes.found(asked)[0], "a.md", "{asked}");
    }
    assert_eq!(notes.found("auth"), ["a.md"]);
}

#[test]
fn prefixes_and_phrases() {
    let mut notes = Notes::new();
    notes.put("a.md", "Deployments are slow. The red fox jumps.\n");
    notes.put("b.md", "The fox is red. Deploy it.\n");
    assert_eq!(notes.found("jump*"), ["a.md"]);
    assert_eq!(notes.found("jumpi*"), [""; 0]);
    // A beginning stands for the words that begin so, in all their forms.
    assert_eq!(notes.found("deploym*").len(), 2);
    assert_eq!(notes.found("\"red fox\""), ["a.md"]);
    assert_eq!(notes.found("\"red fox\" deploy"), ["a.md"]);
    assert_eq!(notes.found("dep*").len(), 2);
}

#[test]
fn tags_narrow_a_search_and_stand_for_those_below() {
    let mut notes = Notes::new();
    notes.put("a.md", "---\ntags: team/backend\n---\nrelease\n");
    notes.put("b.md", "release #team/frontend\n");
    notes.put("c.md", "release\n");
    notes.rescan();
    let all = Reach::everything();
    let count = |notes: &mut Notes, text: &str, tags: &[&str]| notes.ask(text, tags, &all).len();
    assert_eq!(count(&mut notes, "release", &[]), 3);
    assert_eq!(count(&mut notes, "release", &["team"]), 2);
    assert_eq!(count(&mut notes, "release", &["#Team/Backend"]), 1);
    assert_eq!(count(&mut notes, "", &["team"]), 2);
}

#[test]
fn no_query_is_an_error() {
    let mut notes = Notes::new();
    notes.put("a.md", "NEAR AND OR NOT column: text\n");
    notes.rescan();
    let long = "word ".repeat(300_000);
    for asked in [
        "",
        " ",
        "\"",
        "\"\"\"",
        "*",
        "a*b*",
        "AND",
        "NOT NOT",
        "NEAR(a b, 3)",
        "(",
        ")",
        "text:",
        "title:x",
        "a OR",
        "^a",
        "-a",
        "{a b}",
        "'",
        "\\",
        "\0",
        "\u{202e}x",
        "a\"b\"c\"",
        "+ -",
        "\u{1F600}",
        "%_",
        "; DROP TABLE note; --",
        "(a{1000}){1000}",
        &long,
    ] {
        notes.answers(asked);
    }
    assert_eq!(notes.names("near"), ["a.md"]);
}

#[test]
fn scripts_without_spaces_and_accents_are_words_too() {
    let mut notes = Notes::new();
    notes.put("a.md", "設定ファイルを読む。\n");
    notes.put("b.md", "Ein Café in der Straße.\n");
    assert_eq!(notes.found("設定"), ["a.md"]);
    assert_eq!(notes.found("cafe"), ["b.md"]);
    assert_eq!(notes.found("CAFÉ"), ["b.md"]);
}

#[test]
fn of_two_equal_notes_the_newer_comes_first() {
    let mut notes = Notes::new();
    notes
        .put("a.md", "the same words\n")
        .put("b.md", "the same words\n");
    let old = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000);
    let file = std::fs::File::options()
        .write(true)
        .open(notes.path("a.md"))
        .expect("a note");
    file.set_modified(old).expect("an older time");
    assert_eq!(notes.found("same words"), ["b.md", "a.md"]);
}

#[test]
fn notes_stay_where_they_may_be_seen() {
    let mut notes = Notes::of(|home| {
        let of = |name: &str| {
            std::fs::create_dir_all(home.join(name).join(".kite/vault")).expect("a vault");
            std::fs::write(
                home.join(name).join(".kite/vault/n.md"),
                format!("{name} secret\n"),
            )
            .expect("a note");
            Vault::of_project(home.join(name), name, Trust::Trusted)
        };
        let mut cloned = Vec::new();
        for name in ["one", "two"] {
            cloned.push(of(name));
        }
        of("evil");
        cloned.push(Vault::of_project(
            home.join("evil"),
            "evil",
            Trust::Untrusted,
        ));
        cloned.push(Vault::chosen(home.join("vault"), Scope::Person));
        cloned
    });
    notes.put("mine.md", "my secret\n");
    let agents = |project: &str| {
        format!(
            "---\nkite-written:\n  - \"2026-01-01T00:00:00Z session a op 1 project {project}\"\n---\nsecret\n"
        )
    };
    notes.put("said-in-one.md", agents("one"));
    notes.put("said-in-nowhere.md", agents(""));
    notes.rescan();
    let titles = |notes: &mut Notes, reach: &Reach| {
        let mut texts: Vec<String> = notes
            .ask("secret", &[], reach)
            .iter()
            .map(|it| format!("{}:{}", it.in_vault.display(), it.snippet.text))
            .collect();
        texts.sort();
        texts
    };
    assert_eq!(
        titles(&mut notes, &Reach::project("one")),
        [
            "mine.md:my secret",
            "n.md:one secret",
            "said-in-one.md:secret"
        ]
    );
    assert_eq!(
        titles(&mut notes, &Reach::project("two")),
        ["mine.md:my secret", "n.md:two secret"]
    );
    assert_eq!(
        titles(&mut notes, &Reach::no_project()),
        ["mine.md:my secret"]
    );
    assert_eq!(
        titles(&mut notes, &Reach::project_without_vault("one")),
        ["mine.md:my secret", "said-in-one.md:secret"]
    );
    assert_eq!(
        titles(&mut notes, &Reach::project("two").and_project("one")).len(),
        4
    );
    assert_eq!(titles(&mut notes, &Reach::everything()).len(), 5);

    let mut listed = |reach: &Reach, which: Listing| {
        let listed = notes.searcher.list(reach, &which).expect("a list");
        let name = |it: &kite_vault::Listed| it.in_vault.display().to_string();
        listed.iter().map(name).collect::<Vec<_>>()
    };
    let one = Reach::project("one");
    let all = Listing::default();
    assert_eq!(
        listed(&one, all.clone()),
        ["n.md", "mine.md", "said-in-one.md"]
    );
    assert_eq!(listed(&Reach::no_project(), all.clone()), ["mine.md"]);
    let which = |unreviewed, path: &str, limit| Listing {
        unreviewed,
        path: Some(path.into()).filter(|_| !path.is_empty()),
        limit,
    };
    assert_eq!(listed(&one, which(true, "", None)), ["said-in-one.md"]);
    assert_eq!(listed(&one, which(false, "mine.md", None)), ["mine.md"]);
    assert_eq!(
        listed(&one, which(false, "said-in-nowhere.md", None)).len(),
        0
    );
    assert_eq!(listed(&one, which(false, "", Some(1))), ["n.md"]);
}
