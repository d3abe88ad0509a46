//! Which variables of the daemon's own environment an agent gets.

use std::collections::BTreeMap;

/// What every program needs to find its way about.
const ANYBODY: &[&str] = &[
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "LANG",
    "LC_*",
    "TZ",
    "TERM",
    "TMPDIR",
    "XDG_*",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "ALL_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "all_proxy",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "NODE_EXTRA_CA_CERTS",
    "GIT_AUTHOR_NAME",
    "GIT_AUTHOR_EMAIL",
    "GIT_COMMITTER_NAME",
    "GIT_COMMITTER_EMAIL",
];

/// How each client finds its service and its own settings.
pub(super) const CLAUDE: &[&str] = &[
    "ANTHROPIC_*",
    "CLAUDE_CONFIG_DIR",
    "CLAUDE_CODE_OAUTH_TOKEN",
    "CLAUDE_CODE_USE_BEDROCK",
    "CLAUDE_CODE_USE_VERTEX",
    "CLAUDE_CODE_USE_FOUNDRY",
    "CLAUDE_CODE_MAX_RETRIES",
    "CLOUD_ML_REGION",
    "AWS_*",
    "DISABLE_AUTOUPDATER",
    "DISABLE_TELEMETRY",
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC",
];
pub(super) const CODEX: &[&str] = &["OPENAI_*", "CODEX_HOME", "CODEX_API_KEY"];
pub(super) const GEMINI: &[&str] = &["GEMINI_*", "GOOGLE_*"];
pub(super) const OPENCODE: &[&str] = &[
    "OPENCODE_*",
    "ANTHROPIC_*",
    "OPENAI_*",
    "GEMINI_*",
    "GOOGLE_*",
];

/// Whether the daemon itself is to keep this variable when it is started, since agents that it
/// starts need it. `declared` are the patterns of the home's own presets.
pub(crate) fn passes(name: &str, declared: &[String]) -> bool {
    let built_in = [ANYBODY, CLAUDE, CODEX, GEMINI, OPENCODE];
    let built_in = built_in.into_iter().flatten().copied();
    built_in
        .chain(declared.iter().map(String::as_str))
        .any(|pattern| matches(pattern, name))
}

/// The variables that these patterns, and what anybody needs, let through.
pub(super) fn of(
    patterns: &[String],
    names: &[String],
    variables: &dyn Fn(&str) -> Option<String>,
) -> BTreeMap<String, String> {
    let wanted = |name: &&String| {
        let mut all = ANYBODY
            .iter()
            .copied()
            .chain(patterns.iter().map(String::as_str));
        all.any(|pattern| matches(pattern, name))
    };
    names
        .iter()
        .filter(wanted)
        .filter_map(|name| Some((name.clone(), variables(name)?)))
        .collect()
}

fn matches(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(prefix) => name.starts_with(prefix),
        None => pattern == name,
    }
}
