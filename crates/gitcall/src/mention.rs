//! The cheap question, asked for every shell command.

/// Whether the text names git at all: the word `git` in any case, alone, at the end of a path, or
/// as `git-stash`, also with quotes and backslashes strewn in. `.git`, `github` and `digit` are
/// other words. One pass, no memory.
///
/// A program whose name is put together at run time (`$a$b`) is not seen.
#[must_use]
pub fn mentions_git(command: &str) -> bool {
    // How much of a word `git` the last letters make: 0 to 3, or no beginning at all.
    let mut matched = Some(0);
    let mut bytes = command.bytes().peekable();
    while let Some(byte) = bytes.next() {
        let byte = match byte {
            b'\'' | b'"' => continue,
            b'\\' => {
                if bytes.peek() == Some(&b'\n') {
                    bytes.next();
                }
                continue;
            }
            byte => byte.to_ascii_lowercase(),
        };
        matched = match (matched, byte) {
            (Some(0), b'g') => Some(1),
            (Some(1), b'i') => Some(2),
            (Some(2), b't') => Some(3),
            (Some(3), byte) if !continues_a_word(byte) => return true,
            (_, byte) if continues_a_word(byte) || byte == b'.' => None,
            _ => Some(0),
        };
    }
    matched == Some(3)
}

fn continues_a_word(byte: u8) -> bool {
    byte == b'_' || byte.is_ascii_alphanumeric() || !byte.is_ascii()
}
