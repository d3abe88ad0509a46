//! Documents kept and forgotten.

use super::Operation;
use crate::{
    Document, StoreError,
    limits::{DOCUMENT_BYTES_MAX, DOCUMENTS_MAX},
    write::{Decision, Write},
};

impl Operation<'_> {
    /// Applies all of them, or none where one does not fit.
    pub(crate) fn documents(mut self, documents: &[Document]) -> Decision<Result<(), StoreError>> {
        if let Some(why) = documents.iter().find_map(|document| self.misfit(document)) {
            return self.done(Err(StoreError::Failed(why)));
        }
        for document in documents {
            self.ledger.documents.apply(document);
            self.writes.push(Write::Document(document.clone()));
        }
        self.done(Ok(()))
    }

    fn misfit(&self, document: &Document) -> Option<String> {
        let Document { kind, key, body } = document;
        if body.as_ref()?.len() > DOCUMENT_BYTES_MAX {
            return Some(format!(
                "a {kind} is longer than {DOCUMENT_BYTES_MAX} bytes"
            ));
        }
        let known = &self.ledger.documents;
        (known.get(kind, key).is_none() && known.count(kind) >= DOCUMENTS_MAX)
            .then(|| format!("there are {DOCUMENTS_MAX} documents of the kind {kind}"))
    }
}
