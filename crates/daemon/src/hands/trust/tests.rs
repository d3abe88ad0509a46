use std::{fs, path::Path, process::Command};

use serde_json::json;
use tempfile::TempDir;

use super::{Part, parts};

struct Repository {
    directory: TempDir,
}

impl Repository {
    fn new() -> Repository {
        let directory = tempfile::tempdir().unwrap();
        let repository = Repository { directory };
        repository.git(&["init", "-q"]);
        repository
    }

    fn top(&self) -> &Path {
        self.directory.path()
    }

    fn git(&self, words: &[&str]) {
        let output = Command::new("git")
            .args(words)
            .current_dir(self.top())
            .output()
            .unwrap();
        assert!(output.status.success(), "{words:?}: {output:?}");
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.top().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn hook(&self, name: &str, text: &str) {
        use std::os::unix::fs::PermissionsExt as _;
        self.write(name, text);
        fs::set_permissions(self.top().join(name), fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn parts(&self) -> Vec<Part> {
        parts(self.top(), Path::new("/home/ada/.kite"))
            .unwrap()
            .parts
    }

    fn names(&self) -> Vec<(&'static str, String)> {
        self.parts()
            .into_iter()
            .map(|part| (part.kind, part.what))
            .collect()
    }
}

#[test]
fn a_fresh_repository_runs_nothing() {
    assert_eq!(Repository::new().names(), Vec::new());
    let plain = tempfile::tempdir().unwrap();
    assert!(
        parts(plain.path(), Path::new("/h"))
            .unwrap()
            .parts
            .is_empty()
    );
}

#[test]
fn whatever_a_repository_would_run_is_found_and_none_of_it_runs() {
    let repository = Repository::new();
    let fired = repository.top().join("fired");
    let run = format!("touch {}", fired.display());
    let included = repository.top().join(".git/more");
    fs::write(&included, format!("[core]\n\tsshCommand = {run}\n")).unwrap();
    for (name, value) in [
        ("core.fsmonitor", run.as_str()),
        ("core.hooksPath", "hooks of theirs"),
        ("filter.x.clean", run.as_str()),
        ("filter.a.b=c.smudge", run.as_str()),
        ("diff.x.textconv", run.as_str()),
        ("merge.x.driver", run.as_str()),
        ("alias.status", &format!("!{run}")),
        ("credential.https://example.org.helper", run.as_str()),
        ("gpg.program", run.as_str()),
        ("include.path", included.to_str().unwrap()),
        ("includeIf.onbranch:evil.path", "elsewhere"),
        ("remote.origin.url", &format!("ext::{run}")),
    ] {
        repository.git(&["config", name, value]);
    }
    repository.hook(
        "hooks of theirs/post-checkout",
        &format!("#!/bin/sh\n{run}\n"),
    );
    repository.hook(".git/hooks/pre-commit", &format!("#!/bin/sh\n{run}\n"));
    repository.write(
        ".mcp.json",
        &json!({"mcpServers": {"x": {"command": "sh"}}}).to_string(),
    );
    repository.write(
        ".claude/settings.json",
        &json!({"hooks": {"Stop": [{"hooks": [{"type": "command", "command": run}]}]}}).to_string(),
    );
    repository.write(".claude/commands/go.md", "Say !`id`");
    repository.write(".claude/commands/talk.md", "Only words.");
    repository.write(".opencode/plugin/x.js", "evil()");
    repository.write(".gemini/settings.json", "{}");
    repository.write(".codex/config.toml", "x = 1");
    let names = repository.names();
    for (kind, what) in [
        ("extension", ".claude/commands/go.md"),
        ("extension", ".opencode/plugin/x.js"),
        ("git_config", "alias.status"),
        ("git_config", "core.fsmonitor"),
        ("git_config", "core.hookspath"),
        ("git_config", "core.sshcommand"),
        ("git_config", "credential.https://example.org.helper"),
        ("git_config", "diff.x.textconv"),
        ("git_config", "filter.a.b=c.smudge"),
        ("git_config", "filter.x.clean"),
        ("git_config", "gpg.program"),
        ("git_config", "includeif.onbranch:evil.path"),
        ("git_config", "merge.x.driver"),
        ("git_config", "remote.origin.url"),
        ("git_hook", ".git/hooks/pre-commit"),
        ("git_hook", "hooks of theirs/post-checkout"),
        ("mcp_server", ".mcp.json"),
        ("settings", ".claude/settings.json"),
        ("settings", ".codex/config.toml"),
        ("settings", ".gemini/settings.json"),
    ] {
        assert!(
            names.contains(&(kind, what.to_owned())),
            "{kind} {what}\n{names:#?}"
        );
    }
    assert_eq!(names.len(), 20, "{names:#?}");
    assert!(!fired.exists());
}

#[test]
fn an_include_under_a_condition_counts_with_what_it_leads_to() {
    let repository = Repository::new();
    repository.git(&["config", "includeIf.onbranch:x.path", "later"]);
    repository.write(".git/later", "a");
    let before = repository.parts();
    repository.write(".git/later", "b");
    assert_ne!(before, repository.parts());
}

#[test]
fn neither_kite_nor_a_click_on_always_allow_is_a_strangers_doing() {
    let repository = Repository::new();
    let kite = json!({"type": "command", "command": "/home/ada/.kite/bin/kite-hook PreToolUse", "timeout": 10});
    let settings = |hooks: serde_json::Value| {
        json!({
            "hooks": {"PreToolUse": [{"matcher": "Bash", "hooks": [hooks]}]},
            "permissions": {"allow": ["mcp__kite__kite_task_list"]},
        })
        .to_string()
    };
    repository.write(".claude/settings.local.json", &settings(kite.clone()));
    repository.write(".claude/settings.json", &settings(kite));
    repository.write(".mcp.json", &json!({"mcpServers": {"kite": {"type": "stdio", "command": "/home/ada/.kite/bin/kite", "args": ["mcp"], "env": {}}}}).to_string());
    assert_eq!(repository.names(), Vec::new());
    repository.write(
        ".claude/settings.local.json",
        r#"{"permissions": {"allow": ["Bash(make:*)"]}, "enabledMcpjsonServers": ["x"]}"#,
    );
    assert_eq!(repository.names(), Vec::new());
    // What only looks like it counts.
    for command in [
        "/home/ada/.kite/bin/kite-hook PreToolUse; id",
        "/home/ada/.kite/bin/kite-hook $(id)",
        "/home/ada/.kite/bin/kite-hook PreToolUse\nid",
        "/home/ada/.kite/bin/kite-hooks PreToolUse",
        "/tmp/.kite/bin/kite-hook PreToolUse",
    ] {
        repository.write(
            ".claude/settings.local.json",
            &settings(json!({"type": "command", "command": command})),
        );
        assert_eq!(repository.names().len(), 1, "{command}");
    }
    repository.write(
        ".claude/settings.local.json",
        r#"{"permissions": {"defaultMode": "bypassPermissions"}}"#,
    );
    assert_eq!(repository.names().len(), 1);
    repository.write(
        ".claude/settings.json",
        r#"{"permissions": {"allow": ["Bash"]}}"#,
    );
    assert_eq!(
        repository.names().len(),
        2,
        "rights that the repository gives count"
    );
}

#[test]
fn a_tools_program_is_part_of_it() {
    let repository = Repository::new();
    repository.write(
        ".kite/config.toml",
        "[tools.deploy]\ndescription = \"d\"\nargv = [\"./deploy\"]\n",
    );
    let absent = repository.parts();
    assert_eq!(absent[0].kind, "tool");
    repository.write("deploy", "#!/bin/sh\n");
    let there = repository.parts();
    repository.write("deploy", "#!/bin/sh\nid\n");
    let other = repository.parts();
    assert_ne!(absent, there);
    assert_ne!(there, other);
}

#[test]
fn what_is_no_file_is_not_opened() {
    let repository = Repository::new();
    fs::create_dir(repository.top().join(".claude")).unwrap();
    std::os::unix::fs::symlink("/dev/zero", repository.top().join(".claude/settings.json"))
        .unwrap();
    std::os::unix::fs::symlink("/", repository.top().join(".claude/skills")).unwrap();
    let found = repository.parts();
    assert!(
        found.iter().any(|part| part.text.contains("not a file")),
        "{found:#?}"
    );
    let linked = |part: &Part| part.what == ".claude/skills" && part.text.contains("not a file");
    assert!(found.iter().any(linked), "{found:#?}");
    assert_eq!(found.len(), 2);
}
