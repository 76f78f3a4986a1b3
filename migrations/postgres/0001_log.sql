-- The log: what every other table of the house is computed from. Rows are inserted, never changed and never deleted.
-- A position is given by who appends; a sequence would leave gaps, and let rows appear behind later ones.
-- data and metadata are TEXT, because the hash is of their very bytes.
CREATE TABLE log (
    position     BIGINT PRIMARY KEY CHECK (position >= 1),
    recorded_at  BIGINT NOT NULL,
    type         TEXT   NOT NULL,
    type_version BIGINT NOT NULL CHECK (type_version BETWEEN 0 AND 4294967295),
    data         TEXT   NOT NULL,
    metadata     TEXT   NOT NULL,
    hash         BYTEA  NOT NULL CHECK (octet_length(hash) = 32)
);

-- One row, written for the sake of its commit alone: once that is acknowledged, so is all that was committed before it.
CREATE TABLE log_settled (
    one   BOOLEAN PRIMARY KEY DEFAULT TRUE CHECK (one),
    times BIGINT  NOT NULL
);
INSERT INTO log_settled (times) VALUES (0);
