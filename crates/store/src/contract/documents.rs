use super::{Engine, at};
use crate::{Document, Store, limits::DOCUMENT_BYTES_MAX};

pub(super) async fn are_kept_whole_or_not_at_all(engine: &impl Engine) {
    let store = engine.fresh(at(0)).await;
    let put = |key: &str, body: &str| Document::put("agent", key, body.to_owned());
    let two = [put("a", "1"), put("b", "2")];
    store.keep_documents(&two, at(1)).await.unwrap();
    let swap = [Document::forget("agent", "a"), put("b", "3"), put("c", "4")];
    store.keep_documents(&swap, at(2)).await.unwrap();
    assert_eq!(bodies(&store), "b=3 c=4");

    let long = "x".repeat(DOCUMENT_BYTES_MAX + 1);
    let refused = [put("b", "5"), put("d", &long)];
    store.keep_documents(&refused, at(3)).await.unwrap_err();
    assert_eq!(bodies(&store), "b=3 c=4");
    store
        .keep_documents(&[Document::forget("agent", "nobody")], at(4))
        .await
        .unwrap();

    let Some(store) = engine.reopen(store, at(5)).await else {
        return;
    };
    assert_eq!(bodies(&store), "b=3 c=4");
}

fn bodies(store: &impl Store) -> String {
    store.read(|ledger| {
        let of_kind = ledger.documents.of("agent");
        let shown: Vec<String> = of_kind.map(|(key, body)| format!("{key}={body}")).collect();
        shown.join(" ")
    })
}
