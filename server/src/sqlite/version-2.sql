-- A database of version 2 as the relay wrote it, frozen: Bob has had four envelopes and stored two.
PRAGMA application_id = 1399813236;
PRAGMA user_version = 2;

CREATE TABLE store (
    id BLOB NOT NULL CHECK (length(id) = 16)
) STRICT;

-- last: sequences up to here may have been given out.
CREATE TABLE mailbox (
    number INTEGER PRIMARY KEY,
    device BLOB NOT NULL UNIQUE CHECK (length(device) = 32),
    last INTEGER NOT NULL DEFAULT 0,
    envelopes INTEGER NOT NULL DEFAULT 0 CHECK (envelopes >= 0),
    bytes INTEGER NOT NULL DEFAULT 0 CHECK (bytes >= 0),
    prekeys_taken INTEGER NOT NULL DEFAULT 0,
    seen_secs INTEGER NOT NULL
) STRICT;

CREATE TABLE envelope (
    place INTEGER PRIMARY KEY,
    mailbox INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    id BLOB NOT NULL,
    stored_secs INTEGER NOT NULL,
    body BLOB NOT NULL,
    UNIQUE (mailbox, sequence)
) STRICT;
CREATE INDEX envelope_by_age ON envelope (stored_secs);

-- Ids that the mailbox has seen, kept beyond the envelopes themselves.
CREATE TABLE envelope_id (
    mailbox INTEGER NOT NULL,
    id BLOB NOT NULL,
    sequence INTEGER NOT NULL,
    PRIMARY KEY (mailbox, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX envelope_id_by_sequence ON envelope_id (mailbox, sequence);

CREATE TABLE signed_prekey (
    mailbox INTEGER PRIMARY KEY,
    id INTEGER NOT NULL,
    record BLOB NOT NULL
) STRICT;
CREATE TABLE one_time_prekey (
    mailbox INTEGER NOT NULL,
    id INTEGER NOT NULL,
    record BLOB NOT NULL,
    PRIMARY KEY (mailbox, id)
) STRICT;
-- turn: how manieth of its mailbox it was.
CREATE TABLE taken_prekey (
    mailbox INTEGER NOT NULL,
    id INTEGER NOT NULL,
    turn INTEGER NOT NULL,
    PRIMARY KEY (mailbox, id)
) STRICT, WITHOUT ROWID;

-- A seeded handle that nobody has claimed has neither mailbox nor identity.
CREATE TABLE directory (
    place INTEGER PRIMARY KEY,
    handle TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    mailbox INTEGER,
    identity BLOB
) STRICT;
CREATE INDEX directory_by_mailbox ON directory (mailbox);

INSERT INTO store VALUES (x'51515151515151515151515151515151');
INSERT INTO mailbox (number, device, last, envelopes, bytes, seen_secs)
VALUES (1, x'0202020202020202020202020202020202020202020202020202020202020202', 4, 2, 4, 1000);
INSERT INTO envelope (place, mailbox, sequence, id, stored_secs, body) VALUES
    (3, 1, 3, x'00020000000000000000000000000000', 1000, x'0002'),
    (4, 1, 4, x'00030000000000000000000000000000', 1000, x'0003');
INSERT INTO envelope_id (mailbox, id, sequence) VALUES
    (1, x'00000000000000000000000000000000', 1),
    (1, x'00010000000000000000000000000000', 2),
    (1, x'00020000000000000000000000000000', 3),
    (1, x'00030000000000000000000000000000', 4);
