//! How the engines are opened in tests.

use std::cell::Cell;

use kite_rules::Now;
use kite_store::{Options, SqliteStore, Store, contract::Engine};
use tempfile::TempDir;

pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(future)
}

/// SQLite in a directory of its own for each fresh store.
pub(crate) struct Sqlite {
    root: TempDir,
    stores: Cell<u32>,
    boots: Cell<u32>,
}

impl Default for Sqlite {
    fn default() -> Sqlite {
        Sqlite {
            root: tempfile::tempdir().unwrap(),
            stores: Cell::new(0),
            boots: Cell::new(0),
        }
    }
}

impl Sqlite {
    fn open(&self, now: Now) -> SqliteStore {
        let path = self.root.path().join(self.stores.get().to_string());
        SqliteStore::open(Options::new(
            path,
            format!("boot {}", self.boots.get()),
            now,
        ))
        .unwrap()
    }
}

impl Engine for Sqlite {
    type Store = SqliteStore;

    async fn fresh(&self, now: Now) -> SqliteStore {
        self.stores.set(self.stores.get() + 1);
        self.open(now)
    }

    async fn reopen(&self, store: SqliteStore, now: Now) -> Option<SqliteStore> {
        store.close().await.unwrap();
        drop(store);
        Some(self.open(now))
    }

    async fn reboot(&self, store: SqliteStore, now: Now) -> Option<SqliteStore> {
        self.boots.set(self.boots.get() + 1);
        self.reopen(store, now).await
    }
}
