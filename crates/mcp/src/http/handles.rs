//! Handles: what a client is called where the protocol knows no sessions.
//!
//! A handle is random, and sealed with a key that comes from this server's token. So the server
//! keeps no list of them, they outlive its restart, and one that a model made up is refused.

use std::fmt::Write;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// The argument of a tool call that carries the handle.
pub(crate) const HANDLE_PARAM: &str = "session";

/// Random bytes of a handle.
const RANDOM_BYTES: usize = 16;
/// Bytes by which a handle is known to come from this server.
const SEAL_BYTES: usize = 8;
/// Hexadecimal digits of a handle.
const DIGITS: usize = 2 * (RANDOM_BYTES + SEAL_BYTES);

/// Makes handles, and knows its own.
pub(crate) struct Handles {
    key: [u8; 32],
}

/// A handle that this server has given.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Handle(String);

impl Handles {
    /// Those of the server with this token.
    pub(crate) fn of_token(token: &str) -> Handles {
        let key = Sha256::new_with_prefix("kite session handles\0").chain_update(token);
        Handles {
            key: key.finalize().into(),
        }
    }

    /// A new one. The error is the text for the model.
    pub(crate) fn mint(&self) -> Result<Handle, String> {
        let mut random = [0; RANDOM_BYTES];
        getrandom::fill(&mut random).map_err(|error| {
            format!("Nothing was done: this system gives no random numbers ({error}). Work can go on without Kite.")
        })?;
        Ok(Handle(hex(&random) + &hex(&self.seal(&random))))
    }

    /// The handle of that text, where it is one.
    pub(crate) fn read(&self, text: &str) -> Option<Handle> {
        if text.len() != DIGITS {
            return None;
        }
        let bytes = bytes(text)?;
        let (random, seal) = bytes.split_at(RANDOM_BYTES);
        let wrong = self
            .seal(random)
            .iter()
            .zip(seal)
            .fold(0, |wrong, (a, b)| wrong | (a ^ b));
        (wrong == 0).then(|| Handle(text.to_ascii_lowercase()))
    }

    /// The length of what is sealed is fixed, so nothing can be appended to it.
    fn seal(&self, random: &[u8]) -> [u8; SEAL_BYTES] {
        let whole: [u8; 32] = Sha256::new_with_prefix(self.key)
            .chain_update(random)
            .finalize()
            .into();
        let mut seal = [0; SEAL_BYTES];
        seal.copy_from_slice(&whole[..SEAL_BYTES]);
        seal
    }
}

impl Handle {
    /// The line by which the model learns of it.
    pub(crate) fn told(&self) -> String {
        format!(
            "You are `{HANDLE_PARAM}` {} from now on: give it with every kite_* call, or what you hold is not \
             known as yours.",
            self.0
        )
    }

    /// What the daemon calls this client: the handle itself stays between the client and here.
    pub(crate) fn session_id(&self) -> String {
        session_id(&self.0)
    }
}

/// The schema of [`HANDLE_PARAM`].
pub(crate) fn schema() -> Value {
    json!({
        "type": "string",
        "minLength": DIGITS,
        "maxLength": DIGITS,
        "description": "Who you are: what the answer to your first changing call said. Leave it out until then.",
    })
}

/// A name for the daemon that tells nobody the secret it is made of.
pub(super) fn session_id(secret: &str) -> String {
    let digest: [u8; 32] = Sha256::new_with_prefix("kite session\0")
        .chain_update(secret)
        .finalize()
        .into();
    format!("http-{}", hex(&digest[..RANDOM_BYTES]))
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(
        String::with_capacity(2 * bytes.len()),
        |mut digits, byte| {
            // Writing to a String cannot fail.
            let _ = write!(digits, "{byte:02x}");
            digits
        },
    )
}

fn bytes(digits: &str) -> Option<Vec<u8>> {
    // `from_str_radix` would take a sign.
    if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    let pairs = digits.as_bytes().chunks_exact(2);
    pairs
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handle_is_known_to_its_server_alone() {
        let handles = Handles::of_token("a token");
        let handle = handles.mint().expect("random numbers");
        assert_eq!(handles.read(&handle.0).as_ref(), Some(&handle));
        assert_eq!(Handles::of_token("another").read(&handle.0), None);
        assert_ne!(handle, handles.mint().expect("random numbers"));
        assert!(!handle.session_id().contains(&handle.0[..8]));
    }

    #[test]
    fn a_sign_is_no_digit() {
        let handles = Handles::of_token("a token");
        // One byte in sixteen begins with a zero, for which a sign could stand.
        let handle = std::iter::repeat_with(|| handles.mint().expect("random numbers").0)
            .find(|handle| handle.starts_with('0'))
            .expect("without end");
        assert_eq!(handles.read(&format!("+{}", &handle[1..])), None);
    }

    #[test]
    fn what_a_model_makes_up_is_no_handle() {
        let handles = Handles::of_token("a token");
        let handle = handles.mint().expect("random numbers").0;
        let flipped = |at: usize| {
            let mut digits = handle.clone().into_bytes();
            digits[at] = if digits[at] == b'0' { b'1' } else { b'0' };
            String::from_utf8(digits).expect("digits")
        };
        for made_up in [
            "",
            "me",
            &"0".repeat(DIGITS),
            &"é".repeat(DIGITS / 2),
            &handle[1..],
            &flipped(0),
            &flipped(DIGITS - 1),
            &format!("{handle}00"),
            &format!("+{}", &handle[1..]),
        ] {
            assert_eq!(handles.read(made_up), None, "{made_up}");
        }
    }
}
