//! What git would run: settings that name commands, and hooks.

use std::{
    collections::BTreeMap,
    ffi::OsStr,
    fs,
    os::unix::{ffi::OsStrExt as _, fs::PermissionsExt as _},
    path::{Path, PathBuf},
};

use kite_undo::{Error, Git};

use super::{GIT_CONFIG, GIT_HOOK, Part, content};

/// Most bytes of settings that are read.
const CONFIG_BYTES_MAX: usize = 4 << 20;
/// Most hooks that are looked at.
const HOOKS_MAX: usize = 200;

/// Settings whose value is run, whole names.
const COMMANDS: &[&str] = &[
    "core.alternaterefscommand",
    "core.askpass",
    "core.editor",
    "core.gitproxy",
    "core.hookspath",
    "core.pager",
    "core.sshcommand",
    "credential.helper",
    "diff.external",
    "gpg.program",
    "gpg.ssh.defaultkeycommand",
    "imap.tunnel",
    "init.templatedir",
    "instaweb.httpd",
    "interactive.difffilter",
    "sendemail.sendmailcmd",
    "sendemail.smtpserver",
    "sequence.editor",
    "uploadpack.packobjectshook",
    "web.browser",
];

/// Settings whose value is run: section, and the last word of the name. `*`: whatever it is.
const FAMILIES: &[(&str, &str)] = &[
    ("alias", "*"),
    ("browser", "cmd"),
    ("browser", "path"),
    ("credential", "helper"),
    ("diff", "command"),
    ("diff", "textconv"),
    ("difftool", "cmd"),
    ("difftool", "path"),
    ("filter", "clean"),
    ("filter", "process"),
    ("filter", "smudge"),
    ("gpg", "program"),
    ("guitool", "cmd"),
    ("hook", "command"),
    ("man", "cmd"),
    ("man", "path"),
    ("merge", "driver"),
    ("mergetool", "cmd"),
    ("mergetool", "path"),
    ("pager", "*"),
    ("remote", "receivepack"),
    ("remote", "uploadpack"),
    ("remote", "vcs"),
    ("sendemail", "sendmailcmd"),
    ("tar", "command"),
    ("trailer", "cmd"),
    ("trailer", "command"),
];

/// Settings of the repository itself and its hooks. A directory that is no repository has none.
pub(super) fn parts(worktree: &Path) -> Vec<Part> {
    if worktree.join(".git").symlink_metadata().is_err() {
        return Vec::new();
    }
    let settings = Git::open(worktree).and_then(|git| {
        let said = git
            .call("config")
            .args(["--list", "-z", "--includes", "--show-scope"])
            .output_max(CONFIG_BYTES_MAX)
            .run()?;
        Ok((git, said))
    });
    match settings {
        Ok((git, said)) => {
            let settings = own(&said);
            let mut parts: Vec<Part> = (settings.iter())
                .filter_map(|(name, value)| setting(name, value, git.common_dir()))
                .collect();
            parts.extend(hooks(&git, &settings));
            parts
        }
        Err(Error::NoGit) => Vec::new(),
        Err(error) => vec![Part::unreadable(GIT_CONFIG, ".git/config", &error)],
    }
}

/// The settings that the repository makes, by name, every value on a line of its own. What a file
/// includes counts as its own.
fn own(said: &[u8]) -> BTreeMap<String, String> {
    let mut settings: BTreeMap<String, String> = BTreeMap::new();
    let mut words = said.split(|byte| *byte == 0);
    while let (Some(scope), Some(setting)) = (words.next(), words.next()) {
        if [&b"system"[..], b"global", b"command"].contains(&scope) {
            continue;
        }
        let setting = String::from_utf8_lossy(setting);
        let (name, value) = setting.split_once('\n').unwrap_or((&setting, ""));
        let values = settings.entry(name.to_owned()).or_default();
        if !values.is_empty() {
            values.push('\n');
        }
        values.push_str(value);
    }
    settings
}

fn setting(name: &str, value: &str, common_dir: &Path) -> Option<Part> {
    if name.starts_with("includeif.") {
        return Some(included(name, value, common_dir));
    }
    runs(name, value).then(|| {
        let content = format!("{name}\n{value}");
        Part::new(GIT_CONFIG, name, content.as_bytes(), value)
    })
}

/// Whether git would run something because of it.
fn runs(name: &str, value: &str) -> bool {
    let (section, rest) = name.split_once('.').unwrap_or((name, ""));
    let last = rest.rsplit('.').next().unwrap_or(rest);
    match section {
        // Its own monitor is no command.
        "core" if last == "fsmonitor" => !value.lines().all(is_boolean),
        // `ext::` runs what follows.
        "remote" | "url" if value.contains("ext::") || rest.contains("ext::") => true,
        "submodule" if last == "update" => value.contains('!'),
        _ => {
            COMMANDS.contains(&name)
                || FAMILIES.iter().any(|(family, word)| {
                    *family == section && (*word == "*" || last.eq_ignore_ascii_case(word))
                })
        }
    }
}

fn is_boolean(value: &str) -> bool {
    let value = value.to_ascii_lowercase();
    ["", "true", "false", "yes", "no", "on", "off", "0", "1"].contains(&value.as_str())
}

/// An include that counts under a condition: what it leads to may come to count any time.
fn included(name: &str, value: &str, common_dir: &Path) -> Part {
    let mut all = format!("{name}\n{value}").into_bytes();
    for path in value.lines() {
        let path = match path.strip_prefix("~/") {
            Some(rest) => std::env::home_dir().unwrap_or_default().join(rest),
            None => common_dir.join(path),
        };
        all.push(0);
        all.extend(content(&path).unwrap_or_default());
    }
    Part::new(GIT_CONFIG, name, &all, value)
}

/// Hooks where git looks for them, those of every worktree included.
fn hooks(git: &Git, settings: &BTreeMap<String, String>) -> Vec<Part> {
    let mut directories = vec![git.common_dir().join("hooks")];
    let set = settings
        .get("core.hookspath")
        .into_iter()
        .flat_map(|paths| paths.lines());
    directories.extend(set.map(|path| match path.strip_prefix("~/") {
        Some(rest) => std::env::home_dir().unwrap_or_default().join(rest),
        None => git.top().join(OsStr::from_bytes(path.as_bytes())),
    }));
    let mut parts = Vec::new();
    for directory in directories {
        let mut files: Vec<PathBuf> = fs::read_dir(&directory)
            .into_iter()
            .flatten()
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| is_hook(path))
            .collect();
        files.sort();
        let over = files.len().saturating_sub(HOOKS_MAX);
        if over > 0 {
            let what = directory.display().to_string();
            parts.push(Part::unreadable(
                GIT_HOOK,
                &what,
                &format!("{over} hooks too many"),
            ));
        }
        for file in files.into_iter().take(HOOKS_MAX) {
            let what = file.strip_prefix(git.top()).unwrap_or(&file);
            parts.extend(Part::file(GIT_HOOK, &what.display().to_string(), &file));
        }
    }
    parts
}

/// Examples are not run, nor is what nobody may run.
fn is_hook(path: &Path) -> bool {
    path.extension()
        .is_none_or(|extension| extension != "sample")
        && path
            .metadata()
            .is_ok_and(|it| it.is_file() && it.permissions().mode() & 0o111 != 0)
}
