-- The log: what every other table of the house is computed from. Rows are inserted, never changed and never deleted.
-- data and metadata are TEXT, because the hash is of their very bytes.
CREATE TABLE log (
    position     INTEGER PRIMARY KEY NOT NULL CHECK (position >= 1),
    recorded_at  INTEGER NOT NULL,
    type         TEXT    NOT NULL,
    type_version INTEGER NOT NULL CHECK (type_version BETWEEN 0 AND 4294967295),
    data         TEXT    NOT NULL,
    metadata     TEXT    NOT NULL,
    hash         BLOB    NOT NULL CHECK (length(hash) = 32)
) STRICT;
