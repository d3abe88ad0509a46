-- Schema 1. Ids are 16 bytes. Times are milliseconds since 1970. Lists of texts are packed as
-- described in `codec.rs`.
CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value ANY NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE session (
    id                BLOB PRIMARY KEY CHECK (length(id) = 16),
    kind              INTEGER NOT NULL,
    client            TEXT NOT NULL,
    client_version    TEXT,
    client_session_id TEXT,
    pid               INTEGER,
    started           INTEGER,
    cwd               TEXT NOT NULL,
    project           TEXT NOT NULL,
    worktree          TEXT,
    intent            TEXT,
    fingerprint       TEXT,
    state             INTEGER NOT NULL,
    end_reason        TEXT,
    since_ms          INTEGER NOT NULL,
    seen_ms           INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE lock (
    generation INTEGER NOT NULL,
    counter    INTEGER NOT NULL,
    kind       INTEGER NOT NULL,
    target     TEXT NOT NULL,
    scope      TEXT,
    shown      TEXT NOT NULL,
    project    TEXT NOT NULL,
    session    BLOB NOT NULL CHECK (length(session) = 16),
    agent      TEXT,
    reason     TEXT,
    ttl_ms     INTEGER NOT NULL,
    keep       INTEGER NOT NULL,
    since_ms   INTEGER NOT NULL,
    PRIMARY KEY (generation, counter)
) STRICT, WITHOUT ROWID;

CREATE TABLE task (
    number       INTEGER PRIMARY KEY,
    id           BLOB NOT NULL CHECK (length(id) = 16),
    project      TEXT NOT NULL,
    title        TEXT NOT NULL,
    description  TEXT,
    priority     INTEGER NOT NULL,
    depends_on   BLOB,
    paths        BLOB,
    state        INTEGER NOT NULL,
    attempt      INTEGER NOT NULL,
    deaths       INTEGER NOT NULL,
    owner        BLOB CHECK (length(owner) = 16),
    agent        TEXT,
    result       TEXT,
    reasons      BLOB,
    late_results BLOB,
    created_by   BLOB CHECK (length(created_by) = 16),
    created_ms   INTEGER NOT NULL,
    claimed_ms   INTEGER,
    ended_ms     INTEGER
) STRICT;

CREATE TABLE change (
    seq     INTEGER PRIMARY KEY,
    at_ms   INTEGER NOT NULL,
    project TEXT NOT NULL,
    kind    TEXT NOT NULL,
    entity  TEXT NOT NULL,
    what    TEXT NOT NULL,
    session BLOB CHECK (length(session) = 16)
) STRICT;

CREATE TABLE answer (
    number INTEGER PRIMARY KEY,
    op_id  TEXT NOT NULL UNIQUE,
    at_ms  INTEGER NOT NULL,
    body   BLOB NOT NULL
) STRICT;

CREATE TABLE tally (
    name  TEXT PRIMARY KEY,
    total INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
