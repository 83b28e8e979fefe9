-- The mirror's first schema. A migration, once released, never changes; a column's meaning never changes.
-- Synced tables carry a 16-byte id and server_seq (NULL: the server has never seen the row); references
-- between them are not enforced, because a server delivers children before parents.

CREATE TABLE mirror (
    only            INTEGER PRIMARY KEY CHECK (only = 1),
    id              BLOB    NOT NULL CHECK (length(id) = 16),         -- names the keyring entries
    device_id       BLOB    NOT NULL CHECK (length(device_id) = 16),  -- this data folder, in devices
    hlc             INTEGER NOT NULL DEFAULT 0,                       -- last hybrid clock given to a field
    created_ms      INTEGER NOT NULL
) STRICT;

CREATE TABLE conversations (
    rowid           INTEGER PRIMARY KEY,
    id              BLOB    NOT NULL UNIQUE CHECK (length(id) = 16),
    title           TEXT    NOT NULL DEFAULT '',
    title_by        TEXT    NOT NULL DEFAULT 'auto' CHECK (title_by IN ('auto', 'person', 'import')),
    model           TEXT,                                             -- provider/model; NULL: the default
    system_prompt   TEXT,                                             -- NULL: the default
    pinned          INTEGER NOT NULL DEFAULT 0 CHECK (pinned IN (0, 1)),
    archived        INTEGER NOT NULL DEFAULT 0 CHECK (archived IN (0, 1)),
    trashed_ms      INTEGER,                                          -- NULL: not in the trash
    origin          TEXT,                                             -- JSON: legacy system and its ids
    continuation_id TEXT,
    metadata        TEXT,                                             -- JSON
    clocks          TEXT    NOT NULL DEFAULT '{}',                    -- JSON: field -> hybrid logical clock
    created_ms      INTEGER NOT NULL,
    updated_ms      INTEGER NOT NULL,
    server_seq      INTEGER,
    -- What follows is counted or chosen here and never sent.
    active_ms       INTEGER NOT NULL,                                 -- last written in
    message_count   INTEGER NOT NULL DEFAULT 0,
    leaf_id         BLOB                                              -- end of the branch that is shown
) STRICT;

-- The rowid carries the time: created_ms << 16 | a counter, so that "newest first" is the table's own
-- order, in a thread and in the search index alike, for imported rows too.
CREATE TABLE messages (
    rowid           INTEGER PRIMARY KEY,
    id              BLOB    NOT NULL UNIQUE CHECK (length(id) = 16),
    conversation_id BLOB    NOT NULL CHECK (length(conversation_id) = 16),
    parent_id       BLOB,                                             -- NULL: the first of a branch
    continues_id    BLOB,                                             -- the answer that Continue went on from
    role            TEXT    NOT NULL CHECK (role IN ('user', 'assistant', 'system', 'tool')),
    content         TEXT    NOT NULL,
    content_raw     BLOB,                                             -- original bytes, where content had to replace some
    parts           TEXT,                                             -- JSON: attachments
    model           TEXT,                                             -- provider/model
    state           TEXT    NOT NULL,
    tokens_in       INTEGER,
    tokens_out      INTEGER,
    first_token_ms  INTEGER,                                          -- a duration, in milliseconds
    cost_micros     INTEGER,                                          -- millionths of a US dollar
    metadata        TEXT,                                             -- JSON
    device_id       BLOB,                                             -- who may change an unfinished body
    created_ms      INTEGER NOT NULL,
    updated_ms      INTEGER NOT NULL,
    finished_ms     INTEGER,
    trashed_ms      INTEGER,
    server_seq      INTEGER
) STRICT;
CREATE INDEX messages_by_parent ON messages (conversation_id, parent_id);

-- Which child is shown where a message has several (parent_id: 16 zero bytes for the first messages).
-- Kept on this device only.
CREATE TABLE branches (
    conversation_id BLOB NOT NULL,
    parent_id       BLOB NOT NULL,
    child_id        BLOB NOT NULL,
    PRIMARY KEY (conversation_id, parent_id)
) STRICT, WITHOUT ROWID;

-- Answers that have not been given. Kept on this device only: asking is the business of the device
-- where the person pressed send. Ordered by rowid within a conversation.
CREATE TABLE send_queue (
    rowid           INTEGER PRIMARY KEY,
    message_id      BLOB    NOT NULL UNIQUE,
    conversation_id BLOB    NOT NULL,
    runner          BLOB,                                             -- the process that asks now
    attempts        INTEGER NOT NULL DEFAULT 0,
    retry_ms        INTEGER,                                          -- not before
    failure         TEXT,                                             -- JSON: the last one
    held            INTEGER NOT NULL DEFAULT 0 CHECK (held IN (0, 1)),-- waits for a yes
    queued_ms       INTEGER NOT NULL
) STRICT;

-- What is typed and not sent (conversation_id: 16 zero bytes for the new chat).
CREATE TABLE drafts (
    conversation_id BLOB    PRIMARY KEY,
    content         TEXT    NOT NULL,
    updated_ms      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE settings (
    rowid           INTEGER PRIMARY KEY,
    key             TEXT    NOT NULL UNIQUE,
    value           TEXT    NOT NULL,                                 -- JSON
    clocks          TEXT    NOT NULL DEFAULT '{}',
    updated_ms      INTEGER NOT NULL,
    server_seq      INTEGER
) STRICT;

CREATE TABLE devices (
    rowid           INTEGER PRIMARY KEY,
    id              BLOB    NOT NULL UNIQUE CHECK (length(id) = 16),
    name            TEXT    NOT NULL,
    platform        TEXT    NOT NULL,
    app_version     TEXT    NOT NULL,
    created_ms      INTEGER NOT NULL,
    last_seen_ms    INTEGER,
    revoked_ms      INTEGER,
    server_seq      INTEGER
) STRICT;

CREATE TABLE usage (
    rowid           INTEGER PRIMARY KEY,
    id              BLOB    NOT NULL UNIQUE CHECK (length(id) = 16),
    conversation_id BLOB    NOT NULL,
    message_id      BLOB    NOT NULL,
    model           TEXT    NOT NULL,
    tokens_in       INTEGER,
    tokens_out      INTEGER,
    first_token_ms  INTEGER,
    cost_micros     INTEGER,
    created_ms      INTEGER NOT NULL,
    server_seq      INTEGER
) STRICT;

CREATE TABLE documents (
    rowid           INTEGER PRIMARY KEY,
    id              BLOB    NOT NULL UNIQUE CHECK (length(id) = 16),
    conversation_id BLOB,                                             -- NULL: belongs to all
    title           TEXT    NOT NULL,
    mime            TEXT,
    sha256          BLOB    CHECK (sha256 IS NULL OR length(sha256) = 32),
    bytes           INTEGER,
    pages           INTEGER,
    state           TEXT    NOT NULL,
    origin          TEXT,                                             -- JSON
    metadata        TEXT,                                             -- JSON
    created_ms      INTEGER NOT NULL,
    updated_ms      INTEGER NOT NULL,
    trashed_ms      INTEGER,
    server_seq      INTEGER
) STRICT;

CREATE TABLE files (
    rowid           INTEGER PRIMARY KEY,
    id              BLOB    NOT NULL UNIQUE CHECK (length(id) = 16),
    document_id     BLOB,
    message_id      BLOB,
    name            TEXT    NOT NULL,
    mime            TEXT,
    sha256          BLOB    CHECK (sha256 IS NULL OR length(sha256) = 32),
    bytes           INTEGER,
    storage_path    TEXT,
    origin          TEXT,                                             -- JSON
    created_ms      INTEGER NOT NULL,
    server_seq      INTEGER
) STRICT;

-- Provider keys and tokens, only where a key file stands in for the keyring.
CREATE TABLE secrets (
    name            TEXT    PRIMARY KEY,
    value           TEXT    NOT NULL
) STRICT, WITHOUT ROWID;

-- The search index: no copy of the text, rows of messages and conversations by rowid.
CREATE VIRTUAL TABLE message_index USING fts5 (
    content, content = '', contentless_delete = 1, tokenize = 'unicode61 remove_diacritics 2'
);
CREATE VIRTUAL TABLE title_index USING fts5 (
    title, content = '', contentless_delete = 1, tokenize = 'unicode61 remove_diacritics 2'
);
-- Gathered in memory before it is written: a batch becomes one piece instead of many.
INSERT INTO message_index (message_index, rank) VALUES ('hashsize', 8388608);
-- Pieces are merged by the index's own task and not in a write that somebody waits for.
INSERT INTO message_index (message_index, rank) VALUES ('automerge', 0);
INSERT INTO message_index (message_index, rank) VALUES ('crisismerge', 64);
-- What the index does not show yet. An entry leaves in the transaction that indexes its row.
CREATE TABLE index_dirty (
    kind            INTEGER NOT NULL,                                 -- 1 message, 2 title
    row             INTEGER NOT NULL,
    PRIMARY KEY (kind, row)
) STRICT, WITHOUT ROWID;
