-- Version 1. Keys of messages count up over the whole profile, so that they order what was stored.
CREATE TABLE profile (
    id       INTEGER PRIMARY KEY CHECK (id = 1),
    identity BLOB NOT NULL                -- the device's secret keys (PROTOCOL §2)
) STRICT;

CREATE TABLE cursor (
    pin   BLOB PRIMARY KEY,               -- the relay, 32 bytes
    store BLOB NOT NULL,                  -- the life of its store, 16 bytes
    after INTEGER NOT NULL                -- deliveries up to here are stored
) STRICT, WITHOUT ROWID;

CREATE TABLE prekey (
    id     INTEGER PRIMARY KEY,
    stored BLOB NOT NULL
) STRICT;

CREATE TABLE replay (
    digest BLOB PRIMARY KEY,              -- of an accepted handshake, 32 bytes
    prekey INTEGER NOT NULL               -- the signed prekey it used; the entry goes with it
) STRICT, WITHOUT ROWID;

CREATE TABLE chat (
    id       INTEGER PRIMARY KEY,
    handle   TEXT UNIQUE,
    name     TEXT NOT NULL,
    identity BLOB,
    pending  BLOB,                        -- a changed identity that waits to be accepted
    verified INTEGER NOT NULL,
    draft    TEXT NOT NULL
) STRICT;

CREATE TABLE session (
    id       BLOB PRIMARY KEY,            -- 32 bytes
    chat     INTEGER NOT NULL REFERENCES chat,
    stored   BLOB NOT NULL,
    heard_at INTEGER NOT NULL             -- milliseconds since 1970
) STRICT, WITHOUT ROWID;

CREATE TABLE message (
    key      INTEGER PRIMARY KEY,
    chat     INTEGER NOT NULL REFERENCES chat,
    mine     INTEGER NOT NULL,
    id       BLOB NOT NULL,               -- 16 bytes, chosen by the author
    kind     INTEGER NOT NULL,
    payload  BLOB NOT NULL,
    sent_at  INTEGER NOT NULL,            -- milliseconds since 1970, by the author's clock
    delivery INTEGER NOT NULL,            -- 0 sending, 1 relay, 2 delivered, 3 read, 4 failed
    unread   INTEGER NOT NULL,
    sealed   INTEGER NOT NULL
) STRICT;
CREATE INDEX message_by_chat ON message (chat, key);
CREATE UNIQUE INDEX message_by_id ON message (chat, mine, id);
CREATE INDEX message_unread ON message (chat, key) WHERE unread = 1;
CREATE INDEX message_unsealed ON message (key) WHERE sealed = 0;

CREATE TABLE outbox (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    id       BLOB NOT NULL UNIQUE,        -- the envelope's, 16 bytes
    device   BLOB NOT NULL,               -- to whom, 32 bytes
    body     BLOB NOT NULL,
    message  INTEGER                      -- its key; NULL for a receipt
) STRICT;
