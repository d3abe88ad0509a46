CREATE TABLE vault (
    id INTEGER PRIMARY KEY,
    folder TEXT NOT NULL UNIQUE,
    -- NULL: the person's.
    project TEXT
) STRICT;

CREATE TABLE note (
    id INTEGER PRIMARY KEY,
    vault INTEGER NOT NULL,
    path TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    modified_ns INTEGER NOT NULL,
    -- 1: changed so shortly before it was read that the time cannot tell the next change.
    racy INTEGER NOT NULL,
    hash BLOB NOT NULL,
    title TEXT NOT NULL,
    aliases TEXT NOT NULL,
    tags TEXT NOT NULL,
    pinned INTEGER NOT NULL,
    inject INTEGER NOT NULL,
    unreviewed INTEGER NOT NULL,
    -- Of the session that wrote it, where the note says so.
    project TEXT,
    remark TEXT,
    UNIQUE (vault, path)
) STRICT;

CREATE TABLE section (
    id INTEGER PRIMARY KEY,
    note INTEGER NOT NULL,
    heading TEXT NOT NULL,
    level INTEGER NOT NULL,
    text TEXT NOT NULL
) STRICT;
CREATE INDEX section_note ON section (note);

-- In lower case, with the tags above it: `a/b` is `a` too.
CREATE TABLE tag (
    tag TEXT NOT NULL,
    note INTEGER NOT NULL,
    PRIMARY KEY (tag, note)
) STRICT, WITHOUT ROWID;
CREATE INDEX tag_note ON tag (note);

CREATE TABLE skipped (
    vault INTEGER NOT NULL,
    path TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    modified_ns INTEGER NOT NULL,
    why TEXT NOT NULL
) STRICT;
CREATE INDEX skipped_vault ON skipped (vault, path);

-- Every word that was ever seen, with its stem: prefixes are looked up here.
CREATE TABLE spelling (
    folded TEXT PRIMARY KEY,
    stem TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Words are split, folded and stemmed before they come here, so the simplest tokenizer will do.
CREATE VIRTUAL TABLE words USING fts5 (
    title, headings, aliases, tags, lead, text, identifiers,
    content = '', contentless_delete = 1, tokenize = 'ascii'
);
CREATE VIRTUAL TABLE vocabulary USING fts5vocab (words, row);
