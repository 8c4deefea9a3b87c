-- Version 2: which envelopes were handled lately, by each relay.
CREATE TABLE recent_delivery (
    pin   BLOB NOT NULL,                  -- the relay, 32 bytes
    place INTEGER NOT NULL,               -- counts what was handled, from 1
    id    BLOB NOT NULL,                  -- the envelope's, 16 bytes
    PRIMARY KEY (pin, place)
) STRICT, WITHOUT ROWID;
