//! Which names stand for secrets.

/// Endings of names whose values are secret, lower case, without separators.
const ENDINGS: &[&str] = &[
    "password",
    "passwd",
    "passphrase",
    "passcode",
    "pwd",
    "secret",
    "secrets",
    "token",
    "apikey",
    "apikeys",
    "accesskey",
    "accountkey",
    "authkey",
    "deploykey",
    "encryptionkey",
    "hmackey",
    "masterkey",
    "privatekey",
    "secretkey",
    "sessionkey",
    "sharedkey",
    "signingkey",
    "sshkey",
    "secretkeybase",
    "credential",
    "credentials",
    "cookie",
    "cookies",
    "setcookie",
    "authorization",
    "connectionstring",
    "bearer",
    "mnemonic",
    "seedphrase",
    "totp",
    "otp",
];
/// The same for short words, which count only where they stand alone (`DB_PASS`, not `bypass`).
const WORDS: &[&str] = &["pass", "pw", "auth", "jwt", "sid", "pin"];
/// Longest name that is looked at, in bytes.
const NAME_BYTES_MAX: usize = 128;

/// True where the value of a variable, field, flag or header of this name is secret.
#[must_use]
pub fn is_secret_name(name: &str) -> bool {
    if name.len() > NAME_BYTES_MAX {
        return false;
    }
    let name = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '_' || c == '-');
    let folded: String = name
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|letter| letter.to_ascii_lowercase())
        .collect();
    ENDINGS.iter().any(|ending| folded.ends_with(ending))
        || WORDS
            .iter()
            .any(|word| last_word(name).eq_ignore_ascii_case(word))
}

/// `pass` of `DB_PASS`, `db-pass`, `dbPass` and `pass`.
fn last_word(name: &str) -> &str {
    let is_upper = name.chars().all(|c| !c.is_ascii_lowercase());
    let start = name
        .rfind(|c: char| !c.is_ascii_alphanumeric())
        .map_or(0, |at| at + 1);
    let word = name.get(start..).unwrap_or(name);
    match word.rfind(|c: char| c.is_ascii_uppercase()) {
        Some(hump) if !is_upper => &word[hump..],
        _ => word,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_secrets_are_known_in_every_spelling() {
        for name in [
            "password",
            "PASSWORD",
            "db_password",
            "dbPassword",
            "token",
            "GITHUB_TOKEN",
            "api_key",
            "apiKey",
            "API-KEY",
            "x-api-key",
            "AWS_SECRET_ACCESS_KEY",
            "client_secret",
            "cookie",
            "Set-Cookie",
            "Authorization",
            "DB_PASS",
            "dbPass",
            "REDIS_AUTH",
            "SECRET_KEY_BASE",
            "TOKEN_2",
            "_authToken",
            "private_key",
            "credentials",
        ] {
            assert!(is_secret_name(name), "{name}");
        }
    }

    #[test]
    fn other_names_are_not() {
        for name in [
            "max_tokens",
            "tokens",
            "tokenizer",
            "token_count",
            "token_type",
            "password_field_id",
            "bypass",
            "compass",
            "key",
            "keys",
            "primary_key",
            "author",
            "secretary",
            "",
            "session",
            "path",
            "cookie_consent",
            "passed",
            "side",
        ] {
            assert!(!is_secret_name(name), "{name}");
        }
    }
}
