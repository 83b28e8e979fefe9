-- What changed, and when: a version per scope and transaction, in a thin table.
--
-- The head of a scope is bumped once for a transaction, and its row lock is held to the commit, so a
-- snapshot that shows seq n shows every smaller one of that scope. Statement-level triggers fill the
-- change table; the scope is the row's owner, whoever writes. The wide rows carry no version, so
-- their updates stay on their page.
--
-- The schema is not among those that PostgREST exposes. What a user must reach in it (through the
-- functions in `public`) is granted in 0003; everything else belongs to the owner alone.

CREATE SCHEMA IF NOT EXISTS sync;

CREATE TABLE IF NOT EXISTS sync.head (
    scope   uuid PRIMARY KEY REFERENCES public.profiles (user_id) ON DELETE CASCADE,
    seq     bigint NOT NULL,
    nonce   bigint NOT NULL,
    xid     xid8,                                     -- of the transaction that made seq ...
    at      timestamptz NOT NULL,                     -- ... and its time: after a logical restore xids repeat
    horizon bigint NOT NULL DEFAULT 0                 -- at or below it, tombstones are forgotten
) WITH (fillfactor = 50);

CREATE TABLE IF NOT EXISTS sync.txn (
    scope   uuid NOT NULL,
    seq     bigint NOT NULL,
    nonce   bigint NOT NULL,
    at      timestamptz NOT NULL,
    PRIMARY KEY (scope, seq)
);

CREATE TABLE IF NOT EXISTS sync.change (
    scope   uuid NOT NULL,
    row_id  uuid NOT NULL,
    seq     bigint NOT NULL,
    bytes   integer NOT NULL,                         -- about how much the row is, so that a page can stop in time
    tbl     smallint NOT NULL,
    op      "char" NOT NULL CHECK (op IN ('U', 'D', 'X')),
    PRIMARY KEY (scope, tbl, row_id)
);
CREATE UNIQUE INDEX IF NOT EXISTS change_by_seq ON sync.change (scope, seq, tbl, row_id);
CREATE INDEX IF NOT EXISTS change_tombstones
    ON sync.change (scope, seq) WHERE op <> 'U';

-- The synced tables, as the wire names them.
CREATE TABLE IF NOT EXISTS sync.kind (
    code      smallint PRIMARY KEY,
    wire      text NOT NULL UNIQUE,
    name      text NOT NULL UNIQUE,
    fields    text[] NOT NULL,                        -- in canonical order
    registers text[] NOT NULL,
    body      text[] NOT NULL DEFAULT '{}',           -- fields without a clock that may change for a while
    json      text[] NOT NULL DEFAULT '{}',           -- fields that travel as text that holds JSON
    columns   text[] NOT NULL GENERATED ALWAYS AS (   -- of a row as an array
        '{id}'::text[] || fields || '{updated_ms}'::text[]
        || CASE WHEN registers = '{}' THEN '{}'::text[] ELSE '{clocks}'::text[] END) STORED
);
INSERT INTO sync.kind (code, wire, name, fields, registers, body, json) VALUES
    (1, 'conversations', 'conversations',
     '{title,title_by,model,system_prompt,pinned,archived,trashed_ms,origin,continuation_id,metadata,created_ms}',
     '{title,model,system_prompt,pinned,archived,trashed_ms,continuation_id,metadata}',
     '{}', '{origin,metadata}'),
    (2, 'messages', 'messages',
     '{conversation_id,parent_id,continues_id,role,content,content_raw,parts,model,state,tokens_in,tokens_out,first_token_ms,cost_micros,metadata,device_id,created_ms,finished_ms,trashed_ms}',
     '{trashed_ms,metadata}',
     '{content,content_raw,parts,model,state,tokens_in,tokens_out,first_token_ms,cost_micros,finished_ms}',
     '{parts,metadata}'),
    (3, 'documents', 'documents',
     '{conversation_id,title,mime,sha256,bytes,pages,state,origin,metadata,created_ms,trashed_ms}',
     '{title,state,metadata,trashed_ms}', '{}', '{origin,metadata}'),
    (4, 'files', 'files',
     '{document_id,message_id,name,mime,sha256,bytes,storage_path,origin,created_ms}',
     '{name,storage_path}', '{}', '{origin}'),
    (5, 'settings', 'user_preferences', '{key,value}', '{value}', '{}', '{value}'),
    (6, 'usage', 'usage_logs',
     '{conversation_id,message_id,model,tokens_in,tokens_out,first_token_ms,cost_micros,created_ms}',
     '{}', '{}', '{}'),
    (7, 'devices', 'devices', '{name,platform,app_version,created_ms,revoked_ms}',
     '{name,platform,app_version}', '{}', '{}')
ON CONFLICT (code) DO UPDATE
    SET wire = excluded.wire, name = excluded.name, fields = excluded.fields,
        registers = excluded.registers, body = excluded.body, json = excluded.json;

-- 63 random bits.
CREATE OR REPLACE FUNCTION sync.nonce() RETURNS bigint
LANGUAGE sql VOLATILE SET search_path = '' AS $$
    SELECT ('x' || right(replace(gen_random_uuid()::text, '-', ''), 8)
                || right(replace(gen_random_uuid()::text, '-', ''), 8))::bit(64)::bigint
           & 9223372036854775807
$$;

-- This moment as a hybrid logical clock.
CREATE OR REPLACE FUNCTION sync.clock() RETURNS bigint
LANGUAGE sql STABLE SET search_path = '' AS $$
    SELECT (round(date_part('epoch', now()) * 1000)::bigint << 16)
$$;

-- The id of a setting: the same on every device that has the key.
CREATE OR REPLACE FUNCTION sync.setting_id(key text) RETURNS uuid
LANGUAGE sql IMMUTABLE SET search_path = '' AS $$
    SELECT encode(set_byte(set_byte(hash, 6, get_byte(hash, 6) & 15 | 128),
                           8, get_byte(hash, 8) & 63 | 128), 'hex')::uuid
      FROM (SELECT substr(sha256(convert_to('tidemark setting ' || key, 'UTF8')), 1, 16)) AS h (hash)
$$;
ALTER TABLE public.user_preferences DROP CONSTRAINT IF EXISTS user_preferences_id;
ALTER TABLE public.user_preferences
    ADD CONSTRAINT user_preferences_id CHECK (id = sync.setting_id(key));

-- Tells whoever listens that a scope moved. It carries no data, may be lost, and must never cost the
-- write that rings it.
CREATE OR REPLACE FUNCTION sync.ring(scope uuid, seq bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
    PERFORM realtime.send(jsonb_build_object('seq', seq), 'head', 'sync:' || scope, true);
EXCEPTION WHEN OTHERS THEN
    RAISE WARNING 'the doorbell is out of order: %', SQLERRM;
END
$$;

-- The seq of this transaction in a scope: a new one the first time, the same one after that. Takes
-- the head's lock, and keeps it to the commit. NULL where there is no such scope.
CREATE OR REPLACE FUNCTION sync.bump(scope uuid) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
    head sync.head;
BEGIN
    SELECT * INTO head FROM sync.head AS h WHERE h.scope = bump.scope FOR UPDATE;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    IF head.xid = pg_current_xact_id() AND head.at = transaction_timestamp() THEN
        RETURN head.seq;
    END IF;
    UPDATE sync.head AS h
       SET seq = h.seq + 1, nonce = sync.nonce(), xid = pg_current_xact_id(),
           at = transaction_timestamp()
     WHERE h.scope = bump.scope
    RETURNING * INTO head;
    INSERT INTO sync.txn (scope, seq, nonce, at) VALUES (head.scope, head.seq, head.nonce, head.at);
    PERFORM sync.ring(head.scope, head.seq);
    RETURN head.seq;
END
$$;

CREATE OR REPLACE FUNCTION sync.note_write() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
    owner uuid;
    version bigint;
BEGIN
    -- Sorted, so that two writers of several scopes wait for each other instead of dying.
    FOR owner IN SELECT DISTINCT n.user_id FROM new_rows AS n ORDER BY n.user_id LOOP
        version := sync.bump(owner);
        IF version IS NULL THEN
            RAISE foreign_key_violation USING MESSAGE = 'a row of nobody: its user has no profile';
        END IF;
        INSERT INTO sync.change AS c (scope, tbl, row_id, seq, op, bytes)
        SELECT n.user_id, tg_argv[0]::smallint, n.id, version, 'U', pg_column_size(n)
          FROM new_rows AS n
         WHERE n.user_id = owner
        ON CONFLICT (scope, tbl, row_id) DO UPDATE
            SET seq = excluded.seq, op = 'U', bytes = excluded.bytes;
    END LOOP;
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION sync.note_delete() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
    owner uuid;
    version bigint;
BEGIN
    FOR owner IN SELECT DISTINCT o.user_id FROM old_rows AS o ORDER BY o.user_id LOOP
        version := sync.bump(owner);
        CONTINUE WHEN version IS NULL;                -- the whole scope is going (sync.forget)
        INSERT INTO sync.change AS c (scope, tbl, row_id, seq, op, bytes)
        SELECT o.user_id, tg_argv[0]::smallint, o.id, version, 'D', 0
          FROM old_rows AS o
         WHERE o.user_id = owner
        ON CONFLICT (scope, tbl, row_id) DO UPDATE
            SET seq = excluded.seq, op = 'D', bytes = 0;
    END LOOP;
    RETURN NULL;
END
$$;

-- A row that is given to somebody else left its scope; note_write tells the new one.
CREATE OR REPLACE FUNCTION sync.note_leave() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
    INSERT INTO sync.change AS c (scope, tbl, row_id, seq, op, bytes)
    VALUES (old.user_id, tg_argv[0]::smallint, old.id, sync.bump(old.user_id), 'X', 0)
    ON CONFLICT (scope, tbl, row_id) DO UPDATE SET seq = excluded.seq, op = 'X', bytes = 0;
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION sync.refuse_truncate() RETURNS trigger
LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
    RAISE EXCEPTION 'TRUNCATE leaves no tombstones; use DELETE';
END
$$;

-- Clocks for writers that send none: every register that changed, later than what it replaces.
-- Arguments: the registers. A row that comes with clocks (sync_push) passes by in the WHEN clause.
CREATE OR REPLACE FUNCTION sync.stamp() RETURNS trigger
LANGUAGE plpgsql SET search_path = '' AS $$
DECLARE
    old_row jsonb := CASE tg_op WHEN 'UPDATE' THEN to_jsonb(old) ELSE '{}' END;
    new_row jsonb := to_jsonb(new);
    stamped jsonb := COALESCE(old_row -> 'clocks', '{}');
    register text;
    field text;
BEGIN
    FOREACH register IN ARRAY tg_argv LOOP
        field := regexp_replace(register, '_ms$', '_at');
        IF tg_op = 'INSERT' OR old_row -> field IS DISTINCT FROM new_row -> field
           OR (register = 'title' AND old_row -> 'title_by' IS DISTINCT FROM new_row -> 'title_by')
        THEN
            stamped := stamped || jsonb_build_object(
                register, greatest(sync.clock(), (stamped ->> register)::bigint + 1));
        END IF;
    END LOOP;
    new.clocks := stamped;
    RETURN new;
END
$$;

CREATE OR REPLACE FUNCTION sync.touch() RETURNS trigger
LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
    new.updated_at := now();
    RETURN new;
END
$$;

-- See conversations.purge_after.
CREATE OR REPLACE FUNCTION sync.plan_purge() RETURNS trigger
LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
    new.purge_after := CASE WHEN new.trashed_at IS NOT NULL
                            THEN COALESCE(new.purge_after, now() + interval '30 days') END;
    RETURN new;
END
$$;
CREATE OR REPLACE TRIGGER plan_purge BEFORE INSERT OR UPDATE ON public.conversations
    FOR EACH ROW WHEN ((new.trashed_at IS NULL) <> (new.purge_after IS NULL))
    EXECUTE FUNCTION sync.plan_purge();

CREATE OR REPLACE FUNCTION sync.keep_revoked() RETURNS trigger
LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
    new.revoked_at := old.revoked_at;
    RETURN new;
END
$$;
CREATE OR REPLACE TRIGGER keep_revoked BEFORE UPDATE ON public.devices
    FOR EACH ROW WHEN (old.revoked_at IS NOT NULL AND new.revoked_at IS DISTINCT FROM old.revoked_at)
    EXECUTE FUNCTION sync.keep_revoked();

-- The same triggers on every synced table.
DO $$
DECLARE
    kind sync.kind;
    registers text;
    changed text;
BEGIN
    FOR kind IN SELECT * FROM sync.kind ORDER BY code LOOP
        EXECUTE format('CREATE OR REPLACE TRIGGER note_insert AFTER INSERT ON public.%I'
            ' REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT'
            ' EXECUTE FUNCTION sync.note_write(%s)', kind.name, kind.code);
        EXECUTE format('CREATE OR REPLACE TRIGGER note_update AFTER UPDATE ON public.%I'
            ' REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT'
            ' EXECUTE FUNCTION sync.note_write(%s)', kind.name, kind.code);
        EXECUTE format('CREATE OR REPLACE TRIGGER note_delete AFTER DELETE ON public.%I'
            ' REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT'
            ' EXECUTE FUNCTION sync.note_delete(%s)', kind.name, kind.code);
        EXECUTE format('CREATE OR REPLACE TRIGGER note_leave AFTER UPDATE ON public.%I'
            ' FOR EACH ROW WHEN (old.user_id <> new.user_id OR old.id <> new.id)'
            ' EXECUTE FUNCTION sync.note_leave(%s)', kind.name, kind.code);
        EXECUTE format('CREATE OR REPLACE TRIGGER refuse_truncate BEFORE TRUNCATE ON public.%I'
            ' FOR EACH STATEMENT EXECUTE FUNCTION sync.refuse_truncate()', kind.name);
        CONTINUE WHEN kind.registers = '{}';
        SELECT string_agg(quote_literal(r), ', '),
               string_agg(format('old.%1$I IS DISTINCT FROM new.%1$I',
                                 regexp_replace(r, '_ms$', '_at')), ' OR ')
          INTO registers, changed
          FROM unnest(kind.registers) AS r;
        IF kind.wire = 'conversations' THEN           -- one register with the title
            changed := changed || ' OR old.title_by IS DISTINCT FROM new.title_by';
        END IF;
        EXECUTE format('CREATE OR REPLACE TRIGGER stamp_insert BEFORE INSERT ON public.%I'
            ' FOR EACH ROW WHEN (new.clocks IS NULL)'
            ' EXECUTE FUNCTION sync.stamp(%s)', kind.name, registers);
        EXECUTE format('CREATE OR REPLACE TRIGGER stamp_update BEFORE UPDATE ON public.%I'
            ' FOR EACH ROW WHEN (new.clocks IS NOT DISTINCT FROM old.clocks AND (%s))'
            ' EXECUTE FUNCTION sync.stamp(%s)', kind.name, changed, registers);
        EXECUTE format('CREATE OR REPLACE TRIGGER touch BEFORE UPDATE ON public.%I'
            ' FOR EACH ROW WHEN (new.updated_at IS NOT DISTINCT FROM old.updated_at)'
            ' EXECUTE FUNCTION sync.touch()', kind.name);
    END LOOP;
END
$$;
