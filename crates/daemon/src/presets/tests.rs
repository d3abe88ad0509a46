//! Presets as they are used: an order in, a command out; an end in, a report out.

use std::fs;

use super::*;

fn order() -> Order {
    Order {
        agent: "a".repeat(32),
        prompt: "Do it.\n".to_owned(),
        session_id: "11111111-2222-4333-8444-555555555555".to_owned(),
        directory: "/k/agents/a".into(),
        cwd: "/shop".into(),
        home: "/k".into(),
        kite: "/k/bin/kite".into(),
        ..Order::default()
    }
}

fn command(preset: &Preset, order: &Order) -> Command {
    let names = [
        "PATH",
        "ANTHROPIC_API_KEY",
        "AWS_REGION",
        "SECRET",
        "KITE_AGENT",
    ];
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    preset.command(order, &|name| Some(format!("<{name}>")), &names)
}

fn home(config: &str) -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join("config.toml"), config).unwrap();
    home
}

fn variable<'a>(command: &'a Command, name: &str) -> Option<&'a str> {
    let found = command.environment.iter().find(|(known, _)| known == name);
    found.map(|(_, value)| value.as_str())
}

#[test]
fn claude_code_is_told_on_standard_input_and_gets_what_was_asked_for() {
    let preset = named(home("").path(), "claude").unwrap();
    let plain = command(&preset, &order());
    assert_eq!(plain.argv[..4], ["claude", "-p", "--output-format", "json"]);
    assert!(
        !plain
            .argv
            .iter()
            .any(|word| word == "--model" || word == "--max-turns" || word == "--allowedTools")
    );
    assert_eq!(plain.input, "Do it.\n");
    assert_eq!(
        plain.client_session_id.as_deref(),
        Some("11111111-2222-4333-8444-555555555555")
    );
    let all = Order {
        model: Some("opus".to_owned()),
        max_turns: Some(7),
        budget_usd: Some(1.5),
        permission_mode: PermissionMode::AcceptEdits,
        ..order()
    };
    let line = command(&preset, &all).argv.join(" ");
    for part in [
        "--model opus",
        "--max-turns 7",
        "--max-budget-usd 1.5",
        "--permission-mode acceptEdits",
        "--allowedTools Bash(git add:*)",
    ] {
        assert!(line.contains(part), "{line}");
    }
}

/// In each mode, the least first: Codex's sandbox, Gemini's approval mode, whether opencode may edit
/// and run commands.
#[test]
fn an_agent_gets_no_more_rights_than_its_permission_mode() {
    let none = home("");
    let of = |name: &str, permission_mode| {
        let order = Order {
            permission_mode,
            ..order()
        };
        command(&named(none.path(), name).unwrap(), &order)
    };
    for (mode, sandbox, approval, may_edit, may_run) in [
        (PermissionMode::Plan, "read-only", "default", false, false),
        (
            PermissionMode::Default,
            "read-only",
            "default",
            false,
            false,
        ),
        (
            PermissionMode::AcceptEdits,
            "workspace-write",
            "auto_edit",
            true,
            false,
        ),
        (
            PermissionMode::Auto,
            "workspace-write",
            "auto_edit",
            true,
            false,
        ),
        (
            PermissionMode::BypassPermissions,
            "danger-full-access",
            "yolo",
            true,
            true,
        ),
    ] {
        let codex = of("codex", mode).argv.join(" ");
        let told = format!("--sandbox {sandbox} -c approval_policy=\"never\" -");
        assert!(codex.ends_with(&told), "{codex}");
        let gemini = of("gemini", mode).argv.join(" ");
        let told = format!("--approval-mode {approval} ");
        assert!(gemini.contains(&told), "{gemini}");
        let opencode = of("opencode", mode);
        assert_eq!(opencode.argv, ["opencode", "run", "--agent", "build"]);
        let json = |name: &str| -> serde_json::Value {
            serde_json::from_str(variable(&opencode, name).unwrap()).unwrap()
        };
        let content = json("OPENCODE_CONFIG_CONTENT");
        for table in [
            &json("OPENCODE_PERMISSION"),
            &content["permission"],
            &content["agent"]["build"]["permission"],
        ] {
            let allows = |tool: &str| {
                let rule = table.get(tool).or_else(|| table.get("*"));
                rule.is_none_or(|rule| rule == "allow")
            };
            assert_eq!(
                (allows("edit"), allows("bash")),
                (may_edit, may_run),
                "{table}"
            );
            assert_eq!(
                (allows("task"), allows("webfetch")),
                (may_run, may_run),
                "{table}"
            );
        }
    }
}

#[test]
fn an_agent_gets_the_variables_that_are_allowed_and_no_others() {
    let preset = named(home("").path(), "claude").unwrap();
    let command = command(&preset, &order());
    assert_eq!(
        variable(&command, "ANTHROPIC_API_KEY"),
        Some("<ANTHROPIC_API_KEY>")
    );
    assert_eq!(variable(&command, "SECRET"), None);
    assert_eq!(
        variable(&command, "KITE_AGENT"),
        Some("a".repeat(32).as_str())
    );
    assert_eq!(variable(&command, "KITE_HOME"), Some("/k"));
}

#[test]
fn a_person_declares_presets_of_their_own() {
    let home = home(
        r#"
        [agents.mine]
        argv = ["sh", "/bin/agent.sh", ["--model", "{model}"], "{prompt_file}"]
        environment = ["SEC*"]
        set = { WHERE = "{cwd}", KITE_AGENT = "forged" }

        [agents.claude]
        program = "/opt/claude"
        "#,
    );
    let mine = named(home.path(), "mine").unwrap();
    assert_eq!(mine.client, "mine");
    let mine = command(&mine, &order());
    assert_eq!(mine.argv, ["sh", "/bin/agent.sh", "/k/agents/a/prompt.md"]);
    assert_eq!(
        (mine.input.as_str(), mine.prompt_file.as_deref()),
        ("", Some("Do it.\n"))
    );
    assert_eq!(variable(&mine, "SECRET"), Some("<SECRET>"));
    assert_eq!(variable(&mine, "WHERE"), Some("/shop"));
    assert_eq!(variable(&mine, "KITE_AGENT"), Some("a".repeat(32).as_str()));
    let claude = named(home.path(), "claude").unwrap();
    assert_eq!(command(&claude, &order()).argv[..2], ["/opt/claude", "-p"]);
}

#[test]
fn a_preset_that_cannot_be_used_says_why() {
    for (config, name, why) in [
        ("", "claud", "claude"),
        ("[agents.x]\n", "x", "argv"),
        ("[agents.x]\nargv = [1]\n", "x", "texts"),
        ("[agents.x]\nargv = [\"{modle}\"]\n", "x", "{modle}"),
        ("[agents.x]\nargs = []\n", "x", "argv"),
        ("[agents.x\n", "x", "TOML"),
        ("[agents]\nx = 3\n", "x", "table"),
    ] {
        let fault = named(home(config).path(), name).unwrap_err();
        let told = format!("{} {}", fault.message, fault.hint);
        assert!(told.contains(why), "{told}");
    }
}

fn ended(output: &str, code: i32) -> Report {
    let end = End {
        code: Some(code),
        signal: None,
        output: output.to_owned(),
        log: output.to_owned(),
    };
    claude::preset().read(&end)
}

#[test]
fn other_programs_are_known_by_their_exit_code() {
    let end = |code, signal| End {
        code,
        signal,
        output: "\nall is well\n".to_owned(),
        log: String::new(),
    };
    let read = |end: &End| {
        let report = plain::read(end);
        (report.outcome, report.text)
    };
    assert_eq!(
        read(&end(Some(0), None)),
        (Outcome::Done, "all is well".to_owned())
    );
    assert_eq!(
        read(&end(Some(3), None)),
        (Outcome::Died, "exit code 3".to_owned())
    );
    assert_eq!(
        read(&end(None, Some(9))),
        (Outcome::Died, "signal 9".to_owned())
    );
}

#[test]
fn a_claude_that_says_nothing_at_its_end_has_died() {
    assert_eq!(ended("", 1).outcome, Outcome::Died);
    assert_eq!(ended("", 0).outcome, Outcome::Died);
    assert_eq!(
        ended("Invalid API key · Please run /login", 1).outcome,
        Outcome::Unauthorized
    );
    // Words of a task in the log of one that was killed are no answer of its service.
    let killed = End {
        signal: Some(9),
        log: "writing about rate limits".to_owned(),
        ..End::default()
    };
    assert_eq!(claude::preset().read(&killed).outcome, Outcome::Died);
}
