-- sync_push and sync_hello: the whole that 0006_merge.sql has the parts of.

-- Conversations whose time in the trash is over, a bounded piece for each call: a thousand messages at
-- most, and the conversation when none is left. There is no scheduler; who writes, tidies.
CREATE OR REPLACE FUNCTION sync.purge_trash(owner uuid) RETURNS void
LANGUAGE plpgsql SET search_path = '' AS $$
DECLARE
    conversation uuid;
    pieces integer;
BEGIN
    FOR conversation IN
        SELECT c.id FROM public.conversations AS c
         WHERE c.user_id = owner AND c.purge_after < now()
         ORDER BY c.purge_after LIMIT 10
    LOOP
        DELETE FROM public.messages AS m
         WHERE m.user_id = owner
           AND m.id IN (SELECT p.id FROM public.messages AS p
                         WHERE p.user_id = owner AND p.conversation_id = conversation
                           AND NOT EXISTS (SELECT FROM public.files AS f
                                            WHERE f.user_id = owner AND f.message_id = p.id)
                         LIMIT 1000);
        GET DIAGNOSTICS pieces = ROW_COUNT;
        EXIT WHEN pieces = 1000;
        PERFORM sync.delete_conversation(owner, conversation);
    END LOOP;
END
$$;

-- Forgets tombstones and versions older than 90 days, a bounded piece for each call. The horizon moves
-- first, and a tombstone at or below it that is still there does no harm.
CREATE OR REPLACE FUNCTION sync.move_horizon(owner uuid) RETURNS void
LANGUAGE plpgsql SET search_path = '' AS $$
DECLARE
    reached bigint;
BEGIN
    SELECT max(t.seq) INTO reached
      FROM (SELECT t.seq, t.at FROM sync.txn AS t
             WHERE t.scope = owner ORDER BY t.seq LIMIT 1000) AS t
     WHERE t.at < now() - interval '90 days';
    IF reached IS NULL THEN
        RETURN;
    END IF;
    UPDATE sync.head AS h SET horizon = reached WHERE h.scope = owner AND h.horizon < reached;
    DELETE FROM sync.txn AS t WHERE t.scope = owner AND t.seq < reached;
    DELETE FROM sync.change AS c
     WHERE c.scope = owner AND c.op <> 'U' AND c.seq <= reached
       AND c.row_id IN (SELECT d.row_id FROM sync.change AS d
                         WHERE d.scope = owner AND d.op <> 'U' AND d.seq <= reached
                         ORDER BY d.seq LIMIT 2000);
END
$$;

-- The device is the one that said hello in this session (the service role's word is enough). Takes note
-- of what it has settled, forgets the outcomes up to there, and answers with that mark.
CREATE OR REPLACE FUNCTION sync.settle(owner uuid, device uuid, by_service boolean, through bigint)
RETURNS bigint LANGUAGE plpgsql SET search_path = '' AS $$
DECLARE
    mark bigint;
BEGIN
    IF by_service AND device IS NULL THEN
        RETURN 0;
    ELSIF by_service THEN
        INSERT INTO sync.device (user_id, device_id) VALUES (owner, device) ON CONFLICT DO NOTHING;
    END IF;
    UPDATE sync.device AS b
       SET acked_through = greatest(b.acked_through, through), last_seen_at = now()
     WHERE b.user_id = owner AND b.device_id = device
       AND (by_service OR b.session_id = (auth.jwt() ->> 'session_id')::uuid)
    RETURNING b.acked_through INTO mark;
    IF mark IS NULL THEN
        PERFORM sync.refuse(403, 'device_unknown');
    END IF;
    DELETE FROM sync.ledger AS l
     WHERE l.user_id = owner AND l.device_id = device AND l.n <= mark;
    RETURN mark;
END
$$;

CREATE OR REPLACE FUNCTION sync.check_batch(ops jsonb) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = '' AS $$
BEGIN
    IF ops IS NULL OR jsonb_typeof(ops) <> 'array' THEN
        PERFORM sync.refuse(400, 'invalid_batch');
    ELSIF jsonb_array_length(ops) > (SELECT b.value FROM sync.bound AS b WHERE b.name = 'ops_per_batch')
       OR pg_column_size(ops) > (SELECT b.value FROM sync.bound AS b WHERE b.name = 'bytes_per_batch')
    THEN
        PERFORM sync.refuse(413, 'batch_too_large');
    ELSIF jsonb_path_exists(ops, '$[*] ? (!exists(@.n ? (@.type() == "number" && @ >= 1
              && @ <= 9223372036854775807 && @.floor() == @)))') THEN
        PERFORM sync.refuse(400, 'invalid_batch');
    END IF;
END
$$;

-- A device names the latest point that it knows. A server that does not know it was restored since, or has
-- forgotten what the device never read: nothing is done then, and the device finds out by a pull what it is.
CREATE OR REPLACE FUNCTION sync.check_point(owner uuid, known jsonb) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = '' AS $$
BEGIN
    IF NOT sync.knows(owner, known, false) THEN
        PERFORM sync.refuse(409, 'unknown_point');
    END IF;
END
$$;

-- The operations that can be done as a set: new rows that nothing is known of, each alone with its id and
-- number, and none behind an operation of its queue that has to be looked at singly.
CREATE OR REPLACE FUNCTION sync.plain(owner uuid, device uuid, mark bigint, batch sync.op[])
RETURNS sync.op[] LANGUAGE plpgsql STABLE SET search_path = '' AS $$
DECLARE
    numbers bigint[];
    all_of_them boolean;
BEGIN
    WITH deleted AS MATERIALIZED (                    -- conversations that messages come too late for
        SELECT c.row_id::text AS id
          FROM (SELECT DISTINCT b.fields ->> 'conversation_id' AS id
                  FROM unnest(batch) AS b
                 WHERE b.tbl = 'messages') AS m
          JOIN sync.change AS c
            ON c.scope = owner AND c.tbl = 1 AND c.op = 'D'
           AND c.row_id = CASE WHEN m.id ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' THEN m.id::uuid END
    ), looked_at AS (
        SELECT b.n, b.tbl, b.id, b.queue, COALESCE(
                   b.kind IN ('put', 'ensure') AND b.n > mark
                   AND b.fields - k.fields - 'updated_ms'::text = '{}'
                   AND b.clocks - k.registers = '{}'
                   AND (k.code <> 1 OR b.fields ->> 'trashed_ms' IS NULL)
                   AND (k.code <> 2 OR b.fields ->> 'conversation_id' NOT IN (SELECT d.id FROM deleted AS d))
                   AND NOT EXISTS (SELECT FROM sync.change AS c
                                    WHERE c.scope = owner AND c.tbl = k.code AND c.row_id = b.id)
                   AND NOT EXISTS (SELECT FROM sync.ledger AS l
                                    WHERE l.user_id = owner AND l.device_id = device AND l.n = b.n),
                   false) AS plain
          FROM unnest(batch) AS b
          LEFT JOIN sync.kind AS k ON k.wire = b.tbl
    ), alone AS (
        SELECT a.n, bool_and(a.plain AND a.same = 1 AND a.numbered = 1)
                        OVER (PARTITION BY a.queue ORDER BY a.n ROWS UNBOUNDED PRECEDING) AS quick
          FROM (SELECT l.*, count(*) OVER (PARTITION BY l.tbl, l.id) AS same,
                       count(*) OVER (PARTITION BY l.n) AS numbered
                  FROM looked_at AS l) AS a
    )
    SELECT array_agg(a.n) FILTER (WHERE a.quick), bool_and(a.quick) INTO numbers, all_of_them
      FROM alone AS a;
    IF all_of_them THEN
        RETURN batch;
    END IF;
    RETURN (SELECT array_agg(b) FROM unnest(batch) AS b WHERE b.n = ANY (numbers));
END
$$;

-- Does them. Whatever is wrong with one of them is wrong with the set: nothing is done then, and the
-- answer is false.
CREATE OR REPLACE FUNCTION sync.apply_plain(owner uuid, batch sync.op[]) RETURNS boolean
LANGUAGE plpgsql SET search_path = '' AS $$
DECLARE
    kind sync.kind;
    part sync.op[];
BEGIN
    FOR kind IN
        SELECT k.* FROM sync.kind AS k
         WHERE k.wire IN (SELECT b.tbl FROM unnest(batch) AS b)
         ORDER BY k.code
    LOOP
        SELECT array_agg(b) INTO part FROM unnest(batch) AS b WHERE b.tbl = kind.wire;
        PERFORM sync.insert_rows(kind.name, owner, part);
        IF kind.wire = 'messages' THEN
            PERFORM sync.untrash(owner, part);
        END IF;
    END LOOP;
    RETURN true;
EXCEPTION WHEN OTHERS THEN
    RETURN false;
END
$$;

-- One operation in a subtransaction of its own, and what it raised in our words.
CREATE OR REPLACE FUNCTION sync.attempt(owner uuid, device uuid, by_service boolean, op sync.op)
RETURNS sync.outcome LANGUAGE plpgsql SET search_path = '' AS $$
DECLARE
    named text;
BEGIN
    RETURN sync.apply(owner, device, by_service, op);
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS named = CONSTRAINT_NAME;
    IF named LIKE '%\_size' OR sqlstate LIKE '54%' THEN
        RETURN sync.rejected(op, 'too_large', named);
    ELSIF sqlstate LIKE '22%' OR sqlstate LIKE '23%' THEN
        RETURN sync.rejected(op, 'invalid', sqlerrm);
    END IF;
    -- Deadlocks, a full disk, a lock that did not come: nothing that the operation is to blame for.
    RETURN ROW(op.n, 'retry', jsonb_build_object('code', sqlstate))::sync.outcome;
END
$$;

-- The clocks as they were stored, where they were shifted: kept in the ledger, because a batch that comes
-- again is shifted by another amount.
CREATE OR REPLACE FUNCTION sync.with_clocks(detail jsonb, clocks jsonb, ahead bigint) RETURNS jsonb
LANGUAGE sql IMMUTABLE SET search_path = '' AS $$
    SELECT CASE WHEN ahead > 0 AND clocks <> '{}' THEN detail || jsonb_build_object('clocks', clocks)
                ELSE detail END
$$;

-- An outcome as it travels: with the row, where the device needs it, as it is now.
CREATE OR REPLACE FUNCTION sync.told(owner uuid, op sync.op, result sync.outcome)
RETURNS json LANGUAGE plpgsql SET search_path = '' AS $$
DECLARE
    kind sync.kind;
    row_now jsonb;
    detail jsonb := result.detail;
BEGIN
    IF result.outcome IN ('merged', 'conflict') THEN
        SELECT * INTO kind FROM sync.kind AS k WHERE k.wire = op.tbl;
        row_now := sync.stored(kind, owner, op.id);
        IF row_now IS NULL THEN
            RETURN json_build_array(result.n, 'done', '{}'::json);
        END IF;
        row_now := row_now || (sync.version(owner, kind.code, op.id) - 'nonce');
        detail := detail || jsonb_build_object('row', row_now);
    END IF;
    RETURN json_build_array(result.n, result.outcome, COALESCE(detail, '{}'));
END
$$;

-- No sequential scans: plans are kept with the connection, and one made while a table was empty would read
-- all of it for each operation.
CREATE OR REPLACE FUNCTION sync.push(
    device uuid, acked_through bigint, ops jsonb, scope uuid, known jsonb
) RETURNS json LANGUAGE plpgsql SECURITY DEFINER
SET search_path = '' SET enable_seqscan = off SET jit = off
AS $$
DECLARE
    owner uuid := sync.caller(scope);
    by_service boolean := COALESCE(auth.role() = 'service_role', false);
    head sync.head;
    mark bigint;
    ahead bigint;
    batch sync.op[];
    quick sync.op[];
    op sync.op;
    result sync.outcome;
    told json[] := '{}';
    quick_told json;
    detail jsonb;
    stuck text[] := '{}';                             -- queues that nothing may pass in
BEGIN
    PERFORM sync.check_batch(ops);
    PERFORM FROM sync.head AS h WHERE h.scope = owner FOR UPDATE;
    PERFORM sync.check_point(owner, known);
    mark := sync.settle(owner, device, by_service, COALESCE(acked_through, 0));
    PERFORM sync.count_call(owner);
    ahead := COALESCE(sync.ahead(ops), 0);
    BEGIN
        batch := sync.unpack(ops, ahead, false);
    EXCEPTION WHEN invalid_text_representation THEN
        batch := sync.unpack(ops, ahead, true);
    END;

    quick := sync.plain(owner, device, mark, batch);
    IF quick IS NULL OR NOT sync.apply_plain(owner, quick) THEN
        quick := '{}';
    END IF;
    IF quick <> '{}' THEN
        SELECT * INTO head FROM sync.head AS h WHERE h.scope = owner;
        detail := jsonb_build_object('seq', head.seq, 'nonce', head.nonce);
        INSERT INTO sync.ledger (user_id, device_id, n, outcome, detail, tbl, row_id)
        SELECT owner, device, q.n, 'applied', sync.with_clocks(detail, q.clocks, ahead), q.tbl, q.id
          FROM unnest(quick) AS q
         WHERE device IS NOT NULL AND ahead > 0
        UNION ALL
        SELECT owner, device, q.n, 'applied', detail, q.tbl, q.id
          FROM unnest(quick) AS q
         WHERE device IS NOT NULL AND ahead = 0;
        SELECT json_agg(json_build_array(q.n, 'applied', CASE WHEN ahead = 0 THEN detail
                   ELSE sync.with_clocks(detail, q.clocks, ahead) END))
          INTO quick_told
          FROM unnest(quick) AS q;
    END IF;

    FOR op IN
        SELECT b.* FROM unnest(batch) AS b
         WHERE b.n NOT IN (SELECT q.n FROM unnest(quick) AS q)
         ORDER BY b.n
    LOOP
        SELECT l.n, l.outcome, l.detail INTO result
          FROM sync.ledger AS l
         WHERE l.user_id = owner AND l.device_id = device AND l.n = op.n
           AND (l.tbl, l.row_id) IS NOT DISTINCT FROM (op.tbl, op.id);
        IF FOUND THEN
            NULL;
        ELSIF op.n <= mark THEN
            result := ROW(op.n, 'done', '{}')::sync.outcome;
        ELSIF op.queue = ANY (stuck) THEN
            result := ROW(op.n, 'behind', '{}')::sync.outcome;
        ELSE
            result := sync.attempt(owner, device, by_service, op);
            IF result.outcome IN ('applied', 'merged') THEN
                result.detail := sync.with_clocks(result.detail, op.clocks, ahead);
            END IF;
            IF device IS NOT NULL AND result.outcome <> 'retry' THEN
                INSERT INTO sync.ledger AS l (user_id, device_id, n, outcome, detail, tbl, row_id)
                VALUES (owner, device, op.n, result.outcome, COALESCE(result.detail, '{}'), op.tbl,
                        op.id)
                ON CONFLICT (user_id, device_id, n) DO UPDATE
                    SET outcome = excluded.outcome, detail = excluded.detail, tbl = excluded.tbl,
                        row_id = excluded.row_id;
            END IF;
        END IF;
        IF result.outcome IN ('rejected', 'retry') THEN
            stuck := stuck || op.queue;
        END IF;
        told := told || sync.told(owner, op, result);
    END LOOP;

    PERFORM sync.purge_trash(owner);
    PERFORM sync.move_horizon(owner);
    SELECT * INTO head FROM sync.head AS h WHERE h.scope = owner;
    RETURN json_build_object(
        'head', json_build_object('seq', head.seq, 'nonce', head.nonce),
        'server_ms', sync.server_ms(),
        'outcomes', CASE WHEN cardinality(told) = 0 THEN COALESCE(quick_told, '[]') ELSE (
            SELECT json_agg(o.outcome ORDER BY (o.outcome ->> 0)::bigint)
              FROM (SELECT json_array_elements(quick_told)
                    UNION ALL SELECT unnest(told)) AS o (outcome)) END);
END
$$;

-- In `public` stand thin functions with the caller's rights, so that whatever runs with the owner's is
-- in a schema that PostgREST does not expose.
-- One unnamed document, `{device, acked_through, ops, scope, known}`: PostgREST hands it on as it came. Out of named
-- arguments it builds a record, for which PostgreSQL reads the document three times more.
CREATE OR REPLACE FUNCTION public.sync_push(jsonb) RETURNS json
LANGUAGE sql VOLATILE SECURITY INVOKER SET search_path = '' AS $$
    SELECT sync.push(($1 ->> 'device')::uuid, ($1 ->> 'acked_through')::bigint, $1 -> 'ops', ($1 ->> 'scope')::uuid,
                     $1 -> 'known')
$$;

CREATE OR REPLACE FUNCTION sync.hello(device jsonb, schema integer) RETURNS json
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
    me uuid := auth.uid();
    session uuid := (auth.jwt() ->> 'session_id')::uuid;
    this uuid;
    named jsonb;
    known public.devices;
    settled bigint;
    numbered bigint;
BEGIN
    IF me IS NOT NULL AND EXISTS (SELECT FROM auth.users AS u WHERE u.id = me) THEN
        PERFORM sync.welcome(me, NULL);
    END IF;
    me := sync.caller(NULL);
    IF schema < 1 THEN
        PERFORM sync.refuse(400, 'schema_too_old');
    ELSIF schema > 1 THEN
        PERFORM sync.refuse(400, 'schema_too_new');
    ELSIF jsonb_typeof(device) IS DISTINCT FROM 'object'
       OR (device ->> 'id' ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$') IS NOT TRUE
       OR octet_length(device::text) > 4096 THEN
        PERFORM sync.refuse(400, 'invalid_device');
    END IF;
    this := (device ->> 'id')::uuid;
    PERFORM FROM sync.head AS h WHERE h.scope = me FOR UPDATE;
    PERFORM sync.count_call(me);

    SELECT * INTO known FROM public.devices AS d WHERE d.user_id = me AND d.id = this;
    IF known.revoked_at IS NOT NULL THEN
        PERFORM sync.refuse(403, 'device_revoked');
    ELSIF known.id IS NULL AND EXISTS (SELECT FROM public.devices AS d WHERE d.id = this) THEN
        PERFORM sync.refuse(403, 'device_unknown');
    ELSIF known.id IS NULL AND (SELECT count(*) FROM public.devices AS d WHERE d.user_id = me)
          >= (SELECT b.value FROM sync.bound AS b WHERE b.name = 'devices_per_user') THEN
        PERFORM sync.refuse(403, 'too_many_devices');
    END IF;
    INSERT INTO public.devices AS d (user_id, id, name, platform, app_version)
    VALUES (me, this, COALESCE(device ->> 'name', ''), COALESCE(device ->> 'platform', ''),
            COALESCE(device ->> 'app_version', ''))
    ON CONFLICT (user_id, id) DO UPDATE
        SET platform = excluded.platform, app_version = excluded.app_version
        WHERE (d.platform, d.app_version) IS DISTINCT FROM (excluded.platform, excluded.app_version);

    -- A session speaks for one device: the last that said hello in it.
    UPDATE sync.device AS b SET session_id = NULL
     WHERE b.session_id = session AND (b.user_id, b.device_id) <> (me, this);
    INSERT INTO sync.device AS b (user_id, device_id, session_id) VALUES (me, this, session)
    ON CONFLICT (user_id, device_id) DO UPDATE
        SET session_id = excluded.session_id, last_seen_at = now();
    SELECT b.acked_through, greatest(b.acked_through, (
               SELECT max(l.n) FROM sync.ledger AS l WHERE l.user_id = me AND l.device_id = this))
      INTO settled, numbered
      FROM sync.device AS b WHERE b.user_id = me AND b.device_id = this;

    RETURN (SELECT json_build_object(
                'schema', json_build_array(1, 1), 'server_ms', sync.server_ms(), 'user_id', me,
                'role', p.role, 'state', p.state,
                'head', json_build_object('seq', h.seq, 'nonce', h.nonce), 'horizon', h.horizon,
                'acked_through', settled, 'numbered_through', numbered)
              FROM public.profiles AS p JOIN sync.head AS h ON h.scope = p.user_id
             WHERE p.user_id = me);
END
$$;

CREATE OR REPLACE FUNCTION public.sync_hello(device jsonb, schema integer DEFAULT 1)
RETURNS json LANGUAGE sql VOLATILE SECURITY INVOKER SET search_path = '' AS $$
    SELECT sync.hello(device, schema)
$$;
