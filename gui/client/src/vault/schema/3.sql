-- Version 3.
--
-- The words of all messages. They cannot be read back from here: texts stay in `message` alone.
-- `place` holds the chat as `c7`, and the author as `me` or `f7` (the peer of chat 7).
CREATE VIRTUAL TABLE message_text USING fts5 (
    text, place,
    content = '', contentless_delete = 1, prefix = '1 2 3',
    tokenize = 'unicode61 remove_diacritics 2'
);

-- The keys among which the messages of a day (UTC, by their authors' clocks) lie; may be too wide.
CREATE TABLE message_day (
    day   INTEGER PRIMARY KEY,            -- since 1970, up to 100,000
    first INTEGER NOT NULL,
    last  INTEGER NOT NULL
) STRICT;

-- `search_text` is a function of the program: the text of a message, NULL if it has none.
CREATE TRIGGER message_added AFTER INSERT ON message BEGIN
    INSERT INTO message_text (rowid, text, place)
        SELECT new.key, search_text(new.kind, new.payload),
               'c' || new.chat || iif(new.mine, ' me', ' f' || new.chat)
        WHERE search_text(new.kind, new.payload) IS NOT NULL;
    INSERT INTO message_day (day, first, last)
        VALUES (min(max(new.sent_at / 86400000, 0), 100000), new.key, new.key)
        ON CONFLICT (day) DO UPDATE SET first = min(first, new.key), last = max(last, new.key);
END;
CREATE TRIGGER message_moved AFTER UPDATE OF chat ON message BEGIN
    DELETE FROM message_text WHERE rowid = old.key;
    INSERT INTO message_text (rowid, text, place)
        SELECT new.key, search_text(new.kind, new.payload),
               'c' || new.chat || iif(new.mine, ' me', ' f' || new.chat)
        WHERE search_text(new.kind, new.payload) IS NOT NULL;
END;
CREATE TRIGGER message_removed AFTER DELETE ON message BEGIN
    DELETE FROM message_text WHERE rowid = old.key;
END;

INSERT INTO message_text (rowid, text, place)
    SELECT key, search_text(kind, payload), 'c' || chat || iif(mine, ' me', ' f' || chat)
    FROM message WHERE search_text(kind, payload) IS NOT NULL ORDER BY key;
INSERT INTO message_day (day, first, last)
    SELECT min(max(sent_at / 86400000, 0), 100000) AS day, min(key), max(key)
    FROM message GROUP BY day;

-- Who is a contact, a name or a request, and who is blocked or muted.
ALTER TABLE chat ADD COLUMN standing INTEGER NOT NULL DEFAULT 0;  -- 0 contact, 1 known, 2 request
ALTER TABLE chat ADD COLUMN blocked  INTEGER NOT NULL DEFAULT 0;
ALTER TABLE chat ADD COLUMN muted    INTEGER;                     -- until then, ms since 1970
-- `verified` may also be 2: introduced by a link with a fingerprint.
-- A chat that a stranger opened, and that nobody wrote in here, is a request.
UPDATE chat SET standing = 2 WHERE handle IS NULL
    AND NOT EXISTS (SELECT 1 FROM message WHERE message.chat = chat.id AND message.mine = 1);

ALTER TABLE profile ADD COLUMN name TEXT;   -- the display name; NULL: as the program knew it before

-- What peers learn of the person.
ALTER TABLE profile ADD COLUMN read_receipts INTEGER NOT NULL DEFAULT 1;
ALTER TABLE profile ADD COLUMN typing        INTEGER NOT NULL DEFAULT 1;

-- Messages of which some parts have come, at most one of each chat.
CREATE TABLE part (
    chat  INTEGER NOT NULL REFERENCES chat (id) ON DELETE CASCADE,
    place INTEGER NOT NULL,               -- counts from 0
    whole BLOB    NOT NULL,               -- the message's id
    bytes BLOB    NOT NULL,
    PRIMARY KEY (chat, place)
) STRICT, WITHOUT ROWID;

-- The newest marks that were left at a relay, or found there. One that is not among them was left by
-- a later state of this vault, or by a copy of it.
CREATE TABLE mark (
    pin   BLOB NOT NULL,                  -- the relay, 32 bytes
    place INTEGER NOT NULL,               -- counts them, from 1
    mark  BLOB NOT NULL,                  -- 16 bytes
    PRIMARY KEY (pin, place)
) STRICT, WITHOUT ROWID;
-- Relays that hold prekeys whose secrets are not here.
CREATE TABLE stale_prekeys (
    pin BLOB PRIMARY KEY
) STRICT, WITHOUT ROWID;
ALTER TABLE profile ADD COLUMN set_back    INTEGER NOT NULL DEFAULT 0; -- the person is to be told
ALTER TABLE profile ADD COLUMN renewal_due INTEGER NOT NULL DEFAULT 0; -- sessions may be behind
ALTER TABLE profile ADD COLUMN renewed_at  INTEGER;                    -- the last time, ms since 1970
ALTER TABLE session ADD COLUMN retired     INTEGER NOT NULL DEFAULT 0; -- nothing is sent in it any more
ALTER TABLE chat    ADD COLUMN greets      INTEGER NOT NULL DEFAULT 0; -- sessions were lost: tell the peer
-- A vault that begins with a backup was set back, and its prekeys have numbers above this.
ALTER TABLE profile ADD COLUMN prekeys_before INTEGER NOT NULL DEFAULT 0;
