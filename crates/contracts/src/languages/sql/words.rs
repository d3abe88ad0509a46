//! The words of SQL, in any database's spelling.

/// A word, a quoted name, a literal or a sign.
#[derive(Clone, Debug)]
pub(super) struct Word {
    /// As it stands, without the quotes of a name.
    pub(super) text: String,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Plain,
    QuotedName,
    Literal,
    /// `$$ ... $$`
    Body,
    Sign,
}

impl Word {
    /// Whether it is this word or sign (given in small letters), not quoted.
    pub(super) fn is(&self, word: &str) -> bool {
        matches!(self.kind, Kind::Plain | Kind::Sign) && self.text.eq_ignore_ascii_case(word)
    }

    pub(super) fn is_one_of(&self, words: &[&str]) -> bool {
        words.iter().any(|word| self.is(word))
    }

    pub(super) fn is_body(&self) -> bool {
        self.kind == Kind::Body
    }

    /// The name that it is.
    pub(super) fn name(&self) -> Option<String> {
        matches!(self.kind, Kind::Plain | Kind::QuotedName).then(|| self.text.clone())
    }

    /// The text of the literal that it is.
    pub(super) fn value(&self) -> Option<String> {
        (self.kind == Kind::Literal).then(|| self.text.clone())
    }
}

/// All words without comments, and whether every quotation and parenthesis is closed.
pub(super) fn words(source: &str) -> (Vec<Word>, bool) {
    let mut words = Vec::new();
    let mut rest = source;
    let (mut is_whole, mut depth) = (true, 0_i64);
    while let Some(c) = rest.chars().next() {
        let taken = if c.is_whitespace() {
            c.len_utf8()
        } else if rest.starts_with("--") || c == '\\' {
            // A comment, or a command of psql.
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            ended(rest, 2, "*/", &mut is_whole)
        } else if let Some(close) = closing(c) {
            let taken = ended(rest, 1, close, &mut is_whole);
            let inner = rest[1..taken]
                .strip_suffix(close)
                .unwrap_or(&rest[1..taken]);
            let kind = if c == '\'' {
                Kind::Literal
            } else {
                Kind::QuotedName
            };
            words.push(word(inner, kind));
            taken
        } else if let Some(tag) = dollar_tag(rest) {
            let taken = ended(rest, tag.len(), tag, &mut is_whole);
            words.push(word("", Kind::Body));
            taken
        } else if c.is_alphanumeric() || c == '_' {
            let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_' && c != '$');
            let end = end.unwrap_or(rest.len());
            words.push(word(&rest[..end], Kind::Plain));
            end
        } else {
            depth += i64::from(c == '(') - i64::from(c == ')');
            words.push(word(&rest[..c.len_utf8()], Kind::Sign));
            c.len_utf8()
        };
        rest = &rest[taken..];
    }
    (words, is_whole && depth == 0)
}

fn word(text: &str, kind: Kind) -> Word {
    Word {
        text: text.to_owned(),
        kind,
    }
}

/// `[` is an array in one database and a quotation in another: it is read as a sign.
fn closing(open: char) -> Option<&'static str> {
    match open {
        '\'' => Some("'"),
        '"' => Some("\""),
        '`' => Some("`"),
        _ => None,
    }
}

/// How far a quotation goes that began `start` bytes ago. A doubled quote makes two of them, which
/// comes to the same.
fn ended(rest: &str, start: usize, close: &str, is_whole: &mut bool) -> usize {
    match rest[start..].find(close) {
        Some(at) => start + at + close.len(),
        None => {
            *is_whole = false;
            rest.len()
        }
    }
}

/// `$$` or `$body$`.
fn dollar_tag(rest: &str) -> Option<&str> {
    let inner = rest.strip_prefix('$')?;
    let end = inner.find(|c: char| !c.is_alphanumeric() && c != '_')?;
    inner[end..].starts_with('$').then(|| &rest[..end + 2])
}
