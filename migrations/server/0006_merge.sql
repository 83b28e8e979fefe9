-- What a device writes. One transaction for a batch; each operation stands or falls by itself, and
-- its outcome is kept in a ledger until the device says that it has it: exactly once, and bounded.
-- docs/sync.md, `sync_push`, says what each outcome means.
--
-- Here are the parts: unpacking, rows from fields, merging. 0007_push.sql has the whole.

CREATE TABLE IF NOT EXISTS sync.ledger (
    user_id   uuid NOT NULL,
    device_id uuid NOT NULL,
    n         bigint NOT NULL,
    outcome   text NOT NULL,
    detail    jsonb NOT NULL,                         -- without the row: it is read again
    -- Of which row. A data folder that was put back from a copy numbers anew, and must not be
    -- given another operation's outcome for an answer.
    tbl       text,
    row_id    uuid,
    PRIMARY KEY (user_id, device_id, n)
);

DO $$
BEGIN
    IF to_regtype('sync.op') IS NULL THEN
        -- An operation as it came; id, fields and clocks are NULL where they were not what they should be.
        CREATE TYPE sync.op AS (
            n bigint, tbl text, id uuid, queue text, kind text, fields jsonb, clocks jsonb, base jsonb
        );
        CREATE TYPE sync.outcome AS (n bigint, outcome text, detail jsonb);
    END IF;
END
$$;

-- How far the latest clock of a batch is ahead, in milliseconds; 0 within the tolerated minute.
CREATE OR REPLACE FUNCTION sync.ahead(ops jsonb) RETURNS bigint
LANGUAGE sql STABLE SET search_path = '' AS $$
    SELECT CASE WHEN a.ms > 60000 THEN a.ms ELSE 0 END
      FROM (SELECT (max(c.value::numeric)::bigint >> 16) - sync.server_ms() AS ms
              FROM jsonb_path_query(ops, '$[*].clocks.* ? (@.type() == "number" && @ >= 0
                       && @ <= 9223372036854775807)') AS c (value)) AS a
$$;

-- The operations of a batch, in order, with clocks moved back by so many milliseconds. Looking at every id
-- first costs as much as all the rest, so that is done only after a batch raised without.
CREATE OR REPLACE FUNCTION sync.unpack(ops jsonb, ahead bigint, careful boolean) RETURNS sync.op[]
LANGUAGE sql STABLE SET search_path = '' AS $$
    SELECT array_agg(ROW(
               o.n,
               o.tbl,
               CASE WHEN NOT careful OR o.id ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' THEN o.id::uuid END,
               COALESCE(o.queue, o.id),
               o.kind,
               CASE jsonb_typeof(o.fields) WHEN 'object' THEN o.fields END,
               CASE WHEN o.clocks IS NULL OR o.clocks IN ('{}', 'null') THEN '{}'
                    WHEN jsonb_typeof(o.clocks) <> 'object'
                      OR jsonb_path_exists(o.clocks, '$.* ? (!(@.type() == "number" && @ >= 0
                             && @ <= 9223372036854775807 && @.floor() == @))') THEN NULL
                    WHEN ahead = 0 THEN o.clocks
                    ELSE (SELECT jsonb_object_agg(c.key, greatest(c.value::bigint - (ahead << 16), 0))
                            FROM jsonb_each(o.clocks) AS c) END,
               CASE jsonb_typeof(o.base) WHEN 'object' THEN o.base ELSE '{}' END
           )::sync.op ORDER BY o.n)
      FROM jsonb_to_recordset(ops) AS o (
               n bigint, tbl text, id text, queue text, kind text, fields jsonb, clocks jsonb, base jsonb)
$$;

-- Rows from operations, a function for each table. A field that is absent is NULL: a put needs all of
-- them, and a patch takes only what it names (sync.write).
-- PL/pgSQL, here and where a function is called for each operation: its plans are kept.
CREATE OR REPLACE FUNCTION sync.new_conversations(owner uuid, batch sync.op[])
RETURNS SETOF public.conversations LANGUAGE plpgsql STABLE SET search_path = '' AS $$
BEGIN
    RETURN QUERY
    SELECT owner, o.id, COALESCE(f.title, ''), COALESCE(f.title_by, 'auto'), f.model, f.system_prompt,
           COALESCE(f.pinned, false), COALESCE(f.archived, false),
           (timestamptz 'epoch' + f.trashed_ms * interval '1 millisecond')::timestamptz(3),
           f.origin::jsonb, f.continuation_id, f.metadata::jsonb, o.clocks,
           (timestamptz 'epoch' + f.created_ms * interval '1 millisecond')::timestamptz(3),
           least(timestamptz 'epoch' + f.updated_ms * interval '1 millisecond', now())::timestamptz(3), NULL::timestamptz
      FROM unnest(batch) AS o
     CROSS JOIN LATERAL jsonb_to_record(o.fields) AS f (
               title text, title_by text, model text, system_prompt text, pinned boolean,
               archived boolean, trashed_ms bigint, origin text, continuation_id text,
               metadata text, created_ms bigint, updated_ms bigint);
END
$$;

CREATE OR REPLACE FUNCTION sync.new_messages(owner uuid, batch sync.op[])
RETURNS SETOF public.messages LANGUAGE plpgsql STABLE SET search_path = '' AS $$
BEGIN
    RETURN QUERY
    SELECT owner, o.id, f.conversation_id, f.parent_id, f.continues_id, f.role, f.content,
           decode(f.content_raw, 'base64'), f.parts::jsonb, f.model, f.state, f.tokens_in,
           f.tokens_out, f.first_token_ms, f.cost_micros, f.metadata::jsonb, f.device_id,
           (timestamptz 'epoch' + f.created_ms * interval '1 millisecond')::timestamptz(3),
           (timestamptz 'epoch' + f.finished_ms * interval '1 millisecond')::timestamptz(3),
           (timestamptz 'epoch' + f.trashed_ms * interval '1 millisecond')::timestamptz(3),
           o.clocks,
           least(timestamptz 'epoch' + f.updated_ms * interval '1 millisecond', now())::timestamptz(3)
      FROM unnest(batch) AS o
     CROSS JOIN LATERAL jsonb_to_record(o.fields) AS f (
               conversation_id uuid, parent_id uuid, continues_id uuid, role text, content text,
               content_raw text, parts text, model text, state text, tokens_in bigint,
               tokens_out bigint, first_token_ms bigint, cost_micros bigint, metadata text,
               device_id uuid, created_ms bigint, finished_ms bigint, trashed_ms bigint,
               updated_ms bigint);
END
$$;

CREATE OR REPLACE FUNCTION sync.new_documents(owner uuid, batch sync.op[])
RETURNS SETOF public.documents LANGUAGE plpgsql STABLE SET search_path = '' AS $$
BEGIN
    RETURN QUERY
    SELECT owner, o.id, f.conversation_id, f.title, f.mime, f.sha256, f.bytes, f.pages, f.state,
           f.origin::jsonb, f.metadata::jsonb,
           (timestamptz 'epoch' + f.created_ms * interval '1 millisecond')::timestamptz(3),
           (timestamptz 'epoch' + f.trashed_ms * interval '1 millisecond')::timestamptz(3),
           o.clocks,
           least(timestamptz 'epoch' + f.updated_ms * interval '1 millisecond', now())::timestamptz(3)
      FROM unnest(batch) AS o
     CROSS JOIN LATERAL jsonb_to_record(o.fields) AS f (
               conversation_id uuid, title text, mime text, sha256 text, bytes bigint, pages bigint,
               state text, origin text, metadata text, created_ms bigint, trashed_ms bigint,
               updated_ms bigint);
END
$$;

CREATE OR REPLACE FUNCTION sync.new_files(owner uuid, batch sync.op[])
RETURNS SETOF public.files LANGUAGE plpgsql STABLE SET search_path = '' AS $$
BEGIN
    RETURN QUERY
    SELECT owner, o.id, f.document_id, f.message_id, f.name, f.mime, f.sha256, f.bytes,
           f.storage_path, f.origin::jsonb,
           (timestamptz 'epoch' + f.created_ms * interval '1 millisecond')::timestamptz(3), o.clocks,
           least(timestamptz 'epoch' + f.updated_ms * interval '1 millisecond', now())::timestamptz(3)
      FROM unnest(batch) AS o
     CROSS JOIN LATERAL jsonb_to_record(o.fields) AS f (
               document_id uuid, message_id uuid, name text, mime text, sha256 text, bytes bigint,
               storage_path text, origin text, created_ms bigint, updated_ms bigint);
END
$$;

CREATE OR REPLACE FUNCTION sync.new_user_preferences(owner uuid, batch sync.op[])
RETURNS SETOF public.user_preferences LANGUAGE plpgsql STABLE SET search_path = '' AS $$
BEGIN
    RETURN QUERY
    SELECT owner, o.id, f.key, f.value::jsonb, o.clocks,
           least(timestamptz 'epoch' + f.updated_ms * interval '1 millisecond', now())::timestamptz(3)
      FROM unnest(batch) AS o
     CROSS JOIN LATERAL jsonb_to_record(o.fields) AS f (key text, value text, updated_ms bigint);
END
$$;

CREATE OR REPLACE FUNCTION sync.new_usage_logs(owner uuid, batch sync.op[])
RETURNS SETOF public.usage_logs LANGUAGE plpgsql STABLE SET search_path = '' AS $$
BEGIN
    RETURN QUERY
    SELECT owner, o.id, f.conversation_id, f.message_id, f.model, f.tokens_in, f.tokens_out,
           f.first_token_ms, f.cost_micros,
           (timestamptz 'epoch' + f.created_ms * interval '1 millisecond')::timestamptz(3)
      FROM unnest(batch) AS o
     CROSS JOIN LATERAL jsonb_to_record(o.fields) AS f (
               conversation_id uuid, message_id uuid, model text, tokens_in bigint,
               tokens_out bigint, first_token_ms bigint, cost_micros bigint, created_ms bigint);
END
$$;

CREATE OR REPLACE FUNCTION sync.new_devices(owner uuid, batch sync.op[])
RETURNS SETOF public.devices LANGUAGE plpgsql STABLE SET search_path = '' AS $$
BEGIN
    RETURN QUERY
    SELECT owner, o.id, f.name, f.platform, f.app_version,
           (timestamptz 'epoch' + f.created_ms * interval '1 millisecond')::timestamptz(3),
           (timestamptz 'epoch' + f.revoked_ms * interval '1 millisecond')::timestamptz(3), o.clocks,
           least(timestamptz 'epoch' + f.updated_ms * interval '1 millisecond', now())::timestamptz(3)
      FROM unnest(batch) AS o
     CROSS JOIN LATERAL jsonb_to_record(o.fields) AS f (
               name text, platform text, app_version text, created_ms bigint, revoked_ms bigint,
               updated_ms bigint);
END
$$;

-- The column that holds a field.
CREATE OR REPLACE FUNCTION sync.column_of(field text) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = '' AS $$
    SELECT CASE WHEN field IN ('created_ms', 'updated_ms', 'finished_ms', 'trashed_ms', 'revoked_ms')
                THEN replace(field, '_ms', '_at') ELSE field END
$$;

-- The stored row as on the wire, locked; NULL where there is none.
CREATE OR REPLACE FUNCTION sync.stored(kind sync.kind, owner uuid, id uuid) RETURNS jsonb
LANGUAGE plpgsql SET search_path = '' AS $$
DECLARE
    fields jsonb;
BEGIN
    EXECUTE format('SELECT NULL FROM public.%I AS t WHERE t.user_id = $1 AND t.id = $2 FOR UPDATE',
                   kind.name) USING owner, id;
    EXECUTE format('SELECT w.fields FROM sync.%I AS w WHERE w.user_id = $1 AND w.id = $2',
                   'wire_' || kind.name) INTO fields USING owner, id;
    RETURN fields;
END
$$;

-- The seq and nonce of a row's last change.
CREATE OR REPLACE FUNCTION sync.version(owner uuid, code smallint, id uuid) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = '' AS $$
BEGIN
    RETURN (SELECT jsonb_strip_nulls(jsonb_build_object('seq', c.seq, 'nonce', t.nonce))
              FROM sync.change AS c
              LEFT JOIN sync.txn AS t ON t.scope = c.scope AND t.seq = c.seq
             WHERE c.scope = owner AND c.tbl = code AND c.row_id = id);
END
$$;

CREATE OR REPLACE FUNCTION sync.rejected(op sync.op, code text, message text) RETURNS sync.outcome
LANGUAGE sql IMMUTABLE SET search_path = '' AS $$
    SELECT ROW(op.n, 'rejected', jsonb_build_object('code', code, 'message', message))::sync.outcome
$$;

-- Rows that are not there yet.
CREATE OR REPLACE FUNCTION sync.insert_rows(kind_name text, owner uuid, batch sync.op[]) RETURNS void
LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
    EXECUTE format('INSERT INTO public.%I SELECT * FROM sync.%I($1, $2)',
                   kind_name, 'new_' || kind_name) USING owner, batch;
END
$$;

-- Some fields of a row that is there, with its new clocks.
CREATE OR REPLACE FUNCTION sync.write(
    kind sync.kind, owner uuid, id uuid, changed jsonb, clocks jsonb
) RETURNS void LANGUAGE plpgsql SET search_path = '' AS $$
DECLARE
    columns text;
BEGIN
    SELECT string_agg(format('%I', sync.column_of(k)), ', ') INTO columns
      FROM jsonb_object_keys(changed) AS k;
    EXECUTE format(
        'UPDATE public.%1$I AS t SET (%2$s, clocks) = (SELECT %2$s, clocks FROM sync.%3$I($1, ARRAY[$3]))'
        ' WHERE t.user_id = $1 AND t.id = $2', kind.name, columns, 'new_' || kind.name)
    USING owner, id, ROW(0, kind.wire, id, NULL, 'patch', changed, clocks, NULL)::sync.op;
END
$$;

-- New messages take their conversations out of the trash, unless those were put there after the message
-- was written: both are values of the register `trashed_ms`. A message without a clock is of now.
CREATE OR REPLACE FUNCTION sync.untrash(owner uuid, batch sync.op[]) RETURNS void
LANGUAGE sql SET search_path = '' AS $$
    UPDATE public.conversations AS c
       SET trashed_at = NULL,
           clocks = c.clocks || jsonb_build_object('trashed_ms', m.clock),
           updated_at = now()
      FROM (SELECT (b.fields ->> 'conversation_id')::uuid AS id,
                   max(COALESCE((b.clocks ->> 'trashed_ms')::bigint, sync.clock())) AS clock
              FROM unnest(batch) AS b
             WHERE b.kind = 'put' AND b.fields ->> 'trashed_ms' IS NULL
             GROUP BY 1) AS m
     WHERE c.user_id = owner AND c.id = m.id AND c.trashed_at IS NOT NULL
       AND m.clock > COALESCE((c.clocks ->> 'trashed_ms')::bigint, 0)
$$;

CREATE OR REPLACE FUNCTION sync.delete_conversation(owner uuid, conversation uuid) RETURNS void
LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
    DELETE FROM public.files AS f
     WHERE f.user_id = owner
       AND (f.message_id IN (SELECT m.id FROM public.messages AS m
                              WHERE m.user_id = owner AND m.conversation_id = conversation)
            OR f.document_id IN (SELECT d.id FROM public.documents AS d
                                  WHERE d.user_id = owner AND d.conversation_id = conversation));
    DELETE FROM public.documents AS d WHERE d.user_id = owner AND d.conversation_id = conversation;
    DELETE FROM public.messages AS m WHERE m.user_id = owner AND m.conversation_id = conversation;
    DELETE FROM public.conversations AS c WHERE c.user_id = owner AND c.id = conversation;
END
$$;

CREATE OR REPLACE FUNCTION sync.apply_purge(kind sync.kind, owner uuid, op sync.op, stored jsonb)
RETURNS sync.outcome LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
    IF kind.wire IN ('usage', 'devices') THEN
        RETURN sync.rejected(op, 'forbidden', kind.wire || ' are never purged');
    ELSIF stored IS NULL THEN
        -- A tombstone that a restored server lost; or one that is there, and stays as it is.
        INSERT INTO sync.change (scope, tbl, row_id, seq, op, bytes)
        SELECT owner, kind.code, op.id, sync.bump(owner), 'D', 0
         WHERE NOT EXISTS (SELECT FROM sync.change AS c WHERE c.scope = owner
                              AND c.tbl = kind.code AND c.row_id = op.id);
        IF kind.wire = 'conversations' THEN
            -- Messages whose conversation was refused, or was forgotten, are there without it.
            PERFORM sync.delete_conversation(owner, op.id);
        END IF;
    ELSIF stored -> 'trashed_ms' = 'null'
          AND (stored -> 'clocks' ->> 'trashed_ms')::bigint > (op.clocks ->> 'trashed_ms')::bigint THEN
        RETURN ROW(op.n, 'merged', sync.version(owner, kind.code, op.id))::sync.outcome;
    ELSIF kind.wire = 'conversations' THEN
        PERFORM sync.delete_conversation(owner, op.id);
    ELSE
        EXECUTE format('DELETE FROM public.%I WHERE user_id = $1 AND id = $2', kind.name)
          USING owner, op.id;
    END IF;
    RETURN ROW(op.n, 'applied', sync.version(owner, kind.code, op.id))::sync.outcome;
END
$$;

CREATE OR REPLACE FUNCTION sync.apply_absent(kind sync.kind, owner uuid, op sync.op)
RETURNS sync.outcome LANGUAGE plpgsql SET search_path = '' AS $$
DECLARE
    tombstone sync.change;
BEGIN
    SELECT * INTO tombstone FROM sync.change AS c
     WHERE c.scope = owner AND c.tbl = kind.code AND c.row_id = op.id;
    IF tombstone.op = 'X' THEN
        RETURN sync.rejected(op, 'forbidden', 'the row is somebody else''s now');
    ELSIF tombstone.op = 'D' THEN
        RETURN ROW(op.n, 'gone', jsonb_build_object('seq', tombstone.seq))::sync.outcome;
    ELSIF op.kind = 'patch' THEN
        RETURN sync.rejected(op, 'missing', 'there is no such row');
    ELSIF kind.wire = 'messages' THEN
        -- In a conversation that was deleted for good nobody would ever see it.
        SELECT * INTO tombstone FROM sync.change AS c
         WHERE c.scope = owner AND c.tbl = 1 AND c.row_id = (op.fields ->> 'conversation_id')::uuid;
        IF tombstone.op = 'D' THEN
            RETURN ROW(op.n, 'gone', jsonb_build_object('seq', tombstone.seq))::sync.outcome;
        END IF;
    END IF;
    PERFORM sync.insert_rows(kind.name, owner, ARRAY[op]);
    IF kind.wire = 'messages' THEN
        PERFORM sync.untrash(owner, ARRAY[op]);
    END IF;
    RETURN ROW(op.n, 'applied', sync.version(owner, kind.code, op.id))::sync.outcome;
END
$$;

-- A person's title beats a machine's, whatever the clocks; NULL: the clocks decide.
CREATE OR REPLACE FUNCTION sync.title_wins(incoming text, held text) RETURNS boolean
LANGUAGE sql IMMUTABLE SET search_path = '' AS $$
    SELECT CASE WHEN (incoming = 'person') = (held = 'person') THEN NULL ELSE incoming = 'person' END
$$;

-- What of a body an operation may write: its fields, or the reason why none of them, or neither: then what is stored
-- stays (`stays`), and the device is told what that is.
CREATE OR REPLACE FUNCTION sync.body_rule(
    kind text, stored jsonb, touched jsonb, mine boolean,
    OUT changed jsonb, OUT conflict text, OUT stays boolean
) LANGUAGE plpgsql IMMUTABLE SET search_path = '' AS $$
DECLARE
    final text[] := '{done,stopped,interrupted}';
    was_final boolean := stored ->> 'state' = ANY (final);
    will_be_final boolean := COALESCE(touched ->> 'state', stored ->> 'state') = ANY (final);
BEGIN
    changed := '{}';
    stays := false;
    IF touched = '{}' THEN
        RETURN;
    ELSIF was_final THEN
        -- Neither an offer nor an old put of a body that has been finished since is an edit.
        conflict := CASE WHEN kind = 'patch' OR (kind = 'put' AND will_be_final) THEN 'final' END;
    ELSIF mine OR (kind <> 'patch' AND will_be_final) THEN
        changed := touched;
    ELSIF kind = 'patch' THEN
        conflict := 'not_owner';
    END IF;
    stays := changed = '{}' AND conflict IS NULL;
END
$$;

CREATE OR REPLACE FUNCTION sync.apply_present(
    kind sync.kind, owner uuid, device uuid, by_service boolean, op sync.op, stored jsonb
) RETURNS sync.outcome LANGUAGE plpgsql SET search_path = '' AS $$
DECLARE
    fields jsonb := op.fields - 'updated_ms';
    clocks jsonb := stored -> 'clocks';
    changed jsonb := '{}';
    lost jsonb := '{}';
    behind boolean := false;                          -- some of it did not take effect
    stays boolean;
    conflict text;
    body jsonb;
    register text;
    value jsonb;
    held bigint;
    sent bigint;
    wins boolean;
    detail jsonb;
    field text;
BEGIN
    FOREACH field IN ARRAY kind.json LOOP             -- as the server will show it
        IF fields ->> field IS NOT NULL THEN
            fields := fields || jsonb_build_object(field, (fields ->> field)::jsonb::text);
        END IF;
    END LOOP;
    IF kind.wire = 'conversations' AND fields ?| '{title,title_by}' THEN
        fields := jsonb_build_object('title', stored -> 'title', 'title_by', stored -> 'title_by')
                  || fields;
    END IF;

    FOREACH register IN ARRAY kind.registers LOOP
        CONTINUE WHEN NOT fields ? register;
        value := fields -> register;
        held := (clocks ->> register)::bigint;
        sent := (op.clocks ->> register)::bigint;
        IF sent IS NULL AND op.kind = 'patch' THEN    -- a writer without clocks means now
            sent := greatest(sync.clock(), held + 1);
        END IF;
        CONTINUE WHEN sent IS NULL AND value IS NOT DISTINCT FROM stored -> register;
        wins := held IS NULL OR COALESCE(sent > held, false);
        IF register = 'title' AND kind.wire = 'conversations' THEN
            wins := COALESCE(sync.title_wins(fields ->> 'title_by', stored ->> 'title_by'), wins);
        END IF;
        IF wins THEN
            changed := changed || jsonb_build_object(register, value);
            IF register = 'title' AND kind.wire = 'conversations' THEN
                changed := changed || jsonb_build_object('title_by', fields -> 'title_by');
            END IF;
            clocks := clocks || jsonb_strip_nulls(jsonb_build_object(register, sent));
            IF held IS NOT NULL AND value IS DISTINCT FROM stored -> register
               AND held IS DISTINCT FROM (op.base ->> register)::bigint THEN
                lost := lost || jsonb_build_object(register, stored -> register);
            END IF;
        ELSIF sent IS DISTINCT FROM held OR value IS DISTINCT FROM stored -> register THEN
            behind := true;
        END IF;
    END LOOP;

    SELECT COALESCE(jsonb_object_agg(f.key, f.value), '{}') INTO body
      FROM jsonb_each(fields) AS f
     WHERE f.key = ANY (kind.body) AND f.value IS DISTINCT FROM stored -> f.key;
    SELECT r.changed, r.conflict, r.stays INTO body, conflict, stays
      FROM sync.body_rule(op.kind, stored, body, by_service OR
                          COALESCE((stored ->> 'device_id')::uuid = device, false)) AS r;

    SELECT f.key INTO field
      FROM jsonb_each(fields) AS f
     WHERE f.key <> ALL (kind.registers || kind.body || '{title_by}'::text[])
       AND f.value IS DISTINCT FROM stored -> f.key
     LIMIT 1;
    IF field = 'revoked_ms' AND stored -> 'revoked_ms' = 'null' AND op.kind = 'ensure' THEN
        changed := changed || jsonb_build_object(field, fields -> field);
    ELSIF field IS NOT NULL AND op.kind = 'patch' THEN
        RETURN sync.rejected(op, 'invalid', field || ' never changes');
    ELSIF field IS NOT NULL THEN
        stays := true;
    END IF;

    changed := changed || body;
    IF changed <> '{}' THEN
        PERFORM sync.write(kind, owner, op.id, changed || jsonb_build_object('updated_ms', greatest(
            (stored ->> 'updated_ms')::bigint,
            COALESCE((op.fields ->> 'updated_ms')::bigint, sync.server_ms()))), clocks);
    END IF;
    detail := sync.version(owner, kind.code, op.id);
    IF lost <> '{}' THEN
        detail := detail || jsonb_build_object('lost', lost);
    END IF;
    IF conflict IS NOT NULL THEN
        detail := detail || jsonb_build_object('reason', conflict);
    END IF;
    RETURN ROW(op.n, CASE WHEN conflict IS NOT NULL THEN 'conflict' WHEN behind OR stays THEN 'merged'
                          ELSE 'applied' END, detail)::sync.outcome;
END
$$;

-- One operation. What it raises is the caller's to translate.
CREATE OR REPLACE FUNCTION sync.apply(owner uuid, device uuid, by_service boolean, op sync.op)
RETURNS sync.outcome LANGUAGE plpgsql SET search_path = '' AS $$
DECLARE
    kind sync.kind;
    stored jsonb;
    unknown jsonb;
BEGIN
    SELECT * INTO kind FROM sync.kind AS k WHERE k.wire = op.tbl;
    IF NOT FOUND THEN
        RETURN sync.rejected(op, 'unknown_table', 'there is no such table');
    ELSIF op.kind IS NULL OR op.kind NOT IN ('put', 'patch', 'ensure', 'purge') THEN
        RETURN sync.rejected(op, 'unknown_kind', 'there is no such kind');
    ELSIF op.id IS NULL OR op.clocks IS NULL OR (op.fields IS NULL AND op.kind <> 'purge') THEN
        RETURN sync.rejected(op, 'invalid', 'id, fields or clocks are not what they should be');
    END IF;
    unknown := op.fields - kind.fields - 'updated_ms'::text;
    IF unknown <> '{}' AND op.kind <> 'purge' THEN
        RETURN sync.rejected(op, 'invalid', 'unknown fields');
    ELSIF op.clocks - kind.registers <> '{}' THEN
        RETURN sync.rejected(op, 'invalid', 'clocks of no register');
    END IF;
    stored := sync.stored(kind, owner, op.id);
    IF op.kind = 'purge' THEN
        RETURN sync.apply_purge(kind, owner, op, stored);
    ELSIF stored IS NULL THEN
        RETURN sync.apply_absent(kind, owner, op);
    END IF;
    RETURN sync.apply_present(kind, owner, device, by_service, op, stored);
END
$$;
