-- Whom and what the server keeps. Applied in name order to a fresh Supabase project, as `postgres`;
-- every file may be applied again.
--
-- Keys are (user_id, id): an id made by an import or by another person can neither collide nor be
-- claimed in advance. A reference is read together with its row's user_id, so it cannot leave the
-- owner either. No foreign key enforces it: a change feed that compacts, and a device that re-offers
-- what a restored server lost, deliver children before parents. What a foreign key to the owner
-- would do is done once for a transaction, by the lock on the scope's head (0002), instead of once
-- for a row.
--
-- Times are timestamptz(3): what travels is Unix milliseconds, and nothing may be lost between.
-- Indexes: none but a primary key begins with user_id. A query of a policy's table says twice whose rows it
-- wants (the policy's condition and its own), the planner takes that for twice as selective, and any index
-- that begins with user_id then looks as good as the key: a look-up by key was seen to read all of a
-- user's messages. So what is ordered within a user begins with a hash of the user.
--
-- Constraints named `*_size` are answered with `too_large`, all others with `invalid`.

CREATE TABLE IF NOT EXISTS public.profiles (
    user_id             uuid PRIMARY KEY REFERENCES auth.users (id) ON DELETE CASCADE,
    role                text NOT NULL DEFAULT 'user' CHECK (role IN ('user', 'admin')),
    state               text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'disabled')),
    registration_source text NOT NULL DEFAULT 'unknown' CHECK (length(registration_source) <= 40),
    created_at          timestamptz(3) NOT NULL DEFAULT now(),
    updated_at          timestamptz(3) NOT NULL DEFAULT now()
);

CREATE TABLE IF NOT EXISTS public.conversations (
    user_id         uuid NOT NULL,
    id              uuid NOT NULL,
    title           text NOT NULL DEFAULT '',
    title_by        text NOT NULL DEFAULT 'auto' CHECK (title_by IN ('auto', 'person', 'import')),
    model           text,                             -- provider/model; NULL: the default
    system_prompt   text,
    pinned          boolean NOT NULL DEFAULT false,
    archived        boolean NOT NULL DEFAULT false,
    trashed_at      timestamptz(3),                   -- by the device's clock; see purge_after
    origin          jsonb,                            -- legacy system and its ids
    continuation_id text,
    metadata        jsonb,
    clocks          jsonb NOT NULL,                   -- register -> hybrid logical clock
    created_at      timestamptz(3) NOT NULL DEFAULT now(),
    updated_at      timestamptz(3) NOT NULL DEFAULT now(),
    -- When the server may purge it: 30 days after it heard of the trashing, by its own time. A
    -- device whose clock is a year behind must not have its trash emptied at once. Not synced.
    purge_after     timestamptz,
    PRIMARY KEY (user_id, id),
    CONSTRAINT conversations_title_size CHECK (octet_length(title) <= 8192),
    CONSTRAINT conversations_prompt_size CHECK (octet_length(system_prompt) <= 1048576),
    CONSTRAINT conversations_names_size CHECK (
        octet_length(model) <= 1024 AND octet_length(continuation_id) <= 1024),
    CONSTRAINT conversations_json_size CHECK (
        octet_length(origin::text) <= 262144 AND octet_length(metadata::text) <= 262144),
    CONSTRAINT conversations_clocks CHECK (jsonb_typeof(clocks) = 'object'
        AND NOT jsonb_path_exists(clocks, '$.* ? (@.type() != "number")')),
    CONSTRAINT conversations_time CHECK (
        created_at BETWEEN '0001-01-01Z' AND '9999-12-31 23:59:59.999Z'
        AND (trashed_at IS NULL OR trashed_at BETWEEN '0001-01-01Z' AND '9999-12-31 23:59:59.999Z'))
);
CREATE INDEX IF NOT EXISTS conversations_by_recency
    ON public.conversations (uuid_hash(user_id), updated_at DESC, id DESC);
CREATE INDEX IF NOT EXISTS conversations_to_purge
    ON public.conversations (user_id, purge_after) WHERE purge_after IS NOT NULL;

CREATE TABLE IF NOT EXISTS public.messages (
    user_id         uuid NOT NULL,
    id              uuid NOT NULL,
    conversation_id uuid NOT NULL,
    parent_id       uuid,                             -- NULL: the first of a branch
    continues_id    uuid,                             -- the answer that Continue went on from
    role            text NOT NULL CHECK (role IN ('user', 'assistant', 'system', 'tool')),
    content         text NOT NULL,
    content_raw     bytea,                            -- where content had to replace some
    parts           jsonb,                            -- attachments, calls of tools
    model           text,
    state           text NOT NULL CHECK (state IN ('queued', 'sending', 'streaming', 'retrying',
                                                   'needs_you', 'done', 'stopped', 'interrupted')),
    tokens_in       bigint CHECK (tokens_in >= 0),
    tokens_out      bigint CHECK (tokens_out >= 0),
    first_token_ms  bigint CHECK (first_token_ms >= 0),
    cost_micros     bigint CHECK (cost_micros >= 0),
    metadata        jsonb,
    device_id       uuid,                             -- who may change an unfinished body
    created_at      timestamptz(3) NOT NULL DEFAULT now(),
    finished_at     timestamptz(3),
    trashed_at      timestamptz(3),
    clocks          jsonb NOT NULL,
    updated_at      timestamptz(3) NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, id),
    -- 1 MiB, and three times that where each byte of the original became a sign of three.
    CONSTRAINT messages_content_size CHECK (
        octet_length(content) <= CASE WHEN content_raw IS NULL THEN 1048576 ELSE 3145728 END
        AND (content_raw IS NULL OR octet_length(content_raw) <= 1048576)),
    CONSTRAINT messages_model_size CHECK (octet_length(model) <= 1024),
    CONSTRAINT messages_json_size CHECK (
        octet_length(parts::text) <= 1048576 AND octet_length(metadata::text) <= 262144),
    CONSTRAINT messages_clocks CHECK (jsonb_typeof(clocks) = 'object'
        AND NOT jsonb_path_exists(clocks, '$.* ? (@.type() != "number")')),
    CONSTRAINT messages_time CHECK (
        created_at BETWEEN '0001-01-01Z' AND '9999-12-31 23:59:59.999Z'
        AND (finished_at IS NULL OR finished_at BETWEEN '0001-01-01Z' AND '9999-12-31 23:59:59.999Z')
        AND (trashed_at IS NULL OR trashed_at BETWEEN '0001-01-01Z' AND '9999-12-31 23:59:59.999Z'))
) WITH (fillfactor = 90);                             -- room for an update beside its row
CREATE INDEX IF NOT EXISTS messages_by_conversation ON public.messages (conversation_id, user_id);
CREATE INDEX IF NOT EXISTS messages_by_recency
    ON public.messages (uuid_hash(user_id), created_at DESC, id DESC);

CREATE TABLE IF NOT EXISTS public.documents (
    user_id         uuid NOT NULL,
    id              uuid NOT NULL,
    conversation_id uuid,                             -- NULL: belongs to all
    title           text NOT NULL,
    mime            text,
    sha256          text CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    bytes           bigint CHECK (bytes >= 0),
    pages           bigint CHECK (pages >= 0),
    state           text NOT NULL CHECK (length(state) <= 40),
    origin          jsonb,
    metadata        jsonb,
    created_at      timestamptz(3) NOT NULL DEFAULT now(),
    trashed_at      timestamptz(3),
    clocks          jsonb NOT NULL,
    updated_at      timestamptz(3) NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, id),
    CONSTRAINT documents_names_size CHECK (octet_length(title) <= 8192 AND octet_length(mime) <= 1024),
    CONSTRAINT documents_json_size CHECK (
        octet_length(origin::text) <= 262144 AND octet_length(metadata::text) <= 262144),
    CONSTRAINT documents_clocks CHECK (jsonb_typeof(clocks) = 'object'
        AND NOT jsonb_path_exists(clocks, '$.* ? (@.type() != "number")')),
    CONSTRAINT documents_time CHECK (
        created_at BETWEEN '0001-01-01Z' AND '9999-12-31 23:59:59.999Z'
        AND (trashed_at IS NULL OR trashed_at BETWEEN '0001-01-01Z' AND '9999-12-31 23:59:59.999Z'))
);
CREATE INDEX IF NOT EXISTS documents_by_conversation
    ON public.documents (conversation_id, user_id);

CREATE TABLE IF NOT EXISTS public.files (
    user_id         uuid NOT NULL,
    id              uuid NOT NULL,
    document_id     uuid,
    message_id      uuid,
    name            text NOT NULL,
    mime            text,
    sha256          text CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    bytes           bigint CHECK (bytes >= 0),
    storage_path    text,                             -- bucket/path; NULL: not uploaded
    origin          jsonb,
    created_at      timestamptz(3) NOT NULL DEFAULT now(),
    clocks          jsonb NOT NULL,
    updated_at      timestamptz(3) NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, id),
    CONSTRAINT files_names_size CHECK (octet_length(name) <= 8192 AND octet_length(mime) <= 1024
        AND octet_length(storage_path) <= 8192),
    CONSTRAINT files_json_size CHECK (octet_length(origin::text) <= 262144),
    CONSTRAINT files_clocks CHECK (jsonb_typeof(clocks) = 'object'
        AND NOT jsonb_path_exists(clocks, '$.* ? (@.type() != "number")')),
    CONSTRAINT files_time CHECK (
        created_at BETWEEN '0001-01-01Z' AND '9999-12-31 23:59:59.999Z')
);
CREATE INDEX IF NOT EXISTS files_by_document ON public.files (document_id, user_id);
CREATE INDEX IF NOT EXISTS files_by_message ON public.files (message_id, user_id);

-- Which files a conversation may look into. Not synced: files say themselves where they belong.
CREATE TABLE IF NOT EXISTS public.conversation_files (
    user_id         uuid NOT NULL,
    conversation_id uuid NOT NULL,
    file_id         uuid NOT NULL,
    created_at      timestamptz(3) NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, conversation_id, file_id),
    FOREIGN KEY (user_id, conversation_id) REFERENCES public.conversations (user_id, id)
        ON DELETE CASCADE,
    FOREIGN KEY (user_id, file_id) REFERENCES public.files (user_id, id) ON DELETE CASCADE
);
CREATE INDEX IF NOT EXISTS conversation_files_by_file
    ON public.conversation_files (user_id, file_id);

-- What is on its way to Storage, so that another device knows what it waits for. Not synced.
CREATE TABLE IF NOT EXISTS public.uploads (
    user_id         uuid NOT NULL REFERENCES public.profiles (user_id) ON DELETE CASCADE,
    id              uuid NOT NULL,
    bucket          text NOT NULL CHECK (bucket IN ('user-files', 'generated-files')),
    path            text NOT NULL,
    file_id         uuid,
    device_id       uuid,
    mime            text,
    sha256          text CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    bytes           bigint CHECK (bytes >= 0),
    state           text NOT NULL DEFAULT 'started'
                    CHECK (state IN ('started', 'done', 'failed')),
    created_at      timestamptz(3) NOT NULL DEFAULT now(),
    updated_at      timestamptz(3) NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, id),
    CONSTRAINT uploads_names_size CHECK (octet_length(path) <= 8192 AND octet_length(mime) <= 1024)
);

CREATE TABLE IF NOT EXISTS public.user_preferences (
    user_id         uuid NOT NULL,
    id              uuid NOT NULL,                    -- made from the key (0002)
    key             text NOT NULL CHECK (key <> '' AND key NOT LIKE 'local.%'),
    value           jsonb NOT NULL,
    clocks          jsonb NOT NULL,
    updated_at      timestamptz(3) NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, id),
    CONSTRAINT user_preferences_key_size CHECK (octet_length(key) <= 1024),
    CONSTRAINT user_preferences_value_size CHECK (octet_length(value::text) <= 262144),
    CONSTRAINT user_preferences_clocks CHECK (jsonb_typeof(clocks) = 'object'
        AND NOT jsonb_path_exists(clocks, '$.* ? (@.type() != "number")'))
);

CREATE TABLE IF NOT EXISTS public.usage_logs (
    user_id         uuid NOT NULL,
    id              uuid NOT NULL,
    conversation_id uuid NOT NULL,
    message_id      uuid NOT NULL,
    model           text NOT NULL,
    tokens_in       bigint CHECK (tokens_in >= 0),
    tokens_out      bigint CHECK (tokens_out >= 0),
    first_token_ms  bigint CHECK (first_token_ms >= 0),
    cost_micros     bigint CHECK (cost_micros >= 0),
    created_at      timestamptz(3) NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, id),
    CONSTRAINT usage_logs_model_size CHECK (octet_length(model) <= 1024),
    CONSTRAINT usage_logs_time CHECK (
        created_at BETWEEN '0001-01-01Z' AND '9999-12-31 23:59:59.999Z')
);
CREATE INDEX IF NOT EXISTS usage_logs_by_conversation
    ON public.usage_logs (conversation_id, user_id);

CREATE TABLE IF NOT EXISTS public.devices (
    user_id         uuid NOT NULL,
    id              uuid NOT NULL,
    name            text NOT NULL,
    platform        text NOT NULL,
    app_version     text NOT NULL,
    created_at      timestamptz(3) NOT NULL DEFAULT now(),
    revoked_at      timestamptz(3),                   -- set once, never taken back
    clocks          jsonb NOT NULL,
    updated_at      timestamptz(3) NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, id),
    CONSTRAINT devices_names_size CHECK (octet_length(name) <= 1024
        AND octet_length(platform) <= 1024 AND octet_length(app_version) <= 1024),
    CONSTRAINT devices_clocks CHECK (jsonb_typeof(clocks) = 'object'
        AND NOT jsonb_path_exists(clocks, '$.* ? (@.type() != "number")')),
    CONSTRAINT devices_time CHECK (
        created_at BETWEEN '0001-01-01Z' AND '9999-12-31 23:59:59.999Z')
);
-- A hello asks whether somebody else has this device id.
CREATE INDEX IF NOT EXISTS devices_by_id ON public.devices (id);
