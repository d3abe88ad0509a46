//! Names in texts.

/// Longest text that is searched, in bytes; what comes after it is not looked at.
const TEXT_BYTES_MAX: usize = 1 << 20;

/// The first of these names that the text uses as an identifier: not as a part of a longer one.
/// A name that is no identifier (the path of a route) must stand alone just so.
#[must_use]
pub fn mentions<'a>(text: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let mut end = text.len().min(TEXT_BYTES_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let text = &text[..end];
    names.into_iter().find(|name| is_used(text, name))
}

fn is_used(text: &str, name: &str) -> bool {
    if name.is_empty() {
        return false;
    }
    text.match_indices(name).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + name.len()..].chars().next();
        !before.is_some_and(is_part) && !after.is_some_and(is_part)
    })
}

fn is_part(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '$')
}

#[cfg(test)]
mod tests {
    use super::mentions;

    #[test]
    fn a_name_is_used_only_where_it_stands_alone() {
        let names = ["email", "User"];
        assert_eq!(mentions("send(user.email);", names), Some("email"));
        assert_eq!(mentions("emails email2 _email e-mail", names), None);
        assert_eq!(mentions("new User()", names), Some("User"));
        assert_eq!(mentions("fetch(\"/users\")", ["/users"]), Some("/users"));
        assert_eq!(mentions("é".repeat(1 << 20).as_str(), names), None);
        assert_eq!(mentions("anything", [""]), None);
    }
}
