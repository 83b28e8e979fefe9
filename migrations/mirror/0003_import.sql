-- Imports: what was brought, from where, and what came of it. Kept on this device only; the rows that came
-- are rows like all others.
CREATE TABLE imports (
    rowid           INTEGER PRIMARY KEY,
    id              BLOB    NOT NULL UNIQUE CHECK (length(id) = 16),
    system          TEXT    NOT NULL,                                 -- the old program
    source          TEXT    NOT NULL,                                 -- where it was, for the person to recognise
    options         TEXT    NOT NULL,                                 -- JSON
    state           TEXT    NOT NULL CHECK (state IN ('running', 'done', 'failed', 'undone')),
    report          TEXT,                                             -- JSON; NULL: not at its end
    backup          TEXT,                                             -- the archive's name in the folder of backups
    began_ms        INTEGER NOT NULL,
    ended_ms        INTEGER
) STRICT;

-- What an import wrote, conversation by conversation: to go on after a crash, and for the undo.
CREATE TABLE imported (
    rowid           INTEGER PRIMARY KEY,
    import_id       BLOB    NOT NULL CHECK (length(import_id) = 16),
    conversation_id BLOB    NOT NULL CHECK (length(conversation_id) = 16),
    is_new          INTEGER NOT NULL CHECK (is_new IN (0, 1)),        -- its own row was written too
    updated_ms      INTEGER NOT NULL,                                 -- of its row, as it was left
    messages        BLOB    NOT NULL,                                 -- ids of those that were written, 16 bytes each
    UNIQUE (import_id, conversation_id)
) STRICT;
CREATE TABLE imported_documents (
    import_id       BLOB    NOT NULL,
    document_id     BLOB    NOT NULL CHECK (length(document_id) = 16),
    PRIMARY KEY (import_id, document_id)
) STRICT, WITHOUT ROWID;

-- The pieces of text that are left of a document whose bytes an old program never kept.
CREATE TABLE fragments (
    rowid           INTEGER PRIMARY KEY,
    document_id     BLOB    NOT NULL CHECK (length(document_id) = 16),
    number          INTEGER NOT NULL,
    content         TEXT    NOT NULL,
    UNIQUE (document_id, number)
) STRICT;

-- Bytes that hung on messages, by their content.
CREATE TABLE blobs (
    rowid           INTEGER PRIMARY KEY,
    sha256          BLOB    NOT NULL UNIQUE CHECK (length(sha256) = 32),
    bytes           BLOB    NOT NULL
) STRICT;
