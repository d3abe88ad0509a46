//! Configuration: what counts, what is refused, and what is said about it.

use std::{fs, path::Path};

use kite_daemon::config::{self, Config, Durability, Guard, Hold, Loaded};

fn nothing(_name: &str) -> Option<String> {
    None
}

fn home(text: &str) -> Loaded {
    let directory = tempfile::tempdir().expect("a directory");
    fs::write(directory.path().join("config.toml"), text).expect("written");
    config::load(directory.path(), &nothing)
}

fn problems(loaded: &Loaded) -> Vec<String> {
    let text = |problem: &config::Problem| {
        let line = problem
            .line
            .map_or(String::new(), |line| format!("{line}: "));
        format!("{line}{} ({})", problem.message, problem.hint)
    };
    loaded.problems.iter().map(text).collect()
}

#[test]
fn without_a_file_the_defaults_count() {
    let loaded = config::load(Path::new("/absent/home"), &nothing);
    assert!(loaded.problems.is_empty());
    let expected = Config {
        guard: Guard::Open,
        hold: Hold::Edit,
        intent: true,
        git_guard: true,
        undo_max_mib: 1_024,
        undo_days: 14,
        undo_snapshots: 200,
        notes: true,
        hold_wait_ms: 2_000,
        lock_ttl_s: 1_800,
        session_ttl_s: 60,
        durability: Durability::Normal,
        log_days: 14,
        log_max_mib: 256,
        log_full: Vec::new(),
        ..Config::default()
    };
    assert_eq!(loaded.config, expected);
    assert_eq!(Config::default(), expected);
}

#[test]
fn every_setting_can_be_set() {
    let loaded = home(
        "guard = 'strict'\nhold = 'turn'\nintent = false\ngit_guard = 'off'\nundo_max_mib = 5\nundo_days = 6\nundo_snapshots = 7\nnotes = 'off'\nhold_wait_ms = 0\n\
         lock_ttl_s = 0x64\nsession_ttl_s = 30\ndurability = 'power'\nlog_days = 1_000\n\
         log_max_mib = 1\nlog_full = ['Bash', 'WebFetch']\n",
    );
    assert_eq!(problems(&loaded), [""; 0]);
    let expected = Config {
        guard: Guard::Strict,
        hold: Hold::Turn,
        intent: false,
        git_guard: false,
        undo_max_mib: 5,
        undo_days: 6,
        undo_snapshots: 7,
        notes: false,
        hold_wait_ms: 0,
        lock_ttl_s: 100,
        session_ttl_s: 30,
        durability: Durability::Power,
        log_days: 1_000,
        log_max_mib: 1,
        log_full: vec!["Bash".into(), "WebFetch".into()],
        ..Config::default()
    };
    assert_eq!(loaded.config, expected);
}

#[test]
fn what_is_wrong_is_said_with_its_line_and_the_rest_counts() {
    let loaded =
        home("# mine\nhodl = 'turn'\nhold_wait_ms = 'long'\nlog_days = 0\n\nguard = 'strict'\n");
    assert_eq!(
        problems(&loaded),
        [
            "2: unknown key `hodl` (did you mean `hold`?)",
            "3: `hold_wait_ms` is not a whole number from 0 to 4500; it is ignored (docs/config.md describes it)",
            "4: `log_days` is not a whole number from 1 to 3650; it is ignored (docs/config.md describes it)",
        ]
    );
    assert_eq!(
        loaded
            .problems
            .iter()
            .map(|p| p.is_error)
            .collect::<Vec<_>>(),
        [false, true, true]
    );
    assert_eq!(
        loaded.config,
        Config {
            guard: Guard::Strict,
            ..Config::default()
        }
    );
}

#[test]
fn what_is_not_toml_is_said_with_its_line() {
    let loaded = home("guard = 'strict'\nhold = = 'turn'\n");
    assert_eq!(loaded.problems.len(), 1);
    assert_eq!(loaded.problems[0].line, Some(2), "{}", loaded.problems[0]);
    assert_eq!(loaded.config, Config::default());
    for text in [
        "\u{0}",
        "[[[[",
        "guard",
        "a = [",
        "= 1",
        "guard = {}",
        "[guard]\nx = 1",
    ] {
        let loaded = home(text);
        assert_eq!(loaded.config, Config::default(), "{text}");
        assert!(!loaded.problems.is_empty(), "{text}");
    }
    assert!(
        !home(&"a = 1\n".repeat(300_000)).problems.is_empty(),
        "too long"
    );
}

#[test]
fn the_environment_counts_most() {
    let directory = tempfile::tempdir().expect("a directory");
    fs::write(
        directory.path().join("config.toml"),
        "hold_wait_ms = 100\nlog_days = 3\n",
    )
    .expect("written");
    let environment = |name: &str| match name {
        "KITE_HOLD_WAIT_MS" => Some("5".to_owned()),
        "KITE_LOG_FULL" => Some("Bash, WebFetch,".to_owned()),
        "KITE_HOLD" => Some("for ever".to_owned()),
        _ => None,
    };
    let loaded = config::load(directory.path(), &environment);
    assert_eq!((loaded.config.hold_wait_ms, loaded.config.log_days), (5, 3));
    assert_eq!(loaded.config.log_full, ["Bash", "WebFetch"]);
    assert_eq!(
        loaded
            .problems
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>(),
        ["KITE_HOLD: `for ever` is not \"edit\" or \"turn\" (the variable is ignored)"]
    );
}

#[test]
fn a_repository_may_not_loosen_what_guards_its_user() {
    let repository = tempfile::tempdir().expect("a directory");
    fs::create_dir(repository.path().join(".kite")).expect("made");
    let text = "guard = 'open'\ndurability = 'normal'\nlog_full = ['*']\nlog_days = 1\nundo_max_mib = 1\nundo_days = 1\nundo_snapshots = 1\nhold = 'turn'\nnotes = false\n";
    fs::write(repository.path().join(".kite/config.toml"), text).expect("written");
    let mine = Config {
        guard: Guard::Strict,
        ..Config::default()
    };
    let loaded = config::for_repository(&mine, repository.path(), &nothing);
    assert_eq!(
        loaded.config,
        Config {
            hold: Hold::Turn,
            notes: false,
            ..mine.clone()
        }
    );
    assert_eq!(loaded.problems.len(), 7);
    assert!(
        loaded.problems[0]
            .message
            .contains("a repository may not set `guard`")
    );
    let overridden = |name: &str| (name == "KITE_HOLD").then(|| "edit".to_owned());
    let loaded = config::for_repository(&mine, repository.path(), &overridden);
    assert_eq!(loaded.config.hold, Hold::Edit);
}

#[test]
fn the_limits_of_undo_are_those_that_are_set() {
    let set = |name: &str| match name {
        "KITE_UNDO_MAX_MIB" => Some("2".to_owned()),
        "KITE_UNDO_DAYS" => Some("3".to_owned()),
        "KITE_UNDO_SNAPSHOTS" => Some("4".to_owned()),
        _ => None,
    };
    let home = tempfile::tempdir().expect("a directory");
    let undo = config::load(home.path(), &set).config.undo();
    let days = std::time::Duration::from_secs(3 * 24 * 60 * 60);
    assert_eq!(
        (undo.images.bytes_max, undo.images.age_max),
        (2 << 20, days)
    );
    let keep = undo.snapshots.keep;
    assert_eq!((keep.count_max, keep.age_max), (4, days));
    let declared = Config::default().undo();
    let usual = kite_undo::Settings::default();
    assert_eq!(declared.images, usual.images);
    assert_eq!(declared.snapshots.keep, usual.snapshots.keep);
}

#[test]
fn the_page_is_generated_from_the_declarations() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/config.md");
    let expected = config::reference();
    if std::env::var_os("KITE_TEST_WRITE_DOCS").is_some() {
        fs::write(&page, &expected).expect("written");
    }
    let found = fs::read_to_string(&page).unwrap_or_default();
    assert_eq!(
        found, expected,
        "run the test with KITE_TEST_WRITE_DOCS=1 to write docs/config.md"
    );
}
