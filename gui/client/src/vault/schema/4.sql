-- Version 4: the assistant.
--
-- Providers of models, and which one is in use.
CREATE TABLE assistant (
    kind    INTEGER PRIMARY KEY,          -- 1 Ollama, 2 as OpenAI on this computer, 3 Gemini
    address TEXT NOT NULL,
    model   TEXT NOT NULL,
    key     TEXT                          -- what the provider knows the person by; secret
) STRICT;
ALTER TABLE profile ADD COLUMN assistant INTEGER;   -- the kind; NULL: none
ALTER TABLE profile ADD COLUMN tells_use INTEGER NOT NULL DEFAULT 1; -- chats are told of a cloud

-- What has left this computer, from the moment before it did.
CREATE TABLE assistant_use (
    place    INTEGER PRIMARY KEY,
    at       INTEGER NOT NULL,            -- milliseconds since 1970
    host     TEXT    NOT NULL,
    model    TEXT    NOT NULL,
    task     INTEGER NOT NULL,            -- 1 rephrase, 2 summarise, 3 translate
    messages INTEGER NOT NULL,
    bytes    INTEGER NOT NULL
) STRICT;

-- Whether texts of a chat may go to a cloud, and without a look to a model on this computer.
ALTER TABLE chat ADD COLUMN no_cloud      INTEGER NOT NULL DEFAULT 0;
ALTER TABLE chat ADD COLUMN peer_no_cloud INTEGER NOT NULL DEFAULT 0;
ALTER TABLE chat ADD COLUMN trusts_here   INTEGER NOT NULL DEFAULT 0;
