-- What a mirror with an account keeps beside its rows. The rows themselves hold what the person sees:
-- what the server last said (the base) and what this device changed since (pending). A table is named
-- by its code on the wire (docs/sync.md): 1 conversations, 2 messages, 3 documents, 4 files,
-- 5 settings, 6 usage, 7 devices.

-- Every synced table has: id, its fields, updated_ms, clocks, server_seq, and what a newer server sent.
ALTER TABLE conversations ADD COLUMN extra TEXT;                      -- JSON: fields that this version does not know
ALTER TABLE messages      ADD COLUMN clocks TEXT NOT NULL DEFAULT '{}';
ALTER TABLE messages      ADD COLUMN extra TEXT;
ALTER TABLE settings      ADD COLUMN id BLOB;                         -- from the key; NULL only before an account was attached
ALTER TABLE settings      ADD COLUMN extra TEXT;
ALTER TABLE devices       ADD COLUMN updated_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE devices       ADD COLUMN clocks TEXT NOT NULL DEFAULT '{}';
ALTER TABLE devices       ADD COLUMN extra TEXT;
ALTER TABLE usage         ADD COLUMN updated_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE usage         ADD COLUMN clocks TEXT NOT NULL DEFAULT '{}';
ALTER TABLE usage         ADD COLUMN extra TEXT;
ALTER TABLE documents     ADD COLUMN clocks TEXT NOT NULL DEFAULT '{}';
ALTER TABLE documents     ADD COLUMN extra TEXT;
ALTER TABLE files         ADD COLUMN updated_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE files         ADD COLUMN clocks TEXT NOT NULL DEFAULT '{}';
ALTER TABLE files         ADD COLUMN extra TEXT;
CREATE UNIQUE INDEX settings_by_id ON settings (id);

-- A register's clock stands under the register's name on the wire.
UPDATE conversations
   SET clocks = json_remove(json_set(clocks, '$.trashed_ms', json_extract(clocks, '$.trashed')), '$.trashed')
 WHERE json_type(clocks, '$.trashed') IS NOT NULL;

-- The account that this mirror belongs to. One file per project and user.
CREATE TABLE account (
    only            INTEGER PRIMARY KEY CHECK (only = 1),
    project         TEXT    NOT NULL,                                 -- the project's address
    user_id         BLOB    NOT NULL CHECK (length(user_id) = 16),
    email           TEXT    NOT NULL,
    attached_ms     INTEGER NOT NULL,
    offset_ms       INTEGER NOT NULL DEFAULT 0,                       -- the server's time less this computer's, as last seen
    scan_tbl        INTEGER,                                          -- the table that is being offered; NULL: all are
    scan_row        INTEGER NOT NULL DEFAULT 0,                       -- after this rowid of it
    rewinding       INTEGER NOT NULL DEFAULT 0 CHECK (rewinding IN (0, 1)), -- going back to what a restored server knows
    rewind_seq      INTEGER,                                          -- to this head; NULL: it knows none of ours
    rewind_nonce    INTEGER
) STRICT;

-- Operations without an outcome. One names what changed and holds no values: they are read from the row
-- when it is sent. Only an operation that is on its way keeps its values, from when the row changes again.
CREATE TABLE outbox (
    n               INTEGER PRIMARY KEY AUTOINCREMENT,                -- the device's number for it; never given twice
    tbl             INTEGER NOT NULL,
    row_id          BLOB    NOT NULL CHECK (length(row_id) = 16),
    queue           BLOB    NOT NULL CHECK (length(queue) = 16),
    kind            TEXT    NOT NULL CHECK (kind IN ('put', 'patch', 'ensure', 'purge')),
    registers       TEXT    NOT NULL DEFAULT '{}',                    -- JSON: register -> the clock last seen from the server; body -> null
    state           TEXT    NOT NULL DEFAULT 'waiting'
                            CHECK (state IN ('waiting', 'held', 'in_flight', 'parked', 'kept')),
    sent            TEXT,                                             -- JSON: what was sent, once the row has changed since
    attempts        INTEGER NOT NULL DEFAULT 0,
    code            TEXT,                                             -- why it is parked, or was put back
    message         TEXT,
    created_ms      INTEGER NOT NULL
) STRICT;
CREATE INDEX outbox_by_row ON outbox (row_id, tbl);
CREATE INDEX outbox_by_queue ON outbox (queue, n);
CREATE INDEX outbox_parked ON outbox (queue, n) WHERE state = 'parked';

-- What the server last said of rows with operations. A row without an entry is its own base.
CREATE TABLE bases (
    tbl             INTEGER NOT NULL,
    row_id          BLOB    NOT NULL CHECK (length(row_id) = 16),
    seq             INTEGER NOT NULL,
    updated_ms      INTEGER NOT NULL,
    fields          TEXT    NOT NULL,                                 -- JSON: field -> value, as on the wire
    clocks          TEXT    NOT NULL,                                 -- JSON: register -> clock
    PRIMARY KEY (tbl, row_id)
) STRICT, WITHOUT ROWID;

-- How far this mirror has read. Moves only in the transaction that applies the rows.
CREATE TABLE pull (
    only            INTEGER PRIMARY KEY CHECK (only = 1),
    seq             INTEGER,                                          -- NULL: the first sync is not done
    nonce           INTEGER,
    tbl             TEXT,
    row_id          BLOB,
    -- A first sync under way: the head that was read before it, and where it is.
    first_seq       INTEGER,
    first_nonce     INTEGER,
    first_tbl       INTEGER,
    first_after     TEXT                                              -- JSON of the server's, handed back as it came
) STRICT;
-- Heads that were seen, to find the last point that a restored server shares. Thinned out with age.
CREATE TABLE heads (
    seq             INTEGER NOT NULL,
    nonce           INTEGER NOT NULL,
    at_ms           INTEGER NOT NULL,
    PRIMARY KEY (seq, nonce)
) STRICT, WITHOUT ROWID;
-- Heads that pushes were answered with and no pull has passed. No points of the history: a server that was
-- restored meanwhile would know them, and not what came before.
CREATE TABLE pushed_heads (
    seq             INTEGER NOT NULL,
    nonce           INTEGER NOT NULL,
    PRIMARY KEY (seq, nonce)
) STRICT, WITHOUT ROWID;
-- Rows that were deleted for all, for 90 days: a restored server must not bring them back.
CREATE TABLE tombstones (
    tbl             INTEGER NOT NULL,
    row_id          BLOB    NOT NULL CHECK (length(row_id) = 16),
    seq             INTEGER NOT NULL,
    at_ms           INTEGER NOT NULL,
    PRIMARY KEY (tbl, row_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX tombstones_by_age ON tombstones (at_ms);
-- Rows of a newer server that this version cannot take in, as they came.
CREATE TABLE unread_rows (
    tbl             TEXT    NOT NULL,
    row_id          BLOB    NOT NULL CHECK (length(row_id) = 16),
    seq             INTEGER NOT NULL,
    row             TEXT    NOT NULL,                                 -- JSON: column -> value
    PRIMARY KEY (tbl, row_id)
) STRICT, WITHOUT ROWID;

-- Values that lost against another device's, until the person has seen them.
CREATE TABLE conflicts (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    tbl             INTEGER NOT NULL,
    row_id          BLOB    NOT NULL CHECK (length(row_id) = 16),
    conversation_id BLOB,
    register        TEXT    NOT NULL,                                 -- or body
    lost            TEXT    NOT NULL,                                 -- JSON: field -> value
    kept            TEXT    NOT NULL,                                 -- JSON: field -> value
    ours            INTEGER NOT NULL CHECK (ours IN (0, 1)),          -- whether the lost value is this device's
    copy_id         BLOB,                                             -- the row that holds the lost body
    at_ms           INTEGER NOT NULL,
    resolved_ms     INTEGER
) STRICT;
CREATE INDEX conflicts_open ON conflicts (conversation_id) WHERE resolved_ms IS NULL;

-- Conversations whose shown branch must be found anew, because messages came from the server.
CREATE TABLE unsettled (
    conversation_id BLOB    PRIMARY KEY
) STRICT, WITHOUT ROWID;
