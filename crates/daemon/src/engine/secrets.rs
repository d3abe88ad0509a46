//! Secrets in what agents write stop here, before the store and the log see them.

/// The text without what looks like a secret.
pub(super) fn clean(text: Option<&str>) -> Option<String> {
    text.map(|text| kite_redact::redact(text).into_owned())
}
