PRAGMA application_id = 1265202277;
BEGIN;
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

INSERT INTO meta VALUES ('generation', 1800000000000), ('boot_id', 'boot-a');
INSERT INTO session VALUES (x'11111111111111111111111111111111', 0, 'claude-code', '2.1.0', 'c-1', 4242, 987654, '/work/repo',
    '/work/repo/.git', NULL, 'Add OAuth login', NULL, 1, NULL, 1800000000000, 1800000000500);
INSERT INTO lock VALUES (1800000000000, 7, 2, '/work/repo/src/*.rs', NULL, 'src/*.rs', '/work/repo/.git',
    x'11111111111111111111111111111111', NULL, 'editing', 1800000, 0, 1800000000100);
INSERT INTO task VALUES (1, x'1a2b3c4d000000000000000000000001', 'p', 'First', 'All of it', 2, NULL,
    x'030000000000000006000000000000006465706c6f7901000000000000007006000000000000006465706c6f79',
    2, 2, 1, x'11111111111111111111111111111111', 'sub-1', NULL, x'10000000000000006974732070726f636573732064696564',
    x'01000000000000001111111111111111111111111111111104000000000000006c61746590515c18a3010000',
    x'11111111111111111111111111111111', 1800000000000, 1800000000300, NULL);
INSERT INTO task VALUES (2, x'00000002000000000000000000000000', 'p', 'Second', NULL, 1, x'0100000000000000000000004d3c2b1a', NULL,
    0, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, 1800000000000, NULL, NULL);
INSERT INTO change VALUES (41, 1800000000200, 'p', 'task', '1a2b3c4d000000000000000000000001', 'created', x'11111111111111111111111111111111');
INSERT INTO change VALUES (42, 1800000000300, 'p', 'task', '1a2b3c4d000000000000000000000001', 'claimed', x'11111111111111111111111111111111');
INSERT INTO answer VALUES (1, 'op-1', 1800000000000, x'5461736b2063726561746564');
INSERT INTO tally VALUES ('refused', 3);
-- Schema 2.
CREATE TABLE document (
    kind TEXT NOT NULL,
    key  TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (kind, key)
) STRICT, WITHOUT ROWID;
INSERT INTO document VALUES ('agent', 'a1', '{"state":"running"}');
PRAGMA user_version = 2;
COMMIT;
