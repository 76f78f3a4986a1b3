-- Up to where each read model's table has the log, written in the transaction of its rows. `slot` is 'live' for the table
-- that queries read and 'building' for the one that is made beside it. Each table's own shape stands in its model's file:
-- the same table is built a second time, under another name, whenever it is rebuilt. All of it lies in a schema of its own.
CREATE TABLE checkpoints (
    name     TEXT   NOT NULL,
    slot     TEXT   NOT NULL CHECK (slot IN ('live', 'building')),
    version  BIGINT NOT NULL,
    log_id   TEXT   NOT NULL,
    position BIGINT NOT NULL CHECK (position >= 0),
    hash     BYTEA  NOT NULL CHECK (length(hash) = 32),
    PRIMARY KEY (name, slot)
);
